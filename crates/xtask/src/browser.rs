//! The browser in which the tests look at pages.

use std::process::Command;

use throwaway_server::packages;

/// Names under which distributions install Chromium.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Finds a browser or installs one, and says which. Without one the tests of pages skip, loudly.
pub(crate) fn prepare() {
    if version().is_none()
        && let Err(error) = packages::install("Chromium", &["chromium"])
    {
        println!("*** {error:#} ***");
    }
    match version() {
        Some(version) => println!("{version}"),
        None => println!("*** NO BROWSER. THE TESTS OF PAGES ARE SKIPPED ***"),
    }
}

fn version() -> Option<String> {
    NAMES.iter().find_map(|name| {
        let output = Command::new(name).arg("--version").output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    })
}
