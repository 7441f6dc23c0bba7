//! One sync's changes, off the hub.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use sync_core::{
    change::{ChangeFeed, ChangeLog, Changes},
    error::{SourceError, SourceErrorKind},
    key::Key,
    port::Boxed,
    state::StreamPosition,
};

use super::{
    decoder::Found,
    hub::{ChangeHub, Seat},
    log_failure::{SERVER_LACKS, position_lost},
    log_server::LogServer,
    position::Position,
    slot::Slot,
    watch::Follower,
    watchlist::{RelatedTable, Watchlist},
};
use crate::{
    finding::{Severity, SourceFinding, SourceFindingCode},
    session::Session,
    source::MysqlSource,
};

/// How often a feed without changes says how far it is.
const POSITION_EVERY: Duration = Duration::from_secs(10);
/// How long a server is waited for that is behind what was read before, and how often it is asked.
const BEHIND_PATIENCE: Duration = Duration::from_mins(2);
const BEHIND_PAUSE: Duration = Duration::from_secs(2);
/// Seconds below which a server's log is kept for a short time: a weekend, with a day on both sides.
const RETENTION_MIN: u64 = 4 * 24 * 3_600;
/// Keys of related rows that are looked up; with more, everything is read instead.
const RELATED_MAX: usize = 100_000;

/// The changes of one sync's rows, from the server's binlog.
#[derive(Clone, Debug)]
pub struct MysqlChanges {
    pub(crate) hub: ChangeHub,
    pub(crate) source: Arc<MysqlSource>,
    pub(crate) related: Arc<[RelatedTable]>,
}

impl MysqlChanges {
    /// What stands in the way of following the log, and what there is to know about it. Where the server cannot be
    /// reached nothing is said: whoever looks at the query has said so.
    pub async fn check(&self) -> Vec<SourceFinding> {
        let finding = |severity, code, message: String, hint: &str| SourceFinding {
            severity,
            code,
            message,
            hint: hint.to_owned(),
        };
        let (mut session, server, list) = match self.look(Follower(0)).await {
            Ok(found) => found,
            Err(error) => match error.kind {
                SourceErrorKind::Unreachable | SourceErrorKind::Interrupted => return Vec::new(),
                kind => {
                    return vec![finding(
                        Severity::Error,
                        SourceFindingCode::Error(kind),
                        error.message,
                        &error.remedy,
                    )];
                }
            },
        };
        let joined = match self.source.layout_on(&mut session).await {
            Ok(layout) => layout.select(&self.source.wanted).map(|columns| list.others(&columns)),
            Err(error) => Err(error),
        };
        let joined = joined.unwrap_or_default();
        let mut findings: Vec<SourceFinding> = list
            .notes
            .into_iter()
            .map(|note| {
                finding(Severity::Note, SourceFindingCode::BinlogForeignKey, note, "nothing to do")
            })
            .collect();
        findings.extend(joined.iter().map(|table| joined_unfollowed(table)));
        let grants = session.rows("SHOW GRANTS").await.unwrap_or_default();
        findings.extend(right_not_seen(grants.iter().flatten().flatten().map(String::as_str)));
        findings.extend(kept_briefly(server.retention));
        findings
    }

    async fn look(
        &self,
        follower: Follower,
    ) -> Result<(Session, LogServer, Watchlist), SourceError> {
        let shared = &self.hub.0;
        let mut session = Session::open(&shared.options, &self.source.explainer).await?;
        let server = LogServer::ask(&mut session).await?;
        server.check()?;
        let list =
            Watchlist::learn(&mut session, &server, &self.source, &self.related, follower).await?;
        Ok((session, server, list))
    }
}

/// A finding where none of these lines of SHOW GRANTS lets the user read the binlog.
fn right_not_seen<'a>(mut grants: impl Iterator<Item = &'a str>) -> Option<SourceFinding> {
    let may_read = grants.any(|grant| {
        let grant = grant.to_uppercase();
        grant.contains(" ON *.*")
            && (grant.contains("REPLICATION SLAVE") || grant.contains("ALL PRIVILEGES"))
    });
    (!may_read).then(|| SourceFinding {
        severity: Severity::Warning,
        code: SourceFindingCode::BinlogRightNotSeen,
        message: "no grant lets this user read the binlog, unless a role does".to_owned(),
        hint: "GRANT REPLICATION SLAVE ON *.* to the user".to_owned(),
    })
}

/// A finding about a table that the query takes columns from, and whose rows nobody watches.
fn joined_unfollowed(table: &str) -> SourceFinding {
    SourceFinding {
        severity: Severity::Warning,
        code: SourceFindingCode::BinlogJoinUnfollowed,
        message: format!(
            "the query takes columns from table `{table}`, and the sync does not follow that: what changes there is found \
             by the next reconcile only"
        ),
        hint: format!(
            "add {{table: {table}, column: COLUMN, matches: COLUMN_OF_THE_QUERY}} to `source.related`, by the columns that \
             the query joins it by"
        ),
    }
}

/// A finding where the server keeps its binlog for so few seconds; `None` is for ever.
fn kept_briefly(retention: Option<u64>) -> Option<SourceFinding> {
    let kept = retention.filter(|kept| *kept < RETENTION_MIN)?;
    Some(SourceFinding {
        severity: Severity::Warning,
        code: SourceFindingCode::BinlogKeptBriefly,
        message: format!("the server keeps its binlog for {} hours only", kept / 3_600),
        hint: "let it keep some days (binlog_expire_logs_seconds): when this program stands still longer, every row is \
               read again"
            .to_owned(),
    })
}

impl MysqlChanges {
    /// How far the server's log is. One that is behind `position`, as a server may be that took over from another, is
    /// waited for: a read would wait for it in vain, and nothing else would say that the position is lost.
    async fn newest(
        &self,
        session: &mut Session,
        server: &LogServer,
        position: &Position,
    ) -> Result<Option<Position>, SourceError> {
        let clock = &self.hub.0.clock;
        let began = clock.elapsed();
        loop {
            let newest = server.newest(session).await?;
            if newest.as_ref().and_then(|newest| newest.covers(position)) != Some(false) {
                return Ok(newest);
            }
            if clock.elapsed().saturating_sub(began) > BEHIND_PATIENCE {
                return Err(position_lost(SERVER_LACKS));
            }
            clock.sleep(BEHIND_PAUSE).await;
        }
    }
}

impl ChangeLog for MysqlChanges {
    fn place(&self) -> Boxed<'_, Result<StreamPosition, SourceError>> {
        Box::pin(async move {
            let (mut session, server, _) = self.look(Follower(0)).await?;
            let position = server.place(&mut session).await?;
            self.source.set_floor(&position);
            Ok(StreamPosition(position.stored()))
        })
    }

    fn follow(&self, from: &StreamPosition) -> Boxed<'_, Result<Box<dyn ChangeFeed>, SourceError>> {
        let position = Position::parse(&from.0);
        Box::pin(async move {
            let Some(position) = position else {
                return Err(position_lost("it was stored in a form that is not known"));
            };
            let follower = self.hub.number();
            let (mut session, server, list) = self.look(follower).await?;
            let target_at = self.hub.0.clock.now();
            let target = self.newest(&mut session, &server, &position).await?;
            self.source.set_floor(&position);
            let slot = Arc::new(Slot::default());
            {
                let mut waiting = slot.lock();
                waiting.target = target;
                waiting.target_at = Some(target_at);
                waiting.notes = list.notes;
            }
            let seat = Seat {
                source: Arc::clone(&self.source),
                related: Arc::clone(&self.related),
                watched: list.watched,
                position: server.own(position.clone()),
                slot: Arc::clone(&slot),
            };
            let feed = MysqlFeed {
                hub: self.hub.clone(),
                source: Arc::clone(&self.source),
                related: Arc::clone(&self.related),
                follower,
                slot,
                is_unsure: position.is_unsure,
                position: Position { is_unsure: false, ..position },
                retention: server.retention,
                taken: None,
                again: Found::default(),
                held: None,
                told_caught_up: false,
                position_due: Duration::ZERO,
            };
            self.hub.join(follower, seat);
            Ok(Box::new(feed) as Box<dyn ChangeFeed>)
        })
    }
}

/// One follower's end.
struct MysqlFeed {
    hub: ChangeHub,
    source: Arc<MysqlSource>,
    related: Arc<[RelatedTable]>,
    follower: Follower,
    slot: Arc<Slot>,
    /// Whether everything must be read once the log was followed to its end.
    is_unsure: bool,
    /// What was handed out last.
    position: Position,
    retention: Option<u64>,
    /// What was taken from the slot and not handed out yet: the future may be dropped.
    taken: Option<Taken>,
    /// What is named once more, where nothing tells what a snapshot shows.
    again: Found,
    /// Where the log was read to when that was found. It is handed out with the second naming, so that who is stopped
    /// between the two hears of both again.
    held: Option<Position>,
    told_caught_up: bool,
    position_due: Duration,
}

#[derive(Default)]
struct Taken {
    found: Found,
    position: Option<Position>,
    as_of: Option<Timestamp>,
    is_caught_up: bool,
    has_lingered: bool,
}

impl Drop for MysqlFeed {
    fn drop(&mut self) {
        self.hub.leave(self.follower);
    }
}

impl ChangeFeed for MysqlFeed {
    fn next(&mut self) -> Boxed<'_, Result<Option<Changes>, SourceError>> {
        Box::pin(self.changes())
    }

    fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.slot.lock().notes)
    }

    fn retention(&self) -> Option<Duration> {
        self.retention.map(Duration::from_secs)
    }
}

impl MysqlFeed {
    async fn changes(&mut self) -> Result<Option<Changes>, SourceError> {
        if self.taken.is_none() {
            if !self.wait().await? {
                return Ok(None);
            }
            self.take();
        }
        self.linger().await;
        self.look_up().await?;
        let Taken { found, position, as_of, is_caught_up, .. } =
            self.taken.take().unwrap_or_default();
        if let Some(position) = position {
            self.position = position;
        }
        let mut reconcile = found.reconcile;
        if is_caught_up && std::mem::take(&mut self.is_unsure) {
            reconcile.get_or_insert_with(|| {
                "nothing could say what the first read has shown: tables could not be locked for a moment, as the user may \
                 not, or a long query was under way"
                    .to_owned()
            });
        }
        self.told_caught_up |= is_caught_up;
        self.position_due = self.hub.0.clock.elapsed() + POSITION_EVERY;
        // Reads wait from now on until they show what is named here.
        self.source.set_floor(&self.position);
        Ok(Some(Changes {
            keys: found.keys.into_iter().collect(),
            reconcile,
            position: StreamPosition(
                Position { is_unsure: self.is_unsure, ..self.position.clone() }.stored(),
            ),
            as_of,
            is_caught_up,
        }))
    }

    /// Waits until there is something to say; `false`: nothing of rows, only about the reading.
    async fn wait(&self) -> Result<bool, SourceError> {
        let clock = &self.hub.0.clock;
        loop {
            let has_changes = {
                let waiting = self.slot.lock();
                if let Some(error) = &waiting.failure {
                    return Err(error.clone());
                }
                let is_due = clock.elapsed() >= self.position_due;
                // A position of which no time is known is none that anything was read up to.
                let has_moved = waiting.position.is_some() && waiting.as_of.is_some();
                let has_news = (waiting.is_caught_up && !self.told_caught_up)
                    || (is_due && (has_moved || self.awaits_second()));
                if !waiting.has_changes() && has_news {
                    return Ok(true);
                }
                // While the server is away no position comes, and people shall hear why.
                if !waiting.has_changes() && !waiting.notes.is_empty() {
                    return Ok(false);
                }
                waiting.has_changes()
            };
            if has_changes {
                clock.sleep(self.hub.0.settings.gather).await;
                return Ok(true);
            }
            tokio::select! {
                biased;
                () = self.slot.filled.notified() => {}
                () = clock.sleep(POSITION_EVERY) => {}
            }
        }
    }

    fn take(&mut self) {
        let mut waiting = self.slot.lock();
        let mut taken = Taken {
            found: std::mem::take(&mut waiting.found),
            position: waiting.position.take(),
            as_of: waiting.as_of,
            is_caught_up: waiting.is_caught_up,
            has_lingered: false,
        };
        drop(waiting);
        self.slot.emptied.notify_one();
        if self.position.gtids.is_none() {
            let named = Found { reconcile: None, ..taken.found.clone() };
            taken.found.merge(std::mem::replace(&mut self.again, named));
            let reached = taken.position.take();
            if self.awaits_second() {
                // A run that catches up ends behind the second naming, too.
                taken.is_caught_up = self.told_caught_up;
                taken.position = std::mem::replace(&mut self.held, reached);
            } else {
                taken.position = reached.or(self.held.take());
                self.held = None;
            }
        }
        self.taken = Some(taken);
    }

    /// Whether something is to be named once more.
    fn awaits_second(&self) -> bool {
        self.again.size() > 0
    }

    /// Where transactions have no names nothing can be asked about what a snapshot shows: time must do.
    async fn linger(&mut self) {
        let Some(taken) = &mut self.taken else { return };
        let asks = self.position.gtids.is_some() || taken.found.size() == 0;
        if !asks && !taken.has_lingered {
            self.hub.0.clock.sleep(self.hub.0.settings.linger).await;
            taken.has_lingered = true;
        }
    }

    /// Rows that hold what a related table's changed rows say.
    async fn look_up(&mut self) -> Result<(), SourceError> {
        let Some(taken) = &mut self.taken else { return Ok(()) };
        if taken.found.related.is_empty() {
            return Ok(());
        }
        if let Some(position) = &taken.position {
            self.source.set_floor(position);
        }
        for (relation, values) in taken.found.related.clone() {
            let Some(related) = self.related.get(relation) else { continue };
            let values: Vec<Key> = values.into_iter().collect();
            for some in values.chunks(500) {
                let keys = self.source.keys_with(&related.matches, some).await?;
                taken.found.keys.extend(keys);
                if taken.found.keys.len() > RELATED_MAX {
                    taken.found.keys.clear();
                    taken.found.reconcile = Some(format!(
                        "very many rows hold what changed in table `{}`",
                        related.table
                    ));
                    break;
                }
            }
        }
        taken.found.related.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(finding: Option<SourceFinding>) -> Option<(&'static str, String)> {
        finding
            .map(|finding| (finding.code.code(), format!("{} / {}", finding.message, finding.hint)))
    }

    #[test]
    fn what_is_doubtful_of_the_log_is_said_in_reviewed_words() {
        let findings = [
            Some(joined_unfollowed("customers")),
            right_not_seen(std::iter::empty()),
            kept_briefly(Some(7_200)),
        ];
        let lines = findings.into_iter().filter_map(said);
        let lines: Vec<String> = lines.map(|(code, words)| format!("{code}: {words}")).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_right_that_no_grant_shows_is_asked_for() {
        for grant in [
            "GRANT REPLICATION SLAVE, PROCESS ON *.* TO `u`@`%`",
            "GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION",
        ] {
            assert_eq!(
                said(right_not_seen(["GRANT USAGE ON *.* TO `u`@`%`", grant].into_iter())),
                None
            );
        }
        // On one database it says nothing of the log.
        let of_database =
            ["GRANT `logs`@`%` TO `u`@`%`", "GRANT ALL PRIVILEGES ON `d`.* TO `u`@`%`"];
        let expected = "no grant lets this user read the binlog, unless a role does / \
                        GRANT REPLICATION SLAVE ON *.* to the user";
        assert_eq!(
            said(right_not_seen(of_database.into_iter())),
            Some(("binlog_right_not_seen", expected.to_owned()))
        );
    }

    #[test]
    fn a_log_that_is_kept_for_less_than_a_weekend_is_said() {
        assert_eq!(said(kept_briefly(None)), None);
        assert_eq!(said(kept_briefly(Some(RETENTION_MIN))), None);
        let expected = "the server keeps its binlog for 95 hours only / let it keep some days \
                        (binlog_expire_logs_seconds): when this program stands still longer, every row is read again";
        assert_eq!(
            said(kept_briefly(Some(RETENTION_MIN - 1))),
            Some(("binlog_kept_briefly", expected.to_owned()))
        );
    }
}
