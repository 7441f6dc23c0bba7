//! What every test needs: a database of its own, a source over it, and its rows in words.

use std::{collections::BTreeMap, future::Future};

use mysql_async::{Conn, OptsBuilder};
use sync_core::{
    config::model::{SourceDefinition, SourceRows},
    error::SourceError,
    port::{ReadScope, RowSource, Watermark},
    secret::Secret,
    source::{Column, Row},
    value::Value,
};
use sync_mysql::{ConnectOptions, MysqlSource};
use throwaway_server::{Flavor, TestDatabase, TestUser};

/// Makes `on_mariadb` and `on_mysql` of a check that takes a [`Stage`].
macro_rules! on_both_servers {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            #[test]
            fn on_mariadb() {
                $crate::stage::play(throwaway_server::Flavor::MariaDb, super::$name);
            }

            #[test]
            fn on_mysql() {
                $crate::stage::play(throwaway_server::Flavor::MySql, super::$name);
            }
        })+
    };
}
pub(crate) use on_both_servers;

/// A database of the test's own.
pub(crate) struct Stage {
    pub(crate) db: TestDatabase,
}

/// Runs a check on a fresh database; where the server cannot be had, says so and passes.
pub(crate) fn play<F: Future<Output = ()>>(flavor: Flavor, check: impl FnOnce(Stage) -> F) {
    let Some(db) = TestDatabase::create(flavor).unwrap() else { return };
    run(check(Stage { db }));
}

/// Runs a future on a runtime of its own.
pub(crate) fn run(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future);
}

impl Stage {
    pub(crate) fn execute(&self, sql: &str) {
        self.db.execute(sql).unwrap();
    }

    /// Root, without a password.
    pub(crate) fn options(&self) -> ConnectOptions {
        let mut options =
            ConnectOptions::new(self.db.host(), "root", Secret::new(""), self.db.name());
        options.port = self.db.port();
        options
    }

    pub(crate) fn options_of(&self, user: &TestUser) -> ConnectOptions {
        let mut options = self.options();
        options.user.clone_from(&user.name);
        options.password = Secret::new(user.password.clone());
        options
    }

    pub(crate) fn source(&self, query: &str, key: &[&str], wanted: &[&str]) -> MysqlSource {
        source(self.options(), &definition(query, key, None), wanted).unwrap()
    }
}

/// A connection of root's, past the source.
pub(crate) async fn connect(options: &ConnectOptions) -> Conn {
    let options = OptsBuilder::default()
        .ip_or_hostname(options.host.clone())
        .tcp_port(options.port)
        .user(Some("root"))
        .db_name(Some(options.database.clone()))
        .prefer_socket(false);
    Conn::new(options).await.unwrap()
}

pub(crate) fn definition(query: &str, key: &[&str], cursor: Option<&str>) -> SourceDefinition {
    SourceDefinition {
        rows: SourceRows::query(query),
        primary_key: key.iter().map(|name| (*name).to_owned()).collect(),
        updated_at_field: cursor.map(str::to_owned),
        deleted_field: None,
        time_zone: None,
    }
}

pub(crate) fn source(
    options: ConnectOptions,
    definition: &SourceDefinition,
    wanted: &[&str],
) -> Result<MysqlSource, SourceError> {
    MysqlSource::new(options, definition, wanted.iter().map(|name| (*name).to_owned()))
}

/// Everything a read yields.
pub(crate) struct Seen {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    pub(crate) watermark: Option<Watermark>,
    pub(crate) notes: Vec<String>,
}

pub(crate) async fn read(source: &MysqlSource, scope: ReadScope) -> Result<Seen, SourceError> {
    let mut read = source.open(scope).await?;
    let mut rows = Vec::new();
    loop {
        let some = read.next_rows(100).await?;
        if some.is_empty() {
            break;
        }
        assert!(some.len() <= 100);
        rows.extend(some);
    }
    Ok(Seen {
        columns: read.columns().to_vec(),
        rows,
        watermark: read.watermark(),
        notes: read.notes(),
    })
}

impl Seen {
    /// The rows in words, by their first column.
    pub(crate) fn by_key(&self) -> BTreeMap<String, Vec<String>> {
        let words = self.rows.iter().map(|row| {
            let cells: Vec<String> = row.0.iter().map(in_words).collect();
            (cells[0].clone(), cells[1..].to_vec())
        });
        words.collect()
    }

    /// The first column of each row, sorted.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.by_key().into_keys().collect()
    }
}

/// A value in words that tell its kind.
pub(crate) fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Bool(bit) => bit.to_string(),
        Value::Decimal(number) => format!("decimal {number}"),
        Value::Float(number) => format!("float {number:?}"),
        Value::Text(text) => format!("{text:?}"),
        Value::Bytes(bytes) => {
            bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
        }
        Value::Date(date) => format!("date {date}"),
        Value::DateTime(at) => format!("datetime {at}"),
        Value::Instant(at) => format!("instant {at}"),
        Value::ZeroDate(text) => format!("zero {text}"),
        Value::Duration(micros) => format!("duration {micros}"),
        Value::Labels(labels) => format!("labels {labels:?}"),
        Value::Json(json) => format!("json {json}"),
    }
}
