//! The state file, for people and for machines.

use std::path::{Path, PathBuf};

use serde_json::{Value, json as object};
use sync_core::state::StateError;
use sync_store::{StateBackup, StateReader, StateSize, SyncReport, backups};

use crate::{
    command::state::folder_of,
    report::{Paint, counted, table::Table, thousands},
};

/// Everything `state show` shows.
#[derive(Clone, Debug)]
pub(crate) struct Overview {
    path: PathBuf,
    size: StateSize,
    /// Each with the number of its links.
    syncs: Vec<(u64, SyncReport)>,
    backups: Vec<StateBackup>,
    /// `None`: nobody looked.
    whole: Option<bool>,
}

impl Overview {
    /// Asks the state.
    pub(crate) fn read(
        reader: &StateReader,
        path: &Path,
        checked: bool,
        damage: Option<&StateError>,
    ) -> Result<Self, StateError> {
        Ok(Self {
            path: path.to_owned(),
            size: reader.size()?,
            syncs: reader
                .syncs()?
                .into_iter()
                .map(|sync| Ok((reader.links(&sync.name)?, sync)))
                .collect::<Result<_, StateError>>()?,
            backups: backups(path, &folder_of(path))?,
            whole: checked.then_some(damage.is_none()),
        })
    }
}

/// The screen.
pub(crate) fn text(overview: &Overview, paint: Paint) -> String {
    let size = &overview.size;
    let mut out = paint.strong(&overview.path.display().to_string());
    let mut line = |label: &str, words: &str| {
        out += &format!("\n  {}  {words}", paint.faint(&format!("{label:9}")));
    };
    let pages = match overview.whole {
        Some(true) => "; every page is whole",
        Some(false) => "; it is damaged",
        None => "",
    };
    line("file", &format!("{}, version {}{pages}", megabytes(size.bytes), size.version));
    line("runs", &thousands(size.runs));
    line("effects", &format!("{} in the log", thousands(size.effects)));
    line("calls", &format!("{} that write", thousands(size.calls)));
    match overview.backups.last() {
        Some(newest) => {
            let count = u64::try_from(overview.backups.len()).unwrap_or(u64::MAX);
            let all = if count == 1 { "1 copy".to_owned() } else { format!("{count} copies") };
            line("backups", &format!("{all}, the newest of {}", newest.at));
        }
        None => line("backups", "none; `state backup` makes one"),
    }
    if overview.syncs.is_empty() {
        return out + "\n\nno sync has run yet";
    }
    let headings = ["sync", "links", "waiting", "in doubt", "quarantine", "to be read again"];
    let mut table = Table::new(&headings);
    for (links, sync) in &overview.syncs {
        table.row(vec![
            sync.name.clone(),
            thousands(*links),
            thousands(sync.waiting + sync.sending),
            thousands(sync.in_doubt + sync.in_doubt_elsewhere),
            thousands(sync.quarantined.iter().map(|kind| kind.rows).sum()),
            thousands(sync.dirty),
        ]);
    }
    format!("{out}\n\n{}", table.text(paint))
}

fn megabytes(bytes: u64) -> String {
    if bytes < 1_000_000 {
        return counted(bytes.div_ceil(1_000), "kB").trim_end_matches('s').to_owned();
    }
    format!("{}.{} MB", thousands(bytes / 1_000_000), bytes % 1_000_000 / 100_000)
}

/// The same for machines.
pub(crate) fn json(overview: &Overview) -> Value {
    let size = &overview.size;
    let syncs: Vec<Value> = overview
        .syncs
        .iter()
        .map(|(links, sync)| {
            object!({
                "name": sync.name,
                "links": links,
                "waiting": sync.waiting,
                "sending": sync.sending,
                "in_doubt": sync.in_doubt,
                "in_doubt_elsewhere": sync.in_doubt_elsewhere,
                "quarantine": sync.quarantined.iter().map(|kind| kind.rows).sum::<u64>(),
                "to_be_read_again": sync.dirty,
            })
        })
        .collect();
    let backups: Vec<Value> = overview
        .backups
        .iter()
        .map(|backup| object!({ "path": backup.path.display().to_string(), "at": backup.at }))
        .collect();
    object!({
        "path": overview.path.display().to_string(),
        "bytes": size.bytes,
        "version": size.version,
        "runs": size.runs,
        "effects": size.effects,
        "writing_calls": size.calls,
        "whole": overview.whole,
        "backups": backups,
        "syncs": syncs,
    })
}
