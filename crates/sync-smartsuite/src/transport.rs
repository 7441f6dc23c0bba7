//! One HTTP exchange, and what can go wrong before there is an answer.

mod http;

use std::time::Duration;

use ::http::{HeaderMap, Request};
use bytes::Bytes;
use sync_core::port::Boxed;

pub use self::http::HttpTransport;

/// Sends one request and reads its answer.
///
/// An implementation sends **at most once**: it never repeats a request that may have left, and never follows a
/// redirect. It may be called by several tasks at once.
pub trait Transport: Send + Sync {
    /// The exchange. An answer with whatever status is `Ok`, also one whose body did not arrive whole.
    fn exchange(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> Boxed<'_, Result<Reply, TransportError>>;
}

/// Bounds of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the first step to the last byte.
    pub time: Duration,
    /// Most bytes of the answer's body, after decompression.
    pub body_bytes_max: usize,
}

/// An answer.
#[derive(Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// What arrived of the body.
    pub body: Bytes,
    /// Whether that is all of it.
    pub end: BodyEnd,
}

/// Shows sizes, not content: a body holds row values.
impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// How an answer's body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// Every byte is there.
    Complete,
    /// The time limit came first.
    TimedOut,
    /// The connection did.
    Broken,
    /// The size limit did.
    TooLarge,
}

/// Why there is no answer. The text is for people who look for the cause; it holds no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection was made, so that the request certainly did not leave.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The time limit came first; the request may have left.
    #[error("timed out: {0}")]
    TimedOut(String),
    /// The connection broke; the request may have left.
    #[error("broken: {0}")]
    Broken(String),
}
