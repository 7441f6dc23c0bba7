//! The one place that reads the machine's clock and waits on it.

use std::time::Duration;

use jiff::Timestamp;

#[expect(clippy::disallowed_methods, reason = "the real server runs on the real clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

#[expect(clippy::disallowed_methods, reason = "scripted delays of the real server are real")]
pub(super) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

pub(super) async fn sleep_until(at: Timestamp) {
    let wait = at.duration_since(now());
    // A millisecond more, so that the moment has come when the sleeper wakes.
    sleep(Duration::try_from(wait).unwrap_or_default() + Duration::from_millis(1)).await;
}
