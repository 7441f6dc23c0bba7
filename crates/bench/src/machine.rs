//! What a reader must know to compare figures.

use std::{collections::BTreeMap, fs};

use crate::stage::Stage;

/// Processor, cores, memory, the database's version, the day, and the command that measured.
pub(crate) fn told(stage: &Stage, command: &str) -> BTreeMap<String, String> {
    let of = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_default().trim_start_matches([' ', '\t', ':']).trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    BTreeMap::from([
        ("processor".to_owned(), of("/proc/cpuinfo", "model name")),
        ("cores".to_owned(), cores.to_string()),
        ("memory".to_owned(), of("/proc/meminfo", "MemTotal")),
        ("database".to_owned(), format!("{} {}", stage.server.flavor(), stage.server.version())),
        ("day".to_owned(), today()),
        ("command".to_owned(), command.to_owned()),
    ])
}

#[expect(clippy::disallowed_methods, reason = "the day of a measurement is the real one")]
fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}
