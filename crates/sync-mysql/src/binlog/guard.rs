//! The visibility guard: a snapshot that shows everything up to a position.
//!
//! A transaction is sent to those who follow the log before it can be seen: a key that is read at once may show the
//! row as it was, and nothing would read it again.

use sync_core::error::{SourceError, SourceErrorKind, SourcePart};

use super::{
    gtid::Gtids,
    log_server::{mariadb_state, snapshot_status},
    position::Position,
};
use crate::session::Session;

/// Seconds to wait for the server to come as far as the position.
const PATIENCE_SECONDS: u32 = 20;
/// Tries, a few thousandths of a second apart, that make up for that.
const TRIES: u32 = 4_000;

/// Opens a snapshot that shows everything before `floor`. This also keeps a reader from a server that is behind the
/// one it read before.
///
/// Where transactions have no names nothing can be asked: who hands out keys waits a while before.
pub(crate) async fn open_snapshot(
    session: &mut Session,
    floor: Option<&Position>,
) -> Result<(), SourceError> {
    const OPEN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT";
    match floor.and_then(|floor| floor.gtids.as_ref().map(|gtids| (floor, gtids))) {
        None => session.run(OPEN).await,
        Some((_, Gtids::MySql(set))) => {
            let sql = format!("SELECT WAIT_FOR_EXECUTED_GTID_SET('{set}', {PATIENCE_SECONDS})");
            if session.cell(&sql).await?.as_deref() != Some("0") {
                return Err(behind());
            }
            session.run(OPEN).await
        }
        Some((floor, Gtids::MariaDb(_))) => {
            let server = session.log_server().await?;
            for _ in 0..TRIES {
                session.run(OPEN).await?;
                let (file, offset) = snapshot_status(session).await?;
                let mut shown = server.at(file, offset, None);
                if shown.server != floor.server || floor.file.is_empty() {
                    // Another server's files say nothing: its names do.
                    let state = mariadb_state(session, &shown.file, shown.offset).await?;
                    shown.gtids = Some(Gtids::MariaDb(state));
                    if shown.covers(floor) == Some(true) {
                        return Ok(());
                    }
                } else if shown.covers(&Position { gtids: None, ..floor.clone() }) == Some(true) {
                    return Ok(());
                }
                session.run("COMMIT").await?;
                session.run("DO SLEEP(0.003)").await?;
            }
            Err(behind())
        }
    }
}

fn behind() -> SourceError {
    SourceError {
        about: SourcePart::Whole,
        kind: SourceErrorKind::Interrupted,
        message: format!(
            "the server did not show within {PATIENCE_SECONDS} seconds what its binlog has told: it may be another \
             server, and behind"
        ),
        remedy: "check that MYSQL_HOST leads to the server that is written to, then run again"
            .to_owned(),
    }
}
