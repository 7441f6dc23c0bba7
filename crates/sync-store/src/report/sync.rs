//! How a sync stands.

use jiff::{SignedDuration, Timestamp};
use rusqlite::Row;
use sync_core::{
    port::Watermark,
    state::{FullReadReason, StateError, Stop, StreamPosition, SyncId},
};

use super::{QuarantineCount, StateReader};
use crate::{
    column::{count, optional_time},
    lock::is_seen_held,
};

/// How a sync stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncReport {
    /// Its name.
    pub name: String,
    /// Where its records go; `None` until it was opened under this program.
    pub destination: Option<DestinationReport>,
    /// When its oldest run began that is known.
    pub first_run_at: Option<Timestamp>,
    /// When a run last succeeded.
    pub last_success: Option<Timestamp>,
    /// When a read was last stored to its end.
    pub last_sync_time: Option<Timestamp>,
    /// Where the next incremental read starts.
    pub watermark: Option<Watermark>,
    /// Set when the next read is a full one.
    pub full_read: Option<FullReadReason>,
    /// Entries that wait to be sent.
    pub waiting: u64,
    /// Earliest time at which one that waits may be sent; `None` when none waits.
    pub next_send: Option<Timestamp>,
    /// When the oldest row was read that waits to be sent, is being sent or is in doubt; `None` when there is none.
    pub oldest_unsent: Option<Timestamp>,
    /// Entries that would delete or archive a record and wait for a person's yes.
    pub held: u64,
    /// Records whose row the last sweep did not see, so many that a person must say yes first.
    pub candidates: u64,
    /// When the keys were last swept.
    pub swept_at: Option<Timestamp>,
    /// When every row was last read.
    pub full_read_at: Option<Timestamp>,
    /// Entries marked as being sent.
    pub sending: u64,
    /// Creates that no answer accounts for, to be looked up.
    pub in_doubt: u64,
    /// The same at destinations that the sync had before.
    pub in_doubt_elsewhere: u64,
    /// Rows in quarantine, by what is wrong with them, most first.
    pub quarantined: Vec<QuarantineCount>,
    /// Keys to be read again.
    pub dirty: u64,
    /// Up to when the source had been read when the first of these was marked, or when its stream first could not name what
    /// changed; `None` where there is nothing of either.
    pub unread_as_of: Option<Timestamp>,
    /// Fields that the last run left out because their mapping fits no more, each with the reason.
    pub left_out: Vec<(String, String)>,
    /// External ids of which several records were found when somebody last looked.
    pub shared_ids: u64,
    /// Set when the breaker stopped it.
    pub stopped: Option<Stop>,
    /// How its stream of changes stands, if it has one.
    pub stream: Option<StreamReport>,
    /// Who holds its lease. A process that was killed stays here until the next one takes over.
    pub holder: Option<Holder>,
}

impl SyncReport {
    /// Every change that was committed before this time is in SmartSuite, or in quarantine with its reason; `None`
    /// until the first read came to its end. A row that waits to be sent counts from when it was read, and without a stream a
    /// read counts from its end. While keys are to be read again, and until a full read after changes that the stream could not
    /// name, it stands still.
    pub fn fresh_as_of(&self) -> Option<Timestamp> {
        let read = self.last_sync_time?;
        let read = self.stream.as_ref().map_or(read, |stream| stream.as_of);
        [Some(read), self.oldest_unsent, self.unread_as_of].into_iter().flatten().min()
    }

    /// The time that its records' age is counted from: up to which they are fresh, or where no read has come to its end,
    /// when the first was begun. `None`: it has not run.
    pub fn aged_from(&self) -> Option<Timestamp> {
        self.fresh_as_of().or(self.last_success).or(self.first_run_at)
    }
}

/// How a sync's stream of changes stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamReport {
    /// After everything that was named.
    pub position: StreamPosition,
    /// Every change committed before this time was named.
    pub as_of: Timestamp,
    /// How long the database keeps its log, where known.
    pub retention: Option<SignedDuration>,
}

impl StreamReport {
    /// How far it is behind.
    pub fn lag(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.as_of).max(SignedDuration::ZERO)
    }

    /// The position in words: a file and an offset, or the names of transactions.
    pub fn place(&self) -> String {
        let text = |name: &str| {
            let position: serde_json::Value = serde_json::from_str(&self.position.0).ok()?;
            let value = position.get(name)?;
            value.as_str().map(str::to_owned).or_else(|| Some(value.to_string()))
        };
        let file = text("file").filter(|file| !file.is_empty());
        match (file, text("offset"), text("gtids").filter(|gtids| !gtids.is_empty())) {
            // Where names tell the place, a file is known by its beginning at first.
            (_, Some(offset), Some(gtids)) if offset == "4" => gtids,
            (Some(file), Some(offset), _) => format!("{file}:{offset}"),
            (_, _, Some(gtids)) => gtids,
            _ => "at its beginning".to_owned(),
        }
    }

    /// Whether so much time has passed that half of the log which the database keeps would be needed to catch up.
    pub fn is_in_danger(&self, now: Timestamp) -> bool {
        self.retention.is_some_and(|kept| self.lag(now) * 2 > kept)
    }
}

/// A table of an account on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationReport {
    /// The host.
    pub host: String,
    /// SmartSuite's account id.
    pub account: String,
    /// SmartSuite's table id.
    pub table: String,
}

/// Who runs a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// As it named itself.
    pub name: String,
    /// When it last said that it lives.
    pub heartbeat_at: Timestamp,
    /// Whether a process that can be seen from here holds the sync's lock: one in another container may not be seen.
    pub is_seen: bool,
}

impl Holder {
    /// How long ago it last said that it lives.
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.heartbeat_at)
    }
}

const QUERY: &str = "
    SELECT s.id, s.name, d.host, d.account, d.table_id, s.last_successful_run, s.read_at, s.watermark, s.full_read,
      s.stop_code, s.stop_message, s.stop_remedy, s.holder, s.heartbeat_at, s.stop_key,
      (SELECT count(*) FROM dirty WHERE dirty.sync_id = s.id),
      count(o.seq) FILTER (WHERE o.here AND o.state = 0),
      min(o.not_before) FILTER (WHERE o.here AND o.state = 0),
      count(o.seq) FILTER (WHERE o.here AND o.state = 1 AND NOT o.doubt),
      count(o.seq) FILTER (WHERE o.here AND o.state = 1 AND o.doubt),
      count(o.seq) FILTER (WHERE NOT o.here AND o.state = 1),
      count(o.seq) FILTER (WHERE o.here AND o.state = 3), s.candidates, s.swept_at, s.full_read_at,
      s.stream_position, s.stream_as_of, s.stream_retention, s.stop_until,
      min(o.created_at) FILTER (WHERE o.here AND o.state IN (0, 1)), s.shared_ids, s.left_out,
      s.stop_creates, (SELECT started_at FROM runs WHERE sync_id = s.id ORDER BY id LIMIT 1),
      s.unread_as_of, s.unnamed_as_of
    FROM syncs AS s LEFT JOIN destinations AS d ON d.id = s.destination_id
      LEFT JOIN (SELECT seq, sync_id, state, doubt, not_before, created_at,
          destination_id = (SELECT destination_id FROM syncs WHERE id = sync_id) AS here FROM outbox) AS o
        ON o.sync_id = s.id
    WHERE ?1 IS NULL OR s.name = ?1 GROUP BY s.id ORDER BY s.name";

impl StateReader {
    /// Every sync that the state knows, by name. It may know syncs that the configuration has no more.
    pub fn syncs(&self) -> Result<Vec<SyncReport>, StateError> {
        self.reports(None)
    }

    /// One sync; `None` if the state does not know it.
    pub fn sync(&self, name: &str) -> Result<Option<SyncReport>, StateError> {
        Ok(self.reports(Some(name))?.pop())
    }

    /// Records of a sync's destination that its rows are linked to; 0 if the state does not know it. Goes through all of
    /// them, which takes a million some 0.3 seconds.
    pub fn links(&self, name: &str) -> Result<u64, StateError> {
        let links = self.first(
            "SELECT count(*) FROM syncs AS s JOIN links AS l
               ON l.sync_id = s.id AND l.destination_id = s.destination_id AND l.standing = 0
             WHERE s.name = ?",
            [name],
            |row| count(row, 0),
        )?;
        Ok(links.unwrap_or_default())
    }

    /// The sync's number; `None` if the state does not know it.
    pub fn sync_id(&self, name: &str) -> Result<Option<SyncId>, StateError> {
        self.first("SELECT id FROM syncs WHERE name = ?", [name], |row| Ok(SyncId(row.get(0)?)))
    }

    /// When a read of the sync was last stored to its end.
    pub fn last_sync_time(&self, name: &str) -> Result<Option<Timestamp>, StateError> {
        let at = self.first("SELECT read_at FROM syncs WHERE name = ?", [name], |row| {
            optional_time(row, 0)
        })?;
        Ok(at.flatten())
    }

    fn reports(&self, name: Option<&str>) -> Result<Vec<SyncReport>, StateError> {
        let syncs = self.all(QUERY, [name], |row| Ok((row.get::<_, i64>(0)?, report(row)?)))?;
        syncs
            .into_iter()
            .map(|(id, report)| {
                let holder = report.holder.map(|holder| Holder {
                    is_seen: is_seen_held(&self.path, SyncId(id)),
                    ..holder
                });
                Ok(SyncReport { quarantined: self.quarantine_counts(id)?, holder, ..report })
            })
            .collect()
    }
}

fn report(row: &Row<'_>) -> rusqlite::Result<SyncReport> {
    let host: Option<String> = row.get(2)?;
    let stop_code: Option<String> = row.get(9)?;
    let holder: Option<String> = row.get(12)?;
    let text = |column: usize| -> rusqlite::Result<String> {
        Ok(row.get::<_, Option<String>>(column)?.unwrap_or_default())
    };
    Ok(SyncReport {
        name: row.get(1)?,
        destination: match host {
            Some(host) => Some(DestinationReport { host, account: text(3)?, table: text(4)? }),
            None => None,
        },
        first_run_at: optional_time(row, 33)?,
        last_success: optional_time(row, 5)?,
        last_sync_time: optional_time(row, 6)?,
        watermark: row.get::<_, Option<String>>(7)?.map(Watermark),
        full_read: row.get::<_, Option<String>>(8)?.as_deref().map(FullReadReason::from_word),
        waiting: count(row, 16)?,
        next_send: optional_time(row, 17)?,
        sending: count(row, 18)?,
        in_doubt: count(row, 19)?,
        in_doubt_elsewhere: count(row, 20)?,
        oldest_unsent: optional_time(row, 29)?,
        held: count(row, 21)?,
        candidates: count(row, 22)?,
        swept_at: optional_time(row, 23)?,
        full_read_at: optional_time(row, 24)?,
        quarantined: Vec::new(),
        dirty: count(row, 15)?,
        unread_as_of: [optional_time(row, 34)?, optional_time(row, 35)?]
            .into_iter()
            .flatten()
            .min(),
        left_out: row
            .get::<_, Option<String>>(31)?
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default(),
        shared_ids: count(row, 30)?,
        stopped: match stop_code {
            Some(code) => {
                let (until, only_creates) = (optional_time(row, 28)?, row.get(32)?);
                let (message, remedy, key) = (text(10)?, text(11)?, row.get(14)?);
                Some(Stop { code, message, remedy, key, until, only_creates })
            }
            None => None,
        },
        stream: match (row.get::<_, Option<String>>(25)?, optional_time(row, 26)?) {
            (Some(position), Some(as_of)) => Some(StreamReport {
                position: StreamPosition(position),
                as_of,
                retention: row.get::<_, Option<i64>>(27)?.map(SignedDuration::from_secs),
            }),
            _ => None,
        },
        holder: match (holder, optional_time(row, 13)?) {
            (Some(name), Some(heartbeat_at)) => Some(Holder { name, heartbeat_at, is_seen: false }),
            _ => None,
        },
    })
}
