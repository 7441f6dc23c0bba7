//! Real `MySQL`: the machine's own, else version 9 from Debian's unstable suite.
//!
//! Debian's stable suites carry only `MariaDB`. The unstable one has `mysql-server-core`, which runs
//! on any recent Debian when it brings its own C library: the packages are fetched with an apt
//! configuration of their own and unpacked into the cache folder. The machine's packages and
//! sources stay as they are. Unstable moves on, so this may fail some day: that is
//! [`Unavailable`], not an error.

use std::env::consts::ARCH;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{Flavor, Installation, Unavailable, cache_folder, program};

/// Debian's package of the server alone.
const PACKAGE: &str = "mysql-server-core";

/// Dependencies of the package's scripts and of charsets never used here.
const NOT_UNPACKED: [&str; 4] = ["perl_", "perl-", "libperl", "libc-gconv"];

/// A server named `mysqld` on this machine that is really `MySQL`.
pub(crate) fn find() -> Option<Installation> {
    let server = program::find("mysqld")?.into_os_string();
    Installation::of(Flavor::MySql, vec![server], Vec::new(), None)
}

/// The machine's server, else the unpacked one, fetched if need be.
pub(crate) fn find_or_fetch() -> Result<Installation> {
    if let Some(installation) = find() {
        return Ok(installation);
    }
    let folder = cache_folder().join("mysql-9");
    let fetched = fetch_once(&folder).and_then(|()| {
        unpacked(&folder).context("the server that was unpacked does not answer `--version`")
    });
    fetched
        .map_err(|error| Unavailable { flavor: Flavor::MySql, reason: format!("{error:#}") }.into())
}

/// The installation in `folder`, if there is a complete one that runs.
fn unpacked(folder: &Path) -> Option<Installation> {
    let libraries = folder.join(format!("usr/lib/{ARCH}-linux-gnu"));
    let loader = fs::read_dir(&libraries).ok()?.filter_map(|entry| Some(entry.ok()?.path())).find(
        |path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux")),
    )?;
    let server = vec![
        loader.into(),
        "--library-path".into(),
        libraries.into(),
        folder.join("usr/sbin/mysqld").into(),
    ];
    let placed = |name: &str, path: &str| -> OsString {
        let mut option = OsString::from(format!("--{name}="));
        option.push(folder.join(path));
        option
    };
    let options = vec![
        placed("basedir", "usr"),
        placed("lc-messages-dir", "usr/share/mysql"),
        placed("character-sets-dir", "usr/share/mysql/charsets"),
        placed("plugin-dir", "usr/lib/mysql/plugin"),
        "--secure-file-priv=NULL".into(),
    ];
    Installation::of(Flavor::MySql, server, options, None)
}

/// Fetches and unpacks into `folder` unless that was done before. One process does it, others wait.
fn fetch_once(folder: &Path) -> Result<()> {
    let cache = folder.parent().context("the cache folder is not the root folder")?;
    fs::create_dir_all(cache).with_context(|| format!("failed to create `{}`", cache.display()))?;
    let guard = File::create(cache.join("mysql-9.lock"))?;
    guard.lock()?;
    if folder.is_dir() {
        return Ok(());
    }
    let workshop = tempfile::Builder::new().prefix("fetch-").tempdir_in(cache)?;
    let archives = download(workshop.path())?;
    let root = workshop.path().join("root");
    for archive in archives {
        program::run(Command::new("dpkg").arg("-x").arg(&archive).arg(&root))?;
    }
    // The name appears only when everything beneath it is complete.
    fs::rename(&root, folder).context("failed to move the unpacked server into place")
}

/// Downloads the server and its dependencies with an apt configuration that lives in `workshop`.
fn download(workshop: &Path) -> Result<Vec<PathBuf>> {
    let configuration = workshop.join("apt.conf");
    let sources = workshop.join("sources");
    let archives = workshop.join("cache/archives");
    for folder in [&sources, &workshop.join("state/lists/partial"), &archives.join("partial")] {
        fs::create_dir_all(folder)?;
    }
    fs::write(workshop.join("state/status"), "")?;
    let mirror = debian_mirror(workshop)?;
    fs::write(
        sources.join("unstable.sources"),
        format!(
            "Types: deb\nURIs: {mirror}\nSuites: sid\nComponents: main\n\
             Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        ),
    )?;
    let place = workshop.display();
    fs::write(
        &configuration,
        format!(
            "Dir::State \"{place}/state\";\nDir::State::status \"{place}/state/status\";\n\
             Dir::Cache \"{place}/cache\";\nDir::Etc::sourcelist \"/dev/null\";\n\
             Dir::Etc::sourceparts \"{place}/sources\";\nAPT::Sandbox::User \"root\";\n\
             Acquire::Languages \"none\";\n"
        ),
    )?;
    for step in [
        ["update"].as_slice(),
        &["install", "-y", "--no-install-recommends", "--download-only", PACKAGE],
    ] {
        program::run(
            Command::new("apt-get").env("APT_CONFIG", &configuration).arg("-q").args(step),
        )?;
    }
    let mut chosen = Vec::new();
    for entry in fs::read_dir(&archives)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_package = path.extension().is_some_and(|extension| extension == "deb");
        if is_package && !NOT_UNPACKED.iter().any(|prefix| name.starts_with(prefix)) {
            chosen.push(path);
        }
    }
    Ok(chosen)
}

/// The Debian mirror that this machine's own apt uses. Apt knows whose a mirror is once it has
/// fetched its lists; where it never did, they are fetched into `workshop`.
fn debian_mirror(workshop: &Path) -> Result<String> {
    let list = |command: &mut Command| {
        let format = "$(COMPONENT) $(LABEL) $(REPO_URI)";
        command.args(["indextargets", "--format", format, "Created-By: Packages"]);
        program::run(command).context("this machine has no apt")
    };
    if let Some(mirror) = mirror_in(&list(&mut Command::new("apt-get"))?) {
        return Ok(mirror);
    }
    let state = workshop.join("own-sources");
    fs::create_dir_all(state.join("lists/partial"))?;
    let apt = || {
        let mut command = Command::new("apt-get");
        command.arg("-q").arg("-o").arg(format!("Dir::State={}", state.display()));
        command.args(["-o", "Dir::Cache=", "-o", "APT::Sandbox::User=root"]);
        command
    };
    // Some other source may be out of reach: what the list then holds decides.
    let refreshed = program::run(apt().arg("update"));
    mirror_in(&list(&mut apt())?).with_context(|| {
        let failure = refreshed.err().map_or_else(String::new, |error| format!(": {error:#}"));
        format!("apt's sources name no Debian mirror{failure}")
    })
}

fn mirror_in(listed: &str) -> Option<String> {
    listed.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let is_debian = words.next() == Some("main") && words.next() == Some("Debian");
        is_debian.then(|| words.next().map(str::to_owned)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_debians_own_archive() {
        let listed = "main Debian-Security http://mirror.example/security/\n\
                      main Node http://other.example/\n\
                      main Debian http://mirror.example/debian/\n";
        assert_eq!(mirror_in(listed).as_deref(), Some("http://mirror.example/debian/"));
        assert_eq!(mirror_in("main Ubuntu http://mirror.example/ubuntu/"), None);
    }
}
