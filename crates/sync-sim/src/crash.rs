//! Death of a process at any point where it waits.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// Runs a future until it has been polled so many times, then drops it: whatever it was doing is never finished.
pub struct CrashAfter<F> {
    inner: Option<Pin<Box<F>>>,
    polls: u32,
}

impl<F> std::fmt::Debug for CrashAfter<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CrashAfter").field("polls", &self.polls).finish_non_exhaustive()
    }
}

impl<F: Future> CrashAfter<F> {
    /// `inner` dies at its `polls`-th poll.
    pub fn new(inner: F, polls: u32) -> Self {
        Self { inner: Some(Box::pin(inner)), polls }
    }
}

impl<F: Future> Future for CrashAfter<F> {
    /// `None`: it died.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            self.inner = None;
            return Poll::Ready(None);
        }
        self.polls -= 1;
        match self.inner.as_mut() {
            Some(inner) => inner.as_mut().poll(context).map(Some),
            None => Poll::Ready(None),
        }
    }
}
