//! `man`: the manual pages.

use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::{cli::Cli, failure::Failure, report::Screen};

/// Prints the main page, or writes every page into `folder`.
pub(crate) fn perform(folder: Option<&Path>, screen: &Screen) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::world(
            format!("the manual cannot be written: {error}"),
            "name a folder that can be written",
        )
    };
    if let Some(folder) = folder {
        return clap_mangen::generate_to(Cli::command(), folder).map_err(failed);
    }
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page).map_err(failed)?;
    screen.say(String::from_utf8_lossy(&page).trim_end());
    Ok(())
}
