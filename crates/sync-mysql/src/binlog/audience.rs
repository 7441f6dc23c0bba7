//! Whom the log is read for, and where each of them stands.

use std::collections::BTreeMap;

use super::{
    decoder::Committed,
    hub::{Seat, Shared},
    log_failure::begun_anew,
    position::{Fit, Position},
    slot::Moment,
    watch::Follower,
};

/// The followers that the decoder reads for. One that came since stands where it came, until it is read for.
#[derive(Debug)]
pub(super) struct Audience(BTreeMap<Follower, Standing>);

/// Where a follower stands, seen from where the log is read.
#[derive(Debug)]
enum Standing {
    /// There.
    Here,
    /// Ahead, at this position: what is read before is known to it, and its position does not go back.
    Ahead(Position),
}

impl Standing {
    /// The position to name when the log was read up to `position`; `None` where its own is of another log.
    fn reached<'a>(&'a mut self, position: &'a Position) -> Option<&'a Position> {
        if let Self::Ahead(own) = self
            && position.covers(own) != Some(false)
        {
            match position.fits(own) {
                Fit::Follows => *self = Self::Here,
                // The next transaction tells.
                Fit::Same => {}
                Fit::OtherLog => return None,
            }
        }
        Some(match self {
            Self::Here => position,
            Self::Ahead(own) => own,
        })
    }
}

impl Audience {
    pub(super) fn of(shared: &Shared, position: &Position) -> Self {
        let standing = |seat: &Seat| {
            if seat.position == *position {
                Standing::Here
            } else {
                Standing::Ahead(seat.position.clone())
            }
        };
        Self(shared.all().iter().map(|(follower, seat)| (*follower, standing(seat))).collect())
    }

    /// Passes on what a transaction changed. Waits while a slot is full: the log is not read on.
    pub(super) async fn hand_out(
        &mut self,
        shared: &Shared,
        committed: Committed,
        position: &Position,
        moment: Moment,
    ) {
        for (follower, found) in committed.found {
            let (Some(seat), Some(standing)) = (shared.seat(follower), self.0.get_mut(&follower))
            else {
                continue;
            };
            let Some(position) = standing.reached(position) else {
                shared.fail(follower, begun_anew());
                continue;
            };
            seat.slot.add(found, position, moment);
            shared.update(follower, |seat| seat.position.clone_from(position));
            let version = shared.version();
            while seat.slot.is_full() && version == shared.version() {
                tokio::select! {
                    biased;
                    () = seat.slot.emptied.notified() => {}
                    () = shared.changed.notified() => {}
                }
            }
        }
    }

    /// The log was read up to a position. `is_end`: nothing more is in it, as the server itself says.
    pub(super) fn reach(
        &mut self,
        shared: &Shared,
        position: &Position,
        moment: Moment,
        is_end: bool,
    ) {
        for (follower, standing) in &mut self.0 {
            let Some(seat) = shared.seat(*follower) else { continue };
            let Some(position) = standing.reached(position) else {
                shared.fail(*follower, begun_anew());
                continue;
            };
            seat.slot.reach(position, moment, is_end);
            shared.update(*follower, |seat| seat.position.clone_from(position));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binlog::gtid::Gtids;

    fn at(file: &str, begun: u32, gtids: &str) -> Position {
        Position {
            server: "1@h:1".into(),
            file: file.into(),
            offset: 90,
            begun: Some(begun),
            gtids: Some(Gtids::MariaDb(gtids.parse().unwrap())),
            is_unsure: false,
        }
    }

    /// Catches: two followers of whom only the one that stands further back is compared with the log.
    #[test]
    fn who_stands_ahead_in_another_log_is_noticed_when_the_reader_gets_there() {
        let own = at("b.000002", 7, "0-1-9");
        let reached = |position: &Position| {
            let mut standing = Standing::Ahead(own.clone());
            standing.reached(position).cloned()
        };
        let short = at("b.000001", 5, "0-1-8");
        assert_eq!(reached(&short), Some(own.clone()), "not there yet");
        assert_eq!(reached(&own), Some(own.clone()));
        let later = at("b.000003", 9, "0-1-10");
        assert_eq!(reached(&later), Some(later));
        assert_eq!(reached(&at("b.000002", 8, "0-1-9")), None, "the file was begun anew");
        // After a rotation: the end of one file and the beginning of the next.
        assert_eq!(reached(&at("b.000001", 5, "0-1-9")), Some(own.clone()));
        assert_eq!(reached(&at("b.000001", 5, "0-1-10")), None, "files do not go back");
        // Another server's files say nothing.
        let moved = Position { server: "2@h:1".into(), ..at("b.000001", 8, "0-1-10") };
        assert_eq!(reached(&moved), Some(moved));
    }
}
