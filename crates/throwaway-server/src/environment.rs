//! What this crate takes from the environment. Nothing else here reads it.

use std::env;
use std::path::PathBuf;

/// A variable's value; absent, empty and not UTF-8 are all `None`.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads it")]
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where unpacked servers and prepared data folders are kept between runs: `SYNC_TEST_CACHE`, else
/// `mysql-smartsuite-sync` in the user's cache folder. Deleting it only costs time.
pub fn cache_folder() -> PathBuf {
    if let Some(folder) = variable("SYNC_TEST_CACHE") {
        return folder.into();
    }
    variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("mysql-smartsuite-sync")
}
