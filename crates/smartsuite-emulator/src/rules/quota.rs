//! The month's calls of a workspace (section 2.2; point 11). Every call of an accepted key counts.

use http::StatusCode;

use crate::model::account::Account;
use crate::moment::Moment;
use crate::profile::{OverQuota, Profile};
use crate::reply::{Reply, detail};
use crate::rules::access::forbidden;
use crate::rules::limits::too_many;

/// What the month still allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The full rate.
    Full,
    /// The quota is spent: a lower rate.
    Throttled,
    /// Nothing, until the month ends.
    Stopped,
}

/// Counts a call and says how the workspace now stands.
pub(crate) fn count(account: &mut Account, profile: &Profile, now: Moment) -> Standing {
    let calls = account.calls.entry(now.month()).or_default();
    *calls += 1;
    let limits = account.plan.limits();
    let Some(included) = limits.calls_a_month else { return Standing::Full };
    let stop = included.saturating_mul(u64::from(profile.quota_stop_percent)) / 100;
    match (*calls > included, limits.has_grace && *calls <= stop) {
        (false, _) => Standing::Full,
        (true, true) => Standing::Throttled,
        (true, false) => Standing::Stopped,
    }
}

/// The answer once nothing is allowed any more.
pub(crate) fn stopped(profile: &Profile, is_rpc: bool) -> Reply {
    match profile.over_quota {
        OverQuota::TooManyRequests => too_many(profile, is_rpc),
        OverQuota::Forbidden => {
            detail(StatusCode::FORBIDDEN, "The workspace has used its API calls for this month.")
        }
        OverQuota::Unsaid => forbidden(),
    }
}
