//! What the user wants: from the text of the mapping file to checked types.
//!
//! Reading order: `model` is what a file means; it cannot hold a wrong value. `raw` is what the user typed, with
//! the documentation of every key. Between them: `tree` reads YAML into `node`s that know their places and lets
//! `interpolate` replace variables, `decode` reads nodes as the sections of `raw`, `lower` turns those into the
//! `model`. `order` says which sync goes first. Each step reports all that is wrong and goes on, so that one reading of the file finds everything.

mod code;
pub mod decode;
pub mod defaults;
pub mod diagnostic;
pub mod env_file;
pub mod field_type;
mod include;
mod interpolate;
mod lower;
pub mod model;
mod node;
pub mod order;
pub mod places;
pub mod raw;
pub mod reference;
mod report;
pub mod scalar;
pub mod sources;
pub mod span;
mod suggestion;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod words;

pub use include::Load;
pub use interpolate::Lookup;
pub(crate) use suggestion::nearest;

use decode::{Decode as _, Subject};
use diagnostic::{Code, Diagnostic};
use model::Config;
use node::Node;
use places::Places;
use raw::RawFile;
use report::{Finding, Hinted, Report};
use sources::{Astray, AstrayReason, FilePart, Sources};
use span::Span;

/// What a mapping file says.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// What it means; `None` if it has errors.
    pub config: Option<Config>,
    /// Everything that is wrong with it, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// Where things stand in it, as far as it could be read.
    pub places: Places,
    /// Its text, and those of the files it includes.
    pub sources: Sources,
}

/// Reads the text of a mapping file that includes no others. `lookup` gives the values of environment variables for
/// `${VAR}`.
pub fn parse(text: &str, lookup: &Lookup<'_>) -> Parsed {
    parse_files("sync_mappings.yml", text, lookup, &|_| {
        Err("no other files can be read here".to_owned())
    })
}

/// Reads the text of the mapping file `name` with the files that it includes, which `load` gives.
pub fn parse_files(name: &str, text: &str, lookup: &Lookup<'_>, load: &Load<'_>) -> Parsed {
    let (sources, astray) = include::collect(name, text, load);
    let mut report = Report::of(sources.lines());
    for one in &astray {
        report.add(lost(one));
    }
    let mut file: Option<RawFile> = None;
    for part in sources.files() {
        let text = sources.padded(&part);
        let tree = tree::read(&text, lookup, &mut report);
        let read = tree.and_then(|node| decoded(&node, &part, &mut report));
        match (&mut file, read) {
            (Some(file), Some(included)) => merge(file, included, &mut report),
            (None, Some(read)) if part.start == 0 => file = Some(read),
            (_, _) => {}
        }
    }
    let config = file.as_ref().and_then(|file| lower::lower(file, &mut report));
    let places = file.as_ref().map(Places::of).unwrap_or_default();
    let diagnostics = report.finish();
    Parsed { config, diagnostics, places, sources }
}

fn decoded(node: &Node, part: &FilePart<'_>, report: &mut Report<'_>) -> Option<RawFile> {
    let at = Span { start: part.start, end: part.start };
    if node.is_null() {
        report.add(
            Finding::new(Code::EmptyValue, at, "the file is empty")
                .hint("begin with config/sync_mappings.example.yml"),
        );
        return None;
    }
    RawFile::decode(node, Subject { name: "the file", at }, report)
}

/// Takes the syncs of an included file. What holds for all of them stands in the mapping file itself.
fn merge(file: &mut RawFile, included: RawFile, report: &mut Report<'_>) {
    let smartsuite = included.smartsuite.as_ref().map(|given| ("smartsuite", given.key));
    let state = included.state.as_ref().map(|given| ("state", given.key));
    for (key, span) in smartsuite.into_iter().chain(state) {
        let message = format!("`{key}` is not a key of an included file");
        report.add(
            Finding::new(Code::UnknownKey, span, message)
                .label("unknown key")
                .hint("it holds for all syncs: write it in the mapping file itself"),
        );
    }
    match (&mut file.syncs.0, included.syncs.0) {
        (Some(syncs), Some(more)) => syncs.value.extend(more.value),
        (own @ None, more) => *own = more,
        (Some(_), None) => {}
    }
}

/// An include that leads nowhere.
fn lost(astray: &Astray) -> Hinted {
    let (code, message, hint) = match &astray.reason {
        AstrayReason::Unreadable(reason) => (
            Code::IncludeUnreadable,
            format!("the file cannot be read: {reason}"),
            "paths begin at the folder of the file that includes",
        ),
        AstrayReason::Variable => (
            Code::IncludeUnreadable,
            "the path of a file takes no variable".to_owned(),
            "write the path itself",
        ),
        AstrayReason::NoYaml => (
            Code::IncludeUnreadable,
            "this is not the name of a mapping file".to_owned(),
            "included files end in `.yml` or `.yaml`",
        ),
        AstrayReason::Again(true) => (
            Code::IncludeTwice,
            "the file includes itself, by way of others or at once".to_owned(),
            "remove one of the includes of this circle",
        ),
        AstrayReason::Again(false) => {
            (Code::IncludeTwice, "the file is included already".to_owned(), "remove this include")
        }
    };
    Finding::new(code, astray.at, message).hint(hint)
}
