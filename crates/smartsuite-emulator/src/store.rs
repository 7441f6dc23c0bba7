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
struct Snapshot<W> {
    smartsuite_emulator: u32,
    /// Rises with every snapshot of a file: a journal that follows an older one is of no use.
    generation: u64,
    ahead: i64,
    world: W,
}

/// What every form of the file begins with.
#[derive(Deserialize)]
struct Form {
    smartsuite_emulator: u32,
}

/// An open file.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    generation: u64,
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
        let last = if path.exists() { load(path, emulator)? } else { 0 };
        let generation = last + 1;
        let journal = save(path, emulator, generation)?;
        emulator.journal.keep();
        Ok(Self { path: path.to_owned(), generation, journal })
    }

    /// Stores what has happened since.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> Result<(), BuildError> {
        write(&mut self.journal, entries).map_err(|error| failed(&journal_path(&self.path), error))
    }

    /// Writes a new snapshot and begins a new journal.
    pub(crate) fn compact(&mut self, emulator: &Emulator) -> Result<(), BuildError> {
        let generation = self.generation + 1;
        self.journal = save(&self.path, emulator, generation)?;
        self.generation = generation;
        Ok(())
    }
}

fn write(journal: &mut File, entries: &[Entry]) -> std::io::Result<()> {
    let mut lines = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut lines, entry)?;
        lines.push(b'\n');
    }
    journal.write_all(&lines)
}

/// Writes a snapshot beside the old one, puts it in its place, and begins its journal.
fn save(path: &Path, emulator: &Emulator, generation: u64) -> Result<File, BuildError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let snapshot = || {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&new)?;
        let mut buffer = BufWriter::new(file);
        let snapshot = Snapshot {
            smartsuite_emulator: VERSION,
            generation,
            ahead: emulator.ahead,
            world: &emulator.world,
        };
        serde_json::to_writer(&mut buffer, &snapshot)?;
        buffer.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&new, path)
    };
    snapshot().map_err(|error| failed(path, error))?;
    let journal = journal_path(path);
    let begin = || {
        let mut file = File::create(&journal)?;
        write(&mut file, &[Entry::begin(generation, emulator)])?;
        Ok(file)
    };
    begin().map_err(|error| failed(&journal, error))
}

/// Puts what a file holds into the emulator; the generation of its snapshot.
fn load(path: &Path, emulator: &mut Emulator) -> Result<u64, BuildError> {
    let text = std::fs::read(path).map_err(|error| failed(path, error))?;
    let wrong = |said: String| BuildError::Stored(format!("{}: {said}", path.display()));
    let strange = |error| wrong(format!("not a file of the emulator: {error}"));
    // A form of another release need not even be readable as ours.
    let form: Form = serde_json::from_slice(&text).map_err(strange)?;
    if form.smartsuite_emulator != VERSION {
        return Err(wrong(format!("written in form {}", form.smartsuite_emulator)));
    }
    let snapshot: Snapshot<World> = serde_json::from_slice(&text).map_err(strange)?;
    let mut world = snapshot.world;
    for table in world.tables.values_mut() {
        table.rebuild();
    }
    emulator.world = world;
    emulator.ahead = snapshot.ahead;
    let journal = journal_path(path);
    if !journal.exists() {
        return Ok(snapshot.generation);
    }
    let lines = BufReader::new(File::open(&journal).map_err(|error| failed(&journal, error))?);
    let configured = emulator.profile.clone();
    for (number, line) in lines.lines().enumerate() {
        let line = line.map_err(|error| failed(&journal, error))?;
        // A line that broke off belongs to an effect that was never answered.
        let Ok(entry) = serde_json::from_str::<Entry>(&line) else { break };
        // Killed between a snapshot and its journal, a file has a journal that the snapshot holds.
        if number == 0 && !entry.begins(snapshot.generation) {
            break;
        }
        emulator.replay(entry).map_err(wrong)?;
    }
    emulator.profile = configured;
    Ok(snapshot.generation)
}
