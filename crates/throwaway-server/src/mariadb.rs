//! `MariaDB`: the machine's own, else the distribution's smallest packages.

use anyhow::{Context as _, Result};

use crate::{Flavor, Installation, packages, program};

/// What Debian and Ubuntu call the server and the client without service, accounts or questions.
const PACKAGES: [&str; 2] = ["mariadb-server-core", "mariadb-client-core"];

/// The server on this machine, with the script that makes its data folders.
pub(crate) fn find() -> Option<Installation> {
    let initialiser =
        program::find("mariadb-install-db").or_else(|| program::find("mysql_install_db"))?;
    ["mariadbd", "mysqld"].into_iter().filter_map(program::find).find_map(|server| {
        Installation::of(
            Flavor::MariaDb,
            vec![server.into_os_string()],
            Vec::new(),
            Some(initialiser.clone()),
        )
    })
}

/// The server on this machine, installed by `apt-get` if there was none.
pub(crate) fn find_or_install() -> Result<Installation> {
    if let Some(installation) = find() {
        return Ok(installation);
    }
    packages::install("MariaDB", &PACKAGES)?;
    find().context("apt-get installed MariaDB, but no `mariadbd` answers `--version`")
}
