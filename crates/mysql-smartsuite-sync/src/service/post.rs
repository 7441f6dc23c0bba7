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
    /// The number under which the state knows that it was promised.
    pub(crate) promise: i64,
}

/// A turn that is wanted before its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Whether a stopped sync goes again and refused rows are tried now.
    pub(crate) retry: bool,
    /// The number under which the state knows that it was promised, with every one before it; `None`: nobody was told.
    pub(crate) promise: Option<i64>,
}

impl Wish {
    /// One turn for both.
    fn and(self, other: Self) -> Self {
        Self { retry: self.retry || other.retry, promise: self.promise.max(other.promise) }
    }
}

/// Why nothing can be left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    /// The sync is paused.
    Paused,
    /// Its shift is over: there is another post, or there soon will be.
    Closed,
}

/// What lies in a post when its shift is over. The post of the next shift begins with it.
#[derive(Debug, Default)]
pub(crate) struct Legacy {
    wish: Option<Wish>,
    letters: Vec<Letter>,
}

impl Legacy {
    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.wish.is_none() && self.letters.is_empty()
    }
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
    /// Whether the shift is over.
    is_closed: bool,
}

impl Post {
    /// Of a sync that may be paused already, and that may be one that is always under way, with what was left in the
    /// post of the shift before.
    pub(crate) fn new(is_paused: bool, follows: bool, legacy: Legacy) -> Self {
        let Legacy { wish, letters } = legacy;
        let wish = wish.filter(|_| !is_paused);
        let inside = Inside { is_paused, wish, letters, follows, ..Inside::default() };
        Self { bell: Notify::new(), inside: Mutex::new(inside) }
    }

    /// Takes nothing any more, and hands over what was not taken up.
    pub(crate) fn close(&self) -> Legacy {
        let mut inside = self.inside();
        inside.is_closed = true;
        Legacy { wish: inside.wish.take(), letters: std::mem::take(&mut inside.letters) }
    }

    /// Asks for a turn. However many ask before it begins, it is one. With `retry` a stopped sync goes again, and
    /// refused rows are tried.
    ///
    /// # Errors
    /// There will be none.
    pub(crate) fn ask(&self, wish: Wish) -> Result<(), Shut> {
        let mut inside = self.inside();
        inside.check_open()?;
        if inside.is_paused {
            return Err(Shut::Paused);
        }
        inside.wish_for(wish);
        drop(inside);
        self.bell.notify_one();
        Ok(())
    }

    /// Whether one is to come that was promised and does as much: there is no need to promise another.
    ///
    /// # Errors
    /// There will be none.
    pub(crate) fn is_promised(&self, retry: bool) -> Result<bool, Shut> {
        let inside = self.inside();
        inside.check_open()?;
        if inside.is_paused {
            return Err(Shut::Paused);
        }
        Ok(inside.wish.is_some_and(|wish| wish.promise.is_some() && (wish.retry || !retry)))
    }

    /// The same as [`Post::ask`], and a turn without an end of its own is ended, so that the next begins with what is asked for.
    ///
    /// # Errors
    /// There will be none.
    pub(crate) fn ask_anew(&self) -> Result<(), Shut> {
        self.ask(Wish::default())?;
        let inside = self.inside();
        if let (true, Some(turn)) = (inside.follows, &inside.turn) {
            turn.cancel();
        }
        Ok(())
    }

    /// Leaves a letter. A turn without an end of its own is ended for it. Where the shift is over there is no answer.
    pub(crate) fn leave(
        &self,
        change: Change,
        promise: i64,
    ) -> oneshot::Receiver<Result<u64, StateError>> {
        let (answer, answered) = oneshot::channel();
        let mut inside = self.inside();
        if inside.is_closed {
            return answered;
        }
        // The keeper may have found it in the state already.
        inside.letters.retain(|letter| letter.promise != promise);
        inside.letters.push(Letter { change, answer, promise });
        if let (true, Some(turn)) = (inside.follows, &inside.turn) {
            turn.cancel();
        }
        drop(inside);
        self.bell.notify_one();
        answered
    }

    /// The same for what the state says was promised, where it does not lie here already.
    pub(super) fn find(&self, change: Change, promise: i64) {
        let is_here = self.inside().letters.iter().any(|letter| letter.promise == promise);
        if !is_here {
            drop(self.leave(change, promise));
        }
    }

    /// Lets no turn begin any more, and ends the one under way.
    ///
    /// # Errors
    /// The shift is over.
    pub(crate) fn pause(&self) -> Result<(), Shut> {
        let mut inside = self.inside();
        inside.check_open()?;
        inside.is_paused = true;
        inside.wish = None;
        if let Some(turn) = &inside.turn {
            turn.cancel();
        }
        drop(inside);
        self.bell.notify_one();
        Ok(())
    }

    /// Lets turns begin again, and asks for one.
    ///
    /// # Errors
    /// The shift is over.
    pub(crate) fn resume(&self) -> Result<(), Shut> {
        self.inside().is_paused = false;
        self.ask(Wish::default())
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

    /// A turn begins: what was asked for until now, if anything was, is this turn. `None` where a pause came first.
    pub(super) fn begin(
        &self,
        ending: &CancellationToken,
    ) -> Option<(Option<Wish>, CancellationToken)> {
        let mut inside = self.inside();
        // Under one lock, so that a pause either prevents the turn or finds it.
        if inside.is_paused {
            return None;
        }
        let token = ending.child_token();
        inside.turn = Some(token.clone());
        inside.next = None;
        Some((inside.wish.take(), token))
    }

    /// The turn has ended. One that was broken off leaves what it was for to the next, unless a pause broke it off.
    pub(super) fn end(&self, broken_off: Option<Wish>) {
        let mut inside = self.inside();
        inside.turn = None;
        if let (Some(wish), false) = (broken_off, inside.is_paused) {
            inside.wish_for(wish);
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn check_open(&self) -> Result<(), Shut> {
        if self.is_closed { Err(Shut::Closed) } else { Ok(()) }
    }

    fn wish_for(&mut self, wish: Wish) {
        self.wish = Some(self.wish.unwrap_or_default().and(wish));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(retry: bool) -> Wish {
        Wish { retry, promise: None }
    }

    fn post(follows: bool) -> Post {
        Post::new(false, follows, Legacy::default())
    }

    #[tokio::test]
    async fn a_burst_becomes_one_turn_and_what_comes_during_it_another() {
        let (post, ending) = (post(false), CancellationToken::new());
        for retry in [false, true, false] {
            post.ask(wish(retry)).unwrap();
        }
        post.rung().await;
        let (taken, _) = post.begin(&ending).unwrap();
        assert_eq!(taken, Some(wish(true)));
        assert!(!post.has_wish());
        post.ask(wish(false)).unwrap();
        post.ask(wish(false)).unwrap();
        post.end(None);
        assert_eq!(post.begin(&ending).unwrap().0, Some(Wish::default()));
        assert!(!post.has_wish());
    }

    #[tokio::test]
    async fn what_a_shift_did_not_take_up_is_the_next_ones() {
        let ending = CancellationToken::new();
        let before = post(false);
        before.ask(wish(true)).unwrap();
        let (taken, _) = before.begin(&ending).unwrap();
        let answered = before.leave(Change::Drop(QuarantineFilter::default()), 1);
        before.end(taken);
        let legacy = before.close();
        assert!(!legacy.is_empty());
        assert_eq!(before.ask(wish(false)), Err(Shut::Closed), "nobody would hear it");
        assert_eq!((before.pause(), before.resume()), (Err(Shut::Closed), Err(Shut::Closed)));
        assert!(before.leave(Change::Drop(QuarantineFilter::default()), 1).await.is_err());
        let after = Post::new(false, false, legacy);
        assert_eq!(after.begin(&ending).unwrap().0, Some(wish(true)));
        for letter in after.letters() {
            letter.answer.send(Ok(3)).unwrap();
        }
        assert_eq!(answered.await.unwrap(), Ok(3));
        assert!(after.close().is_empty());
    }

    #[tokio::test]
    async fn one_turn_keeps_every_promise_before_it() {
        let (post, ending) = (post(false), CancellationToken::new());
        assert_eq!(post.is_promised(false), Ok(false));
        post.ask(wish(true)).unwrap();
        assert_eq!(post.is_promised(false), Ok(false), "nobody was told of it");
        post.ask(Wish { retry: false, promise: Some(8) }).unwrap();
        assert_eq!(post.is_promised(true), Ok(true));
        post.ask(Wish { retry: false, promise: Some(7) }).unwrap();
        let (taken, _) = post.begin(&ending).unwrap();
        assert_eq!(taken, Some(Wish { retry: true, promise: Some(8) }));
        assert_eq!(post.is_promised(false), Ok(false), "it has begun");
        post.ask(Wish { retry: false, promise: Some(9) }).unwrap();
        assert_eq!(post.is_promised(true), Ok(false), "it would not try refused rows");
        // The keeper found it in the state, and whoever asked still waits for the answer.
        drop(post.leave(Change::Drop(QuarantineFilter::default()), 10));
        let answered = post.leave(Change::Drop(QuarantineFilter::default()), 10);
        for letter in post.letters() {
            letter.answer.send(Ok(1)).unwrap();
        }
        assert_eq!(answered.await.unwrap(), Ok(1));
    }

    #[tokio::test]
    async fn a_turn_that_is_broken_off_leaves_its_wish_unless_a_pause_did_it() {
        let (post, ending) = (post(false), CancellationToken::new());
        post.ask(wish(true)).unwrap();
        let (taken, _) = post.begin(&ending).unwrap();
        post.ask(wish(false)).unwrap();
        post.end(taken);
        let (taken, _) = post.begin(&ending).unwrap();
        assert_eq!(taken, Some(wish(true)));
        post.pause().unwrap();
        post.end(taken);
        assert!(!post.has_wish());
    }

    #[tokio::test]
    async fn a_pause_ends_the_turn_under_way_and_lets_none_begin() {
        let (post, ending) = (post(false), CancellationToken::new());
        let (_, turn) = post.begin(&ending).unwrap();
        post.ask(wish(false)).unwrap();
        post.pause().unwrap();
        assert!(turn.is_cancelled() && !ending.is_cancelled());
        post.end(None);
        assert!(post.begin(&ending).is_none() && !post.has_wish());
        assert_eq!(post.ask(wish(false)), Err(Shut::Paused), "nobody runs a paused sync");
        post.resume().unwrap();
        assert!(post.begin(&ending).is_some());
    }

    #[tokio::test]
    async fn a_letter_ends_only_a_turn_that_has_no_end_of_its_own() {
        let ending = CancellationToken::new();
        for follows in [false, true] {
            let post = post(follows);
            let (_, turn) = post.begin(&ending).unwrap();
            drop(post.leave(Change::Retry(QuarantineFilter::default()), 1));
            assert_eq!(turn.is_cancelled(), follows);
            assert_eq!(post.letters().len(), 1);
        }
    }
}
