//! Rows that come and change while the program is being killed.

use rand::{Rng as _, rngs::SmallRng};

use super::Stage;

/// What a company may be called: few names, so that rows return to what they were.
const NAMES: [&str; 4] = ["Alder", "Birch", "Cedar", "Alder and Birch"];

/// The rows' life.
pub(super) struct Workload {
    next: usize,
}

impl Workload {
    /// So many rows, all new, in place of the sample's.
    pub(super) fn load(stage: &Stage, rows: usize) -> Self {
        stage.sql("DELETE FROM orders; DELETE FROM customers");
        let mut workload = Self { next: 1 };
        for _ in 0..rows / 1_000 {
            workload.insert(stage, 1_000);
        }
        workload
    }

    /// How many there are.
    pub(super) fn rows(&self) -> usize {
        self.next - 1
    }

    fn insert(&mut self, stage: &Stage, rows: usize) {
        let values: Vec<String> = (self.next..self.next + rows)
            .map(|id| format!("({id}, 'Customer {id}', 'Alder', 'active')"))
            .collect();
        self.next += rows;
        stage.sql(&format!(
            "INSERT INTO customers (id, customer_name, company, status) VALUES {}",
            values.join(", ")
        ));
    }

    /// New rows, and some that become something else or what they were before.
    pub(super) fn change(&mut self, stage: &Stage, chance: &mut SmallRng) {
        let company = NAMES[chance.random_range(0..NAMES.len())];
        let (modulus, rest) = (self.rows() / 150, chance.random_range(0..20));
        stage.sql(&format!(
            "UPDATE customers SET company = '{company}' WHERE id % {modulus} = {rest}"
        ));
        self.insert(stage, chance.random_range(60..150));
    }
}
