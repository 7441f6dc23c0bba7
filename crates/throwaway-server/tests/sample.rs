//! The sample shop loads into every server and holds what the demo and the guide rely on.

use std::path::Path;

use anyhow::Result;
use throwaway_server::{Flavor, TestDatabase};

fn check(flavor: Flavor) -> Result<()> {
    let Some(database) = TestDatabase::create(flavor)? else { return Ok(()) };
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample/sample.sql");
    database.client().load(&sample)?;
    let query = |sql: &str| database.client().query(sql);

    assert_eq!(
        query("SELECT count(*), count(phone), count(credit_limit) FROM customers")?,
        "5\t4\t4\n"
    );
    assert_eq!(query("SELECT count(*), count(notes) FROM orders")?, "7\t5\n");
    assert_eq!(query("SELECT credit_limit FROM customers WHERE id = 1")?, "12345.60\n");
    assert_eq!(query("SELECT company FROM customers WHERE id = 3")?, "Okafor Bakes 🥐\n");
    assert_eq!(query("SELECT customer_name FROM customers WHERE id = 4")?, "Jürgen Weiß\n");
    assert_eq!(
        query(
            "SET time_zone = '+00:00'; \
             SELECT created_at, updated_at FROM customers WHERE id = 2"
        )?,
        "2025-02-03 14:40:00\t2025-10-02 08:05:30\n"
    );
    let columns = |table: &str| {
        query(&format!(
            "SELECT GROUP_CONCAT(column_name ORDER BY ordinal_position SEPARATOR ' ') \
             FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = '{table}'"
        ))
    };
    assert_eq!(
        columns("customers")?,
        "id customer_name email phone company status credit_limit created_at updated_at\n"
    );
    assert_eq!(
        columns("orders")?,
        "id customer_id order_number order_date total_amount status notes created_at updated_at\n"
    );
    // A change must be found by the cursor, on an index.
    database.execute("UPDATE customers SET status = 'inactive' WHERE id = 5")?;
    let plan =
        query("EXPLAIN SELECT * FROM customers WHERE updated_at > TIMESTAMP'2026-01-01 00:00:00'")?;
    assert!(plan.contains("range") && plan.contains("customers_updated_at"), "{plan}");
    assert_eq!(
        query("SELECT id FROM customers WHERE updated_at > TIMESTAMP'2026-01-01 00:00:00'")?,
        "5\n"
    );
    Ok(())
}

#[test]
fn the_sample_loads_into_mariadb() -> Result<()> {
    check(Flavor::MariaDb)
}

#[test]
fn the_sample_loads_into_mysql() -> Result<()> {
    check(Flavor::MySql)
}
