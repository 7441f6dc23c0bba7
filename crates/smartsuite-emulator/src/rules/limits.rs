//! Requests per clock second and the lock-out after a 429 (section 2.1; points 9 and 10).

use std::collections::BTreeMap;

use http::{StatusCode, header};
use serde_json::json;

use crate::dice::Dice;
use crate::moment::Moment;
use crate::profile::{BucketOf, Profile, RateBody};
use crate::reply::{Body, Reply, html_page};
use crate::rules::call::Actor;
use crate::rules::webhooks::twirp;

/// What one key or member has used of its clock seconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Bucket {
    /// Requests by second: where each request's second is shifted by chance, several are open at
    /// once.
    counts: BTreeMap<i64, u32>,
    locked_until: Option<Moment>,
}

/// The buckets of all keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limiter {
    buckets: BTreeMap<String, Bucket>,
}

impl Limiter {
    /// Counts a request and says whether it is let through. `allowed` is what a second may hold.
    pub(crate) fn admits(
        &mut self,
        profile: &Profile,
        dice: &mut Dice,
        bucket: String,
        allowed: Option<u32>,
        now: Moment,
    ) -> bool {
        let Some(allowed) = allowed else { return true };
        let jitter = dice.below(u64::from(profile.second_jitter_ms) + 1);
        let shift = i64::from(profile.second_shift_ms) + i64::try_from(jitter).unwrap_or(0);
        let second = now.plus_millis(shift).second();
        let penalty = now.plus_seconds(i64::from(profile.lockout_seconds));
        let bucket = self.buckets.entry(bucket).or_default();
        if let Some(until) = bucket.locked_until {
            if now < until {
                if profile.penalty_restarts {
                    bucket.locked_until = Some(penalty);
                }
                return false;
            }
            *bucket = Bucket::default();
        }
        // Shifts only look ahead: what lies before the present second will not be counted again.
        bucket.counts.retain(|counted, _| *counted >= now.second());
        let count = bucket.counts.entry(second).or_default();
        *count = count.saturating_add(1);
        if *count > allowed {
            bucket.locked_until = Some(penalty);
            return false;
        }
        true
    }

    /// Locks a bucket out, as a scripted 429 does.
    pub(crate) fn lock(&mut self, profile: &Profile, bucket: String, now: Moment) {
        let until = now.plus_seconds(i64::from(profile.lockout_seconds));
        self.buckets.entry(bucket).or_default().locked_until = Some(until);
    }
}

/// The name of the bucket a request counts in.
pub(crate) fn bucket_name(profile: &Profile, actor: &Actor, token: &str, is_rpc: bool) -> String {
    let host = if is_rpc && !profile.shared_bucket { "webhooks" } else { "rest" };
    match profile.bucket_of {
        BucketOf::Key => format!("{host} key {token}"),
        BucketOf::Member => format!("{host} member {}", actor.member),
    }
}

/// The answer to a request that was not let through.
pub(crate) fn too_many(profile: &Profile, is_rpc: bool) -> Reply {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let reply = match profile.rate_body {
        RateBody::Json if is_rpc => {
            Reply::new(status, Body::Json(twirp("resource_exhausted", "Rate limit exceeded.")))
        }
        RateBody::Json => {
            Reply::new(status, Body::Json(json!({"detail": "Request was throttled."})))
        }
        RateBody::Html => html_page(status, "429 Too Many Requests"),
        RateBody::Empty => Reply::new(status, Body::Empty),
    };
    if profile.retry_after {
        return reply.with(header::RETRY_AFTER, profile.lockout_seconds.to_string());
    }
    reply
}
