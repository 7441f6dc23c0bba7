//! A plan in a file, for `run --plan`.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sync_core::config::model::{Config, SyncDefinition};
use sync_engine::{
    plan::{PlanKeeper, PlanPromise},
    run::RunOptions,
};

use super::{Plan, SyncPlan};
use crate::failure::Failure;

/// The version of the file's form.
pub(crate) const PLAN_VERSION: u32 = 2;

/// As it is stored. `shown` is for people and programs that look at it; a run goes by the rest.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    plan_version: u32,
    made_at: Timestamp,
    full: bool,
    retry: bool,
    accept_key_change: bool,
    syncs: Vec<StoredSync>,
    #[serde(default)]
    shown: Value,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredSync {
    sync: String,
    /// Digest of its definition and destination.
    definition: String,
    /// Digests of what it wishes for once its rows are read, one for each of its turns.
    outboxes: Vec<Hex>,
    /// Digests of its writes, and of the choices that it adds.
    writes: Vec<Hex>,
}

/// Sixteen bytes in 32 digits.
#[derive(Clone, Copy, Debug)]
struct Hex([u8; 16]);

impl Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:032x}", u128::from_be_bytes(self.0)))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16)
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| serde::de::Error::custom("it takes 32 hexadecimal digits"))
    }
}

impl Plan {
    /// Writes it where only its owner can read it, as it shows rows; `shown` is what people saw.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn store(&self, path: &Path, shown: Value) -> Result<(), Failure> {
        let stored = Stored {
            plan_version: PLAN_VERSION,
            made_at: self.made_at,
            full: self.options.full,
            retry: self.options.retry,
            accept_key_change: self.options.accept_key_change,
            syncs: self.syncs.iter().map(stored).collect(),
            shown,
        };
        let write = || -> std::io::Result<()> {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(path)?;
            let mut out = BufWriter::new(file);
            serde_json::to_writer_pretty(&mut out, &stored)?;
            out.write_all(b"\n")?;
            out.flush()
        };
        write().map_err(|error| {
            Failure::world(
                format!("the plan `{}` cannot be written: {error}", path.display()),
                "give another place with `--out`",
            )
        })
    }
}

fn stored(sync: &SyncPlan) -> StoredSync {
    StoredSync {
        sync: sync.report.sync.clone(),
        definition: sync.definition.clone(),
        outboxes: sync.planned.outboxes.iter().copied().map(Hex).collect(),
        writes: sync.planned.promised().map(Hex).collect(),
    }
}

/// A plan that was read to be kept.
#[derive(Debug)]
pub(crate) struct KeptPlan(Stored);

impl KeptPlan {
    /// Reads a plan.
    ///
    /// # Errors
    /// There is none, or it is of another version.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let named = path.display();
        let hint = "make it with `plan --out FILE`";
        let text = std::fs::read(path).map_err(|error| {
            Failure::usage(format!("the plan `{named}` cannot be read: {error}"), hint)
        })?;
        let stored: Stored = serde_json::from_slice(&text)
            .map_err(|error| Failure::usage(format!("`{named}` is no plan: {error}"), hint))?;
        if stored.plan_version != PLAN_VERSION {
            return Err(Failure::usage(
                format!("the plan `{named}` is of version {}", stored.plan_version),
                format!("make it anew: this program writes version {PLAN_VERSION}"),
            ));
        }
        Ok(Self(stored))
    }

    /// What it asks of the run.
    pub(crate) fn options(&self) -> RunOptions {
        RunOptions {
            full: self.0.full,
            retry: self.0.retry,
            accept_key_change: self.0.accept_key_change,
            ..RunOptions::default()
        }
    }

    /// Whether the plan gives a sync a second turn: its rows point to those of one that comes after it.
    pub(crate) fn has_second_turn(&self, sync: &str) -> bool {
        self.0.syncs.iter().any(|stored| stored.sync == sync && stored.outboxes.len() > 1)
    }

    /// Its syncs, as the mapping file has them.
    ///
    /// # Errors
    /// One is there no more, or disabled.
    pub(crate) fn select<'c>(
        &self,
        config: &'c Config,
    ) -> Result<Vec<&'c SyncDefinition>, Failure> {
        let names: Vec<String> = self.0.syncs.iter().map(|sync| sync.sync.clone()).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        crate::mapping_file::select(config, &names)
    }

    /// Whether a sync's definition is the one that was planned; `digest` is of the present one.
    pub(crate) fn is_of(&self, sync: &str, digest: &str) -> bool {
        self.0.syncs.iter().any(|stored| stored.sync == sync && stored.definition == digest)
    }

    /// What holds a run to it.
    pub(crate) fn keeper(&self) -> PlanKeeper {
        let promise = |sync: &StoredSync| PlanPromise {
            outboxes: sync.outboxes.iter().map(|digest| digest.0).collect(),
            writes: sync.writes.iter().map(|digest| digest.0).collect(),
        };
        let promises: BTreeMap<String, PlanPromise> =
            self.0.syncs.iter().map(|sync| (sync.sync.clone(), promise(sync))).collect();
        PlanKeeper::new(promises)
    }
}
