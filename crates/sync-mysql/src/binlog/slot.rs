//! Where changes wait for their sync: found by the one who reads the log, taken by the one who reads rows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sync_core::error::SourceError;
use tokio::sync::Notify;

use super::{decoder::Found, position::Position};

/// Keys that may wait in one slot; with more, the log is not read on until they are taken.
const KEYS_MAX: usize = 20_000;

/// What waits for one follower.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    waiting: Mutex<Waiting>,
    /// Something is there.
    pub(crate) filled: Notify,
    /// Something was taken.
    pub(crate) emptied: Notify,
}

/// What waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) found: Found,
    /// After all of it; `None`: nothing new.
    pub(crate) position: Option<Position>,
    /// Everything that was committed before this time was found; `None`: not known.
    pub(crate) as_of: Option<Timestamp>,
    /// How far the log was when the follower came; `None` where that cannot be asked.
    pub(crate) target: Option<Position>,
    /// Just before that was asked.
    pub(crate) target_at: Option<Timestamp>,
    pub(crate) is_caught_up: bool,
    pub(crate) failure: Option<SourceError>,
    pub(crate) notes: Vec<String>,
}

impl Waiting {
    /// Whether there are keys, or a reason to read everything.
    pub(crate) fn has_changes(&self) -> bool {
        self.found.size() > 0 || self.found.reconcile.is_some()
    }

    /// The log is read up to a position, and so far as time goes.
    fn reach(&mut self, position: &Position, moment: Moment) {
        self.advance(moment);
        if !self.is_caught_up
            && self.target.as_ref().is_some_and(|target| position.covers(target) == Some(true))
        {
            self.is_caught_up = true;
            self.advance(Moment { as_of: self.target_at, ..moment });
        }
        if self.position.as_ref() != Some(position) {
            self.position = Some(position.clone());
        }
    }

    /// What was found once stays found, though a statement that took long carries an early time. No time is later than
    /// now: sessions choose what time their transactions carry, and clocks are set back.
    fn advance(&mut self, Moment { as_of, now }: Moment) {
        let known = self.as_of.filter(|known| *known <= now);
        self.as_of = known.max(as_of.map(|as_of| as_of.min(now)));
    }
}

/// How far the log is read, as time goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Everything that was committed before it was read; `None`: not known.
    pub(crate) as_of: Option<Timestamp>,
    /// The time now.
    pub(crate) now: Timestamp,
}

impl Slot {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A transaction was read.
    pub(crate) fn add(&self, found: Found, position: &Position, moment: Moment) {
        let mut waiting = self.lock();
        waiting.found.merge(found);
        waiting.reach(position, moment);
        drop(waiting);
        self.filled.notify_one();
    }

    /// The log was read up to a position. `is_end`: to its end, as the server itself says.
    pub(crate) fn reach(&self, position: &Position, moment: Moment, is_end: bool) {
        let mut waiting = self.lock();
        let was_caught_up = waiting.is_caught_up;
        // An offset is that of an empty file where the server began one since: nothing in it will ever be read to the end.
        let names_nothing = |target: &Position| target.gtids.is_none();
        waiting.is_caught_up |= is_end && waiting.target.as_ref().is_none_or(names_nothing);
        waiting.reach(position, moment);
        if waiting.is_caught_up && !was_caught_up {
            self.filled.notify_one();
        }
    }

    pub(crate) fn fail(&self, error: SourceError) {
        self.lock().failure = Some(error);
        self.filled.notify_one();
    }

    /// There is something to say about the reading.
    pub(crate) fn note(&self, text: &str) {
        self.lock().notes.push(text.to_owned());
        self.filled.notify_one();
    }

    pub(crate) fn is_full(&self) -> bool {
        self.lock().found.size() > KEYS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::{super::gtid::Gtids, *};

    fn at(offset: u64) -> Position {
        Position {
            server: "s".into(),
            file: "b.000001".into(),
            offset,
            begun: None,
            gtids: None,
            is_unsure: false,
        }
    }

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Up to when everything was found, after transactions of these times were read at 1000.
    fn known(slot: &Slot, read: &[Option<i64>]) -> Option<i64> {
        for (as_of, offset) in read.iter().zip(1..) {
            let moment = Moment { as_of: as_of.map(time), now: time(1_000) };
            slot.reach(&at(offset), moment, false);
        }
        slot.lock().as_of.map(Timestamp::as_second)
    }

    /// Catches: a log that is hours behind and is said to be read to its end, as none of the follower's tables changed.
    #[test]
    fn transactions_of_other_tables_tell_how_far_the_log_is_read() {
        assert_eq!(known(&Slot::default(), &[]), None);
        assert_eq!(known(&Slot::default(), &[None]), None, "nothing was read yet");
        assert_eq!(known(&Slot::default(), &[None, Some(400), Some(410), None]), Some(410));
        let slot = Slot::default();
        slot.add(Found::default(), &at(1), Moment { as_of: Some(time(390)), now: time(1_000) });
        assert_eq!(known(&slot, &[Some(400)]), Some(400));
    }

    #[test]
    fn a_statement_that_took_long_takes_nothing_back_and_no_time_is_to_come() {
        assert_eq!(known(&Slot::default(), &[Some(900), Some(400)]), Some(900));
        assert_eq!(known(&Slot::default(), &[Some(900), Some(5_000)]), Some(1_000));
        let slot = Slot::default();
        assert_eq!(known(&slot, &[Some(900)]), Some(900));
        // The clock was wrong, and is set back.
        slot.reach(&at(9), Moment { as_of: Some(time(300)), now: time(310) }, false);
        assert_eq!(slot.lock().as_of, Some(time(300)));
    }

    #[test]
    fn who_has_come_to_the_end_as_it_was_has_read_up_to_then() {
        let slot = Slot::default();
        *slot.lock() =
            Waiting { target: Some(at(3)), target_at: Some(time(950)), ..Waiting::default() };
        assert_eq!(known(&slot, &[Some(400), Some(500)]), Some(500));
        assert!(!slot.lock().is_caught_up);
        assert_eq!(known(&slot, &[Some(400), Some(500), Some(510)]), Some(950));
        assert!(slot.lock().is_caught_up);
    }

    /// Catches: a server without names of transactions that was restarted, and whose new file stays empty: who catches up
    /// with it would wait until somebody writes.
    #[test]
    fn the_end_of_a_log_is_reached_though_its_last_file_is_empty() {
        for (gtids, is_reached) in [(None, true), (Some("0-1-9"), false)] {
            let gtids = gtids.map(|text| Gtids::MariaDb(text.parse().unwrap()));
            let target = Position { file: "b.000002".into(), offset: 157, gtids, ..at(0) };
            let slot = Slot::default();
            *slot.lock() = Waiting { target: Some(target), ..Waiting::default() };
            let moment = Moment { as_of: Some(time(900)), now: time(1_000) };
            slot.reach(&at(900), moment, false);
            assert!(!slot.lock().is_caught_up);
            slot.reach(&at(900), moment, true);
            assert_eq!(slot.lock().is_caught_up, is_reached);
        }
    }
}
