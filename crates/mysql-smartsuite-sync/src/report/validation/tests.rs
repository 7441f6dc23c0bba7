//! What servers, state and schemas can say against a mapping, in reviewed words; and that no code of the product lacks them.

use std::{collections::BTreeSet, path::Path, time::Duration};

use insta::assert_snapshot;
use sync_core::{
    config::{self, diagnostic::Code, sources::Sources},
    error::{CallErrorKind, SourceErrorKind},
    mapping::{FaultCode, FindingCode},
};
use sync_mysql::{Flavour, ServerVersion, SourceFindingCode};

use super::*;

const PATH: &str = "config/sync_mappings.yml";
const TEXT: &str = "\
syncs:
  - name: customers
    tests:
      - name: a name stays as it is
        row: {name: Ann}
        record: {title: Ann}
    source: {query: \"SELECT id, name, size FROM customers\", primary_key: id}
    destination:
      table_id: 6500000000000000000000c1
      external_id_field: sexternal1
      field_mappings:
        name: title
        size: ssize00001
";

fn file() -> MappingFile {
    let parsed = config::parse(TEXT, &|_| None);
    MappingFile {
        path: PATH.to_owned(),
        sources: Sources::of(PATH, TEXT),
        config: parsed.config,
        diagnostics: parsed.diagnostics,
        places: parsed.places,
        included: Vec::new(),
    }
}

/// A check that has found nothing.
fn check() -> SyncCheck {
    let mut config = file().config.unwrap();
    let server = ServerVersion {
        flavour: Flavour::MariaDb,
        number: (11, 8, 1),
        text: "11.8.1-MariaDB".to_owned(),
    };
    let report = SourceReport {
        server,
        cipher: None,
        columns: Vec::new(),
        values: Vec::new(),
        findings: Vec::new(),
    };
    SyncCheck {
        tests: config.tests.remove("customers").unwrap(),
        definition: config.syncs.remove(0),
        source: Ok(report),
        table: Ok(TableStructure {
            id: "6500000000000000000000c1".to_owned(),
            name: "Customers".to_owned(),
            solution: None,
            primary_field: "title".into(),
            fields: Vec::new(),
            members: None,
        }),
        findings: Vec::new(),
        failed: Vec::new(),
        drift: Vec::new(),
        left_out: Vec::new(),
    }
}

fn validation(check: SyncCheck) -> Validation {
    Validation { file: Ok(file()), settings: None, state: None, online: Some(Ok(vec![check])) }
}

fn screen(validation: &Validation) -> String {
    validation.text(true, Paint { color: false })
}

#[test]
fn what_has_changed_is_left_out_and_fails_its_test() {
    let mut check = check();
    check.drift = vec![
        Drift::ColumnGone { column: "name".to_owned(), was: "text".to_owned() },
        Drift::ColumnChanged {
            column: "size".to_owned(),
            was: "a whole number".to_owned(),
            is: "text".to_owned(),
        },
        Drift::FieldGone { slug: "ssize00001".into(), was: "numberfield".to_owned() },
        Drift::FieldChanged {
            slug: "title".into(),
            was: "recordtitlefield".to_owned(),
            is: "textfield".to_owned(),
        },
    ];
    check.left_out = vec![LeftOut {
        slug: "ssize00001".into(),
        reason: "the table has no such field".to_owned(),
    }];
    check.failed = vec![FailedTest {
        place: 0,
        message: "the test \"a name stays as it is\" fails: field `title` becomes `ANN`, not `Ann`"
            .to_owned(),
        hint: "mend the mapping, or the test".to_owned(),
    }];
    let mut validation = validation(check);
    let together = screen(&validation);
    let why =
        Failure::usage("the mapping file `config/sync_mappings.yml` cannot be read", "make it");
    validation.file = Err(why);
    validation.online = None;
    assert_snapshot!(format!("{together}\n\n{}", screen(&validation)));
}

/// Catches: an error of a call whose words nobody has read.
#[test]
fn every_error_of_a_call_is_said_in_reviewed_words() {
    let kinds = [
        CallErrorKind::NotSent,
        CallErrorKind::TimedOut,
        CallErrorKind::Broken,
        CallErrorKind::Server { status: 503 },
        CallErrorKind::Throttled { retry_after: Some(Duration::from_secs(30)) },
        CallErrorKind::Challenge,
        CallErrorKind::Garbled,
        CallErrorKind::TokenRejected,
        CallErrorKind::AccountRejected,
        CallErrorKind::Forbidden,
        CallErrorKind::PlanFull,
        CallErrorKind::QuotaSpent,
        CallErrorKind::NotFound,
        CallErrorKind::WrongAddress,
        CallErrorKind::Refused { status: 422 },
    ];
    let screens: Vec<String> = kinds
        .iter()
        .map(|kind| screen(&validation(SyncCheck { table: Err((*kind).into()), ..check() })))
        .collect();
    assert_snapshot!(screens.join("\n\n"));
}

/// Catches: an error of the state whose words nobody has read.
#[test]
fn every_error_of_the_state_is_said_in_reviewed_words() {
    let path = || "sync_state.db".to_owned();
    let errors = [
        StateError::Fenced,
        StateError::KeyChanged { sync: "customers".to_owned() },
        StateError::UnresolvedCreates { sync: "customers".to_owned(), creates: 2 },
        StateError::NotWritable {
            path: path(),
            reason: "Permission denied (os error 13)".to_owned(),
        },
        StateError::DiskFull,
        StateError::Corrupt { path: path(), reason: "file is not a database".to_owned() },
        StateError::Missing { path: path() },
        StateError::Replaced { path: path() },
        StateError::Older { path: path(), found: 0, known: 14 },
        StateError::Newer { path: path(), found: 99, known: 14 },
        StateError::NetworkFileSystem { path: path(), kind: "nfs".to_owned() },
        StateError::Busy,
        StateError::Other("a newer read of this sync has begun".to_owned()),
    ];
    let screens: Vec<String> = errors
        .into_iter()
        .map(|error| {
            let state = Some((path().into(), Err(error)));
            screen(&Validation { state, online: None, ..validation(check()) })
        })
        .collect();
    assert_snapshot!(screens.join("\n\n"));
}

/// Catches: a reason for which a row is refused whose words nobody has read.
#[test]
fn every_fault_of_a_row_is_said_in_reviewed_words() {
    let faults = FaultCode::ALL.iter();
    let lines: Vec<String> = faults
        .map(|code| format!("{}: {}\n    {}", code.code(), code.meaning(), code.remedy()))
        .collect();
    assert_snapshot!(lines.join("\n"));
}

/// The reviewed snapshots of every crate.
fn snapshots() -> Vec<String> {
    fn look(folder: &Path, texts: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path, texts);
            } else if path.extension().is_some_and(|extension| extension == "snap") {
                texts.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut texts = Vec::new();
    for name in ["mysql-smartsuite-sync", "sync-core", "sync-mysql"] {
        let of_crate = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
        look(&of_crate.join("src"), &mut texts);
        look(&of_crate.join("tests"), &mut texts);
    }
    texts
}

/// Every code comes from the place where it is declared, so that a new one is asked for here by itself.
#[test]
fn every_code_is_in_a_reviewed_snapshot() {
    let texts = snapshots();
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words: BTreeSet<&str> =
        texts.iter().flat_map(|text| text.split(|character| !is_part(character))).collect();
    let of_files: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    let codes = [
        &of_files[..],
        FindingCode::CODES,
        FaultCode::CODES,
        SourceFindingCode::CODES,
        SourceErrorKind::CODES,
        CallErrorKind::CODES,
        StateError::CODES,
        CheckCode::CODES,
    ];
    let missing: Vec<&str> =
        codes.concat().into_iter().filter(|code| !words.contains(code)).collect();
    assert!(missing.is_empty(), "in no snapshot: {missing:?}");
}
