//! How far back a position must stay so that no row is ever skipped.
//!
//! A row's time is fixed when its statement starts and the row appears when its transaction commits, so rows do not
//! appear in the order of their times. A position is therefore the server's clock, held below everything that was open
//! when it was read.

use std::time::Duration;

use jiff::{SignedDuration, civil::DateTime, tz::TimeZone};
use sync_core::sql::CursorTime;

/// How far positions stay behind the server's clock. Rows in the overlap are read again; as they come out the same,
/// that costs reads only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlaps {
    /// Always: covers clocks and columns of whole seconds.
    pub margin: Duration,
    /// Where open transactions cannot be seen, for want of the PROCESS privilege.
    pub blind: Duration,
    /// Where the cursor column is not kept by the server (`ON UPDATE CURRENT_TIMESTAMP`) but written by applications,
    /// by their own clocks; and on a replica, where transactions that are open at its source cannot be seen.
    pub application: Duration,
    /// At most: an older transaction is taken for forgotten, and said so.
    pub most: Duration,
}

impl Default for Overlaps {
    /// 1 second, 1 minute, 5 minutes, 1 hour.
    fn default() -> Self {
        Self {
            margin: Duration::from_secs(1),
            blind: Duration::from_mins(1),
            application: Duration::from_mins(5),
            most: Duration::from_hours(1),
        }
    }
}

/// What the server said before the snapshot opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Its clock, UTC.
    pub(crate) now: DateTime,
    pub(crate) open_work: OpenWork,
    pub(crate) replica: Replica,
    /// The zone in which DATETIME columns are written, where it is configured; else that of the server's sessions.
    pub(crate) zone: ZoneOffsets,
}

/// Transactions and statements that may still show rows with an earlier time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenWork {
    /// They can be seen.
    Seen {
        /// Age of the oldest, and its connection; `None` if nothing is open.
        oldest: Option<(SignedDuration, u64)>,
        /// How far ages may be too small, because the server's local hour repeats.
        repeated: SignedDuration,
    },
    /// The user may not see them.
    Hidden,
}

/// Whether rows come from another server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replica {
    /// They are written here.
    No,
    /// They arrive this much later.
    Behind(SignedDuration),
    /// They will arrive whenever replication goes on.
    Stopped,
    /// The server only reads, so they probably come from elsewhere; the user may not ask.
    Perhaps,
}

/// The offsets of a zone from UTC around a moment, wide enough for any daylight-saving change in reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ZoneOffsets {
    now: SignedDuration,
    least: SignedDuration,
    most: SignedDuration,
}

impl ZoneOffsets {
    /// Hours from the moment at which a zone is sampled; [`Overlaps::most`] and a daylight-saving step lie within.
    pub(crate) const HOURS: std::ops::RangeInclusive<i64> = -3..=3;

    /// From the offset at the moment and those around it.
    pub(crate) fn new(now: SignedDuration, around: &[SignedDuration]) -> Self {
        let all = || around.iter().copied();
        Self { now, least: all().fold(now, Ord::min), most: all().fold(now, Ord::max) }
    }

    /// Those of `zone` around `now` (UTC).
    pub(crate) fn of(zone: &TimeZone, now: DateTime) -> Self {
        let offset = |hours: i64| {
            let at = now.saturating_add(SignedDuration::from_hours(hours));
            let instant = TimeZone::UTC.to_timestamp(at).unwrap_or_default();
            SignedDuration::from_secs(zone.to_offset(instant).seconds().into())
        };
        let around: Vec<SignedDuration> = Self::HOURS.map(offset).collect();
        Self::new(offset(0), &around)
    }

    /// How much later a wall clock may have stood than it stands now.
    pub(crate) fn repeated(self) -> SignedDuration {
        self.most - self.now
    }
}

/// What is known of the cursor column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CursorFacts {
    pub(crate) name: String,
    pub(crate) zone: CursorZone,
    /// DATE: no time of day.
    pub(crate) is_date: bool,
    /// The server sets it on every change.
    pub(crate) is_kept_current: bool,
    pub(crate) nullable: bool,
}

/// In which zone the cursor column's values are, as the session sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CursorZone {
    /// TIMESTAMP: the session's, which is UTC.
    Utc,
    /// DATETIME of a table, where it is configured in which zone that is written.
    Writers,
    /// A DATETIME of which nobody says it, or an expression: UTC or that of the server's sessions.
    Unknown,
}

/// A position, and what there is to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// `None`: it stays as it is, and where there is none, the next read is one of everything again.
    pub(crate) time: Option<CursorTime>,
    pub(crate) notes: Vec<String>,
}

/// The position after a read that began at `moment` and yielded what changed since `previous`.
pub(crate) fn position(
    moment: &Moment,
    cursor: &CursorFacts,
    overlaps: &Overlaps,
    previous: Option<CursorTime>,
) -> Position {
    let mut notes = Vec::new();
    let signed = |length: Duration| SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
    let most = signed(overlaps.most);
    let mut back = match moment.open_work {
        OpenWork::Seen { oldest: None, .. } => SignedDuration::ZERO,
        OpenWork::Seen { oldest: Some((age, connection)), repeated } => {
            if age > most {
                notes.push(forgotten(age, connection, most));
            }
            (age.max(SignedDuration::ZERO) + repeated).min(most)
        }
        OpenWork::Hidden => {
            notes.push(format!(
                "open transactions cannot be seen without the PROCESS privilege: rows of the last {} seconds are \
                 read again each time, and a change that commits later than that waits for the next full read",
                overlaps.blind.as_secs()
            ));
            signed(overlaps.blind)
        }
    };
    if !cursor.is_kept_current {
        back = back.max(signed(overlaps.application));
    }
    match moment.replica {
        Replica::No | Replica::Stopped => {}
        // The delay is the applier's. What the network still holds is not in it, nor transactions that are open at the source.
        Replica::Behind(delay) => {
            back += delay.max(SignedDuration::ZERO) + signed(overlaps.application);
        }
        Replica::Perhaps => {
            notes.push(
                "the server is read-only, perhaps a replica, and its delay cannot be seen, be it for want of the \
                 REPLICATION CLIENT privilege: rows that arrive late wait for the next full read"
                    .to_owned(),
            );
            back += signed(overlaps.application);
        }
    }
    if cursor.nullable {
        notes.push(format!(
            "cursor column `{}` may be NULL: such rows are found by full reads only, unless the query says \
             `OR {} IS NULL`",
            cursor.name, cursor.name
        ));
    }
    let instant = moment.now.saturating_sub(back + signed(overlaps.margin));
    let local = instant.saturating_add(moment.zone.least);
    let mut at = match cursor.zone {
        CursorZone::Utc => instant,
        CursorZone::Writers => local,
        CursorZone::Unknown => instant.min(local),
    };
    if cursor.is_date {
        // Every row of a day has the same value; the day is read again until it is over.
        at = at
            .date()
            .to_datetime(jiff::civil::Time::midnight())
            .saturating_sub(SignedDuration::from_secs(1));
    }
    let time = CursorTime::new(at);
    if moment.replica == Replica::Stopped {
        notes.push(
            "replication to this server has stopped: the position stays where it is until it goes on".to_owned(),
        );
        // A read of everything begins without one, and moves none either: what arrives later has earlier times.
        return Position { time: previous.map(|previous| previous.min(time)), notes };
    }
    Position { time: Some(time), notes }
}

fn forgotten(age: SignedDuration, connection: u64, most: SignedDuration) -> String {
    format!(
        "connection {connection} of the server holds a transaction or statement open for {} minutes; positions wait \
         for at most {}, so what it changes may be found by the next full read only: end it, or KILL {connection}",
        age.as_mins(),
        most.as_mins(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn moment() -> Moment {
        Moment {
            now: jiff::civil::datetime(2026, 11, 23, 10, 0, 0, 500_000_000),
            open_work: OpenWork::Seen { oldest: None, repeated: SignedDuration::ZERO },
            replica: Replica::No,
            zone: ZoneOffsets::new(HOUR, &[HOUR]),
        }
    }

    fn cursor() -> CursorFacts {
        CursorFacts {
            name: "u".to_owned(),
            zone: CursorZone::Utc,
            is_date: false,
            is_kept_current: true,
            nullable: false,
        }
    }

    #[track_caller]
    fn check(moment: &Moment, cursor: &CursorFacts, expected: &str, notes: &[&str]) {
        let position = position(moment, cursor, &Overlaps::default(), None);
        assert_eq!(position.time.map(|time| time.watermark().0).as_deref(), Some(expected));
        let fits = position.notes.iter().zip(notes).all(|(note, part)| note.contains(part));
        assert!(fits && position.notes.len() == notes.len(), "{:?}", position.notes);
    }

    fn open(age: SignedDuration) -> Moment {
        let open_work = OpenWork::Seen { oldest: Some((age, 7)), repeated: SignedDuration::ZERO };
        Moment { open_work, ..moment() }
    }

    #[test]
    fn the_position_stays_below_the_oldest_open_work() {
        check(&moment(), &cursor(), "2026-11-23T09:59:59.500000", &[]);
        check(&open(SignedDuration::from_secs(30)), &cursor(), "2026-11-23T09:59:29.500000", &[]);
        check(&open(SignedDuration::from_secs(-30)), &cursor(), "2026-11-23T09:59:59.500000", &[]);
    }

    #[test]
    fn a_forgotten_transaction_does_not_hold_it_for_ever() {
        check(
            &open(SignedDuration::from_hours(3)),
            &cursor(),
            "2026-11-23T08:59:59.500000",
            &["connection 7 of the server holds a transaction or statement open for 180 minutes"],
        );
    }

    #[test]
    fn what_cannot_be_seen_is_covered_by_a_fixed_overlap_and_said() {
        let hidden = Moment { open_work: OpenWork::Hidden, ..moment() };
        check(&hidden, &cursor(), "2026-11-23T09:58:59.500000", &["PROCESS"]);
        let written = CursorFacts { is_kept_current: false, ..cursor() };
        check(&moment(), &written, "2026-11-23T09:54:59.500000", &[]);
        let nullable = CursorFacts { nullable: true, ..cursor() };
        check(&moment(), &nullable, "2026-11-23T09:59:59.500000", &["`u` may be NULL"]);
    }

    #[test]
    fn a_replica_adds_its_delay() {
        let replica = |replica| Moment { replica, ..moment() };
        let behind = replica(Replica::Behind(SignedDuration::from_secs(30)));
        check(&behind, &cursor(), "2026-11-23T09:54:29.500000", &[]);
        check(&replica(Replica::Perhaps), &cursor(), "2026-11-23T09:54:59.500000", &["replica"]);
        let previous = CursorTime::new(jiff::civil::datetime(2026, 11, 20, 0, 0, 0, 0));
        let stopped = replica(Replica::Stopped);
        let held = position(&stopped, &cursor(), &Overlaps::default(), Some(previous));
        assert_eq!(held.time, Some(previous));
        assert_eq!(held.notes.len(), 1);
        let of_everything = position(&stopped, &cursor(), &Overlaps::default(), None);
        assert_eq!(of_everything.time, None);
    }

    #[test]
    fn the_zone_of_the_column_decides_the_text() {
        let zone = |zone| CursorFacts { zone, ..cursor() };
        check(&moment(), &zone(CursorZone::Writers), "2026-11-23T10:59:59.500000", &[]);
        check(&moment(), &zone(CursorZone::Unknown), "2026-11-23T09:59:59.500000", &[]);
        let west = Moment { zone: ZoneOffsets::new(-HOUR, &[]), ..moment() };
        check(&west, &zone(CursorZone::Unknown), "2026-11-23T08:59:59.500000", &[]);
        let date = CursorFacts { is_date: true, ..zone(CursorZone::Writers) };
        check(&moment(), &date, "2026-11-22T23:59:59.000000", &[]);
    }

    /// In New York on 1 November 2026 the clock goes from 01:59:59 back to 01:00:00 at 06:00 UTC.
    #[test]
    fn the_hour_that_repeats_in_autumn_is_not_skipped() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let writers = CursorFacts { zone: CursorZone::Writers, ..cursor() };
        for minute in 0..240 {
            let read_at =
                jiff::civil::datetime(2026, 11, 1, 4, 0, 0, 0) + SignedDuration::from_mins(minute);
            let moment = Moment { now: read_at, zone: ZoneOffsets::of(&zone, read_at), ..moment() };
            let position = position(&moment, &writers, &Overlaps::default(), None);
            // Whenever a row is written afterwards, its wall-clock time lies behind the position.
            for later in 0..240 {
                let written_at = read_at + SignedDuration::from_mins(later);
                let instant = TimeZone::UTC.to_timestamp(written_at).unwrap();
                let wall_clock = zone.to_datetime(instant);
                let time = position.time.unwrap();
                assert!(time < CursorTime::new(wall_clock), "{read_at}, {written_at}");
            }
        }
    }

    #[test]
    fn ages_that_may_be_an_hour_short_are_lengthened() {
        let open_work = OpenWork::Seen {
            // Started in the first 01:50, now it is the second 01:10.
            oldest: Some((SignedDuration::from_mins(-40), 7)),
            repeated: HOUR,
        };
        check(&Moment { open_work, ..moment() }, &cursor(), "2026-11-23T08:59:59.500000", &[]);
    }
}
