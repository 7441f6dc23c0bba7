//! Installing what the machine lacks, by `apt-get`.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::program;

/// Installs the distribution's packages and says so. `what` is what a person calls them, such as `MariaDB`.
///
/// # Errors
/// There is no `apt-get`, no right to use it, or it fails; the error names the command for a person to type.
#[expect(clippy::print_stderr, reason = "an installation on someone's machine must be seen")]
pub fn install(what: &str, packages: &[&str]) -> Result<()> {
    let by_hand = format!(
        "install {what}, on Debian or Ubuntu with: sudo apt-get install --no-install-recommends {}",
        packages.join(" ")
    );
    if program::find("apt-get").is_none() {
        bail!("there is no {what} and no `apt-get` on this machine; {by_hand}");
    }
    if !program::is_root() && program::find("sudo").is_none() {
        bail!("there is no {what} on this machine and no `sudo` to install it with; {by_hand}");
    }
    eprintln!("installing {} with apt-get", packages.join(" and "));
    // A list that cannot be refreshed may still hold the packages: the next step decides.
    if let Err(error) = program::run(apt_get().arg("update")) {
        eprintln!("warning: {error:#}");
    }
    program::run(apt_get().args(["install", "-y", "--no-install-recommends"]).args(packages))
        .with_context(|| format!("failed to install {what}; {by_hand}"))
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
