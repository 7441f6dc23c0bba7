//! Where others leave what they want of a sync that the service keeps: a run now, a pause, a change of its quarantine.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sync_core::state::StateError;
use sync_store::QuarantineFilter;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

/// Something that is done to a sync's rows under its lock, between two turns.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Rows in quarantine are tried again.
    Retry(QuarantineFilter),
    /// Rows in quarantine are forgotten.
    Drop(QuarantineFilter),
}

/// A change with the one who waits for its answer: how many rows it was about.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) change: Change,
    pub(crate) answer: oneshot::Sender<Result<u64, StateError>>,
}

/// A turn that is wanted before its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Whether a stopped sync goes again and refused rows are tried now.
    pub(crate) retry: bool,
}

/// The post of one sync. Whoever leaves something wakes its keeper.
#[derive(Debug, Default)]
pub(crate) struct Post {
    bell: Notify,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    is_paused: bool,
    wish: Option<Wish>,
    letters: Vec<Letter>,
    /// Ends the turn under way.
    turn: Option<CancellationToken>,
    /// When the next turn is due.
    next: Option<Timestamp>,
    /// Whether a turn lasts so long that letters must end it.
    follows: bool,
}

impl Post {
    /// Of a sync that may be paused already, and that may be one that is always under way.
    pub(crate) fn new(is_paused: bool, follows: bool) -> Self {
        let inside = Inside { is_paused, follows, ..Inside::default() };
        Self { bell: Notify::new(), inside: Mutex::new(inside) }
    }

    /// Asks for a turn; `false`: the sync is paused. However many ask before it begins, it is one. With `retry` a
    /// stopped sync goes again, and refused rows are tried.
    pub(crate) fn ask(&self, retry: bool) -> bool {
        let mut inside = self.inside();
        if inside.is_paused {
            return false;
        }
        inside.wish.get_or_insert_default().retry |= retry;
        drop(inside);
        self.bell.notify_one();
        true
    }

    /// The same, and a turn without an end of its own is ended, so that the next begins with what is asked for.
    pub(crate) fn ask_anew(&self) -> bool {
        let asked = self.ask(false);
        let inside = self.inside();
        if let (true, true, Some(turn)) = (asked, inside.follows, &inside.turn) {
            turn.cancel();
        }
        asked
    }

    /// Leaves a letter. A turn without an end of its own is ended for it.
    pub(crate) fn leave(&self, change: Change) -> oneshot::Receiver<Result<u64, StateError>> {
        let (answer, answered) = oneshot::channel();
        let mut inside = self.inside();
        inside.letters.push(Letter { change, answer });
        if let (true, Some(turn)) = (inside.follows, &inside.turn) {
            turn.cancel();
        }
        drop(inside);
        self.bell.notify_one();
        answered
    }

    /// Lets no turn begin any more, and ends the one under way.
    pub(crate) fn pause(&self) {
        let mut inside = self.inside();
        inside.is_paused = true;
        inside.wish = None;
        if let Some(turn) = &inside.turn {
            turn.cancel();
        }
        drop(inside);
        self.bell.notify_one();
    }

    /// Lets turns begin again, and asks for one.
    pub(crate) fn resume(&self) {
        self.inside().is_paused = false;
        self.ask(false);
    }

    /// Whether no turn may begin.
    pub(crate) fn is_paused(&self) -> bool {
        self.inside().is_paused
    }

    /// Whether a turn is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.inside().turn.is_some()
    }

    /// When the next turn is due, where that is known.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.inside().next
    }

    pub(super) fn set_next(&self, next: Option<Timestamp>) {
        self.inside().next = next;
    }

    /// Waits until something is left.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    pub(super) fn has_wish(&self) -> bool {
        self.inside().wish.is_some()
    }

    pub(super) fn letters(&self) -> Vec<Letter> {
        std::mem::take(&mut self.inside().letters)
    }

    /// A turn begins: what was asked for until now is this turn. `None` where a pause came first.
    pub(super) fn begin(&self, ending: &CancellationToken) -> Option<(Wish, CancellationToken)> {
        let mut inside = self.inside();
        // Under one lock, so that a pause either prevents the turn or finds it.
        if inside.is_paused {
            return None;
        }
        let token = ending.child_token();
        inside.turn = Some(token.clone());
        inside.next = None;
        Some((inside.wish.take().unwrap_or_default(), token))
    }

    /// The turn has ended.
    pub(super) fn end(&self) {
        self.inside().turn = None;
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_burst_becomes_one_turn_and_what_comes_during_it_another() {
        let (post, ending) = (Post::new(false, false), CancellationToken::new());
        for retry in [false, true, false] {
            post.ask(retry);
        }
        post.rung().await;
        let (wish, _) = post.begin(&ending).unwrap();
        assert_eq!(wish, Wish { retry: true });
        assert!(!post.has_wish());
        post.ask(false);
        post.ask(false);
        post.end();
        assert_eq!(post.begin(&ending).unwrap().0, Wish::default());
        assert!(!post.has_wish());
    }

    #[tokio::test]
    async fn a_pause_ends_the_turn_under_way_and_lets_none_begin() {
        let (post, ending) = (Post::new(false, false), CancellationToken::new());
        let (_, turn) = post.begin(&ending).unwrap();
        post.ask(false);
        post.pause();
        assert!(turn.is_cancelled() && !ending.is_cancelled());
        post.end();
        assert!(post.begin(&ending).is_none() && !post.has_wish());
        assert!(!post.ask(false), "nobody runs a paused sync");
        post.resume();
        assert!(post.begin(&ending).is_some());
    }

    #[tokio::test]
    async fn a_letter_ends_only_a_turn_that_has_no_end_of_its_own() {
        let ending = CancellationToken::new();
        for follows in [false, true] {
            let post = Post::new(false, follows);
            let (_, turn) = post.begin(&ending).unwrap();
            drop(post.leave(Change::Retry(QuarantineFilter::default())));
            assert_eq!(turn.is_cancelled(), follows);
            assert_eq!(post.letters().len(), 1);
        }
    }
}
