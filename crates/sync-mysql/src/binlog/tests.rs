//! The decoder over events made by hand, and over bytes of any kind.

use proptest::prelude::*;
use sync_core::{key::Key, source::ColumnKind};

use super::{
    decoder::{Decoder, Found, Step, Unreadable},
    event::{Event, Header},
    file::LogFile,
    gtid::{GtidState, Gtids},
    key_column::{Charset, KeyColumn, KeyForm},
    position::Position,
    watch::{Follower, Purpose, Watched},
};

const FOLLOWER: Follower = Follower(1);

fn id(place: usize) -> KeyColumn {
    KeyColumn {
        name: "id".into(),
        place,
        form: KeyForm::Int { unsigned: false },
        kind: ColumnKind::Int { unsigned: false, width: 11 },
    }
}

fn watched(purpose: Purpose) -> Watched {
    Watched {
        follower: FOLLOWER,
        schema: "shop".into(),
        table: "t".into(),
        column_count: 2,
        hidden_count: 0,
        columns: vec![id(0)],
        purpose,
    }
}

/// A decoder with the events it is given.
struct Log(Decoder);

impl Log {
    fn new(purpose: Purpose) -> Self {
        let position = Position {
            server: "s".into(),
            file: "bin.000001".into(),
            offset: 4,
            begun: None,
            gtids: Some(Gtids::MariaDb(GtidState::default())),
            is_unsure: false,
        };
        Self(Decoder::new(position, vec![watched(purpose)]))
    }

    fn event(&mut self, kind: u8, end: u32, body: &[u8]) -> Result<Step, Unreadable> {
        let header = Header { kind, end, server_id: 1, seconds: 5, ..Header::default() };
        self.0.read(&Event { header, body })
    }

    fn within(&mut self, kind: u8, body: &[u8]) {
        assert!(matches!(self.event(kind, 0, body), Ok(Step::Within)), "kind {kind}");
    }

    fn committed(&mut self, kind: u8, end: u32, body: &[u8]) -> Found {
        let Ok(Step::Committed(mut committed)) = self.event(kind, end, body) else {
            panic!("kind {kind} ends no transaction")
        };
        committed.found.remove(&FOLLOWER).unwrap_or_default()
    }

    /// A transaction's name, and the table `(id INT, name VARCHAR(20))` that its rows are of.
    fn begin(&mut self, number: u64) {
        let mut gtid = number.to_le_bytes().to_vec();
        gtid.extend([0, 0, 0, 0, 0]);
        self.within(162, &gtid);
        self.map(b"t");
    }

    fn map(&mut self, table: &[u8]) {
        let mut map = vec![9, 0, 0, 0, 0, 0, 1, 0];
        map.extend(b"\x04shop\0\x01");
        map.extend(table);
        map.extend([0, 2, 3, 15, 2, 80, 0, 0b10]);
        self.within(19, &map);
    }

    fn statement(sql: &str) -> Vec<u8> {
        let mut body = vec![0; 8];
        body.extend([4, 0, 0, 0, 0]);
        body.extend(b"shop\0");
        body.extend(sql.as_bytes());
        body
    }
}

/// A rows event of the second form, with these bitmaps and images behind its head.
fn rows(rest: &[u8]) -> Vec<u8> {
    let mut body = vec![9, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2];
    body.extend(rest);
    body
}

fn keys(found: &Found) -> Vec<String> {
    found.keys.iter().map(|key| key.text().into_owned()).collect()
}

#[test]
fn inserted_updated_and_deleted_rows_are_found_by_key() {
    let mut log = Log::new(Purpose::Rows);
    log.begin(1);
    log.within(30, &rows(&[3, 0, 7, 0, 0, 0, 1, b'a', 0b10, 8, 0, 0, 0]));
    log.within(32, &rows(&[3, 0, 9, 0, 0, 0, 0]));
    let found = log.committed(16, 300, &[0; 8]);
    assert_eq!(keys(&found), ["7", "8", "9"]);
    assert_eq!(log.0.position().offset, 300);
    assert_eq!(log.0.position().gtids.as_ref().unwrap().to_string(), "0-1-1");
}

#[test]
fn a_changed_key_concerns_both() {
    let mut log = Log::new(Purpose::Rows);
    log.begin(1);
    log.within(31, &rows(&[3, 3, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]));
    assert_eq!(keys(&log.committed(16, 0, &[])), ["1", "2"]);
}

#[test]
fn a_minimal_image_after_takes_the_key_from_the_one_before() {
    let mut log = Log::new(Purpose::Rows);
    log.begin(1);
    // Before: id alone. After: name alone.
    log.within(31, &rows(&[1, 2, 0, 5, 0, 0, 0, 0, 1, b'x']));
    assert_eq!(keys(&log.committed(16, 0, &[])), ["5"]);
}

#[test]
fn a_key_that_no_image_shows_leads_to_a_reading_of_everything() {
    let mut log = Log::new(Purpose::Rows);
    log.begin(1);
    log.within(31, &rows(&[2, 2, 0, 1, b'x', 0, 1, b'y']));
    assert!(log.committed(16, 0, &[]).reconcile.unwrap().contains("does not show the key"));
}

#[test]
fn what_was_not_committed_when_a_file_ends_is_forgotten() {
    let mut log = Log::new(Purpose::Rows);
    log.begin(1);
    log.within(30, &rows(&[3, 0, 7, 0, 0, 0, 0]));
    log.within(15, &[]);
    log.begin(2);
    let found = log.committed(16, 0, &[]);
    assert_eq!(found, Found::default());
    assert_eq!(log.0.position().gtids.as_ref().unwrap().to_string(), "0-1-2");
}

#[test]
fn a_transaction_without_its_end_leads_to_a_reading_of_everything() {
    let mut log = Log::new(Purpose::Rows);
    log.begin(1);
    log.begin(2);
    assert!(log.committed(16, 0, &[]).reconcile.is_some());
}

#[test]
fn a_compressed_transaction_that_yields_nothing_is_not_passed_over() {
    let mut log = Log::new(Purpose::Rows);
    log.within(40, &[]);
    log.begin(2);
    assert!(log.committed(16, 0, &[]).reconcile.is_some());
}

#[test]
fn inside_a_compressed_transaction_the_end_is_that_of_the_whole() {
    let mut log = Log::new(Purpose::Rows);
    assert!(matches!(log.event(40, 900, &[]), Ok(Step::Within)));
    log.map(b"t");
    log.within(30, &rows(&[3, 0, 7, 0, 0, 0, 0]));
    assert_eq!(keys(&log.committed(16, 0, &[])), ["7"]);
    assert_eq!(log.0.position().offset, 900);
}

#[test]
fn a_prepared_transaction_counts_when_it_is_committed() {
    let prepared = |log: &mut Log| {
        log.begin(1);
        log.within(30, &rows(&[3, 0, 7, 0, 0, 0, 0]));
        let mut body = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        body.push(b'a');
        assert_eq!(log.committed(38, 0, &body), Found::default());
    };
    let mut log = Log::new(Purpose::Rows);
    prepared(&mut log);
    assert_eq!(keys(&log.committed(2, 0, &Log::statement("XA COMMIT X'61',X'',1"))), ["7"]);

    let mut log = Log::new(Purpose::Rows);
    prepared(&mut log);
    let undone = log.committed(2, 0, &Log::statement("XA ROLLBACK X'61',X'',1"));
    assert_eq!(undone, Found::default());

    // Prepared before this process began to read.
    let mut log = Log::new(Purpose::Rows);
    let found = log.committed(2, 0, &Log::statement("XA COMMIT X'61',X'',1"));
    assert!(found.reconcile.unwrap().contains("prepared earlier"));
}

/// Catches: keys of a prepared transaction that take the place of a reason to read everything.
#[test]
fn a_broken_off_transaction_is_not_forgotten_over_a_prepared_one() {
    let xa = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, b'a'];
    let mut log = Log::new(Purpose::Rows);
    log.begin(1);
    log.within(30, &rows(&[3, 0, 7, 0, 0, 0, 0]));
    assert_eq!(log.committed(38, 0, &xa), Found::default());
    log.begin(2);
    log.begin(3);
    let found = log.committed(2, 0, &Log::statement("XA COMMIT X'61',X'',1"));
    assert_eq!(keys(&found), ["7"]);
    assert!(found.reconcile.unwrap().contains("to its end"));
    // Nor where the prepared one is rolled back later.
    let mut log = Log::new(Purpose::Rows);
    log.begin(1);
    log.begin(2);
    assert!(log.committed(38, 0, &xa).reconcile.is_some());
}

/// Catches: a compressed transaction that yields nothing, and with which its file ends.
#[test]
fn a_compressed_transaction_without_its_end_counts_at_the_end_of_a_file() {
    let mut log = Log::new(Purpose::Rows);
    log.within(40, &[]);
    log.within(15, &[]);
    // Nor is it forgotten with a file that follows at once.
    log.within(15, &[]);
    log.begin(2);
    assert!(log.committed(16, 0, &[]).reconcile.unwrap().contains("to its end"));
}

/// Catches: a server that writes that its log lacks events, and begins a new file.
#[test]
fn what_a_log_lacks_is_not_forgotten_with_its_file() {
    let mut log = Log::new(Purpose::Rows);
    log.within(26, &[]);
    log.within(15, &[]);
    log.begin(2);
    assert!(log.committed(16, 0, &[]).reconcile.unwrap().contains("lacks events"));
}

/// As MySQL writes it: nothing but the last event says that it is committed.
#[test]
fn a_transaction_that_is_prepared_and_committed_in_one_is_not_past_before_its_rows() {
    let mut log = Log::new(Purpose::Rows);
    log.within(34, &[]);
    log.within(2, &Log::statement("XA START X'61',X'',1"));
    assert!(!log.0.is_between());
    log.map(b"t");
    log.within(30, &rows(&[3, 0, 7, 0, 0, 0, 0]));
    log.within(2, &Log::statement("XA END X'61',X'',1"));
    let body = [1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, b'a'];
    assert_eq!(keys(&log.committed(38, 400, &body)), ["7"]);
    assert_eq!(log.0.position().offset, 400);
}

#[test]
fn a_key_that_cannot_be_read_leads_to_a_reading_of_everything() {
    let mut log = Log::new(Purpose::Rows);
    let name = KeyColumn {
        name: "name".into(),
        place: 1,
        form: KeyForm::Text(Charset::Utf8),
        kind: ColumnKind::Text,
    };
    log.0.watch(vec![Watched { columns: vec![name], ..watched(Purpose::Rows) }]);
    log.begin(1);
    log.within(30, &rows(&[3, 0, 7, 0, 0, 0, 1, 0xff]));
    let found = log.committed(16, 0, &[]);
    assert!(found.reconcile.unwrap().contains("cannot be read of table `t`"));
    // Without a key there is nothing to read again.
    log.begin(2);
    log.within(30, &rows(&[3, 0b10, 7, 0, 0, 0]));
    assert_eq!(log.committed(16, 0, &[]), Found::default());
}

#[test]
fn definitions_and_statements_lead_to_a_reading_of_everything() {
    for (sql, concerned) in [
        ("TRUNCATE TABLE t", true),
        ("TRUNCATE TABLE other", false),
        ("TRUNCATE TABLE elsewhere.t", true),
        ("DROP DATABASE shop", true),
        ("TRUNCATE TABLE \"t\"", true),
        ("SET STATEMENT max_statement_time = 1 FOR ALTER TABLE t ADD x INT", true),
        ("SET STATEMENT max_statement_time = 1 FOR ALTER TABLE other ADD x INT", false),
        ("INSERT INTO other VALUES (1)", true),
        ("CREATE VIEW v AS SELECT 1", false),
    ] {
        let mut log = Log::new(Purpose::Rows);
        let found = log.committed(2, 77, &Log::statement(sql));
        assert_eq!(found.reconcile.is_some(), concerned, "{sql}");
        assert_eq!(log.0.position().offset, 77, "{sql}");
    }
}

#[test]
fn rows_of_a_table_with_other_columns_lead_to_a_reading_of_everything() {
    let mut log = Log::new(Purpose::Rows);
    let mut map = vec![9, 0, 0, 0, 0, 0, 1, 0];
    map.extend(b"\x04shop\0\x01t\0");
    map.extend([1, 3, 0, 0]);
    log.within(19, &map);
    let mut body = rows(&[1, 0, 7, 0, 0, 0]);
    body[10] = 1;
    log.within(30, &body);
    assert!(log.committed(16, 0, &[]).reconcile.unwrap().contains("other columns"));
}

#[test]
fn only_what_a_foreign_key_passes_on_concerns_its_child() {
    let parent = Purpose::Parent { on_delete: true, on_update: true };
    for (kind, images, concerned) in [
        (30, &[3, 0, 7, 0, 0, 0, 0][..], false),
        (32, &[3, 0, 7, 0, 0, 0, 0], true),
        (31, &[3, 3, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], false),
        (31, &[3, 3, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0], true),
    ] {
        let mut log = Log::new(parent);
        log.begin(1);
        log.within(kind, &rows(images));
        let found = log.committed(16, 0, &[]);
        assert!(found.keys.is_empty());
        assert_eq!(found.reconcile.is_some(), concerned, "kind {kind}");
    }
}

#[test]
fn partial_json_is_read_over() {
    let mut log = Log::new(Purpose::Rows);
    let mut map = vec![9, 0, 0, 0, 0, 0, 1, 0];
    map.extend(b"\x04shop\0\x01t\0");
    map.extend([2, 3, 245, 1, 4, 0b10]);
    log.within(19, &map);
    let image = |id: u8| [&[0, id, 0, 0, 0][..], &[1, 0, 0, 0, b'j']].concat();
    let differing = [&[1, 1][..], &image(4)].concat();
    let whole = [&[0][..], &image(5)].concat();
    let body = rows(&[&[3, 3][..], &image(4), &differing, &image(5), &whole].concat());
    log.within(39, &body);
    assert_eq!(keys(&log.committed(16, 0, &[])), ["4", "5"]);
}

/// A log that is read from a place on: the file it begins with, when that was begun (in the test's own header: 5), and
/// what MariaDB says was before it.
fn opened(known: Position, file: &str, earlier: Option<u8>) -> Result<Log, Unreadable> {
    let mut log = Log(Decoder::new(known, vec![watched(Purpose::Rows)]));
    let mut rotate = 4_u64.to_le_bytes().to_vec();
    rotate.extend(file.as_bytes());
    log.within(4, &rotate);
    log.event(15, 0, &[])?;
    if let Some(number) = earlier {
        log.event(163, 0, &[1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, number, 0, 0, 0, 0, 0, 0, 0])?;
    }
    Ok(log)
}

#[test]
fn a_log_that_was_begun_anew_is_another_log() {
    let known = |file: &str, begun| Position {
        server: "s".into(),
        file: file.into(),
        offset: 400,
        begun,
        gtids: Some(Gtids::MariaDb("0-1-9".parse().unwrap())),
        is_unsure: false,
    };
    let is_anew = |known, file, earlier| match opened(known, file, earlier) {
        Ok(_) => false,
        Err(why) => {
            assert_eq!(why, Unreadable::BegunAnew);
            true
        }
    };
    // The same file, begun at the same time or another.
    assert!(!is_anew(known("bin.000002", Some(5)), "bin.000002", Some(3)));
    assert!(is_anew(known("bin.000002", Some(6)), "bin.000002", Some(3)));
    assert!(is_anew(known("bin.000002", Some(5)), "bin.000001", None));
    // A later one: nothing of which the position knows may be in it.
    assert!(!is_anew(known("bin.000002", Some(6)), "bin.000003", Some(9)));
    assert!(is_anew(known("bin.000002", Some(6)), "bin.000003", Some(8)));
    // Of a place that was never read nothing is known, and then as much as of any.
    let log = opened(known("bin.000002", None), "bin.000002", None).unwrap();
    assert_eq!(log.0.position().begun, Some(5));
    // The files that follow are what they are.
    let mut log = opened(known("bin.000002", Some(5)), "bin.000002", Some(3)).unwrap();
    log.within(4, b"\x04\0\0\0\0\0\0\0bin.000003");
    log.within(15, &[]);
    log.within(163, &[0, 0, 0, 0]);
    log.within(4, b"\x04\0\0\0\0\0\0\0bin.000001");
    assert_eq!(log.event(15, 0, &[]).unwrap_err(), Unreadable::BegunAnew);
}

#[test]
fn an_unknown_event_stops_the_reading() {
    let mut log = Log::new(Purpose::Rows);
    assert_eq!(log.event(43, 0, &[]).unwrap_err(), Unreadable::Unknown(43));
}

#[test]
fn a_huge_transaction_is_read_as_a_whole() {
    let mut log = Log::new(Purpose::Rows);
    log.begin(1);
    for chunk in 0..3_u32 {
        let mut images = vec![1];
        for row in 0..80_000 {
            images.push(0);
            images.extend((chunk * 80_000 + row).to_le_bytes());
        }
        log.within(30, &rows(&images));
    }
    let found = log.committed(16, 0, &[]);
    assert!(found.reconcile.as_ref().unwrap().contains("more than"));
    assert!(found.size() <= 40_000);
}

#[test]
fn a_transaction_may_change_few_rows_very_often() {
    let mut log = Log::new(Purpose::Rows);
    log.begin(1);
    for _ in 0..3 {
        let mut images = vec![1];
        for row in (0..100_000_u32).rev() {
            images.push(0);
            images.extend((row % 7).to_le_bytes());
        }
        log.within(30, &rows(&images));
    }
    let found = log.committed(16, 0, &[]);
    assert_eq!(found.reconcile, None);
    assert_eq!(keys(&found), ["0", "1", "2", "3", "4", "5", "6"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_are_read_or_refused(
        events in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..80)), 0..12),
    ) {
        for purpose in [Purpose::Rows, Purpose::Related(0), Purpose::Parent { on_delete: true, on_update: true }] {
            let mut log = Log::new(purpose);
            log.begin(1);
            for (kind, body) in &events {
                drop(log.event(*kind, 9, body));
            }
        }
    }

    #[test]
    fn any_rows_of_a_known_table_are_read_or_refused(
        kind in prop::sample::select(vec![23_u8, 24, 25, 30, 31, 32, 39, 166, 167, 168, 169]),
        rest in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut log = Log::new(Purpose::Rows);
        log.begin(1);
        drop(log.event(kind, 9, &rows(&rest)));
    }

    #[test]
    fn any_cell_is_a_key_or_none(cell in proptest::collection::vec(any::<u8>(), 0..20)) {
        let forms = [
            (KeyForm::Decimal { precision: 20, scale: 5 }, ColumnKind::Decimal { scale: 5 }),
            (KeyForm::Date, ColumnKind::Date),
            (KeyForm::DateTime { digits: 3 }, ColumnKind::DateTime),
            (KeyForm::Timestamp { digits: 3 }, ColumnKind::Timestamp),
            (KeyForm::Year, ColumnKind::Year),
            (KeyForm::Enum(vec!["a".into()]), ColumnKind::Enum),
        ];
        for (form, kind) in forms {
            let column = KeyColumn { name: "k".into(), place: 0, form, kind };
            drop(super::key_column::key(&[column], std::iter::once(Some(cell.as_slice()))));
        }
    }

    #[test]
    fn any_file_is_read_to_its_end(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        LogFile::new(&bytes).tally("shop", "t", 2);
    }
}

#[test]
fn keys_are_not_shown() {
    let found = Found { keys: [Key::from_text("planted")].into(), ..Found::default() };
    assert!(!format!("{found:?}").contains("planted"));
}
