//! Asks the server for its clock and for what is open.

use jiff::{SignedDuration, civil::DateTime, tz::TimeZone};
use sync_core::error::{SourceError, SourceErrorKind};

use crate::{
    overlap::{Moment, OpenWork, Replica, ZoneOffsets},
    server::Flavour,
    session::Session,
};

impl Moment {
    /// Measures. The session must have no transaction open: its snapshot has to be opened afterwards.
    ///
    /// `zone` is that of DATETIME columns where it is configured; else it is the one that sessions of the server
    /// begin with.
    pub(crate) async fn measure(
        session: &mut Session,
        zone: Option<&TimeZone>,
    ) -> Result<Self, SourceError> {
        // The clock first: whatever starts later than this has a later time.
        let now = clock(session).await?;
        // The server notes the start of transactions in its system's zone, whatever the session says.
        session.run("SET SESSION time_zone = 'SYSTEM'").await?;
        let system = offsets(session).await?;
        let open_work = open_work(session, system.repeated()).await?;
        let zone = if let Some(zone) = zone {
            ZoneOffsets::of(zone, now)
        } else {
            session.run("SET SESSION time_zone = @@global.time_zone").await?;
            offsets(session).await?
        };
        session.run("SET SESSION time_zone = '+00:00'").await?;
        let replica = replica(session).await?;
        Ok(Self { now, open_work, replica, zone })
    }
}

async fn clock(session: &mut Session) -> Result<DateTime, SourceError> {
    let text = session.cell("SELECT NOW(6)").await?.unwrap_or_default();
    text.parse().map_err(|_| session.explainer().garbled())
}

/// The offsets of the session's zone around now.
async fn offsets(session: &mut Session) -> Result<ZoneOffsets, SourceError> {
    let samples: Vec<String> = ZoneOffsets::HOURS
        .map(|hours| {
            let at = format!("UNIX_TIMESTAMP() + {}", hours * 3_600);
            format!("TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', FROM_UNIXTIME({at})) - ({at})")
        })
        .collect();
    let now = "TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', FROM_UNIXTIME(UNIX_TIMESTAMP())) - UNIX_TIMESTAMP()";
    let rows = session.rows(&format!("SELECT {now}, {}", samples.join(", "))).await?;
    let numbers: Option<Vec<SignedDuration>> = rows
        .into_iter()
        .flatten()
        .map(|cell| cell?.parse().ok().map(SignedDuration::from_secs))
        .collect();
    match numbers.as_deref() {
        Some([now, around @ ..]) => Ok(ZoneOffsets::new(*now, around)),
        _ => Err(session.explainer().garbled()),
    }
}

/// Transactions that may write: not read-only ones, not the single SELECTs that `InnoDB` knows to be such.
const MAY_WRITE: &str = "trx_is_read_only = 0 AND trx_autocommit_non_locking = 0";

async fn open_work(
    session: &mut Session,
    repeated: SignedDuration,
) -> Result<OpenWork, SourceError> {
    // `trx_started` has whole seconds, rounded down: ages are never too small.
    let transactions = format!(
        "SELECT TIMESTAMPDIFF(MICROSECOND, trx_started, NOW(6)), trx_mysql_thread_id \
         FROM information_schema.INNODB_TRX WHERE {MAY_WRITE} ORDER BY trx_started LIMIT 1"
    );
    // A statement that waits to open its transaction (for a lock on the table's definition) is in no list of
    // transactions. Replication's own threads count their delay, which is asked for elsewhere.
    // MySQL is going to drop the older of the two lists.
    let statements = ["information_schema", "performance_schema"].map(|schema| {
        format!(
            "SELECT (TIME + 1) * 1000000, ID FROM {schema}.processlist \
             WHERE COMMAND IN ('Query', 'Execute') AND USER <> 'system user' AND ID <> CONNECTION_ID() \
             AND ID NOT IN (SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX WHERE NOT ({MAY_WRITE})) \
             ORDER BY TIME DESC LIMIT 1"
        )
    });
    let Some(transaction) = first_of(session, &[transactions]).await? else {
        return Ok(OpenWork::Hidden);
    };
    let Some(statement) = first_of(session, &statements).await? else {
        return Ok(OpenWork::Hidden);
    };
    let oldest = transaction.into_iter().chain(statement).max();
    Ok(OpenWork::Seen { oldest, repeated })
}

/// Age and connection from the first of these queries that the server lets us ask; `None` if it is none of them.
async fn first_of(
    session: &mut Session,
    queries: &[String],
) -> Result<Option<Option<(SignedDuration, u64)>>, SourceError> {
    for sql in queries {
        match session.rows(sql).await {
            Ok(rows) => return Ok(Some(rows.first().and_then(|row| age_and_connection(row)))),
            // No privilege, or a server that has no such list.
            Err(error) if is_refusal(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn age_and_connection(row: &[Option<String>]) -> Option<(SignedDuration, u64)> {
    let [age, connection] = row else { return None };
    let age = SignedDuration::from_micros(age.as_ref()?.parse().ok()?);
    Some((age, connection.as_ref()?.parse().ok()?))
}

fn is_refusal(error: &SourceError) -> bool {
    matches!(error.kind, SourceErrorKind::MissingPrivilege | SourceErrorKind::Sql)
}

async fn replica(session: &mut Session) -> Result<Replica, SourceError> {
    let statement = match session.version().flavour {
        Flavour::MariaDb => "SHOW ALL SLAVES STATUS",
        Flavour::MySql if session.version().number >= (8, 0, 22) => "SHOW REPLICA STATUS",
        Flavour::MySql => "SHOW SLAVE STATUS",
    };
    let delays = match session
        .column(statement, &["Seconds_Behind_Source", "Seconds_Behind_Master"])
        .await
    {
        Ok(delays) => delays,
        Err(error) if is_refusal(&error) => Vec::new(),
        Err(error) => return Err(error),
    };
    let delays: Option<Vec<i64>> = delays.into_iter().map(|delay| delay?.parse().ok()).collect();
    let Some(delays) = delays else { return Ok(Replica::Stopped) };
    if let Some(seconds) = delays.into_iter().max() {
        return Ok(Replica::Behind(SignedDuration::from_secs(seconds)));
    }
    // One that may not be asked, or that gets its rows in a way of which it shows nothing.
    let read_only = session.cell("SELECT @@global.read_only").await?;
    Ok(if read_only.as_deref() == Some("1") { Replica::Perhaps } else { Replica::No })
}
