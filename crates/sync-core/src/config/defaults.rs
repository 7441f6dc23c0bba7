//! What holds where the file says nothing, and the bounds of what it may say, each with its reason.

/// `enabled`: a sync that is written down is meant to run.
pub const ENABLED: bool = true;

/// `destination.on_missing`: the row still exists, so its record should.
pub const ON_MISSING: &str = "recreate";

/// `destination.key_prefix`: most tables belong to one sync, where the key alone is the most readable id.
pub const KEY_PREFIX: &str = "";

/// `links.SLUG.list`: a foreign key leads to one row.
pub const LINK_LIST: bool = false;

/// `schedule.time_zone`: the only zone without a missing or repeated hour.
pub const TIME_ZONE: &str = "UTC";

/// `smartsuite.dedicated_member`: nobody can know that a token's member is not also a person, so it is not assumed.
pub const DEDICATED_MEMBER: bool = false;

/// `smartsuite.calls_per_second`: SmartSuite allows 5 and locks a key out for 30 seconds at the sixth; one is left
/// for whatever else uses the key.
pub const CALLS_PER_SECOND: u32 = 4;

/// The documented rate of SmartSuite's API.
pub const CALLS_PER_SECOND_MAX: u32 = 5;

/// `smartsuite.monthly_calls`: more is a typing error.
pub const MONTHLY_CALLS_MAX: u32 = 1_000_000_000;

/// `schedule.interval` in minutes: a year; more is a typing error.
pub const INTERVAL_MINUTES_MAX: u32 = 525_600;

/// Bytes and nodes of the file with its aliases followed: twenty times a mapping file of a hundred tables, and far
/// below what would trouble a machine.
pub(super) const TREE_SIZE_MAX: usize = 2_000_000;
