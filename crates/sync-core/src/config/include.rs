//! Finding the files that a mapping file includes, before anything is read for good.

use std::path::{Component, Path, PathBuf};

use super::{
    node::Node,
    report::Report,
    sources::{Astray, AstrayReason, Sources},
    span::Span,
    tree,
};

/// Gives the text of a file, or says why it cannot be had.
pub type Load<'l> = dyn Fn(&Path) -> Result<String, String> + 'l;

/// Files that one mapping may have: more is a mistake, such as links in the file system that lead in a circle.
const FILES_MAX: usize = 100;

/// The file and all those it includes, each once, and the includes that lead nowhere.
pub(super) fn collect(name: &str, text: &str, load: &Load<'_>) -> (Sources, Vec<Astray>) {
    let mut search = Search {
        load,
        sources: Sources::of(name, text),
        seen: vec![plain(Path::new(name))],
        astray: Vec::new(),
    };
    search.follow(&mut vec![plain(Path::new(name))]);
    (search.sources, search.astray)
}

struct Search<'l> {
    load: &'l Load<'l>,
    sources: Sources,
    seen: Vec<PathBuf>,
    astray: Vec<Astray>,
}

impl Search<'_> {
    /// Follows the includes of the newest file; `path` leads to it.
    fn follow(&mut self, path: &mut Vec<PathBuf>) {
        let Some(newest) = self.sources.files().last() else { return };
        let wanted = includes(&self.sources.padded(&newest));
        let folder = path.last().and_then(|file| file.parent()).unwrap_or(Path::new("")).to_owned();
        for (at, written) in wanted {
            let mut lost = |reason| self.astray.push(Astray { at, reason });
            if written.contains("${") {
                lost(AstrayReason::Variable);
                continue;
            }
            let file = plain(&folder.join(&written));
            if !file.extension().is_some_and(|end| end == "yml" || end == "yaml") {
                lost(AstrayReason::NoYaml);
                continue;
            }
            if self.seen.contains(&file) {
                lost(AstrayReason::Again(path.contains(&file)));
                continue;
            }
            if self.seen.len() >= FILES_MAX {
                lost(AstrayReason::Unreadable(format!("{FILES_MAX} files are too many")));
                continue;
            }
            self.seen.push(file.clone());
            match (self.load)(&file) {
                Err(reason) => {
                    self.astray.push(Astray { at, reason: AstrayReason::Unreadable(reason) });
                }
                Ok(text) => {
                    self.sources.add(file.display().to_string(), &text);
                    path.push(file);
                    self.follow(path);
                    path.pop();
                }
            }
        }
    }
}

/// The paths that a file includes, as they are written, with their places. What is wrong with the file itself is said
/// when it is read for good.
fn includes(text: &str) -> Vec<(Span, String)> {
    let mut ignored = Report::new(text);
    // Variables are no part of paths: who may set them may not choose which files are read.
    let Some(Node::Map { entries, .. }) = tree::read(text, &|_| Some(String::new()), &mut ignored)
    else {
        return Vec::new();
    };
    let Some(entry) = entries.iter().find(|entry| entry.key.text == "include") else {
        return Vec::new();
    };
    let paths = match &entry.value {
        Node::List { items, .. } => items.iter().filter_map(Node::text).collect(),
        one => one.text().into_iter().collect::<Vec<_>>(),
    };
    let shown = |path: &super::scalar::Scalar| (path.span, path.shown().trim().to_owned());
    paths.into_iter().map(shown).filter(|(_, path)| !path.is_empty()).collect()
}

/// A path without `.` and `..` as far as that can be told from it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            Component::Prefix(_)
            | Component::RootDir
            | Component::ParentDir
            | Component::Normal(_) => {
                plain.push(part);
            }
        }
    }
    plain
}
