//! `make demo`: the main job on a real database, told as a story and checked as it goes.
//!
//! Everything runs on this machine: a private database server with the sample shop, the SmartSuite
//! emulator, and the product itself, as the processes that a person would start. Each chapter shows
//! what was typed, what the product said and which API calls it cost, read from the emulator's own
//! log. A chapter that does not go as told ends the demo with a failure.

mod act;
mod call;
mod emulator;
mod stage;

use anyhow::{Result, ensure};

use crate::project;
use stage::Stage;

/// The tables of the emulator's seed that the example configuration maps.
const CUSTOMERS: &str = "6500000000000000000000c1";
const ORDERS: &str = "6500000000000000000000d1";

/// Tells the story.
pub(crate) fn tell() -> Result<()> {
    project::run(
        "building (minutes the first time, then seconds)",
        project::cargo()
            .args(["build", "--locked", "--package", "mysql-smartsuite-sync"])
            .args(["--package", "smartsuite-emulator"]),
    )?;
    let stage = Stage::set()?;
    println!(
        "\nA shop keeps 5 customers and 7 orders in {} and wants them in SmartSuite.\n\
         (SmartSuite is played by this project's emulator: nothing leaves this machine.)",
        stage.server_name()
    );
    everything_is_in_place(&stage)?;
    the_first_run_creates(&stage)?;
    the_second_run_is_free(&stage)?;
    changes_are_updates(&stage)?;
    one_bad_row_harms_one_row(&stage)?;
    the_state_of_things(&stage)?;
    println!("\nThat is all. The servers are stopped and their files removed.");
    Ok(())
}

fn everything_is_in_place(stage: &Stage) -> Result<()> {
    stage.chapter("Is everything in place? Configuration, both servers, both schemas");
    let act = stage.run(&["validate", "--online"])?;
    act.ended_with(0)?;
    act.wrote("", &[])
}

fn the_first_run_creates(stage: &Stage) -> Result<()> {
    stage.chapter("The first run creates 5 and 7 records, with one call for each table");
    let act = stage.run(&["run"])?;
    act.ended_with(0)?;
    act.wrote("bulk create", &[5, 7])?;
    let counts = (stage.records(CUSTOMERS)?.len(), stage.records(ORDERS)?.len());
    ensure!(counts == (5, 7), "expected 5 and 7 records in SmartSuite, got {counts:?}");
    Ok(())
}

fn the_second_run_is_free(stage: &Stage) -> Result<()> {
    stage.chapter("The same again: nothing has changed, so SmartSuite is not even asked");
    let act = stage.run(&["run"])?;
    act.ended_with(0)?;
    act.cost_nothing()
}

fn changes_are_updates(stage: &Stage) -> Result<()> {
    stage.chapter("Two rows change: a customer's credit limit, an order's status");
    stage.sql(
        "UPDATE customers SET credit_limit = 20000.50 WHERE id = 1;\n\
         UPDATE orders SET status = 'shipped' WHERE id = 3;",
    )?;
    let act = stage.run(&["run"])?;
    act.ended_with(0)?;
    act.wrote("bulk update", &[1, 1])?;
    let customers = stage.records(CUSTOMERS)?;
    ensure!(
        customers.iter().any(|record| record["screditlim"] == "20000.5"),
        "expected a credit limit of 20000.5 in SmartSuite"
    );
    Ok(())
}

fn one_bad_row_harms_one_row(stage: &Stage) -> Result<()> {
    stage.chapter(
        "A status that SmartSuite has no choice for: that row waits and says why, others go on",
    );
    stage.sql(
        "ALTER TABLE customers MODIFY status ENUM('active', 'inactive', 'pending', 'vip') NOT NULL;\n\
         UPDATE customers SET status = 'vip' WHERE id = 2;\n\
         UPDATE customers SET company = 'Sato Ceramics' WHERE id = 5;",
    )?;
    let act = stage.run(&["run"])?;
    act.ended_with(2)?;
    act.wrote("bulk update", &[1])?;
    act.said(&["1 refused", "choice_unknown", "sstatus001"])
}

fn the_state_of_things(stage: &Stage) -> Result<()> {
    stage.chapter("What is the state of things?");
    let act = stage.run(&["status"])?;
    act.ended_with(0)?;
    act.cost_nothing()?;
    // What was refused is explained: the choices that there are, and what to do.
    act.said(&["customers", "orders", "Active", "Inactive", "Pending", "hint:"])
}
