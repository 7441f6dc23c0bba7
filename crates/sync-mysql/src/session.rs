//! One connection, made ready for reading.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use mysql_async::{Conn, Error, Opts, OptsBuilder, SslOpts, prelude::Queryable};
use sync_core::error::{SourceError, SourceErrorKind};
use tokio::time::timeout;

use crate::{
    binlog::log_server::LogServer,
    column::ResultColumn,
    explainer::{Explainer, SentSql},
    options::{ConnectOptions, SslMode, TimeLimits},
    server::{Flavour, ServerVersion},
};

/// How long the server may take for one of our own small statements.
const HOUSEKEEPING_LIMIT: Duration = Duration::from_secs(30);

/// A connection with the settings that every read needs. Dropping it closes the socket at once: nothing is drained.
#[derive(Debug)]
pub(crate) struct Session {
    conn: OpenConn,
    explainer: Arc<Explainer>,
    limits: TimeLimits,
    version: ServerVersion,
    /// What the server says of itself, once it was asked.
    log_server: Option<LogServer>,
}

/// A connection that is closed when dropped. (The driver's own `Drop` would first read what is left of a result.)
struct OpenConn(Option<Conn>);

impl std::fmt::Debug for OpenConn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The driver's own form shows the password.
        f.write_str("OpenConn")
    }
}

impl Drop for OpenConn {
    fn drop(&mut self) {
        // `disconnect` marks the connection as closed, says goodbye if that takes no waiting, and with the future
        // dropped the socket goes too.
        if let Some(conn) = self.0.take() {
            drop(conn.disconnect().now_or_never());
        }
    }
}

/// A row of one of our own small queries.
pub(crate) type TextRow = Vec<Option<String>>;

impl Session {
    /// Connects and makes the settings.
    pub(crate) async fn open(
        options: &ConnectOptions,
        explainer: &Arc<Explainer>,
    ) -> Result<Self, SourceError> {
        let connect = async {
            let conn = connect(options, explainer, None).await?;
            let mut session = Self {
                conn: OpenConn(Some(conn)),
                explainer: Arc::clone(explainer),
                limits: options.limits,
                version: ServerVersion::parse(""),
                log_server: None,
            };
            session.prepare().await?;
            Ok(session)
        };
        let limit = options.limits.connect;
        timeout(limit, connect)
            .await
            .unwrap_or_else(|_| Err(explainer.no_connection_in(limit.as_secs())))
    }

    async fn prepare(&mut self) -> Result<(), SourceError> {
        // Some servers are told to ignore the character set of the handshake, to cut results at a number of rows,
        // or GROUP_CONCAT at a kilobyte: all would change values silently. An empty sql_mode fixes what quotes mean
        // and how CHAR is padded. A slow destination must not make the server hang up.
        self.run("SET NAMES utf8mb4").await?;
        self.run(
            "SET SESSION time_zone = '+00:00', sql_mode = '', sql_select_limit = 18446744073709551615, \
             group_concat_max_len = 16777216, net_write_timeout = 3600, net_read_timeout = 600, \
             wait_timeout = 28800",
        )
        .await?;
        self.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
        self.run("SET SESSION TRANSACTION READ ONLY").await?;
        let version = self.cell("SELECT VERSION()").await?;
        self.version = ServerVersion::parse(&version.unwrap_or_default());
        if let Some(limit) = self.limits.statement {
            self.limit_statements(limit).await?;
        }
        Ok(())
    }

    /// Asks the server to stop statements by itself; servers without such a setting (MySQL 5.6) are left alone.
    async fn limit_statements(&mut self, limit: Duration) -> Result<(), SourceError> {
        let setting = match self.version.flavour {
            Flavour::MariaDb => format!("SET SESSION max_statement_time = {}", limit.as_secs_f64()),
            Flavour::MySql => format!("SET SESSION max_execution_time = {}", limit.as_millis()),
        };
        match self.run(&setting).await {
            Err(error) if error.kind != SourceErrorKind::Sql => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Who answers.
    pub(crate) fn version(&self) -> &ServerVersion {
        &self.version
    }

    /// What the server says of itself and its log.
    pub(crate) async fn log_server(&mut self) -> Result<LogServer, SourceError> {
        if let Some(server) = &self.log_server {
            return Ok(server.clone());
        }
        let server = LogServer::ask(self).await?;
        self.log_server = Some(server.clone());
        Ok(server)
    }

    /// The words for errors.
    pub(crate) fn explainer(&self) -> &Arc<Explainer> {
        &self.explainer
    }

    /// How long to wait for a piece of a user's answer.
    pub(crate) fn answer_limit(&self) -> Duration {
        self.limits.answer
    }

    /// The connection, for the one long read.
    pub(crate) fn conn(&mut self) -> Result<&mut Conn, SourceError> {
        let explainer = &self.explainer;
        self.conn.0.as_mut().ok_or_else(|| explainer.interrupted())
    }

    /// Runs one of our own statements.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<(), SourceError> {
        self.rows(sql).await.map(drop)
    }

    /// Runs one of our own statements and gathers its few rows.
    pub(crate) async fn rows(&mut self, sql: &str) -> Result<Vec<TextRow>, SourceError> {
        self.rows_within(HOUSEKEEPING_LIMIT, sql, None).await
    }

    /// The first cell of the first row of one of our own queries.
    pub(crate) async fn cell(&mut self, sql: &str) -> Result<Option<String>, SourceError> {
        Ok(self.rows(sql).await?.into_iter().flatten().next().flatten())
    }

    /// One column of one of our own statements whose columns differ from server to server: the first that has one of
    /// these names.
    pub(crate) async fn column(
        &mut self,
        sql: &str,
        names: &[&str],
    ) -> Result<Vec<Option<String>>, SourceError> {
        let rows = self.driver_rows(HOUSEKEEPING_LIMIT, sql, None).await?;
        Ok(rows.iter().map(|row| names.iter().find_map(|name| cell_named(row, name))).collect())
    }

    /// Runs a statement that contains the user's query and gathers these columns of its few rows.
    pub(crate) async fn named_rows(
        &mut self,
        sent: &SentSql,
        names: &[&str],
    ) -> Result<Vec<TextRow>, SourceError> {
        let rows = self.driver_rows(self.limits.answer, &sent.sql, Some(sent)).await?;
        Ok(rows
            .iter()
            .map(|row| names.iter().map(|name| cell_named(row, name)).collect())
            .collect())
    }

    /// Runs a statement that contains the user's query and gathers its few rows.
    pub(crate) async fn query_rows(&mut self, sent: &SentSql) -> Result<Vec<TextRow>, SourceError> {
        self.rows_within(self.limits.answer, &sent.sql, Some(sent)).await
    }

    async fn rows_within(
        &mut self,
        limit: Duration,
        sql: &str,
        sent: Option<&SentSql>,
    ) -> Result<Vec<TextRow>, SourceError> {
        let rows = self.driver_rows(limit, sql, sent).await?;
        Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect())
    }

    async fn driver_rows(
        &mut self,
        limit: Duration,
        sql: &str,
        sent: Option<&SentSql>,
    ) -> Result<Vec<mysql_async::Row>, SourceError> {
        let explainer = Arc::clone(&self.explainer);
        timeout(limit, self.conn()?.query(sql))
            .await
            .map_err(|_| explainer.silent(limit.as_secs()))?
            .map_err(|error| explainer.reading(&error, sent))
    }

    /// The columns of a query, without running it.
    pub(crate) async fn describe(
        &mut self,
        sent: &SentSql,
    ) -> Result<Vec<ResultColumn>, SourceError> {
        let explainer = Arc::clone(&self.explainer);
        let limit = HOUSEKEEPING_LIMIT;
        let conn = self.conn()?;
        let describe = async {
            let statement = conn.prep(sent.sql.as_str()).await?;
            let columns = statement.columns().iter().map(ResultColumn::from).collect();
            conn.close(statement).await?;
            Ok(columns)
        };
        timeout(limit, describe)
            .await
            .map_err(|_| explainer.silent(limit.as_secs()))?
            .map_err(|error| explainer.reading(&error, Some(sent)))
    }
}

fn cell_named(row: &mysql_async::Row, name: &str) -> Option<String> {
    let place = row.columns_ref().iter().position(|column| column.name_str() == name)?;
    row.as_ref(place).cloned().and_then(text)
}

/// A cell as text; the text protocol has no other values than bytes and NULL.
fn text(value: mysql_async::Value) -> Option<String> {
    let mysql_async::Value::Bytes(bytes) = value else { return None };
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Connects without any setting. `longest`: bytes of the longest packet that is taken; `None`: as the server has it.
pub(crate) async fn connect(
    options: &ConnectOptions,
    explainer: &Explainer,
    longest: Option<usize>,
) -> Result<Conn, SourceError> {
    let mode = match options.ssl_mode {
        Some(mode) => mode,
        None if is_near(options).await => SslMode::Preferred,
        None => SslMode::Required,
    };
    let authority = match (&options.ssl_ca, mode) {
        (Some(file), SslMode::VerifyIdentity) => Some(
            tokio::fs::read(file).await.map_err(|error| Explainer::no_authority(file, &error))?,
        ),
        _ => None,
    };
    // Fails if the program has chosen a provider already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let first = Conn::new(driver_options(options, mode, authority, longest)).await;
    let offers_no_tls =
        matches!(&first, Err(Error::Driver(mysql_async::DriverError::NoClientSslFlagFromServer)));
    let conn = if offers_no_tls && mode == SslMode::Preferred {
        Conn::new(driver_options(options, SslMode::Disabled, None, longest)).await
    } else {
        first
    };
    conn.map_err(|error| explainer.connecting(&error))
}

/// Whether the host is this machine or on a private network, whatever name it goes by.
async fn is_near(options: &ConnectOptions) -> bool {
    let addresses = tokio::net::lookup_host((options.host.as_str(), options.port)).await;
    // A name that does not resolve will fail to connect anyway.
    addresses.is_ok_and(|mut addresses| addresses.all(|address| is_private(address.ip())))
}

fn is_private(address: std::net::IpAddr) -> bool {
    match address.to_canonical() {
        std::net::IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        std::net::IpAddr::V6(v6) => {
            v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()
        }
    }
}

fn driver_options(
    options: &ConnectOptions,
    mode: SslMode,
    authority: Option<Vec<u8>>,
    longest: Option<usize>,
) -> Opts {
    let unchecked = || {
        SslOpts::default()
            .with_danger_accept_invalid_certs(true)
            .with_danger_skip_domain_validation(true)
    };
    let ssl = match mode {
        SslMode::Disabled => None,
        SslMode::Preferred | SslMode::Required => Some(unchecked()),
        SslMode::VerifyIdentity => Some(match authority {
            Some(pem) => SslOpts::default()
                .with_root_certs(vec![pem.into()])
                .with_disable_built_in_roots(true),
            None => SslOpts::default(),
        }),
    };
    OptsBuilder::default()
        .ip_or_hostname(options.host.clone())
        .tcp_port(options.port)
        .user(Some(options.user.clone()))
        .pass(Some(options.password.expose().to_owned()))
        .db_name(Some(options.database.clone()))
        .ssl_opts(ssl)
        // Else the driver reconnects through the server's socket file, past tunnels and TLS.
        .prefer_socket(false)
        // A statement is prepared to learn its columns as they are now; a kept one would tell old ones.
        .stmt_cache_size(0)
        .tcp_keepalive(Some(Duration::from_secs(30)))
        .max_allowed_packet(longest)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known() {
        for (address, private) in [
            ("127.0.0.1", true),
            ("10.1.2.3", true),
            ("172.16.0.1", true),
            ("192.168.1.1", true),
            ("169.254.1.1", true),
            ("::1", true),
            ("fd00::1", true),
            ("::ffff:10.0.0.1", true),
            ("8.8.8.8", false),
            ("172.32.0.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(address.parse().unwrap()), private, "{address}");
        }
    }
}
