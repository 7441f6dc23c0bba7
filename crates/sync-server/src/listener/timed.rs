//! A connection that breaks where its client does not take what it is sent.

use std::{
    future::{Pending, pending},
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Timeout, timeout},
};

/// How long a client may take for what is sent to it, if that is little, and else for each [`PART`] of it. Nobody who
/// reads is slower, and who does not read keeps the place of another.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes. Whoever takes one at a time does not go on.
const PART: usize = 16 * 1024;

/// The connection.
#[derive(Debug)]
pub(super) struct Timed<S> {
    stream: S,
    /// While there is more to send than the connection takes.
    stall: Option<Stall>,
}

#[derive(Debug)]
struct Stall {
    until: Pin<Box<Timeout<Pending<()>>>>,
    /// Bytes that were taken since it began.
    taken: usize,
}

impl<S> Timed<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, stall: None }
    }

    /// What an attempt to write comes to.
    fn judge(
        &mut self,
        outcome: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match (&outcome, &mut self.stall) {
            (Poll::Pending, stall) => {
                let stall = stall.get_or_insert_with(Stall::begin);
                drop(ready!(stall.until.as_mut().poll(context)));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            (Poll::Ready(Ok(bytes)), Some(stall)) => {
                stall.taken = stall.taken.saturating_add(*bytes);
                if stall.taken >= PART {
                    self.stall = None;
                }
                outcome
            }
            (Poll::Ready(_), _) => outcome,
        }
    }
}

impl Stall {
    fn begin() -> Self {
        Self { until: Box::pin(timeout(PATIENCE, pending())), taken: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(outcome, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Comes when everything was written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stall = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
