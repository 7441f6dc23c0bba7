//! `MariaDB`: the machine's own, else the distribution's smallest packages.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{Flavor, Installation, program};

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
    install()?;
    find().context("apt-get installed MariaDB, but no `mariadbd` answers `--version`")
}

#[expect(clippy::print_stderr, reason = "an installation on someone's machine must be seen")]
fn install() -> Result<()> {
    let by_hand = format!(
        "install a MariaDB server and client, on Debian or Ubuntu with: \
         sudo apt-get install --no-install-recommends {}",
        PACKAGES.join(" ")
    );
    if program::find("apt-get").is_none() {
        bail!("there is no `mariadbd` and no `apt-get` on this machine; {by_hand}");
    }
    if !program::is_root() && program::find("sudo").is_none() {
        bail!("there is no `mariadbd` on this machine and no `sudo` to install it with; {by_hand}");
    }
    eprintln!("installing {} with apt-get", PACKAGES.join(" and "));
    // A list that cannot be refreshed may still hold the packages: the next step decides.
    if let Err(error) = program::run(apt_get().arg("update")) {
        eprintln!("warning: {error:#}");
    }
    program::run(apt_get().args(["install", "-y", "--no-install-recommends"]).args(PACKAGES))
        .with_context(|| format!("failed to install MariaDB; {by_hand}"))
        .map(drop)
}

/// `apt-get` with the superuser's rights, waiting for another one to finish.
fn apt_get() -> Command {
    let mut command = if program::is_root() {
        Command::new("env")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "env"]);
        sudo
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]);
    command.args(["-o", "DPkg::Lock::Timeout=300"]);
    command
}
