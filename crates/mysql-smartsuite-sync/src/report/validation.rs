//! What `validate` found, for people and for machines.

mod findings;

use std::path::PathBuf;

use serde_json::{Value, json};
use sync_core::{
    config::{
        diagnostic::{Diagnostic, Severity},
        model::{MappingTest, SyncDefinition},
    },
    drift::{Drift, LeftOut},
    error::{CallError, Scope, SourceError, SourceErrorKind},
    mapping::Finding,
    stable_codes,
    state::StateError,
    table::TableStructure,
};
use sync_mysql::SourceReport;
use sync_store::{Found, Inspection};

use crate::{
    environment::SettingsError,
    exit::Exit,
    failure::Failure,
    mapping_file::MappingFile,
    mapping_test::FailedTest,
    report::{Paint, counted, diagnostic},
};

/// What only a look at everything together can find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckCode {
    /// The mapping file cannot be read at all.
    FileUnreadable,
    /// One of the schemas has changed since the mapping last fitted.
    SchemaDrift,
    /// A part of the mapping fits no more and is not used.
    LeftOut,
    /// One of the mapping's tests does not come out.
    TestFailed,
}

stable_codes!(CheckCode {
    Self::FileUnreadable => "config_unreadable",
    Self::SchemaDrift => "schema_drift",
    Self::LeftOut => "mapping_left_out",
    Self::TestFailed => "mapping_test_failed",
});

/// Everything that was looked at.
#[derive(Debug)]
pub(crate) struct Validation {
    /// The mapping file, or why it cannot be read.
    pub(crate) file: Result<MappingFile, Failure>,
    /// What is missing or wrong in the settings.
    pub(crate) settings: Option<SettingsError>,
    /// The state's path, and what stands there; `None` where the settings do not say.
    pub(crate) state: Option<(PathBuf, Result<Inspection, StateError>)>,
    /// What the servers say of each sync, in the file's order; `None` if they were not asked.
    pub(crate) online: Option<Result<Vec<SyncCheck>, Failure>>,
}

/// What the servers say of one sync.
#[derive(Debug)]
pub(crate) struct SyncCheck {
    /// The sync.
    pub(crate) definition: SyncDefinition,
    /// Its query, as the database sees it.
    pub(crate) source: Result<SourceReport, SourceError>,
    /// Its table, as SmartSuite describes it.
    pub(crate) table: Result<TableStructure, CallError>,
    /// Where definition and schemas disagree.
    pub(crate) findings: Vec<Finding>,
    /// The mapping's tests.
    pub(crate) tests: Vec<MappingTest>,
    /// Those that fail.
    pub(crate) failed: Vec<FailedTest>,
    /// What has changed since the mapping last fitted.
    pub(crate) drift: Vec<Drift>,
    /// What a run leaves out of the mapping for that.
    pub(crate) left_out: Vec<LeftOut>,
}

/// Why a server as a whole cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outage {
    server: &'static str,
    code: &'static str,
    message: String,
    hint: String,
    /// Whether the settings are to blame, and not the server or the way to it.
    by_settings: bool,
}

impl Validation {
    /// The exit code: what is wrong in files and settings weighs more than a server that is down.
    pub(crate) fn exit(&self) -> Exit {
        let wrong_file = self.file.as_ref().map_or(true, |file| file.config.is_none());
        let outages = self.outages();
        let checks = self.checks();
        let wrong = wrong_file
            || self.settings.is_some()
            || outages.iter().any(|outage| outage.by_settings)
            || checks.iter().any(|check| {
                let found = self.diagnostics_of(check);
                found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
            });
        let failed = !outages.is_empty()
            || self.state.as_ref().is_some_and(|(_, state)| state.is_err())
            || matches!(self.online, Some(Err(_)));
        match (wrong, failed) {
            (true, _) => Exit::Usage,
            (false, true) => Exit::Failed,
            (false, false) => Exit::Done,
        }
    }

    fn checks(&self) -> &[SyncCheck] {
        match &self.online {
            Some(Ok(checks)) => checks,
            Some(Err(_)) | None => &[],
        }
    }

    /// What is wrong with a server as a whole, once each.
    fn outages(&self) -> Vec<Outage> {
        let mut outages = Vec::new();
        let sources = self.checks().iter().filter_map(|check| check.source.as_ref().err());
        let tables = self.checks().iter().filter_map(|check| check.table.as_ref().err());
        for outage in sources.filter_map(source_outage).chain(tables.filter_map(call_outage)) {
            if !outages.contains(&outage) {
                outages.push(outage);
            }
        }
        outages
    }

    /// What is to be said of a sync, each with its place in the file.
    fn diagnostics_of(&self, check: &SyncCheck) -> Vec<Diagnostic> {
        match &self.file {
            Ok(file) => findings::diagnostics(check, file),
            Err(_) => Vec::new(),
        }
    }

    /// The screen.
    pub(crate) fn text(&self, online: bool, paint: Paint) -> String {
        let mut out = Page { text: String::new(), paint };
        match &self.file {
            Ok(file) => {
                out.diagnostics(&file.diagnostics, file);
                out.line("mapping file", &file_in_words(file));
            }
            Err(failure) => {
                let message = out.coded(&failure.message, CheckCode::FileUnreadable.code());
                out.problem("mapping file", &message, &failure.hint);
            }
        }
        match &self.settings {
            Some(error) => out.problem("settings", &error.to_string(), SettingsError::HINT),
            None => out.line("settings", "complete"),
        }
        if let Some((path, state)) = &self.state {
            match state {
                Ok(inspection) => {
                    out.line("state", &state_in_words(path, inspection));
                    if !inspection.notes.is_empty() {
                        out.more("it is mounted by itself: mount its folder instead");
                    }
                }
                Err(error) => {
                    let message = out.coded(&error.to_string(), error.code());
                    out.problem("state", &message, error.remedy());
                }
            }
        }
        match &self.online {
            Some(Ok(checks)) => self.online_text(&mut out, checks),
            Some(Err(failure)) => out.problem("servers", &failure.message, &failure.hint),
            None if online => out.line("servers", "not asked: the problems above come first"),
            None => {}
        }
        let verdict = match (self.exit(), online) {
            (Exit::Done, true) => "everything is in place",
            (Exit::Done, false) => {
                "everything is in place here; `validate --online` asks both servers too"
            }
            (Exit::Failed, _) => "not everything could be looked at",
            _ => "there are problems to be mended",
        };
        out.text += &format!("\n{}", out.paint.strong(verdict));
        out.text.trim_start_matches('\n').to_owned()
    }

    fn online_text(&self, out: &mut Page, checks: &[SyncCheck]) {
        for outage in self.outages() {
            let message = out.coded(&outage.message, outage.code);
            out.problem(outage.server, &message, &outage.hint);
        }
        if let Some(source) = checks.iter().find_map(|check| check.source.as_ref().ok()) {
            let cipher = match &source.cipher {
                Some(cipher) => format!("encrypted ({cipher})"),
                None => "not encrypted".to_owned(),
            };
            out.line("MySQL", &format!("{} answers, {cipher}", source.server));
        }
        if checks.iter().any(|check| check.table.is_ok()) {
            out.line("SmartSuite", "answers");
        }
        for check in checks {
            let found = self.diagnostics_of(check);
            out.text.push('\n');
            if let Ok(file) = &self.file {
                out.diagnostics(&found, file);
            }
            let words = sync_in_words(check, &found);
            let name = out.paint.strong(&check.definition.name);
            out.text += &format!("{name}  {words}\n");
        }
    }

    /// For machines.
    pub(crate) fn json(&self, online: bool) -> Value {
        let problem = |code: &str, message: String, hint: &str| json!({ "code": code, "message": message, "hint": hint });
        let file = match &self.file {
            Ok(file) => json!(diagnostic::json(&file.diagnostics, &file.path)),
            Err(failure) => {
                let code = CheckCode::FileUnreadable.code();
                json!({ "problem": problem(code, failure.message.clone(), &failure.hint) })
            }
        };
        let settings = self.settings.as_ref().map_or_else(Vec::new, |error| {
            error
                .0
                .iter()
                .map(|one| json!({ "name": one.name, "missing": one.origin.is_none() }))
                .collect()
        });
        let state = self.state.as_ref().map(|(path, state)| match state {
            Ok(inspection) => json!({
                "path": path,
                "found": match inspection.found {
                    Found::Current => "current",
                    Found::Older => "older",
                    Found::Nothing => "nothing",
                },
                "mounted_by_itself": !inspection.notes.is_empty(),
            }),
            Err(error) => json!({
                "path": path,
                "problem": problem(error.code(), error.to_string(), error.remedy()),
            }),
        });
        let failure = match &self.online {
            Some(Err(failure)) => Some(json!({ "message": failure.message, "hint": failure.hint })),
            _ => None,
        };
        json!({
            "exit_code": self.exit().code(),
            "mapping_file": file,
            "settings": settings,
            "state": state,
            "online": online.then(|| json!({
                "asked": self.online.is_some(),
                "problem": failure,
                "servers": self.outages().iter().map(|outage| json!({
                    "server": outage.server,
                    "problem": problem(outage.code, outage.message.clone(), &outage.hint),
                })).collect::<Vec<_>>(),
                "syncs": self.checks().iter().map(|check| json!({
                    "name": check.definition.name,
                    "enabled": check.definition.enabled,
                    "server": check.source.as_ref().ok().map(|source| source.server.to_string()),
                    "table": check.table.as_ref().ok().map(|table| &table.name),
                    "diagnostics": self.diagnostics_of(check),
                })).collect::<Vec<_>>(),
            })),
        })
    }
}

fn source_outage(error: &SourceError) -> Option<Outage> {
    let by_settings = match error.kind {
        SourceErrorKind::AccessDenied | SourceErrorKind::UnknownDatabase | SourceErrorKind::Tls => {
            true
        }
        SourceErrorKind::Unreachable | SourceErrorKind::Interrupted | SourceErrorKind::Protocol => {
            false
        }
        SourceErrorKind::MissingPrivilege
        | SourceErrorKind::Sql
        | SourceErrorKind::MissingColumn
        | SourceErrorKind::LogSettings
        | SourceErrorKind::PositionLost => {
            return None;
        }
    };
    Some(Outage {
        server: "MySQL",
        code: error.kind.code(),
        message: error.message.clone(),
        hint: error.remedy.clone(),
        by_settings,
    })
}

fn call_outage(error: &CallError) -> Option<Outage> {
    let by_settings = match error.kind.scope() {
        Scope::Account => true,
        Scope::Moment => false,
        Scope::Table | Scope::Rows => return None,
    };
    Some(Outage {
        server: "SmartSuite",
        code: error.kind.code(),
        message: error.kind.to_string(),
        hint: error.kind.remedy().to_owned(),
        by_settings,
    })
}

fn file_in_words(file: &MappingFile) -> String {
    let summary = diagnostic::summary(&file.diagnostics, &file.path);
    let Some(config) = &file.config else { return summary };
    let enabled = config.syncs.iter().filter(|sync| sync.enabled).count();
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let disabled = match config.syncs.len() - enabled {
        0 => String::new(),
        count => format!(", {count} of them disabled"),
    };
    format!("{summary}; {}{disabled}", counted(number(config.syncs.len()), "sync"))
}

fn state_in_words(path: &std::path::Path, inspection: &Inspection) -> String {
    let words = match inspection.found {
        Found::Current => "is there",
        Found::Older => {
            "is of the Python program or an older version: the first run copies it and takes it over"
        }
        Found::Nothing => "is not there yet: the first run makes it",
    };
    format!("`{}` {words}", path.display())
}

fn sync_in_words(check: &SyncCheck, found: &[Diagnostic]) -> String {
    let disabled = if check.definition.enabled { "" } else { " (disabled)" };
    let number = |severity: Severity| {
        let count = found.iter().filter(|one| one.severity == severity).count();
        u64::try_from(count).unwrap_or(u64::MAX)
    };
    let (errors, warnings) = (number(Severity::Error), number(Severity::Warning));
    let words = match (&check.source, &check.table) {
        (Ok(_), Ok(table)) if errors == 0 => {
            let fields = check.definition.destination.fields.len();
            let fields = counted(u64::try_from(fields).unwrap_or(u64::MAX), "column");
            let warned = if warnings == 0 {
                String::new()
            } else {
                format!(", with {}", counted(warnings, "warning"))
            };
            let tested = match u64::try_from(check.tests.len()).unwrap_or(u64::MAX) {
                0 => String::new(),
                tests => format!(", {} passed", counted(tests, "test")),
            };
            format!("fits: {fields} into table `{}`{tested}{warned}", table.name)
        }
        _ if errors > 0 => format!("does not fit: {}", counted(errors, "error")),
        _ => "could not be checked".to_owned(),
    };
    format!("{words}{disabled}")
}

/// The screen in the making.
struct Page {
    text: String,
    paint: Paint,
}

/// Width of the labels.
const LABEL: usize = 12;

impl Page {
    fn line(&mut self, label: &str, words: &str) {
        let label = format!("{label:LABEL$}");
        self.text += &format!("{}  {words}\n", self.paint.faint(&label));
    }

    fn more(&mut self, words: &str) {
        self.line("", words);
    }

    /// A message with its code.
    fn coded(&self, message: &str, code: &str) -> String {
        format!("{message} {}", self.paint.faint(&format!("[{code}]")))
    }

    fn problem(&mut self, label: &str, message: &str, hint: &str) {
        let margin = format!("\n{:LABEL$}  ", "");
        let message = format!("{} {}", self.paint.bad("error:"), message.replace('\n', &margin));
        self.line(label, &message);
        let hint = format!("{} {hint}", self.paint.strong("hint:"));
        self.more(&hint);
    }

    fn diagnostics(&mut self, found: &[Diagnostic], file: &MappingFile) {
        if !found.is_empty() {
            self.text += &diagnostic::list(found, &file.sources, self.paint.color);
        }
    }
}

#[cfg(test)]
mod tests;
