//! The file of `--data`: a snapshot, and beside it the journal of what happened since.
//!
//! Every effect is in the journal before its answer leaves, so that a killed emulator has forgotten
//! nothing it answered; a machine that loses power may have. Opening the file and ending cleanly
//! write a new snapshot.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::emulator::{BuildError, Emulator};
use crate::journal::Entry;
use crate::model::world::World;

/// The version of the file's form.
const VERSION: u32 = 1;

/// A snapshot.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    smartsuite_emulator: u32,
    ahead: i64,
    world: World,
}

/// An open file.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    journal: File,
}

fn failed(path: &Path, source: std::io::Error) -> BuildError {
    BuildError::File { path: path.display().to_string(), source }
}

fn journal_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".journal");
    PathBuf::from(name)
}

impl Store {
    /// Opens a file: what it holds replaces the world of the emulator; a new one takes it over.
    pub(crate) fn open(path: &Path, emulator: &mut Emulator) -> Result<Self, BuildError> {
        if path.exists() {
            load(path, emulator)?;
        }
        let journal = journal_path(path);
        save(path, emulator)?;
        let file = File::create(&journal).map_err(|error| failed(&journal, error))?;
        emulator.journal.keep();
        let mut store = Self { path: path.to_owned(), journal: file };
        store.append(&[Entry::profile_of(emulator)])?;
        Ok(store)
    }

    /// Stores what has happened since.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> Result<(), BuildError> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for entry in entries {
            let written = serde_json::to_writer(&mut lines, entry);
            written.map_err(|error| failed(&self.path, error.into()))?;
            lines.push(b'\n');
        }
        let journal = journal_path(&self.path);
        self.journal.write_all(&lines).map_err(|error| failed(&journal, error))
    }

    /// Writes a new snapshot and empties the journal.
    pub(crate) fn compact(&mut self, emulator: &Emulator) -> Result<(), BuildError> {
        save(&self.path, emulator)?;
        let path = journal_path(&self.path);
        self.journal = File::create(&path).map_err(|error| failed(&path, error))?;
        self.append(&[Entry::profile_of(emulator)])
    }
}

/// Writes a snapshot beside the old one and puts it in its place.
fn save(path: &Path, emulator: &Emulator) -> Result<(), BuildError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let write = || {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&new)?;
        let mut buffer = BufWriter::new(file);
        let snapshot = SnapshotOf {
            smartsuite_emulator: VERSION,
            ahead: emulator.ahead,
            world: &emulator.world,
        };
        serde_json::to_writer(&mut buffer, &snapshot)?;
        buffer.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&new, path)
    };
    write().map_err(|error| failed(path, error))
}

/// A snapshot to be written.
#[derive(Serialize)]
struct SnapshotOf<'a> {
    smartsuite_emulator: u32,
    ahead: i64,
    world: &'a World,
}

fn load(path: &Path, emulator: &mut Emulator) -> Result<(), BuildError> {
    let file = File::open(path).map_err(|error| failed(path, error))?;
    let wrong = |said: String| BuildError::Stored(format!("{}: {said}", path.display()));
    let snapshot: Snapshot = serde_json::from_reader(BufReader::new(file))
        .map_err(|error| wrong(format!("not a file of the emulator: {error}")))?;
    if snapshot.smartsuite_emulator != VERSION {
        return Err(wrong(format!("written in form {}", snapshot.smartsuite_emulator)));
    }
    let mut world = snapshot.world;
    for table in world.tables.values_mut() {
        table.rebuild();
    }
    emulator.world = world;
    emulator.ahead = snapshot.ahead;
    let journal = journal_path(path);
    if !journal.exists() {
        return Ok(());
    }
    let lines = BufReader::new(File::open(&journal).map_err(|error| failed(&journal, error))?);
    let configured = emulator.profile.clone();
    for line in lines.lines() {
        let line = line.map_err(|error| failed(&journal, error))?;
        // A line that broke off belongs to an effect that was never answered.
        let Ok(entry) = serde_json::from_str::<Entry>(&line) else { break };
        emulator.replay(entry).map_err(wrong)?;
    }
    emulator.profile = configured;
    Ok(())
}
