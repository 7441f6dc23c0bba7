//! Positions never pass a row that is not there yet.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, civil::DateTime};
use mysql_async::prelude::Queryable;
use sync_core::{
    config::model::SourceDefinition,
    key::Key,
    port::{ReadScope, Watermark},
    value::Value,
};
use sync_mysql::{ConnectOptions, MysqlSource, Overlaps};
use throwaway_server::{Flavor, Server, wait_until};
use tokio::time::timeout;

use crate::stage::{Seen, Stage, connect, definition, on_both_servers, read, source};

on_both_servers!(
    no_row_is_skipped_though_transactions_overlap,
    a_read_yields_what_changed_since_the_position,
    a_position_is_in_the_zone_the_column_is_written_in,
    a_position_is_in_the_configured_zone,
    without_the_process_privilege_the_overlap_is_fixed_and_said,
    a_forgotten_transaction_is_passed_and_said,
    readers_do_not_hold_the_position,
    a_statement_that_has_no_transaction_yet_holds_the_position,
    other_kinds_of_cursors_are_understood_or_said,
    starts_of_transactions_are_in_the_zone_of_the_servers_machine,
    a_replica_adds_its_delay_and_one_that_stands_still_holds_the_position,
    a_server_that_only_reads_and_shows_no_delay_counts_as_a_replica,
);

/// The query of an incremental sync over `table`.
fn incremental(table: &str, cursor: &str) -> SourceDefinition {
    let query = format!(
        "SELECT id, version, {cursor} FROM {table} WHERE {cursor} > :last_sync_time OR :last_sync_time IS NULL"
    );
    definition(&query, &["id"], Some(cursor))
}

fn time(watermark: &Watermark) -> DateTime {
    watermark.0.parse().unwrap()
}

/// The server's clock in the zone of a session that begins now.
fn server_now(stage: &Stage) -> DateTime {
    stage.db.client().query("SELECT NOW(6)").unwrap().trim().parse().unwrap()
}

fn utc_now(stage: &Stage) -> DateTime {
    stage.db.client().query("SELECT UTC_TIMESTAMP(6)").unwrap().trim().parse().unwrap()
}

const WRITERS: usize = 8;
const ROWS_EACH: usize = 12;
const ROUND: Duration = Duration::from_secs(6);

/// How a poller finds its next position.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Strategy {
    /// As the source says.
    Position,
    /// The highest time seen, as many programs do.
    HighestSeen,
}

/// Polls until told to stop, once more afterwards, and says which version of each row it saw last.
async fn poll(
    source: MysqlSource,
    strategy: Strategy,
    stop: Arc<AtomicBool>,
) -> BTreeMap<i128, i128> {
    let mut seen = BTreeMap::new();
    let mut scope = ReadScope::Full;
    loop {
        let is_last = stop.load(Ordering::SeqCst);
        let polled = read(&source, scope.clone()).await.unwrap();
        let mut highest = match &scope {
            ReadScope::Since(watermark) => Some(time(watermark)),
            _ => None,
        };
        for row in &polled.rows {
            let [Value::Int(id), Value::Int(version), at] = row.0.as_slice() else {
                panic!("{row:?}")
            };
            seen.insert(*id, *version);
            let at = match at {
                Value::DateTime(at) => *at,
                Value::Instant(at) => jiff::tz::TimeZone::UTC.to_datetime(*at),
                other => panic!("{other:?}"),
            };
            highest = highest.max(Some(at));
        }
        let watermark = match strategy {
            Strategy::Position => polled.watermark.unwrap(),
            Strategy::HighestSeen => {
                Watermark(format!("{}", highest.unwrap().strftime("%Y-%m-%dT%H:%M:%S.%6f")))
            }
        };
        scope = ReadScope::Since(watermark);
        if is_last {
            return seen;
        }
    }
}

/// Changes its rows one after another; most transactions are quick, some stay open for a while after the change.
async fn write(options: ConnectOptions, writer: usize, stop: Arc<AtomicBool>) {
    let mut conn = connect(&options).await;
    let mut turn = writer * 7;
    while !stop.load(Ordering::SeqCst) {
        turn += 1;
        let id = writer * ROWS_EACH + turn % ROWS_EACH;
        let open_for = match turn % 30 {
            0 => "2.2",
            n if n % 4 == 1 => "0.25",
            _ => "0.005",
        };
        conn.query_drop("BEGIN").await.unwrap();
        conn.query_drop(format!("UPDATE work SET version = version + 1 WHERE id = {id}"))
            .await
            .unwrap();
        conn.query_drop(format!("DO SLEEP({open_for})")).await.unwrap();
        conn.query_drop("COMMIT").await.unwrap();
    }
}

/// One round: how many rows each poller never saw the last change of, by cursor and strategy.
async fn stale_rows(stage: &Stage) -> BTreeMap<String, usize> {
    stage.execute(
        "DROP TABLE IF EXISTS work;
         CREATE TABLE work (id INT PRIMARY KEY, version INT NOT NULL,
           fine DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
           coarse TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
           KEY (fine), KEY (coarse))",
    );
    let rows: Vec<String> = (0..WRITERS * ROWS_EACH).map(|id| format!("({id}, 0)")).collect();
    stage.execute(&format!("INSERT INTO work (id, version) VALUES {}", rows.join(", ")));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(stage.options(), writer, Arc::clone(&stop))))
        .collect();
    let polls_stop = Arc::new(AtomicBool::new(false));
    let mut pollers = BTreeMap::new();
    for cursor in ["fine", "coarse"] {
        for strategy in [Strategy::Position, Strategy::HighestSeen] {
            let source =
                source(stage.options(), &incremental("work", cursor), &["version", cursor])
                    .unwrap();
            let poller = tokio::spawn(poll(source, strategy, Arc::clone(&polls_stop)));
            pollers.insert(format!("{cursor} {strategy:?}"), poller);
        }
    }
    // The round is over when the time is; there is no event to wait for.
    assert!(timeout(ROUND, std::future::pending::<()>()).await.is_err());
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    polls_stop.store(true, Ordering::SeqCst);
    let table = stage.db.client().query("SELECT id, version FROM work").unwrap();
    let current: BTreeMap<i128, i128> = table
        .lines()
        .map(|line| {
            let (id, version) = line.split_once('\t').unwrap();
            (id.parse().unwrap(), version.parse().unwrap())
        })
        .collect();
    assert!(current.values().sum::<i128>() > 200, "the writers hardly wrote");
    let mut stale = BTreeMap::new();
    for (name, poller) in pollers {
        let seen = poller.await.unwrap();
        stale.insert(
            name,
            current.iter().filter(|(id, version)| seen.get(id) != Some(version)).count(),
        );
    }
    stale
}

#[expect(clippy::print_stdout, reason = "the control's losses are worth reading")]
async fn no_row_is_skipped_though_transactions_overlap(stage: Stage) {
    for _ in 0..3 {
        let stale = stale_rows(&stage).await;
        println!("rows whose last change was never seen: {stale:?}");
        assert_eq!((stale["fine Position"], stale["coarse Position"]), (0, 0), "{stale:?}");
        // The control: the usual way does lose rows in this very round, or the round proves nothing.
        if stale["fine HighestSeen"] > 0 && stale["coarse HighestSeen"] > 0 {
            return;
        }
    }
    panic!("three rounds in which even the usual way lost nothing");
}

const TABLE: &str = "CREATE TABLE t (id INT PRIMARY KEY, version INT NOT NULL DEFAULT 0,
    u DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (u))";

fn on_t(options: ConnectOptions, cursor: &str) -> MysqlSource {
    source(options, &incremental("t", cursor), &["version"]).unwrap()
}

async fn a_read_yields_what_changed_since_the_position(stage: Stage) {
    stage.execute(TABLE);
    stage.execute(
        "INSERT INTO t VALUES (1, 0, '2020-01-01'), (2, 0, '2020-01-01'), (3, 0, '2020-01-01')",
    );
    let source = on_t(stage.options(), "u");
    let full = read(&source, ReadScope::Full).await.unwrap();
    assert_eq!((full.keys(), full.notes), (vec!["1".into(), "2".into(), "3".into()], vec![]));
    let position = full.watermark.unwrap();
    let lag = server_now(&stage).duration_since(time(&position));
    assert!(lag >= SignedDuration::from_secs(1) && lag < SignedDuration::from_secs(60), "{lag}");

    let next = read(&source, ReadScope::Since(position.clone())).await.unwrap();
    assert!(next.rows.is_empty());
    stage.execute("UPDATE t SET version = 1 WHERE id = 2");
    let next = read(&source, ReadScope::Since(position)).await.unwrap();
    assert_eq!(next.keys(), ["2"]);
    // By key a row is found whenever it changed.
    let by_key = read(&source, ReadScope::Keys(vec![Key::Int(1)])).await.unwrap();
    assert_eq!((by_key.keys(), by_key.watermark), (vec!["1".to_owned()], None));

    let bad = read(&source, ReadScope::Since(Watermark("2026' OR 1".into()))).await;
    assert!(bad.is_err());
}

/// How far `seen`'s position lies behind the server's clock: in UTC or in the zone of its sessions, whichever is earlier, as
/// nobody says in which the column is written.
fn lag(stage: &Stage, seen: &Seen) -> SignedDuration {
    let earlier = server_now(stage).min(utc_now(stage));
    earlier.duration_since(time(seen.watermark.as_ref().unwrap()))
}

async fn a_position_is_in_the_zone_the_column_is_written_in(stage: Stage) {
    // The system's zone, in which the server notes the start of transactions, is another one.
    for zone in ["+05:00", "-09:00"] {
        let setting = format!("--default-time-zone={zone}");
        let server = Server::start_with(stage.db.flavor(), &[&setting]).unwrap();
        let stage = Stage { db: server.create_database().unwrap() };
        stage.execute(TABLE);
        stage.execute("ALTER TABLE t ADD ts TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6); INSERT INTO t (id) VALUES (1)");
        let mut writer = connect(&stage.options()).await;
        writer.query_drop("BEGIN").await.unwrap();
        writer.query_drop("UPDATE t SET version = 1").await.unwrap();
        writer.query_drop("DO SLEEP(2)").await.unwrap();
        let written = read(&on_t(stage.options(), "u"), ReadScope::Full).await.unwrap();
        let lag_of_u = lag(&stage, &written);
        let seconds = |s| SignedDuration::from_secs(s);
        assert!(lag_of_u >= seconds(3) && lag_of_u < seconds(30), "{zone}: {lag_of_u}");
        let instant = read(&on_t(stage.options(), "ts"), ReadScope::Full).await.unwrap();
        let lag_of_ts = utc_now(&stage).duration_since(time(&instant.watermark.unwrap()));
        assert!(lag_of_ts >= seconds(3) && lag_of_ts < seconds(30), "{zone}: {lag_of_ts}");
        writer.query_drop("COMMIT").await.unwrap();
        let next = ReadScope::Since(written.watermark.unwrap());
        let next = read(&on_t(stage.options(), "u"), next).await.unwrap();
        assert_eq!(next.keys(), ["1"]);
        // An application that writes UTC, whatever the server's zone.
        stage.execute("INSERT INTO t (id, u) VALUES (2, UTC_TIMESTAMP(6))");
        let next = ReadScope::Since(next.watermark.unwrap());
        let found = read(&on_t(stage.options(), "u"), next).await.unwrap().keys();
        assert!(found.contains(&"2".to_owned()), "{zone}: {found:?}");
    }
}

async fn a_position_is_in_the_configured_zone(stage: Stage) {
    stage.execute(TABLE);
    let mut definition = incremental("t", "u");
    // No daylight saving in either: the difference to UTC is the same all year.
    for (zone, hours) in [("Asia/Tokyo", 9), ("Pacific/Honolulu", -10)] {
        definition.time_zone = Some(zone.to_owned());
        let source = source(stage.options(), &definition, &[]).unwrap();
        let seen = read(&source, ReadScope::Full).await.unwrap();
        let utc: DateTime =
            stage.db.client().query("SELECT UTC_TIMESTAMP(6)").unwrap().trim().parse().unwrap();
        let lag =
            utc.duration_since(time(&seen.watermark.unwrap())) + SignedDuration::from_hours(hours);
        assert!(
            lag >= SignedDuration::ZERO && lag < SignedDuration::from_secs(60),
            "{zone}: {lag}"
        );
    }
}

async fn without_the_process_privilege_the_overlap_is_fixed_and_said(mut stage: Stage) {
    stage.execute(TABLE);
    let lesser = stage.db.create_user("SELECT", "").unwrap();
    let greater = stage.db.create_user("SELECT", "PROCESS, REPLICATION CLIENT").unwrap();
    let seen = read(&on_t(stage.options_of(&lesser), "u"), ReadScope::Full).await.unwrap();
    assert_eq!(seen.notes.len(), 1);
    assert!(
        seen.notes[0].contains("PROCESS") && seen.notes[0].contains("60 seconds"),
        "{:?}",
        seen.notes
    );
    assert!(lag(&stage, &seen) >= SignedDuration::from_secs(61));
    let seen = read(&on_t(stage.options_of(&greater), "u"), ReadScope::Full).await.unwrap();
    assert!(seen.notes.is_empty(), "{:?}", seen.notes);
    assert!(lag(&stage, &seen) < SignedDuration::from_secs(60));
}

async fn a_forgotten_transaction_is_passed_and_said(stage: Stage) {
    // A server of its own: transactions of other tests would be older.
    let server = Server::start(stage.db.flavor()).unwrap();
    let stage = Stage { db: server.create_database().unwrap() };
    stage.execute(TABLE);
    stage.execute("INSERT INTO t (id) VALUES (1)");
    let mut writer = connect(&stage.options()).await;
    writer.query_drop("BEGIN").await.unwrap();
    writer.query_drop("UPDATE t SET version = 1").await.unwrap();
    writer.query_drop("DO SLEEP(3)").await.unwrap();
    let overlaps = Overlaps { most: Duration::from_secs(2), ..Overlaps::default() };
    let source = on_t(stage.options(), "u").with_overlaps(overlaps);
    let seen = read(&source, ReadScope::Full).await.unwrap();
    assert_eq!(seen.notes.len(), 1, "{:?}", seen.notes);
    assert!(seen.notes[0].contains(&format!("KILL {}", writer.id())), "{:?}", seen.notes);
    let lag = lag(&stage, &seen);
    assert!(lag >= SignedDuration::from_secs(3) && lag < SignedDuration::from_secs(30), "{lag}");
}

async fn readers_do_not_hold_the_position(stage: Stage) {
    let server = Server::start(stage.db.flavor()).unwrap();
    let stage = Stage { db: server.create_database().unwrap() };
    stage.execute(TABLE);
    stage.execute("INSERT INTO t (id) VALUES (1)");
    let mut reader = connect(&stage.options()).await;
    reader.query_drop("START TRANSACTION READ ONLY").await.unwrap();
    reader.query_drop("SELECT * FROM t").await.unwrap();
    let mut writer = connect(&stage.options()).await;
    writer.query_drop("BEGIN").await.unwrap();
    writer.query_drop("UPDATE t SET version = 1").await.unwrap();
    reader.query_drop("DO SLEEP(5)").await.unwrap();
    let source = on_t(stage.options(), "u");
    let held = read(&source, ReadScope::Full).await.unwrap();
    assert!(lag(&stage, &held) >= SignedDuration::from_secs(6), "the writer holds it");
    writer.query_drop("ROLLBACK").await.unwrap();
    // The server shows its transactions with a delay of a tenth of a second.
    writer.query_drop("DO SLEEP(0.3)").await.unwrap();
    let free = read(&source, ReadScope::Full).await.unwrap();
    assert!(lag(&stage, &free) < SignedDuration::from_secs(5), "the reader does not");
    reader.query_drop("COMMIT").await.unwrap();
}

async fn a_statement_that_has_no_transaction_yet_holds_the_position(stage: Stage) {
    let server = Server::start(stage.db.flavor()).unwrap();
    let stage = Stage { db: server.create_database().unwrap() };
    stage.execute(TABLE);
    stage.execute("CREATE TABLE locked (id INT PRIMARY KEY); INSERT INTO locked VALUES (1)");
    let mut locker = connect(&stage.options()).await;
    locker.query_drop("LOCK TABLES locked WRITE").await.unwrap();
    let mut writer = connect(&stage.options()).await;
    let waiting = tokio::spawn(async move {
        writer.query_drop("UPDATE locked SET id = 2").await.unwrap();
    });
    locker.query_drop("DO SLEEP(3)").await.unwrap();
    let seen = read(&on_t(stage.options(), "u"), ReadScope::Full).await.unwrap();
    let lag = lag(&stage, &seen);
    assert!(lag >= SignedDuration::from_secs(3), "{lag}");
    locker.query_drop("UNLOCK TABLES").await.unwrap();
    waiting.await.unwrap();
}

async fn other_kinds_of_cursors_are_understood_or_said(stage: Stage) {
    stage.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, version INT, day DATE, maybe TIMESTAMP(3) NULL, stamp INT)",
    );
    stage.execute("INSERT INTO t VALUES (1, 0, CURRENT_DATE, NULL, 5)");
    // A day's rows are read again until the day is over.
    let source = on_t(stage.options(), "day");
    let seen = read(&source, ReadScope::Full).await.unwrap();
    assert!(seen.watermark.as_ref().unwrap().0.ends_with("T23:59:59.000000"));
    let again = read(&source, ReadScope::Since(seen.watermark.unwrap())).await.unwrap();
    assert_eq!(again.keys(), ["1"]);
    // Written by applications, so far behind; and NULL is said.
    let seen = read(&on_t(stage.options(), "maybe"), ReadScope::Full).await.unwrap();
    assert!(seen.notes.iter().any(|note| note.contains("`maybe` may be NULL")), "{:?}", seen.notes);
    let lag = utc_now(&stage).duration_since(time(seen.watermark.as_ref().unwrap()));
    assert!(lag >= SignedDuration::from_secs(301), "{lag}");
    // A number is no time.
    let seen = read(&on_t(stage.options(), "stamp"), ReadScope::Full).await.unwrap();
    assert_eq!(seen.watermark, None);
    assert_eq!(
        seen.notes,
        ["cursor column `stamp` holds no dates and times: every run reads everything"]
    );
    // Without the parameter, or without a cursor, there is no position.
    for definition in [
        definition("SELECT id, version, maybe FROM t", &["id"], Some("maybe")),
        SourceDefinition { updated_at_field: None, ..incremental("t", "maybe") },
    ] {
        let source = crate::stage::source(stage.options(), &definition, &[]).unwrap();
        let seen = read(&source, ReadScope::Full).await.unwrap();
        assert_eq!((seen.watermark, seen.notes), (None, vec![]));
        let again = ReadScope::Since(Watermark("2030-01-01T00:00:00".into()));
        let expected = usize::from(definition.updated_at_field.is_some());
        assert_eq!(read(&source, again).await.unwrap().rows.len(), expected);
    }
}

/// `trx_started` is in the machine's zone, whatever the session's is: read in another one, every age would be off by
/// hours, or negative.
async fn starts_of_transactions_are_in_the_zone_of_the_servers_machine(stage: Stage) {
    // Behind UTC ages would be too large, ahead of it negative.
    let zone = if stage.db.flavor() == Flavor::MySql { "AAA-9" } else { "AAA5" };
    let server = Server::start_in_zone(stage.db.flavor(), zone).unwrap();
    let stage = Stage { db: server.create_database().unwrap() };
    let hours = "SELECT TIMESTAMPDIFF(HOUR, UTC_TIMESTAMP(), NOW())";
    let hours = stage.db.client().query(hours).unwrap();
    assert!(["-5", "9"].contains(&hours.trim()), "{zone}: {hours}");
    stage.execute(TABLE);
    stage.execute("INSERT INTO t (id) VALUES (1)");
    let mut writer = connect(&stage.options()).await;
    writer.query_drop("BEGIN").await.unwrap();
    writer.query_drop("UPDATE t SET version = 1").await.unwrap();
    writer.query_drop("DO SLEEP(3)").await.unwrap();
    let seen = read(&on_t(stage.options(), "u"), ReadScope::Full).await.unwrap();
    assert_eq!(seen.notes, [""; 0], "{zone}");
    let lag = lag(&stage, &seen);
    let seconds = |s| SignedDuration::from_secs(s);
    assert!(lag >= seconds(4) && lag < seconds(30), "{zone}: {lag}");
    writer.query_drop("COMMIT").await.unwrap();
}

/// Makes `replica` follow `primary` from now on.
fn replicate(primary: &Server, replica: &Server) {
    let is_mysql = primary.flavor() == Flavor::MySql;
    let place = if is_mysql { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" };
    let status = primary.client().unwrap().query(place).unwrap();
    let mut cells = status.split('\t');
    let (file, position) = (cells.next().unwrap(), cells.next().unwrap());
    let port = primary.port();
    replica
        .client()
        .unwrap()
        .execute(&if is_mysql {
            format!(
                "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, SOURCE_USER='root', \
                 SOURCE_LOG_FILE='{file}', SOURCE_LOG_POS={position}, GET_SOURCE_PUBLIC_KEY=1; START REPLICA"
            )
        } else {
            format!(
                "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='root', \
                 MASTER_LOG_FILE='{file}', MASTER_LOG_POS={position}; START SLAVE"
            )
        })
        .unwrap();
}

async fn a_replica_adds_its_delay_and_one_that_stands_still_holds_the_position(stage: Stage) {
    let flavor = stage.db.flavor();
    let primary = Server::start_with(flavor, &["--server-id=11"]).unwrap();
    let mut replica = Server::start_with(flavor, &["--server-id=12"]).unwrap();
    if flavor == Flavor::MySql {
        // Both began as copies of one folder, with one name; a server without a name takes a new one.
        replica.stop().unwrap();
        std::fs::remove_file(replica.data_folder().join("auto.cnf")).unwrap();
        replica.restart().unwrap();
    }
    replicate(&primary, &replica);
    let stage = Stage { db: primary.create_database().unwrap() };
    stage.execute(TABLE);
    stage.execute("INSERT INTO t (id) VALUES (1)");
    let there = || replica.client().unwrap().with_database(stage.db.name());
    let holds = |query: &str, expected: &str| {
        let arrived = wait_until(Duration::from_secs(30), || {
            Ok(there().query(query).is_ok_and(|found| found.trim() == expected))
        });
        assert!(arrived.unwrap(), "`{query}` is not `{expected}` on the replica");
    };
    holds("SELECT count(*) FROM t", "1");
    let mut options = stage.options();
    options.port = replica.port();
    let source = on_t(options, "u");

    let running = read(&source, ReadScope::Full).await.unwrap();
    assert_eq!(running.notes, [""; 0]);
    let lag_of_running = lag(&stage, &running);
    let seconds = |s| SignedDuration::from_secs(s);
    assert!(lag_of_running >= seconds(301) && lag_of_running < seconds(420), "{lag_of_running}");

    let applier = |what: &str| {
        let word = if flavor == Flavor::MySql { "REPLICA" } else { "SLAVE" };
        replica.client().unwrap().execute(&format!("{what} {word} SQL_THREAD")).unwrap();
    };
    applier("STOP");
    stage.execute("UPDATE t SET version = 1");
    let scope = ReadScope::Since(running.watermark.clone().unwrap());
    let stopped = read(&source, scope).await.unwrap();
    assert!(stopped.notes.iter().any(|note| note.contains("has stopped")), "{:?}", stopped.notes);
    assert_eq!(stopped.watermark, running.watermark);
    // Nor does a read of everything move it, whose rows are those of before.
    let everything = read(&source, ReadScope::Full).await.unwrap();
    assert!(everything.notes.iter().any(|note| note.contains("has stopped")));
    assert_eq!(everything.watermark, None);
    // What arrives late with an early time is found from there.
    applier("START");
    holds("SELECT version FROM t", "1");
    let scope = ReadScope::Since(stopped.watermark.unwrap());
    assert_eq!(read(&source, scope).await.unwrap().keys(), ["1"]);
}

async fn a_server_that_only_reads_and_shows_no_delay_counts_as_a_replica(stage: Stage) {
    let server = Server::start_with(stage.db.flavor(), &["--read-only"]).unwrap();
    let stage = Stage { db: server.create_database().unwrap() };
    stage.execute(TABLE);
    let seen = read(&on_t(stage.options(), "u"), ReadScope::Full).await.unwrap();
    assert!(seen.notes.iter().any(|note| note.contains("perhaps a replica")), "{:?}", seen.notes);
    assert!(lag(&stage, &seen) >= SignedDuration::from_secs(301));
}
