//! What was found of one account, for as long as it may be relied on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Finding;

/// How long a profile holds: services change without notice.
pub const PROFILE_DAYS: i64 = 30;

/// The findings of one probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeProfile {
    /// The version of this form.
    pub version: u32,
    /// The service's host, without port.
    pub host: String,
    /// The account that was asked; the findings hold for no other.
    pub account: String,
    /// The scratch table.
    pub table: String,
    /// When.
    pub probed_at: Timestamp,
    /// From when on the findings hold no more.
    pub expires_at: Timestamp,
    /// Calls that it took.
    pub calls: u64,
    /// Records of the probe that could not be deleted.
    pub records_left: usize,
    /// What was found, in the manual's order.
    pub findings: Vec<Finding>,
    /// What was not asked.
    pub not_probed: Vec<NotProbed>,
}

/// Something a probe leaves alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotProbed {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

impl ProbeProfile {
    /// The version of the form that this program writes.
    pub const VERSION: u32 = 1;

    /// Whether it says anything about this account of this host now.
    pub fn holds(&self, host: &str, account: &str, now: Timestamp) -> bool {
        self.version == Self::VERSION
            && self.host == host
            && self.account == account
            && self.probed_at <= now
            && now < self.expires_at
    }

    /// The finding with this name.
    pub fn finding(&self, name: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.name == name)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_profile_holds_for_its_account_until_it_expires() {
        let start = Timestamp::UNIX_EPOCH;
        let profile = ProbeProfile {
            version: ProbeProfile::VERSION,
            host: "app.example".into(),
            account: "s1".into(),
            table: "t1".into(),
            probed_at: start,
            expires_at: start + SignedDuration::from_hours(24 * PROFILE_DAYS),
            calls: 1,
            records_left: 0,
            findings: Vec::new(),
            not_probed: Vec::new(),
        };
        let last = profile.expires_at - SignedDuration::from_nanos(1);
        assert!(profile.holds("app.example", "s1", start));
        assert!(profile.holds("app.example", "s1", last));
        assert!(!profile.holds("app.example", "s1", profile.expires_at));
        assert!(!profile.holds("app.example", "s2", last), "another account");
        assert!(!profile.holds("127.0.0.1", "s1", last), "another host");
        assert!(!profile.holds("app.example", "s1", start - SignedDuration::from_secs(1)));
        let newer = ProbeProfile { version: ProbeProfile::VERSION + 1, ..profile };
        assert!(!newer.holds("app.example", "s1", start), "another form");
    }
}
