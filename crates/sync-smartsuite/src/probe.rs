//! Asks a real workspace, in a scratch table, what public material leaves open.
//!
//! Reading order: [`probe`] is the whole course; `topic` lists what is asked and what this program assumes of it;
//! `scratch` says which table may be used; `bulk`, `recycled`, `list`, `trial`, `clear` and `lockout` ask; `profile` is
//! what remains. Every call passes the gate and is counted. Nothing here is part of a sync, and no sync reads what was
//! found: a guarantee never rests on what one workspace did one day.

mod bulk;
mod caller;
mod clear;
mod list;
mod lockout;
mod profile;
mod recycled;
mod scratch;
mod topic;
mod trial;

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use sync_core::{
    error::{CallError, CallErrorKind},
    port::{Boxed, Clock},
    state::{CallKind, StateError},
};

use self::{
    bulk::Bench,
    caller::Caller,
    scratch::Scratch,
    topic::{Findings, NOT_PROBED},
};
pub use self::{
    profile::{NotProbed, PROFILE_DAYS, ProbeProfile},
    topic::{Finding, topic_names},
};
use crate::{
    options::{ClientOptions, OptionsError},
    request::Requests,
    transport::Transport,
};

/// Most calls of a probe without the lock-out; it never makes more, clean-up included.
pub const CALLS_MAX: u64 = 100;
/// Most calls that finding out about the lock-out adds.
pub const LOCKOUT_CALLS_MAX: u64 = 18;
/// Calls that are kept back for the clean-up.
const CLEAN_UP_CALLS: u64 = 12;
/// The external id of every record that a probe makes begins with this.
pub const MARKER: &str = "mysql-smartsuite-sync-probe-";

/// What every call of a probe passes: the same gate and the same counts as any other call of the API key.
pub trait Gate: Send + Sync {
    /// Waits for the next departure, and counts the call.
    fn pass(&self, kind: CallKind) -> Boxed<'_, Result<(), StateError>>;

    /// Counts a call that leaves at once. Used for the lock-out alone.
    fn count(&self, kind: CallKind) -> Boxed<'_, Result<(), StateError>>;

    /// Closes the gate for everyone after a 429 or a challenge page.
    fn close(&self, retry_after: Option<Duration>) -> Boxed<'_, Result<(), StateError>>;
}

/// What a probe needs.
pub struct ProbeParts<'a> {
    /// The account, and where it is.
    pub options: &'a ClientOptions,
    /// The way there.
    pub transport: Arc<dyn Transport>,
    /// What calls pass.
    pub gate: Arc<dyn Gate>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The scratch table's id.
    pub table: String,
    /// Whether a 429 may be provoked: for a minute nobody can use the API key.
    pub allow_lockout: bool,
}

impl std::fmt::Debug for ProbeParts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProbeParts").field("table", &self.table).finish_non_exhaustive()
    }
}

/// Why a probe came to nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProbeError {
    /// The options cannot work.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The table is not one to experiment with.
    #[error("{reason}")]
    Table {
        /// Why not.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
    /// A call that everything else rests on failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The state, which keeps the gate and the counts.
    #[error(transparent)]
    State(#[from] StateError),
    /// More calls than were announced would have been needed.
    #[error("the probe would have taken more calls than it announced")]
    TooManyCalls,
}

impl ProbeError {
    fn table(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Table { reason: reason.into(), remedy: remedy.into() }
    }

    /// What a person should do next.
    pub fn remedy(&self) -> &str {
        match self {
            Self::Options(_) => {
                "check SMARTSUITE_BASE_URL, SMARTSUITE_ACCOUNT_ID and SMARTSUITE_TOKEN"
            }
            Self::Table { remedy, .. } => remedy,
            Self::Call(error) => error.kind.remedy(),
            Self::State(error) => error.remedy(),
            Self::TooManyCalls => "please report this",
        }
    }
}

/// The most calls a probe makes.
pub fn calls_max(allow_lockout: bool) -> u64 {
    CALLS_MAX + if allow_lockout { LOCKOUT_CALLS_MAX } else { 0 }
}

/// Asks everything, and deletes the records it made. `progress` hears what is being asked, in words for people.
///
/// # Errors
/// The table cannot be used, or a call that everything rests on failed. Records may then remain; the next probe of
/// the table deletes them first.
pub async fn probe(
    parts: &ProbeParts<'_>,
    progress: &dyn Fn(&str),
) -> Result<ProbeProfile, ProbeError> {
    let requests = Requests::new(parts.options)?;
    let address = parts.options.address()?;
    let mut caller = Caller::new(parts, &requests, CALLS_MAX - CLEAN_UP_CALLS);
    progress("looking at the table");
    let scratch = Scratch::survey(&mut caller).await?;
    let mut findings = Findings::default();
    let asked = ask(&mut caller, &scratch, &mut findings, progress).await;
    caller.allow(CALLS_MAX);
    progress("deleting the probe's records");
    let cleaned = scratch.clean_up(&mut caller).await;
    asked?;
    let records_left = cleaned?;
    if parts.allow_lockout {
        caller.allow(calls_max(true));
        progress("provoking a 429, and waiting for its end");
        lockout::ask(&mut caller, &mut findings).await?;
    }
    let now = parts.clock.now();
    let days = SignedDuration::from_hours(24 * PROFILE_DAYS);
    Ok(ProbeProfile {
        version: ProbeProfile::VERSION,
        host: address.host,
        account: parts.options.account_id.clone(),
        table: parts.table.clone(),
        probed_at: now,
        expires_at: now.checked_add(days).unwrap_or(now),
        calls: caller.made(),
        records_left,
        findings: findings.in_order(),
        not_probed: NOT_PROBED
            .iter()
            .map(|(what, why)| NotProbed { what: (*what).into(), why: (*why).into() })
            .collect(),
    })
}

async fn ask(
    caller: &mut Caller<'_>,
    scratch: &Scratch,
    findings: &mut Findings,
    progress: &dyn Fn(&str),
) -> Result<(), ProbeError> {
    progress("creating records");
    let mut bench = Bench::create(caller, scratch, findings).await?;
    progress("measuring how long a new record takes to be found");
    list::lag(caller, scratch, findings).await?;
    progress("listing and filtering");
    list::ask(caller, scratch, findings, &bench).await?;
    progress("sending bulk calls with something wrong in them");
    bulk::ask(caller, scratch, findings, &mut bench).await?;
    progress("deleting and restoring a record");
    recycled::ask(caller, scratch, findings).await?;
    progress("writing values that may not be understood");
    let trials = trial::write(caller, scratch, &mut bench).await?;
    progress("clearing values");
    let cleared = clear::ask(caller, scratch, findings, &mut bench).await?;
    progress("reading back");
    caller.settle().await;
    let records = scratch.records(caller).await?;
    trial::judge(trials, &records, findings);
    clear::judge_empties(&cleared, &records, &bench, findings);
    Ok(())
}

/// Whether a failure is about this one request, so that the next question may still be asked.
fn is_passing(kind: CallErrorKind) -> bool {
    match kind {
        CallErrorKind::Server { .. }
        | CallErrorKind::Garbled
        | CallErrorKind::WrongAddress
        | CallErrorKind::TimedOut
        | CallErrorKind::Broken => true,
        CallErrorKind::NotSent
        | CallErrorKind::Throttled { .. }
        | CallErrorKind::Challenge
        | CallErrorKind::TokenRejected
        | CallErrorKind::AccountRejected
        | CallErrorKind::Forbidden
        | CallErrorKind::PlanFull
        | CallErrorKind::QuotaSpent
        | CallErrorKind::NotFound
        | CallErrorKind::Refused { .. } => false,
    }
}
