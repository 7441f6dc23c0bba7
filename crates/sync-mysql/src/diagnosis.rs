//! What `doctor` wants to know of the server.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use sync_core::{error::SourceError, sql::SqlTemplate};

use crate::{
    explainer::Explainer, options::ConnectOptions, rights::Rights, server::ServerVersion,
    session::Session,
};

/// The server and what the account may do there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Who answered.
    pub server: ServerVersion,
    /// The cipher of the connection; `None` if it is not encrypted.
    pub cipher: Option<String>,
    /// What the account may do.
    pub rights: Rights,
    /// The server's clock, if it could be understood.
    pub now: Option<Timestamp>,
    /// Settings that matter to a sync, by name; one that the server does not know is absent.
    pub settings: BTreeMap<String, String>,
}

/// Settings that are asked for.
const SETTINGS: &str = "'log_bin', 'binlog_format', 'binlog_row_image', 'binlog_expire_logs_seconds', \
                        'expire_logs_days', 'server_id', 'gtid_mode', 'read_only', 'max_allowed_packet', \
                        'system_time_zone', 'time_zone'";

/// Connects and asks the server about itself and the account.
///
/// # Errors
/// No connection, or it broke.
pub async fn diagnose(options: &ConnectOptions) -> Result<Diagnosis, SourceError> {
    let mut session = session(options).await?;
    let cipher = session.column("SHOW SESSION STATUS LIKE 'Ssl_cipher'", &["Value"]).await?;
    let grants = session.rows("SHOW GRANTS").await?;
    let now = session.cell("SELECT UTC_TIMESTAMP(6)").await?;
    let settings =
        session.rows(&format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({SETTINGS})")).await?;
    Ok(Diagnosis {
        server: session.version().clone(),
        cipher: cipher.into_iter().flatten().find(|cipher| !cipher.is_empty()),
        rights: Rights::of(grants.into_iter().flatten().flatten()),
        now: now.as_deref().and_then(instant),
        settings: settings
            .into_iter()
            .filter_map(|row| {
                let mut cells = row.into_iter();
                Some((cells.next()??.to_lowercase(), cells.next()??))
            })
            .collect(),
    })
}

/// A session that is not for any query of the user's.
pub(crate) async fn session(options: &ConnectOptions) -> Result<Session, SourceError> {
    let template = SqlTemplate::parse("SELECT 1").map_err(|_| Explainer::bad_cell("1"))?;
    let explainer = Arc::new(Explainer::new(options, template, 1, []));
    Session::open(options, &explainer).await
}

fn instant(text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.parse().ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
