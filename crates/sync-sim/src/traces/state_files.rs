//! Copies of the state: backups, what a power cut leaves, and the state lost.

use std::{fs, path::PathBuf};

use sync_core::port::Clock as _;
use sync_store::{SqliteStore, Trust, export};

use crate::{disk, world::World};

/// A copy of the state file with its log, as they were at one moment.
#[derive(Clone, Debug)]
pub(super) struct StateCopy(disk::StateCopy);

impl StateCopy {
    /// Copies what is on disk now.
    pub(super) fn of(world: &World) -> Self {
        Self(disk::StateCopy::of(&world.state_path()))
    }

    /// Puts the copy in the state's place. No process may have the state open. What lies beside the state stays.
    pub(super) fn restore(&self, _: &World) {
        self.0.restore();
    }
}

/// A copy of the state with all that lies beside it: nothing tells the program that it is old.
#[derive(Clone, Debug)]
pub(super) struct FolderCopy(Vec<(PathBuf, Vec<u8>)>);

impl FolderCopy {
    /// Copies what is on disk now.
    pub(super) fn of(world: &World) -> Self {
        let entries = fs::read_dir(folder(world)).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        Self(paths.map(|path| (path.clone(), fs::read(path).expect("a file"))).collect())
    }

    /// Puts the copy in place of all that is there. No process may have the state open.
    pub(super) fn restore(&self, world: &World) {
        lose_everything(world);
        for (path, bytes) in &self.0 {
            fs::write(path, bytes).expect("the folder is writable");
        }
    }
}

/// What a power cut leaves of the state: all up to the last writing call that was marked, and nothing later. The
/// witness beside the state changes with exactly these commits.
#[derive(Debug)]
pub(super) struct Disk {
    synced: StateCopy,
    witness: Option<Vec<u8>>,
}

impl Disk {
    /// A disk that holds everything so far.
    pub(super) fn of(world: &World) -> Self {
        Self { synced: StateCopy::of(world), witness: witness(world) }
    }

    /// To be called between any two commits.
    pub(super) fn watch(&mut self, world: &World) {
        let seen = witness(world);
        if seen != self.witness {
            *self = Self { synced: StateCopy::of(world), witness: seen };
        }
    }

    /// The power fails, and returns. No process may have the state open.
    pub(super) fn power_cut(&self, world: &World) {
        self.synced.restore(world);
    }
}

/// What lies beside the state: it changes whenever a writing call was marked.
pub(super) fn witness(world: &World) -> Option<Vec<u8>> {
    let mut path = world.state_path().into_os_string();
    path.push(".lock");
    fs::read(PathBuf::from(path)).ok()
}

/// The state is moved as text to a machine on which nothing else lies, and somebody vouches that nothing ran since.
pub(super) fn move_away(world: &World) {
    let (mut text, now) = (Vec::new(), world.clock.now());
    export(&world.state_path(), &mut text, now).expect("the state is read");
    lose_everything(world);
    let mut store = SqliteStore::open(&world.state_path()).expect("the state opens");
    store.import(&mut text.as_slice(), Trust::Newest, now).expect("the text is whole");
}

/// The state is gone; what lies beside it stays.
pub(super) fn lose(world: &World) {
    disk::lose(&world.state_path());
}

/// The state and all that lies beside it are gone.
pub(super) fn lose_everything(world: &World) {
    for entry in fs::read_dir(folder(world)).expect("a folder") {
        fs::remove_file(entry.expect("an entry").path()).expect("removed");
    }
}

fn folder(world: &World) -> PathBuf {
    world.state_path().parent().expect("a folder").to_owned()
}
