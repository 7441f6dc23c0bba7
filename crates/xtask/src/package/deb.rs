//! The package for Debian and Ubuntu: program, unit, manual, completions, an account of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{NAME, Package, copy, stamp, text, write};
use crate::project;

/// What the package manager keeps when people have changed it.
const CONFFILES: &str =
    "/etc/mysql-smartsuite-sync/env\n/etc/mysql-smartsuite-sync/sync_mappings.yml\n";

/// Makes the account and the folders; the service is started by people, who must fill in the settings first. After an
/// upgrade a running service is started anew.
const POSTINST: &str = r#"#!/bin/sh
set -e
if [ "$1" = configure ]; then
  if ! getent passwd smartsuite-sync >/dev/null; then
    useradd --system --user-group --no-create-home --home-dir /var/lib/mysql-smartsuite-sync \
      --shell /usr/sbin/nologin smartsuite-sync
  fi
  install --directory --mode 0700 --owner smartsuite-sync --group smartsuite-sync /var/lib/mysql-smartsuite-sync
  # They hold secrets.
  chgrp smartsuite-sync /etc/mysql-smartsuite-sync/env /etc/mysql-smartsuite-sync/sync_mappings.yml
  chmod 0640 /etc/mysql-smartsuite-sync/env /etc/mysql-smartsuite-sync/sync_mappings.yml
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl try-restart mysql-smartsuite-sync.service || true
  fi
  if [ -z "$2" ]; then
    echo 'mysql-smartsuite-sync: fill in /etc/mysql-smartsuite-sync/env and sync_mappings.yml, then'
    echo '  systemctl enable --now mysql-smartsuite-sync'
  fi
fi
"#;

const PRERM: &str = r#"#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now mysql-smartsuite-sync.service mysql-smartsuite-sync-run.timer || true
fi
"#;

/// The state is what ties rows to records: it goes only when everything is to go.
const POSTRM: &str = r#"#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
fi
if [ "$1" = purge ]; then
  rm -rf /var/lib/mysql-smartsuite-sync
  if getent passwd smartsuite-sync >/dev/null; then
    userdel smartsuite-sync || true
  fi
fi
"#;

const UNITS: [&str; 3] = [
    "mysql-smartsuite-sync.service",
    "mysql-smartsuite-sync-run.service",
    "mysql-smartsuite-sync-run.timer",
];

/// Makes it; answers where it lies.
pub(super) fn make(package: &Package) -> Result<PathBuf> {
    let tree = tempfile::tempdir()?;
    let root = tree.path();
    fill(package, root)?;
    let architecture = project::read(Command::new("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim();
    let kibibytes = size(root)? / 1024;
    let control = format!(
        "Package: {NAME}
Version: {}
Architecture: {architecture}
Maintainer: the authors of {NAME} <noreply@example.org>
Installed-Size: {kibibytes}
Depends: libc6, passwd
Recommends: ca-certificates, tzdata
Section: database
Priority: optional
Description: Keeps SmartSuite in step with a MySQL or MariaDB database
 Rows of your queries become records of your SmartSuite tables: created once,
 updated when they change, never doubled. Comes with a systemd service.
",
        package.version
    );
    write(&root.join("DEBIAN/control"), &control, 0o644)?;
    write(&root.join("DEBIAN/conffiles"), CONFFILES, 0o644)?;
    write(&root.join("DEBIAN/postinst"), POSTINST, 0o755)?;
    write(&root.join("DEBIAN/prerm"), PRERM, 0o755)?;
    write(&root.join("DEBIAN/postrm"), POSTRM, 0o755)?;
    let path = package.out.join(format!("{NAME}_{}_{architecture}.deb", package.version));
    project::read(
        Command::new("dpkg-deb")
            .env("SOURCE_DATE_EPOCH", stamp()?)
            .args([
                "--root-owner-group",
                "-Zgzip",
                &format!("-z{}", package.compression),
                "--build",
            ])
            .args([root, &path]),
    )?;
    Ok(path)
}

/// Puts every file at its place.
fn fill(package: &Package, root: &Path) -> Result<()> {
    copy(&package.binary, &root.join("usr/bin").join(NAME), 0o755)?;
    for unit in UNITS {
        // Packages own /usr; /usr/local belongs to people.
        let installed =
            text(&format!("deploy/systemd/{unit}"))?.replace("/usr/local/bin/", "/usr/bin/");
        write(&root.join("usr/lib/systemd/system").join(unit), &installed, 0o644)?;
    }
    let etc = root.join("etc").join(NAME);
    write(&etc.join("env"), &text(".env.example")?, 0o640)?;
    let mapping = text("config/sync_mappings.example.yml")?;
    write(&etc.join("sync_mappings.yml"), &mapping, 0o640)?;
    let share = root.join("usr/share");
    package.manual(&share)?;
    let doc = share.join("doc").join(NAME);
    write(&doc.join("copyright"), &text("LICENSE")?, 0o644)?;
    write(&doc.join("changelog"), &text("CHANGELOG.md")?, 0o644)?;
    project::read(Command::new("gzip").args(["-9", "-n"]).arg(doc.join("changelog")))?;
    write(
        &doc.join("sync_mappings.schema.json"),
        &text("config/sync_mappings.schema.json")?,
        0o644,
    )?;
    Ok(())
}

/// Bytes of every file below a folder.
fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        bytes += if kind.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
