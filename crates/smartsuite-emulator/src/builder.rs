//! Makes an emulator for a test or a program.

use jiff::Timestamp;

use crate::emulator::Emulator;
use crate::faults::{Fault, FaultScript};
use crate::model::account::Plan;
use crate::profile::{Profile, ProfileName};
use crate::seed::{Seed, SeedError, TableSeed};

/// What an emulator starts with; by default the demo's account without any table.
#[derive(Debug, Clone, Default)]
pub struct EmulatorBuilder {
    profile: Profile,
    seed: Option<Seed>,
    tables: Vec<TableSeed>,
    plan: Option<Plan>,
    chance: u64,
    now: Timestamp,
    keeps_bodies: bool,
    faults: FaultScript,
}

impl EmulatorBuilder {
    /// The positions of the switches.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The positions that a name stands for.
    #[must_use]
    pub fn named_profile(self, name: ProfileName) -> Self {
        self.profile(name.profile())
    }

    /// Changes switches of the profile given so far.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Profile)) -> Self {
        change(&mut self.profile);
        self
    }

    /// Accounts and what is in them, instead of the demo's account.
    #[must_use]
    pub fn seed(mut self, seed: Seed) -> Self {
        self.seed = Some(seed);
        self
    }

    /// A table more in the first solution.
    #[must_use]
    pub fn table(mut self, table: TableSeed) -> Self {
        self.tables.push(table);
        self
    }

    /// The plan of every account.
    #[must_use]
    pub fn plan(mut self, plan: Plan) -> Self {
        self.plan = Some(plan);
        self
    }

    /// No rate limit and no monthly quota: for load tests.
    #[must_use]
    pub fn unlimited(mut self) -> Self {
        self.profile.rate_limit = None;
        self.plan(Plan::Signature)
    }

    /// The seed of the emulator's chance: ids, order, probabilities.
    #[must_use]
    pub fn chance(mut self, seed: u64) -> Self {
        self.chance = seed;
        self
    }

    /// When the seed is planted, on the caller's clock.
    #[must_use]
    pub fn now(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// Keeps the bodies of requests in the log.
    #[must_use]
    pub fn keep_bodies(mut self) -> Self {
        self.keeps_bodies = true;
        self
    }

    /// A fault more.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.faults.push(fault);
        self
    }

    /// The script of faults.
    #[must_use]
    pub fn faults(mut self, faults: FaultScript) -> Self {
        self.faults = faults;
        self
    }

    /// Plants the seed.
    pub fn build(self) -> Result<Emulator, SeedError> {
        let mut seed = match self.seed {
            Some(seed) => seed,
            None => Seed::account()?,
        };
        for table in self.tables {
            seed = seed.with_table(table);
        }
        if let Some(plan) = self.plan {
            seed = seed.with_plan(plan);
        }
        let mut emulator = Emulator::new(self.profile, vec![seed], self.chance, self.now)?;
        emulator.set_faults(self.faults);
        emulator.log.keeps_bodies = self.keeps_bodies;
        Ok(emulator)
    }
}
