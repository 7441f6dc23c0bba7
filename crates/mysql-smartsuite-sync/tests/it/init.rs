//! The first hour: from two schemas to a mapping file that works at once.

use serde_json::json;
use smartsuite_emulator::RouteKind::{BulkCreate, Fields};

use crate::stage::{Stage, on_every_server, on_mariadb};

on_every_server! {
    a_dozen_related_tables_of_every_type_work_at_once
}

on_mariadb! {
    a_second_try_changes_nothing
    what_is_wanting_is_said_with_the_option_that_gives_it
    settings_are_kept_in_the_env_file
    what_an_account_refuses_is_not_kept
    a_table_without_room_gets_no_field
}

/// A dozen related tables with every type of column.
const TABLES: &str = "
    DROP TABLE orders; DROP TABLE customers;
    CREATE TABLE regions (code CHAR(2) PRIMARY KEY, name VARCHAR(60) NOT NULL);
    CREATE TABLE customers (
      id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, customer_name VARCHAR(100) NOT NULL, email VARCHAR(190),
      phone VARCHAR(40), website VARCHAR(200), region_code CHAR(2), status ENUM('active','inactive','pending') NOT NULL,
      tags SET('new','loyal','vip'), is_member TINYINT(1) NOT NULL DEFAULT 0, credit_limit DECIMAL(12,2),
      notes TEXT, created_at DATETIME NOT NULL, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        ON UPDATE CURRENT_TIMESTAMP, INDEX (updated_at), FOREIGN KEY (region_code) REFERENCES regions (code));
    CREATE TABLE suppliers (id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(80), rating TINYINT, logo BLOB);
    CREATE TABLE categories (id SMALLINT PRIMARY KEY, name VARCHAR(80), parent_id SMALLINT,
      FOREIGN KEY (parent_id) REFERENCES categories (id));
    CREATE TABLE products (sku VARCHAR(20) PRIMARY KEY, title VARCHAR(120), price DECIMAL(10,4), weight FLOAT,
      volume DOUBLE, attributes JSON, year_built YEAR, supplier_id BIGINT UNSIGNED, category_id SMALLINT,
      FOREIGN KEY (supplier_id) REFERENCES suppliers (id), FOREIGN KEY (category_id) REFERENCES categories (id));
    CREATE TABLE warehouses (id INT PRIMARY KEY, name VARCHAR(60), place POINT, opens TIME);
    CREATE TABLE stocks (warehouse_id INT, sku VARCHAR(20), amount MEDIUMINT NOT NULL, checked DATE,
      PRIMARY KEY (warehouse_id, sku), FOREIGN KEY (warehouse_id) REFERENCES warehouses (id),
      FOREIGN KEY (sku) REFERENCES products (sku));
    CREATE TABLE orders (id INT PRIMARY KEY, order_number VARCHAR(30), customer_id INT UNSIGNED, order_date DATE,
      total_amount DECIMAL(12,2), paid BIT(1), FOREIGN KEY (customer_id) REFERENCES customers (id));
    CREATE TABLE order_lines (order_id INT, position INT, sku VARCHAR(20), quantity BIGINT, comment_text LONGTEXT,
      PRIMARY KEY (order_id, position), FOREIGN KEY (order_id) REFERENCES orders (id));
    CREATE TABLE invoices (id INT PRIMARY KEY, number VARCHAR(30), order_id INT, issued_on DATETIME(6),
      FOREIGN KEY (order_id) REFERENCES orders (id));
    CREATE TABLE payments (id INT PRIMARY KEY, reference VARCHAR(64), invoice_id INT, received TIMESTAMP NULL,
      flags BIT(8), token VARBINARY(16), FOREIGN KEY (invoice_id) REFERENCES invoices (id));
    CREATE TABLE employees (id INT PRIMARY KEY, full_name VARCHAR(90), contact_email VARCHAR(90), mobile VARCHAR(30),
      bio MEDIUMTEXT, boss_id INT, FOREIGN KEY (boss_id) REFERENCES employees (id));
    INSERT INTO regions VALUES ('de', 'Germany'), ('fr', 'France');
    INSERT INTO customers (customer_name, email, phone, website, region_code, status, tags, is_member, credit_limit,
      notes, created_at) VALUES
      ('Amélie', 'a@example.com', '+33 1 99 00 12 34', 'https://example.com', 'fr', 'active', 'new,vip', 1, 100.50,
       'two\\nlines', '2026-01-02 03:04:05'),
      ('Bo', NULL, NULL, NULL, NULL, 'pending', '', 0, NULL, NULL, '2026-01-02 03:04:05');
    INSERT INTO suppliers VALUES (18446744073709551615, 'Big', 5, 0x00FF);
    INSERT INTO categories VALUES (1, 'All', NULL), (2, 'Some', 1);
    INSERT INTO products VALUES ('A-1', 'Pot', 12.3456, 1.5, 2.25, '{\"a\": [1, 2]}', 2026, 18446744073709551615, 2);
    INSERT INTO warehouses VALUES (1, 'North', POINT(1, 2), '08:30:00');
    INSERT INTO stocks VALUES (1, 'A-1', 7, '2026-02-03');
    INSERT INTO orders VALUES (1, 'SO-1', 1, '2026-02-04', 99.90, b'1');
    INSERT INTO order_lines VALUES (1, 1, 'A-1', 3, 'as a gift');
    INSERT INTO invoices VALUES (1, 'R-1', 1, '2026-02-05 06:07:08.123456');
    INSERT INTO payments VALUES (1, 'P-1', 1, '2026-02-06 00:00:00', b'101', 0x0102);
    INSERT INTO employees VALUES (1, 'Ann Boss', 'ann@example.com', '+49 30 123456', 'Long ago', NULL),
      (2, 'Ben', NULL, NULL, NULL, 1);";

/// SmartSuite's side: tables of the same names with a few fields, two of them there already.
fn smartsuite_tables(stage: &Stage) {
    let solutions = stage.smartsuite.api("GET", "/api/v1/solutions/", &json!(null));
    let solution = solutions[0]["id"].as_str().unwrap().to_owned();
    for name in [
        "Regions",
        "Suppliers",
        "Categories",
        "Products",
        "Warehouses",
        "Stock",
        "Order lines",
        "Invoices",
        "Payments",
        "Employees",
    ] {
        let title = json!({"slug": "title", "label": "Title", "field_type": "recordtitlefield", "params": {}});
        let table = json!({"name": name, "solution": solution, "structure": [title]});
        stage.smartsuite.api("POST", "/api/v1/applications/", &table);
    }
}

fn a_dozen_related_tables_of_every_type_work_at_once(stage: &mut Stage) {
    stage.sql(TABLES);
    smartsuite_tables(stage);
    std::fs::remove_file(stage.path("config/sync_mappings.yml")).unwrap();
    let act = stage.run(&["init", "--yes", "--create-fields", "--json"]).ended(0);
    let made = act.json();
    assert_eq!(made["syncs"].as_array().unwrap().len(), 12, "{}", act.out);
    assert_eq!(made["written"], true);
    stage
        .run(&["validate", "--online"])
        .ended(0)
        .said(&["no problems; 12 syncs", "everything is in place"]);
    stage.run(&["plan"]).ended(0).said(&["customers    would create 2"]);
    let links: Vec<(String, String, String)> = made["syncs"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|sync| sync["links"].as_array().unwrap().iter().map(move |link| (sync, link)))
        .map(|(sync, link)| {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            (text(&sync["sync"]), text(&link["from"][0]), text(&link["sync"]))
        })
        .collect();
    let link = |child: &str, from: &str, parent: &str| {
        (child.to_owned(), from.to_owned(), parent.to_owned())
    };
    let mut expected = vec![
        link("customers", "region_code", "regions"),
        link("categories", "parent_id", "categories"),
        link("products", "supplier_id", "suppliers"),
        link("products", "category_id", "categories"),
        link("stocks", "warehouse_id", "warehouses"),
        link("stocks", "sku", "products"),
        link("orders", "customer_id", "customers"),
        link("order_lines", "order_id", "orders"),
        link("invoices", "order_id", "orders"),
        link("payments", "invoice_id", "invoices"),
        link("employees", "boss_id", "employees"),
    ];
    let mut links = links;
    links.sort();
    expected.sort();
    assert_eq!(links, expected, "every foreign key is a link");
    let plan = stage.run(&["plan", "--json"]).ended(0).json();
    let act = stage.run(&["run"]).ended(0);
    assert_eq!(plan["calls"], act.requests.len(), "linked tables are planned to the call");
    assert_eq!(act.calls(BulkCreate), 12);
    let customers = stage.records(crate::stage::CUSTOMERS);
    let order = &stage.records(crate::stage::ORDERS)["1"];
    assert_eq!(order["scustomer0"], json!([customers["1"]["id"]]), "the link field that was there");
    stage.run(&["run"]).ended(0).cost_nothing();
    assert_eq!(stage.records(crate::stage::ORDERS)["1"]["title"], "SO-1", "a record has a title");
    let customer = &stage.records(crate::stage::CUSTOMERS)["1"];
    assert_eq!(customer["title"], "Amélie");
    assert_eq!(customer["sstatus001"], "aCt1V", "the enum's word went to the choice of that name");
}

fn a_second_try_changes_nothing(stage: &mut Stage) {
    stage.sql("ALTER TABLE customers ADD COLUMN favourite VARCHAR(40)");
    std::fs::remove_file(stage.path("config/sync_mappings.yml")).unwrap();
    let init = ["init", "--yes", "--create-fields", "--table", "customers"];
    let act = stage.run(&init).ended(0);
    assert_eq!(act.calls(Fields), 1);
    act.said(&[
        "favourite",
        "new field \"Favourite\"",
        "`config/sync_mappings.yml`: written",
        "validate --online",
    ]);
    let first = stage.mapping();
    let act = stage.run(&init).ended(0);
    assert_eq!(act.calls(Fields), 0, "the field is found by its slug");
    act.said(&["`config/sync_mappings.yml`: as it was already"]);
    assert_eq!(stage.mapping(), first);
    stage.run(&["run"]).ended(0);
}

fn what_is_wanting_is_said_with_the_option_that_gives_it(stage: &mut Stage) {
    stage
        .run(&["init", "--yes"])
        .ended(64)
        .warned(&["`config/sync_mappings.yml` is there already", "--force"]);
    stage
        .run(&["init", "--yes", "--table", "custmers"])
        .ended(64)
        .warned(&["the database has no table `custmers`", "customers, orders"]);
    stage
        .run(&["init", "--yes", "--solution", "Nowhere"])
        .ended(64)
        .warned(&["the key sees no solution `Nowhere`"]);
    stage.sql("CREATE TABLE loose (a INT)");
    stage
        .run(&["init", "--yes", "--table", "loose=Customers"])
        .ended(64)
        .warned(&["table `loose` has no primary key"]);
    stage.unset("SMARTSUITE_TOKEN");
    stage.run(&["init", "--yes"]).ended(64).warned(&["SMARTSUITE_TOKEN"]);
}

fn settings_are_kept_in_the_env_file(stage: &mut Stage) {
    let host = stage.database.host().to_owned();
    stage.unset("MYSQL_HOST");
    std::fs::write(stage.path(".env"), "# mine\nMYSQL_HOST=nowhere\nLOG_LEVEL=INFO\n").unwrap();
    let set = format!("MYSQL_HOST={host}");
    stage.run(&["init", "--yes", "--force", "--set", &set]).ended(0);
    let kept = || std::fs::read_to_string(stage.path(".env")).unwrap();
    let right = format!("# mine\nLOG_LEVEL=INFO\nMYSQL_HOST='{host}'\n");
    assert_eq!(kept(), right);
    stage.run(&["run"]).ended(0);
}

/// Catches: a wrong answer that stands in the way of every later try.
fn what_an_account_refuses_is_not_kept(stage: &mut Stage) {
    let before = "# mine\nLOG_LEVEL=INFO\n";
    std::fs::write(stage.path(".env"), before).unwrap();
    let kept = |stage: &Stage| std::fs::read_to_string(stage.path(".env")).unwrap();
    let (password, token) = (stage.variable("MYSQL_PASSWORD"), stage.variable("SMARTSUITE_TOKEN"));
    stage.unset("MYSQL_PASSWORD");
    let init = |stage: &Stage, set: &[String]| {
        let set = set.iter().flat_map(|one| ["--set", one.as_str()]);
        stage.run(&["init", "--yes", "--force"].into_iter().chain(set).collect::<Vec<_>>())
    };
    let wrong = "MYSQL_PASSWORD=wrong".to_owned();
    init(stage, &[wrong]).ended(1).warned(&["[mysql_access_denied]"]);
    assert_eq!(kept(stage), before);
    // What one account took is kept, though the other refuses.
    stage.unset("SMARTSUITE_TOKEN");
    let right = format!("MYSQL_PASSWORD={password}");
    let wrong = "SMARTSUITE_TOKEN=wrong".to_owned();
    init(stage, &[right, wrong]).ended(64).warned(&["[smartsuite_token_rejected]"]);
    let half = format!("{before}MYSQL_PASSWORD='{password}'\n");
    assert_eq!(kept(stage), half);
    init(stage, &[format!("SMARTSUITE_TOKEN={token}")]).ended(0);
    assert_eq!(kept(stage), format!("{half}SMARTSUITE_TOKEN='{token}'\n"));
    stage.run(&["run"]).ended(0);
}

/// Catches: fields that are made one by one until the service refuses the next.
fn a_table_without_room_gets_no_field(stage: &mut Stage) {
    let solution = stage.smartsuite.api("GET", "/api/v1/solutions/", &json!(null))[0]["id"].clone();
    let field = |at: usize| json!({"slug": format!("sfield{at:04}"), "label": format!("Field {at}"), "field_type": "textfield", "params": {}});
    let title =
        json!({"slug": "title", "label": "Title", "field_type": "recordtitlefield", "params": {}});
    let mut structure = vec![title];
    structure.extend((0..690).map(field));
    let body = json!({"name": "Wide", "solution": solution, "structure": structure});
    let table = stage.smartsuite.api("POST", "/api/v1/applications/", &body);
    let held = table["structure"].as_array().unwrap().len();
    let room = 700 - held;
    // The key needs a field, and so does each column but the first, which is the title.
    let columns = |count: usize| {
        (0..count).map(|at| format!(", c{at} VARCHAR(9)")).collect::<Vec<_>>().concat()
    };
    stage.sql(&format!("CREATE TABLE wide (id INT PRIMARY KEY{})", columns(room + 1)));
    let init = ["init", "--yes", "--force", "--create-fields", "--table", "wide"];
    let act = stage.run(&init).ended(64);
    let act = act.warned(&["table \"Wide\" has ", "SmartSuite allows 700; none was made"]);
    assert_eq!(act.calls(Fields), 0);
}
