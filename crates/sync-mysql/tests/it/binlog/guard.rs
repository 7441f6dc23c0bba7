//! A read never shows less than what the log has told.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mysql_async::prelude::Queryable as _;
use sync_core::{change::ChangeLog as _, port::ReadScope, value::Value};
use throwaway_server::Flavor;

use super::{
    audience::{Audience, Heard},
    loss::private,
};
use crate::stage::{Stage, connect, definition, on_both_servers, read, run, source};

/// Between two rows of one writer: enough to keep the table small.
const PAUSE: Duration = Duration::from_millis(1);

on_both_servers!(a_named_row_is_never_read_as_it_was, a_snapshot_and_what_follows_miss_nothing);

/// Each row changes once: whoever reads its key after it was named must see the change.
async fn a_named_row_is_never_read_as_it_was(stage: Stage) {
    const WRITERS: usize = 4;
    const ROWS: usize = 300;
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL)");
    for writer in 0..WRITERS {
        let rows: Vec<String> =
            (0..ROWS).map(|row| format!("({}, 0)", writer * ROWS + row)).collect();
        stage.execute(&format!("INSERT INTO t VALUES {}", rows.join(", ")));
    }
    let audience = Audience::eager(&stage, 7_201);
    let source = source(stage.options(), &definition("SELECT id, n FROM t", &["id"], None), &["n"]);
    let source = Arc::new(source.unwrap());
    let changes = audience.hub.changes(Arc::clone(&source), Vec::new());
    let mut heard = Heard::now(&changes).await;
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let mut conn = connect(&stage.options()).await;
        writers.push(tokio::spawn(async move {
            for row in 0..ROWS {
                let id = writer * ROWS + row;
                conn.query_drop(format!("UPDATE t SET n = 1 WHERE id = {id}")).await.unwrap();
            }
        }));
    }
    let mut looks = 0;
    while heard.keys.len() < WRITERS * ROWS {
        let named = heard.next().await.unwrap().keys;
        for keys in named.chunks(500) {
            looks += 1;
            let rows = read(&source, ReadScope::Keys(keys.to_vec())).await.unwrap().rows;
            assert_eq!(rows.len(), keys.len());
            let stale = rows.iter().filter(|row| row.0[1] != Value::Int(1)).count();
            assert_eq!(stale, 0, "rows were read as they were before");
        }
    }
    assert!(looks > 20, "{looks} looks are no proof");
    for writer in writers {
        writer.await.unwrap();
    }
}

/// How long a read must have waited to count as waiting.
const WAITS: Duration = Duration::from_millis(300);

/// A commit that stands in the log and cannot be seen yet, as MariaDB shows it otherwise in one of many thousands: it
/// waits between the two for a replica (semi-synchronous replication, `AFTER_SYNC`).
#[test]
fn a_commit_that_is_not_seen_yet_is_waited_for() {
    let Some((_server, stage)) = private(Flavor::MariaDb, &[]) else { return };
    run(async {
        stage.execute(
            "CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL); INSERT INTO t VALUES (1, 0)",
        );
        let audience = Audience::eager(&stage, 7_203);
        let of_t = definition("SELECT id, n FROM t", &["id"], None);
        let source = Arc::new(source(stage.options(), &of_t, &["n"]).unwrap());
        let changes = audience.hub.changes(Arc::clone(&source), Vec::new());
        let mut heard = Heard::now(&changes).await;
        heard.until_caught_up().await;
        stage.execute(
            "SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC; SET GLOBAL rpl_semi_sync_master_timeout = 600000; \
             SET GLOBAL rpl_semi_sync_master_enabled = ON",
        );
        let mut writer = connect(&stage.options()).await;
        let update = tokio::spawn(async move {
            writer.query_drop("UPDATE t SET n = 1 WHERE id = 1").await.unwrap();
        });
        heard.until_keys(&["1"]).await;
        // That it is named before it can be seen is what the test is about.
        assert!(!update.is_finished(), "the commit was not held");
        let seen = stage.db.client().query("SELECT n FROM t").unwrap();
        assert_eq!(seen.trim(), "0");
        let mut reading = Box::pin(read(&source, ReadScope::Keys(heard.named.clone())));
        let early = tokio::time::timeout(WAITS, &mut reading).await;
        assert!(early.is_err(), "the row was read as it was before");
        stage.execute("SET GLOBAL rpl_semi_sync_master_enabled = OFF");
        update.await.unwrap();
        assert_eq!(reading.await.unwrap().rows[0].0[1], Value::Int(1));
    });
}

async fn a_snapshot_and_what_follows_miss_nothing(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT)");
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for _ in 0..4 {
        let mut conn = connect(&stage.options()).await;
        let stop = Arc::clone(&stop);
        writers.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                conn.query_drop("INSERT INTO t VALUES ()").await.unwrap();
                tokio::time::timeout(PAUSE, std::future::pending::<()>()).await.unwrap_err();
            }
        }));
    }
    let audience = Audience::of(&stage, 7_202);
    let source = audience.source("SELECT id FROM t", &["id"]);
    let changes = audience.hub.changes(Arc::clone(&source), Vec::new());
    let mut trials = Vec::new();
    for _ in 0..15 {
        let place = changes.place().await.unwrap();
        let rows = read(&source, ReadScope::Full).await.unwrap().keys();
        trials.push((place, rows.into_iter().collect::<BTreeSet<String>>()));
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let all = read(&source, ReadScope::Full).await.unwrap().keys();
    // What a read showed, and what was named behind its position, are all rows there are.
    let mut named = 0;
    for (place, shown) in &trials {
        let mut heard = Heard::from(&changes, place).await.unwrap();
        heard.until_caught_up().await;
        let is_missing = |key: &&String| !shown.contains(*key) && !heard.keys.contains(*key);
        assert_eq!(all.iter().filter(is_missing).count(), 0, "rows are missing");
        named += heard.keys.len();
    }
    assert!(named > 0, "nothing was written meanwhile");
}
