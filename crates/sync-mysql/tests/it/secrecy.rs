//! No error holds a row's value or a credential.

use mysql_async::prelude::Queryable;
use sync_core::{key::Key, port::ReadScope};
use throwaway_server::Flavor;

use crate::stage::{Stage, connect, definition, on_both_servers, read, source};

on_both_servers!(server_messages_that_echo_rows_are_masked);

async fn server_messages_that_echo_rows_are_masked(stage: Stage) {
    stage.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, k VARCHAR(40), v VARCHAR(200));
         INSERT INTO t VALUES (1, 'planted-key', 'planted it\\'s \"quoted\" \\'planted\\' and long')",
    );
    connect(&stage.options())
        .await
        .query_drop(
            "CREATE FUNCTION shout(what TEXT) RETURNS INT DETERMINISTIC
             BEGIN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = what; RETURN 1; END",
        )
        .await
        .unwrap();
    let mut queries = vec![
        ("SELECT k, EXTRACTVALUE('<a/>', v) AS x FROM t", "1105"),
        ("SELECT k, UPDATEXML('<a/>', CONCAT('~', v), '') AS x FROM t", "1105"),
        ("SELECT k, shout(v) AS x FROM t", "1644"),
        ("SELECT k, (SELECT 1 UNION SELECT 2) AS x FROM t", "1242"),
    ];
    if stage.db.flavor() == Flavor::MySql {
        queries.push(("SELECT k, UUID_TO_BIN(v) AS x FROM t", "1411"));
        queries.push(("SELECT k, ST_GeomFromText(v) AS x FROM t", "3037"));
        queries.push(("SELECT k, REGEXP_LIKE('a', CONCAT('(', v)) AS x FROM t", "36"));
        queries.push(("SELECT k, JSON_EXTRACT(v, '$.a') AS x FROM t", "3141"));
    }
    for (query, code) in queries {
        let definition = definition(query, &["k"], None);
        let source = source(stage.options(), &definition, &["x"]).unwrap();
        for scope in [ReadScope::Full, ReadScope::Keys(vec![Key::from_text("planted-key")])] {
            let Err(error) = read(&source, scope).await else { panic!("{query} should fail") };
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(code), "{query}: {shown}");
            for secret in ["planted", "quoted", "long", "706c616e746564"] {
                assert!(!shown.contains(secret), "{query}: {shown}");
            }
        }
    }
}
