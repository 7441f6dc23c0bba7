//! Signed requests to the webhook: HMAC-SHA256 over the time stamp, the sync and the body, each good once.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use axum::http::HeaderMap;
use jiff::Timestamp;
use sync_core::secret::Secret;

use super::session::{keyed, unhex};
use crate::problem::Problem;

/// `sha256=HEX`.
pub(super) const SIGNATURE: &str = "x-sync-signature";
/// Seconds since 1970 UTC.
const TIMESTAMP: &str = "x-sync-timestamp";
/// How far the sender's clock may be from ours, in seconds. Older requests are replays or very late.
const WINDOW: i64 = 300;
/// Signatures remembered; where more come within the window, the rest is refused.
const SEEN_MAX: usize = 10_000;

/// Signatures that were used within the window.
#[derive(Debug, Default)]
pub(super) struct Signatures(Mutex<BTreeMap<Vec<u8>, i64>>);

impl Signatures {
    pub(super) fn check(
        &self,
        secret: &Secret,
        headers: &HeaderMap,
        sync: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Problem> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let stamp = text(TIMESTAMP).unwrap_or_default();
        let second: i64 = stamp.parse().map_err(|_| Problem::signature_time())?;
        let signature = text(SIGNATURE).and_then(|value| value.strip_prefix("sha256="));
        let signature = signature.and_then(unhex).ok_or_else(Problem::signature_wrong)?;
        let mut mac = keyed(secret.expose().as_bytes());
        for part in [stamp.as_bytes(), b".", sync.as_bytes(), b".", body] {
            hmac::Mac::update(&mut mac, part);
        }
        hmac::Mac::verify_slice(mac, &signature).map_err(|_| Problem::signature_wrong())?;
        let now = now.as_second();
        if now.saturating_sub(second).saturating_abs() > WINDOW {
            return Err(Problem::signature_time());
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, second| now.saturating_sub(*second).saturating_abs() <= WINDOW);
        if seen.contains_key(&signature) {
            return Err(Problem::replayed());
        }
        if seen.len() >= SEEN_MAX {
            return Err(Problem::too_many_signatures(WINDOW));
        }
        seen.insert(signature, second);
        Ok(())
    }
}
