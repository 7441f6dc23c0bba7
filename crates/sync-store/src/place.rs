//! Where the state file lies: not on a network file system, and not itself a mount point; and which file it is.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// What the system's mount table says of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file system's type, such as `ext4`.
    pub(crate) kind: String,
    /// Whether the path itself is mounted, as a container does with `-v state.db:/app/state.db`.
    pub(crate) is_mount_point: bool,
}

/// File systems whose locks cannot be trusted between machines.
const NETWORK_KINDS: [&str; 12] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "afs",
    "ceph",
    "glusterfs",
    "fuse.sshfs",
    "fuse.glusterfs",
    "9p",
    "lustre",
];

impl Place {
    /// Whether locks there cannot be trusted.
    pub(crate) fn is_network(&self) -> bool {
        NETWORK_KINDS.contains(&self.kind.as_str())
    }
}

/// Tells one file from another that has its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// Of the file that is found there now.
    pub(crate) fn of(file: &Path) -> std::io::Result<Self> {
        let found = std::fs::metadata(file)?;
        Ok(Self { device: found.dev(), inode: found.ino() })
    }
}

/// Bytes that are free for this user where `file` is, or will be; `None` where the system does not say.
pub fn free_bytes(file: &Path) -> Option<u64> {
    let file = std::path::absolute(file).ok()?;
    let there = file.ancestors().find(|ancestor| ancestor.exists())?;
    let space = rustix::fs::statvfs(there).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Looks `file` up in the mount table; `None` where the system has none.
pub(crate) fn place_of(file: &Path) -> Option<Place> {
    let table = std::fs::read_to_string("/proc/self/mounts").ok()?;
    find(&table, &absolute(file)?)
}

/// Where the file is, or will be once it is made: as much of its path as there is, without links.
fn absolute(file: &Path) -> Option<PathBuf> {
    let file = std::path::absolute(file).ok()?;
    let (there, real) =
        file.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)))?;
    Some(real.join(file.strip_prefix(there).ok()?))
}

/// The mount that holds `file`: the longest matching mount point, the last of equal ones.
fn find(table: &str, file: &Path) -> Option<Place> {
    table
        .lines()
        .filter_map(|line| {
            let mut columns = line.split(' ');
            let point = PathBuf::from(unescape(columns.nth(1)?));
            let kind = columns.next()?.to_owned();
            file.starts_with(&point).then_some((point, kind))
        })
        .max_by_key(|(point, _)| point.components().count())
        .map(|(point, kind)| Place { kind, is_mount_point: point == file })
}

/// The mount table writes space, tab, newline and backslash as three octal digits.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "overlay / overlay rw 0 0\n\
        srv:/x /data nfs4 rw 0 0\n\
        /dev/sda1 /app/state.db ext4 rw 0 0\n\
        /dev/sda2 /with\\040space ext4 rw 0 0\n";

    fn place(file: &str) -> Place {
        find(TABLE, Path::new(file)).unwrap()
    }

    #[test]
    fn the_longest_mount_point_decides() {
        assert!(place("/data/state.db").is_network());
        assert!(!place("/database/state.db").is_network());
        assert_eq!(place("/with space/s.db").kind, "ext4");
    }

    #[test]
    fn links_are_followed_and_what_is_missing_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        std::fs::write(real.join("state.db"), "").unwrap();
        std::os::unix::fs::symlink(real.join("state.db"), real.join("link.db")).unwrap();
        assert_eq!(absolute(&real.join("link.db")), Some(real.join("state.db")));
        let missing = real.join("a/b/state.db");
        assert_eq!(absolute(&missing), Some(missing));
        assert!(place_of(Path::new("state.db")).is_some());
    }

    #[test]
    fn a_mounted_file_is_recognised() {
        assert!(place("/app/state.db").is_mount_point);
        assert!(!place("/app/other.db").is_mount_point);
    }
}
