//! `cargo x deb` and `cargo x release`: what people install, made of the program and the project's own files.

mod deb;
mod tarball;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::project;

/// The name of the program, of its package and of its folders.
const NAME: &str = "mysql-smartsuite-sync";

/// What is packed, and where it goes.
pub(crate) struct Package {
    /// The program.
    binary: PathBuf,
    /// Where the finished files go.
    out: PathBuf,
    version: String,
    /// How hard is tried to make it small, 1 to 9.
    compression: u8,
}

impl Package {
    /// Of a program that was built, or is built now.
    pub(crate) fn new(
        binary: Option<PathBuf>,
        out: Option<PathBuf>,
        compression: u8,
    ) -> Result<Self> {
        let binary = match binary {
            Some(binary) => fs::canonicalize(&binary)
                .with_context(|| format!("`{}` cannot be packed", binary.display()))?,
            None => {
                let mut build = project::cargo();
                build.args(["build", "--release", "--locked", "--package", NAME]);
                project::run("the program", &mut build)?;
                project::target()?.join("release").join(NAME)
            }
        };
        let out = out.unwrap_or(project::target()?.join("package"));
        fs::create_dir_all(&out)?;
        let said = project::read(Command::new(&binary).arg("--version"))?;
        let version = said.split_whitespace().nth(1).context("the program says no version")?;
        Ok(Self { binary, out: fs::canonicalize(out)?, version: version.to_owned(), compression })
    }

    /// Makes the package for Debian and Ubuntu; answers where it lies.
    pub(crate) fn deb(&self) -> Result<PathBuf> {
        let path = deb::make(self)?;
        println!("{}", path.display());
        Ok(path)
    }

    /// Makes the package, the archive, and a list of their checksums.
    pub(crate) fn release(&self) -> Result<()> {
        let made = [deb::make(self)?, tarball::make(self)?];
        let names = made.iter().filter_map(|path| path.file_name());
        let sums =
            project::read(Command::new("sha256sum").current_dir(&self.out).arg("--").args(names))?;
        fs::write(self.out.join("SHA256SUMS"), &sums)?;
        print!("\nin {}:\n{sums}", self.out.display());
        Ok(())
    }

    /// Writes the manual's pages and what shells need, below a folder that follows Debian's layout of `/usr/share`.
    fn manual(&self, share: &Path) -> Result<()> {
        let pages = share.join("man/man1");
        fs::create_dir_all(&pages)?;
        project::read(Command::new(&self.binary).args(["man", "--folder"]).arg(&pages))?;
        for page in fs::read_dir(&pages)? {
            project::read(Command::new("gzip").args(["-9", "-n"]).arg(page?.path()))?;
        }
        for (shell, place) in [
            ("bash", format!("bash-completion/completions/{NAME}")),
            ("zsh", format!("zsh/vendor-completions/_{NAME}")),
            ("fish", format!("fish/vendor_completions.d/{NAME}.fish")),
        ] {
            let script = project::read(Command::new(&self.binary).args(["completions", shell]))?;
            write(&share.join(place), &script, 0o644)?;
        }
        Ok(())
    }
}

/// Writes a file with its folders and its mode.
fn write(path: &Path, text: &str, mode: u32) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| format!("failed to write `{}`", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// Copies a file with its folders and its mode.
fn copy(from: &Path, to: &Path, mode: u32) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).with_context(|| format!("failed to copy `{}`", from.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// A file of the project.
fn text(path: &str) -> Result<String> {
    fs::read_to_string(project::root().join(path))
        .with_context(|| format!("failed to read `{path}`"))
}

/// The time that is written into archives: that of the newest commit, so that the same tree gives the same bytes.
fn stamp() -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(project::root()).args(["log", "-1", "--format=%ct"]);
    Ok(project::read(&mut git)?.trim().to_owned())
}
