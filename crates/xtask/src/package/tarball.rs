//! The archive for every other system: the same files, to be put where people like.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::{NAME, Package, copy, stamp, text, write};
use crate::project;

/// Files of the project that belong to an installation.
const FILES: &[&str] = &[
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "SECURITY.md",
    ".env.example",
    "config/sync_mappings.example.yml",
    "config/sync_mappings.schema.json",
    "deploy/README.md",
    "deploy/cron",
    "deploy/docker-compose.yml",
    "deploy/logrotate",
    "deploy/supervisord.conf",
    "deploy/systemd/mysql-smartsuite-sync.service",
    "deploy/systemd/mysql-smartsuite-sync-run.service",
    "deploy/systemd/mysql-smartsuite-sync-run.timer",
];

/// Makes it; answers where it lies.
pub(super) fn make(package: &Package) -> Result<PathBuf> {
    let machine = project::read(Command::new("uname").arg("-m"))?;
    let name = format!("{NAME}-{}-{}-linux", package.version, machine.trim());
    let tree = tempfile::tempdir()?;
    let root = tree.path().join(&name);
    copy(&package.binary, &root.join("bin").join(NAME), 0o755)?;
    package.manual(&root.join("share"))?;
    for file in FILES {
        write(&root.join(file), &text(file)?, 0o644)?;
    }
    let path = package.out.join(format!("{name}.tar.gz"));
    project::read(
        Command::new("tar")
            .args(["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
            .arg(format!("--mtime=@{}", stamp()?))
            .arg(format!("--use-compress-program=gzip -n -{}", package.compression))
            .arg("--file")
            .arg(&path)
            .arg("--directory")
            .arg(tree.path())
            .arg(&name),
    )?;
    Ok(path)
}
