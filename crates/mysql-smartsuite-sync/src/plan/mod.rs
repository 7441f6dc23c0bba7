//! What a run would do: made by rehearsing it, shown, stored, and kept by a later run.

mod file;
mod making;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use sync_core::{
    budget::{BudgetDefinition, BudgetReport},
    field_value::FieldValue,
    pace::Rate,
    record::RecordId,
    slug::Slug,
    table::TableStructure,
};
use sync_engine::{
    plan::PlannedSync,
    run::{RunOptions, RunReport},
};
use sync_store::QuarantineCount;

pub(crate) use file::{KeptPlan, PLAN_VERSION};
pub(crate) use making::{Wishes, make};

/// What a run of several syncs would do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// When it was made.
    pub(crate) made_at: Timestamp,
    /// What was asked of the run.
    pub(crate) options: RunOptions,
    /// Each sync, in the order of the mapping file.
    pub(crate) syncs: Vec<SyncPlan>,
    /// How fast calls may leave.
    pub(crate) rate: Rate,
    /// The month's calls, where the mapping file says how many there are, and how they stand.
    pub(crate) budget: Option<(BudgetDefinition, BudgetReport)>,
    /// Calls that were made this month.
    pub(crate) calls_this_month: u64,
    /// Whether SmartSuite was not to be asked.
    pub(crate) offline: bool,
    /// Why values as they are now could not be read, where they were asked for.
    pub(crate) unread: Option<String>,
}

/// What a record holds.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    pub(crate) values: BTreeMap<Slug, FieldValue>,
    /// Whether fields without a value here are known to be empty: the record was read, not remembered.
    pub(crate) is_whole: bool,
}

impl Before {
    /// What a field holds; `None`: that is not known.
    pub(crate) fn value(&self, slug: &Slug) -> Option<&FieldValue> {
        let value = self.values.get(slug);
        if self.is_whole { value.or(Some(&FieldValue::Empty)) } else { value }
    }
}

/// What a run of one sync would do.
#[derive(Clone, Debug)]
pub(crate) struct SyncPlan {
    /// Says whether the definition is still the same.
    pub(crate) definition: String,
    /// What the rehearsal came to.
    pub(crate) report: RunReport,
    /// The sync that each of its link fields leads to.
    pub(crate) parents: BTreeMap<Slug, String>,
    /// What it would have sent.
    pub(crate) planned: PlannedSync,
    /// The table, for labels.
    pub(crate) table: Option<TableStructure>,
    /// Rows that cannot be written, by reason.
    pub(crate) refused: Vec<QuarantineCount>,
    /// What records hold, as far as it is known.
    pub(crate) before: BTreeMap<RecordId, Before>,
    /// Calls that were made to read SmartSuite for this plan.
    pub(crate) reads: u64,
    /// Who runs the sync at this moment.
    pub(crate) running: Option<String>,
}

impl Plan {
    /// Calls that the run would make.
    pub(crate) fn calls(&self) -> u64 {
        self.syncs.iter().map(SyncPlan::calls).sum()
    }

    /// Calls that were made for this plan.
    pub(crate) fn reads(&self) -> u64 {
        self.syncs.iter().map(|sync| sync.reads).sum()
    }

    /// The time that the calls take at least, at the allowed rate.
    pub(crate) fn time(&self) -> Duration {
        let gaps = u32::try_from(self.calls().saturating_sub(1)).unwrap_or(u32::MAX);
        self.rate.spacing().saturating_mul(gaps)
    }

    /// What the calls are of a month's, in thousandths of it.
    pub(crate) fn share_in_thousandths(&self) -> Option<u64> {
        let (_, month) = self.budget.as_ref()?;
        let month = month.monthly_calls;
        Some(self.calls().saturating_mul(1_000).div_ceil(month.max(1)))
    }
}

/// What is wanting for a plan to fit the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    /// Calls that are left.
    pub(crate) left: u64,
    /// What the plan's calls cost beyond those that the month includes, in US cents.
    pub(crate) cents: u64,
    /// The next month's first day.
    pub(crate) until: jiff::civil::Date,
}

impl Plan {
    /// What is wanting, if the calls do not fit the month.
    pub(crate) fn excess(&self) -> Option<Excess> {
        let (definition, report) = self.budget.as_ref()?;
        let calls = self.calls();
        (calls > report.left).then(|| Excess {
            left: report.left,
            cents: definition.overage_cents(report.used, calls),
            until: report.month.until,
        })
    }
}

impl SyncPlan {
    /// Calls that the run would make.
    pub(crate) fn calls(&self) -> u64 {
        self.planned.calls.values().sum()
    }
}
