//! Many rows in little memory.

use std::{fs, process::Child};

use smartsuite_emulator::RouteKind::BulkCreate;

use crate::stage::{CUSTOMERS, Stage, on_every_server};

on_every_server! {
    twenty_thousand_rows_in_flat_memory
}

/// Resident memory at its highest, in KiB, while the process lives.
fn peak(child: &mut Child) -> u64 {
    let mut peak = 0;
    let status = format!("/proc/{}/status", child.id());
    let ended = throwaway_server::wait_until(std::time::Duration::from_mins(5), || {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = peak.max(number.unwrap_or(0));
        Ok(child.try_wait()?.is_some())
    });
    assert!(ended.unwrap());
    peak
}

fn twenty_thousand_rows_in_flat_memory(stage: &mut Stage) {
    stage.sql(
        "CREATE TABLE digits (d INT);
         INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
         DELETE FROM orders; DELETE FROM customers;
         INSERT INTO customers (customer_name, email, company, status, credit_limit)
         SELECT CONCAT('Name ', a.d, b.d, c.d, e.d, f.d), CONCAT('n', a.d, b.d, c.d, e.d, f.d, '@shop.example'),
           REPEAT('Company ', 12), 'active', a.d * 1000 + b.d
         FROM digits a, digits b, digits c, digits e, digits f WHERE f.d < 2;",
    );
    let since = stage.smartsuite.newest_request();
    let mut first = stage.start(&["run", "--sync-name", "customers"]);
    let first_peak = peak(&mut first);
    let act = stage.finish(first, since).ended(0).said(&["20,000 rows read, 20,000 created"]);
    assert_eq!(act.calls(BulkCreate), 800);
    assert_eq!(stage.records(CUSTOMERS).len(), 20_000);

    let mut second = stage.start(&["run", "--sync-name", "customers", "--full"]);
    let second_peak = peak(&mut second);
    stage.finish(second, since).ended(0).said(&["20,000 rows read (none changed)"]);
    // Of which about half is the program itself, unoptimised.
    for (run, peak) in [("first", first_peak), ("second", second_peak)] {
        assert!(peak > 0 && peak < 64 * 1024, "the {run} run took {peak} KiB");
    }
}
