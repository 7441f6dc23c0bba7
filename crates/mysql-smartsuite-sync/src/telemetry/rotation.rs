//! A log file that never grows beyond measure.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions, create_dir_all, rename},
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tracing_subscriber::fmt::MakeWriter;

/// A file is set aside when it reaches this size.
const BYTES_MAX: u64 = 10 * 1024 * 1024;
/// How many files that were set aside are kept: `sync.log.1`, the newest, to `sync.log.5`.
const KEPT: u32 = 5;

/// An open log file, set aside and begun anew when it is full.
#[derive(Debug)]
pub(crate) struct RotatingFile {
    path: PathBuf,
    bytes_max: u64,
    file: Mutex<File>,
}

impl RotatingFile {
    /// Opens the file to be continued, with its folder if need be.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        if let Some(folder) = path.parent() {
            create_dir_all(folder)?;
        }
        Ok(Self { path: path.to_owned(), bytes_max: BYTES_MAX, file: Mutex::new(append(path)?) })
    }

    /// Makes room if the file is full. Another process may write to the same file, and may have set it aside: then
    /// the file at the path is small, and is simply taken.
    fn rotate(&self, file: &mut File) -> std::io::Result<()> {
        if file.metadata()?.len() < self.bytes_max {
            return Ok(());
        }
        if std::fs::metadata(&self.path).is_ok_and(|found| found.len() >= self.bytes_max) {
            for number in (1..KEPT).rev() {
                // One that is not there needs no place.
                drop(rename(self.aside(number), self.aside(number + 1)));
            }
            rename(&self.path, self.aside(1))?;
        }
        *file = append(&self.path)?;
        Ok(())
    }

    fn aside(&self, number: u32) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }
}

fn append(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// One line on its way.
#[derive(Debug)]
pub(crate) struct LogLine<'f> {
    rotating: &'f RotatingFile,
    file: MutexGuard<'f, File>,
}

impl Write for LogLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.rotating.rotate(&mut self.file)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl<'f> MakeWriter<'f> for RotatingFile {
    type Writer = LogLine<'f>;

    fn make_writer(&'f self) -> Self::Writer {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        LogLine { rotating: self, file }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(file: &RotatingFile, line: &str) {
        // One write a line, as the log writes them.
        file.make_writer().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn small(path: &Path) -> RotatingFile {
        RotatingFile { bytes_max: 10, ..RotatingFile::open(path).unwrap() }
    }

    #[test]
    fn a_full_file_is_set_aside_and_only_so_many_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/sync.log");
        let file = small(&path);
        for number in 0..20 {
            write(&file, &format!("line {number:02} is long"));
        }
        let read = |name: &str| std::fs::read_to_string(path.with_file_name(name)).unwrap();
        assert_eq!(read("sync.log"), "line 19 is long\n");
        assert_eq!(read("sync.log.1"), "line 18 is long\n");
        assert_eq!(read("sync.log.5"), "line 14 is long\n");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 6);
    }

    #[test]
    fn two_processes_share_a_file_without_setting_it_aside_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sync.log");
        let (one, other) = (small(&path), small(&path));
        write(&one, "a long line");
        write(&other, "after the first one was full");
        write(&one, "and on");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "and on\n");
        assert_eq!(
            std::fs::read_to_string(path.with_file_name("sync.log.2")).unwrap(),
            "a long line\n"
        );
        assert!(!path.with_file_name("sync.log.3").exists());
    }

    #[test]
    fn a_file_is_continued() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sync.log");
        write(&RotatingFile::open(&path).unwrap(), "one");
        write(&RotatingFile::open(&path).unwrap(), "two");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }
}
