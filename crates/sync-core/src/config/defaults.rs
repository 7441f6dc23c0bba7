//! What holds where the file says nothing, and the bounds of what it may say, each with its reason.

/// `enabled`: a sync that is written down is meant to run.
pub const ENABLED: bool = true;

/// `on_position_lost`: somebody should know that the log is kept for too short a time.
pub const ON_POSITION_LOST: &str = "stop";

/// `on_drift`: somebody should know before records go on without a value that people count on.
pub const ON_DRIFT: &str = "freeze";

/// `destination.on_missing`: the row still exists, so its record should.
pub const ON_MISSING: &str = "recreate";

/// `destination.mode`: rows become records and stay them.
pub const WRITE_MODE: &str = "upsert";

/// `write`: MySQL is the truth.
pub const WRITE: &str = "always";

/// `on_unknown`: one bad row harms one row.
pub const ON_UNKNOWN: &str = "quarantine";

/// `zero_date`: MySQL's way to say that there is no date.
pub const ZERO_DATE: &str = "empty";

/// `binary`: expressions of text often arrive as bytes.
pub const BINARY: &str = "text";

/// `trim`: values arrive as they are.
pub const TRIM: bool = false;

/// `too_long`: nothing is lost unsaid.
pub const TOO_LONG: &str = "quarantine";

/// `mask`: more would show what is to be hidden.
pub const MASK_MAX: u32 = 16;

/// `max_length`: what is believed safe in one text.
pub const LENGTH_MAX: u32 = 65_536;

/// `hash`: the fewest characters of a secret that cannot be tried out.
pub const SECRET_LENGTH_MIN: usize = 16;

/// `destination.on_delete`: what people typed into a record is lost with it, so nothing goes unless it is asked for.
pub const ON_DELETE: &str = "ignore";

/// `destination.delete_adopted`: a record that was there before is somebody's work.
pub const DELETE_ADOPTED: bool = false;

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

/// `smartsuite.billing_day`: most months begin at their first day.
pub const BILLING_DAY: u32 = 1;

/// `smartsuite.billing_day`: of a month without it, its last day is meant.
pub const BILLING_DAY_MAX: u32 = 31;

/// `smartsuite.reserve`: where nothing is said, every so many-th call is left to others.
pub const RESERVE_DIVISOR: u32 = 10;

/// `smartsuite.when_used_up`: nobody is billed for what nobody agreed to.
pub const WHEN_USED_UP: &str = "wait";

/// `priority`: most syncs matter alike.
pub const PRIORITY: &str = "normal";

/// `alerts.email.port`: submission with STARTTLS.
pub const MAIL_PORT: u32 = 587;

/// `alerts.email.security`: what submission servers offer.
pub const MAIL_SECURITY: &str = "starttls";

/// `alerts.group`: one outage of a server is one message, not one for each sync.
pub const GROUP_MINUTES: u32 = 1;

/// `alerts.group`: who waits longer does not want to be told.
pub const GROUP_MINUTES_MAX: u32 = 60;

/// `alerts.heartbeat.minutes`: what most watchers expect.
pub const HEARTBEAT_MINUTES: u32 = 5;

/// `alerts.heartbeat.minutes`: a day.
pub const HEARTBEAT_MINUTES_MAX: u32 = 1_440;

/// `alerts.allow_internal`: a mapping file should not make this program call its neighbours.
pub const ALLOW_INTERNAL: bool = false;

/// `state.log_effects`: "why is this record as it is?" is asked after the fact.
pub const LOG_EFFECTS: bool = true;

/// `state.keep_effects_days`: a quarter, in which most questions are asked; about 60 MB for each million effects.
pub const KEEP_EFFECTS_DAYS: u32 = 90;

/// `state.keep_runs_days`: a year, to compare a month with the same one before.
pub const KEEP_RUNS_DAYS: u32 = 365;

/// `state.keep_..._days`: a hundred years; more is a typing error.
pub const KEEP_DAYS_MAX: u32 = 36_500;

/// `state.keep_refused_values`: without them nobody sees what was refused, and refused rows are read again.
pub const KEEP_REFUSED_VALUES: bool = true;

/// `state.keep_values`: rows in one more place, and a state of many times the size, should be somebody's decision.
pub const KEEP_VALUES: bool = false;

/// `state.daily_backups`: a week, in which a mistake is noticed.
pub const DAILY_BACKUPS: u32 = 7;

/// `state.daily_backups`: a year's worth.
pub const DAILY_BACKUPS_MAX: u32 = 366;

/// `schedule.interval` in minutes: a year; more is a typing error.
pub const INTERVAL_MINUTES_MAX: u32 = 525_600;

/// Bytes and nodes of the file with its aliases followed: twenty times a mapping file of a hundred tables, and far
/// below what would trouble a machine.
pub(super) const TREE_SIZE_MAX: usize = 2_000_000;
