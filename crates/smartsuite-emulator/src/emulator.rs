//! The model as a whole: a request comes in, an outcome goes out, time is what the caller says.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header};
use jiff::Timestamp;

use crate::dice::Dice;
use crate::faults::{Fault, FaultKind, FaultScript, LateEnd, When};
use crate::journal::{Entry, Journal, StoredRequest};
use crate::model::world::{Pending, Work, World};
use crate::moment::Moment;
use crate::outcome::{Effect, Outcome};
use crate::profile::Profile;
use crate::query::Query;
use crate::reply::{Body, Reply, detail, html_page};
use crate::request_log::{self, Counters, LogEntry, RequestLog};
use crate::route::{Path, REST, RouteKind, WEBHOOKS};
use crate::rules::call::{Actor, Call};
use crate::rules::limits::{self, Limiter};
use crate::rules::quota::{self, Standing};
use crate::rules::webhooks::ping::{self, PingOut};
use crate::rules::{auth, deleted, dispatch, fields, files, webhooks};
use crate::seed::{Seed, SeedError};
use crate::side_door;

/// Why an emulator could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The seed is wrong.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: String,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The persistent file is not one, or is of another version.
    #[error("{0}")]
    Stored(String),
}

/// A request that takes effect later than its connection thinks.
#[derive(Debug, Clone)]
struct Late {
    at: Moment,
    actor: Actor,
    request: Request<Bytes>,
    /// Whether somebody waits for the answer.
    is_awaited: bool,
    log_number: u64,
}

/// An emulated SmartSuite.
#[derive(Debug)]
pub struct Emulator {
    pub(crate) world: World,
    pub(crate) profile: Profile,
    pub(crate) faults: FaultScript,
    pub(crate) log: RequestLog,
    pub(crate) journal: Journal,
    pub(crate) seeds: Vec<Seed>,
    limiter: Limiter,
    /// Chance of limits and faults; that of effects is the world's own.
    dice: Dice,
    chance: u64,
    late: BTreeMap<u64, Late>,
    answers: BTreeMap<u64, Reply>,
    tickets: u64,
    /// What the emulator's clock is ahead of the caller's, in microseconds.
    pub(crate) ahead: i64,
}

impl Emulator {
    /// An emulator in parts: profile, seed, chance.
    pub fn builder() -> crate::EmulatorBuilder {
        crate::EmulatorBuilder::default()
    }

    pub(crate) fn new(
        profile: Profile,
        seeds: Vec<Seed>,
        chance: u64,
        now: Timestamp,
    ) -> Result<Self, SeedError> {
        let mut emulator = Self {
            world: World::empty(chance),
            profile,
            faults: FaultScript::default(),
            log: RequestLog::default(),
            journal: Journal::default(),
            seeds,
            limiter: Limiter::default(),
            dice: Dice::new(chance ^ 0x5EED),
            chance,
            late: BTreeMap::new(),
            answers: BTreeMap::new(),
            tickets: 0,
            ahead: 0,
        };
        emulator.plant(Moment::of(now))?;
        Ok(emulator)
    }

    fn plant(&mut self, now: Moment) -> Result<(), SeedError> {
        let mut world = World::empty(self.chance);
        for seed in &self.seeds {
            seed.plant(&mut world, now)?;
        }
        self.world = world;
        Ok(())
    }

    /// Back to the seed: records, webhooks, limits, late effects and the log are gone; profile,
    /// fault script and clock stay.
    pub fn reset(&mut self, now: Timestamp) -> Result<(), SeedError> {
        let now = self.moment(now);
        self.plant(now)?;
        self.journal.add(|| Entry::Reset { at: now });
        self.limiter = Limiter::default();
        self.late.clear();
        self.answers.clear();
        self.log.clear();
        Ok(())
    }

    /// The moment on the emulator's own clock.
    pub(crate) fn moment(&self, now: Timestamp) -> Moment {
        Moment::of(now).plus_micros(self.ahead)
    }

    /// The positions of all switches.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Changes the positions of switches.
    pub fn set_profile(&mut self, profile: Profile) {
        self.journal.add(|| Entry::Profile { profile: Box::new(profile.clone()) });
        self.profile = profile;
    }

    /// Moves the emulator's clock against the caller's, in microseconds.
    pub(crate) fn set_ahead(&mut self, ahead: i64) {
        self.journal.add(|| Entry::Clock { ahead });
        self.ahead = ahead;
    }

    /// Sets how many calls a workspace has used this month; false where there is none of that name.
    pub(crate) fn set_calls(&mut self, now: Moment, account: &str, calls: u64) -> bool {
        let Some(held) = self.world.accounts.get_mut(account) else { return false };
        let month = now.month();
        held.calls.insert(month.clone(), calls);
        self.journal.add(|| Entry::Calls { account: account.to_owned(), month, calls });
        true
    }

    /// Adds a seed to what is there; a seed that fails leaves nothing of itself.
    pub(crate) fn add_seed(&mut self, now: Moment, seed: Seed) -> Result<(), SeedError> {
        let dice = self.world.dice;
        let mut world = self.world.clone();
        seed.plant(&mut world, now)?;
        self.world = world;
        self.journal.add(|| Entry::Seed { at: now, dice, seed: seed.clone() });
        self.seeds.push(seed);
        Ok(())
    }

    /// Lets a person change something.
    pub(crate) fn edit(&mut self, now: Moment, body: &serde_json::Value) -> Reply {
        self.world.now = now;
        let (dice, changes) = (self.world.dice, self.world.changes);
        let edited = side_door::people::edit(&mut self.world, &self.profile, now, body);
        if self.world.changes != changes {
            self.journal.add(|| Entry::Person { at: now, dice, body: body.clone() });
        }
        edited.unwrap_or_else(|refusal| refusal)
    }

    /// Does once more what a journal says.
    pub(crate) fn replay(&mut self, entry: Entry) -> Result<(), String> {
        match entry {
            Entry::Call { at, dice, actor, request } => {
                self.world.dice = dice;
                let request = request.request().map_err(|error| error.to_string())?;
                self.execute(at, &actor, &request);
            }
            Entry::Person { at, dice, body } => {
                self.world.dice = dice;
                self.edit(at, &body);
            }
            Entry::Due { at, dice } => {
                self.world.dice = dice;
                self.run_pending(at);
            }
            Entry::Calls { account, month, calls } => {
                if let Some(account) = self.world.accounts.get_mut(&account) {
                    account.calls.insert(month, calls);
                }
            }
            Entry::Ping { at, webhook, arrived } => {
                ping::settle(&mut self.world, &webhook, arrived, at);
            }
            Entry::Seed { at, dice, seed } => {
                self.world.dice = dice;
                self.add_seed(at, seed).map_err(|error| error.to_string())?;
            }
            Entry::Reset { at } => self.plant(at).map_err(|error| error.to_string())?,
            Entry::Clock { ahead } => self.ahead = ahead,
            Entry::Begin { profile, .. } | Entry::Profile { profile } => self.profile = *profile,
        }
        Ok(())
    }

    /// Replaces the fault script.
    pub fn set_faults(&mut self, faults: FaultScript) {
        self.faults = faults;
    }

    /// Adds one fault to the script.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.faults.push(fault);
    }

    /// The requests so far, but for those to the side door.
    pub fn log(&self) -> impl Iterator<Item = &LogEntry> {
        self.log.entries()
    }

    /// How many requests there were.
    pub fn counters(&self) -> &Counters {
        self.log.counters()
    }

    /// Forgets the requests so far.
    pub fn clear_log(&mut self) {
        self.log.clear();
    }

    /// How much work was done so far.
    pub fn work(&self) -> Work {
        self.world.work.read()
    }

    /// Lets everything happen that is due: late effects, changes of fields, files, expiry.
    pub fn advance(&mut self, now: Timestamp) {
        let now = self.moment(now);
        self.advance_to(now);
    }

    pub(crate) fn advance_to(&mut self, now: Moment) {
        loop {
            let late = self.late.iter().filter(|(_, late)| late.at <= now);
            let late =
                late.min_by_key(|(ticket, late)| (late.at, **ticket)).map(|(t, l)| (*t, l.at));
            let due = self.world.pending.values().map(|(at, _)| *at).filter(|at| *at <= now).min();
            match (late, due) {
                (None, None) => break,
                (Some((ticket, at)), due) if due.is_none_or(|due| at < due) => {
                    self.run_late(ticket);
                }
                _ => self.run_pending(now),
            }
        }
        self.world.now = now;
        self.world.keeps_before = self.profile.list_lag_ms > 0;
        let horizon = now.plus_millis(-i64::from(self.profile.list_lag_ms));
        for table in self.world.tables.values_mut() {
            table.forget_before(horizon);
        }
        deleted::purge(&mut self.world, now);
        webhooks::expire(&mut self.world, &self.profile, now);
    }

    fn run_late(&mut self, ticket: u64) {
        let Some(late) = self.late.remove(&ticket) else { return };
        let before = self.world.changes;
        let reply = self.execute(late.at, &late.actor, &late.request);
        let status = late.is_awaited.then_some(reply.status.as_u16());
        self.log.settled_late(late.log_number, status, self.world.changes != before);
        if late.is_awaited {
            self.answers.insert(ticket, reply);
        }
    }

    fn run_pending(&mut self, now: Moment) {
        let dice = self.world.dice;
        let Some((at, what)) = self.world.take_due(now) else { return };
        self.journal.add(|| Entry::Due { at, dice });
        self.world.now = at;
        match what {
            Pending::ChangeField { table, field } => {
                fields::apply_change(&mut self.world, table, &field);
            }
            Pending::AttachFile { table, record, slug, address, by } => {
                let Some(account) = self.world.tables.get(&table).map(|t| t.account.clone()) else {
                    return;
                };
                let actor = Actor::everything(account, by);
                let call = Call {
                    profile: &self.profile,
                    actor: &actor,
                    now: at,
                    method: &http::Method::PATCH,
                    query: Query::default(),
                    content_type: "",
                    body: &[],
                };
                files::attach(&mut self.world, &call, table, record, &slug, &address);
            }
        }
    }

    /// Takes a request at a moment of the caller's clock.
    pub fn handle(&mut self, now: Timestamp, request: &Request<Bytes>) -> Outcome {
        let moment = self.moment(now);
        self.advance_to(moment);
        let path = request.uri().path();
        if path == side_door::PREFIX || path.starts_with(side_door::PREFIX_SLASH) {
            let reply = side_door::serve(self, now, request);
            return answer(reply, true, Duration::ZERO);
        }
        let route = RouteKind::of(request.method(), Path::parse(path).as_ref());
        let target = request.uri().path_and_query().map_or(path, |target| target.as_str());
        let mut entry = request_log::entry(moment, request.method().as_str(), target, route);
        entry.items = items_of(route, request.body());
        entry.body =
            self.log.keeps_bodies.then(|| String::from_utf8_lossy(request.body()).into_owned());
        let changes = self.world.changes;
        let mut outcome = self.decide(now, moment, route, request, &mut entry);
        entry.status = match &outcome {
            Outcome::Answer { response, .. } | Outcome::Truncated { response, .. } => {
                response.status().as_u16()
            }
            Outcome::Reset { .. } | Outcome::Never | Outcome::Held { .. } => 0,
        };
        if entry.effect == Effect::None && self.world.changes != changes {
            entry.effect = Effect::Applied;
        }
        let is_pending = entry.effect == Effect::Pending;
        let number = self.log.add(entry);
        if is_pending && let Some(late) = self.late.get_mut(&self.tickets) {
            late.log_number = number;
        }
        if let Outcome::Answer { response, .. } | Outcome::Truncated { response, .. } = &mut outcome
            && request.method() == http::Method::HEAD
        {
            *response.body_mut() = Bytes::new();
        }
        outcome
    }

    fn decide(
        &mut self,
        now: Timestamp,
        moment: Moment,
        route: RouteKind,
        request: &Request<Bytes>,
        entry: &mut LogEntry,
    ) -> Outcome {
        let path = request.uri().path();
        let is_rpc = path.starts_with(WEBHOOKS);
        if !is_rpc && !path.starts_with(REST) {
            return self.answer(html_page(StatusCode::NOT_FOUND, "Not Found"));
        }
        let accepted = auth::actor(&self.world, &self.profile, request.headers(), is_rpc);
        let (actor, token) = match accepted {
            Ok(accepted) => accepted,
            Err(refusal) => return self.answer(refusal),
        };
        entry.key.clone_from(&token);
        let bucket = limits::bucket_name(&self.profile, &actor, &token, is_rpc);
        if let Some(refusal) = self.over_limits(moment, &actor, bucket.clone(), is_rpc) {
            return self.answer(refusal);
        }
        let fault = self.faults.strike(&mut self.dice, request, route);
        if let Some(fault) = fault {
            entry.fault = Some(fault.label());
            return self.struck(now, moment, &fault, actor, bucket, request, entry);
        }
        let reply = self.execute(moment, &actor, request);
        self.answer(reply)
    }

    /// The refusal of a call beyond the rate or the month's quota.
    fn over_limits(
        &mut self,
        moment: Moment,
        actor: &Actor,
        bucket: String,
        is_rpc: bool,
    ) -> Option<Reply> {
        let account = self.world.accounts.get_mut(&actor.account)?;
        let standing = quota::count(account, &self.profile, moment);
        let calls = account.calls.get(&moment.month()).copied().unwrap_or(0);
        self.journal.add(|| Entry::Calls {
            account: actor.account.clone(),
            month: moment.month(),
            calls,
        });
        let limit = self.profile.rate_limit;
        let allowed = match standing {
            Standing::Stopped => return Some(quota::stopped(&self.profile, is_rpc)),
            Standing::Full => limit,
            Standing::Throttled => {
                let throttled = self.profile.quota_throttle_per_second;
                Some(limit.map_or(throttled, |limit| limit.min(throttled)))
            }
        };
        let admitted = self.limiter.admits(&self.profile, &mut self.dice, bucket, allowed, moment);
        (!admitted).then(|| limits::too_many(&self.profile, is_rpc))
    }

    /// Lets a request take effect and says what the service would answer.
    fn execute(&mut self, moment: Moment, actor: &Actor, request: &Request<Bytes>) -> Reply {
        self.world.now = moment;
        self.world.keeps_before = self.profile.list_lag_ms > 0;
        let (dice, changes) = (self.world.dice, self.world.changes);
        let reply = serve(&mut self.world, &self.profile, moment, actor, request);
        if self.world.changes != changes {
            self.journal.add(|| Entry::Call {
                at: moment,
                dice,
                actor: actor.clone(),
                request: StoredRequest::of(request),
            });
        }
        reply
    }

    /// What a request that would have no effect is answered.
    fn rehearse(&self, moment: Moment, actor: &Actor, request: &Request<Bytes>) -> Reply {
        let mut stage = self.world.clone();
        stage.now = moment;
        serve(&mut stage, &self.profile, moment, actor, request)
    }

    #[expect(clippy::too_many_arguments, reason = "a fault needs all that a call is made of")]
    fn struck(
        &mut self,
        now: Timestamp,
        moment: Moment,
        fault: &Fault,
        actor: Actor,
        bucket: String,
        request: &Request<Bytes>,
        entry: &mut LogEntry,
    ) -> Outcome {
        let is_before = fault.when == When::Before;
        // What the service itself would say, with or without the effect.
        let reply = |emulator: &mut Self| {
            if is_before {
                emulator.rehearse(moment, &actor, request)
            } else {
                emulator.execute(moment, &actor, request)
            }
        };
        match fault.fault {
            FaultKind::DelayMs(ms) if is_before => {
                let after = Duration::from_millis(ms);
                let ticket = self.postpone(moment, after, actor, request, true, entry);
                let until = now.checked_add(after).unwrap_or(Timestamp::MAX);
                Outcome::Held { until, ticket }
            }
            FaultKind::DelayMs(ms) => {
                let reply = reply(self);
                answer(reply, self.profile.emulator_header, Duration::from_millis(ms))
            }
            FaultKind::Late { ms, end } => {
                self.postpone(moment, Duration::from_millis(ms), actor, request, false, entry);
                match end {
                    LateEnd::Reset => Outcome::Reset { after: Duration::ZERO },
                    LateEnd::Never => Outcome::Never,
                    LateEnd::GatewayTimeout => self.answer(gateway(504)),
                }
            }
            FaultKind::Truncate(bytes) => {
                let response = reply(self).into_response(self.profile.emulator_header);
                Outcome::Truncated { after: Duration::ZERO, response, bytes }
            }
            FaultKind::ShortAnswer(left_out) => {
                let short = shortened(reply(self), left_out);
                self.answer(short)
            }
            FaultKind::DuplicatePings(more) => {
                let reply = self.execute(moment, &actor, request);
                ping::repeat(&mut self.world, more);
                self.answer(reply)
            }
            FaultKind::Status(status) => {
                self.take_effect_unless(is_before, moment, &actor, request);
                self.answer(gateway(status))
            }
            FaultKind::Challenge(status) => {
                self.take_effect_unless(is_before, moment, &actor, request);
                self.answer(challenge(status))
            }
            FaultKind::Reset => {
                self.take_effect_unless(is_before, moment, &actor, request);
                Outcome::Reset { after: Duration::ZERO }
            }
            FaultKind::Never => {
                self.take_effect_unless(is_before, moment, &actor, request);
                Outcome::Never
            }
            FaultKind::RateLimit => {
                self.take_effect_unless(is_before, moment, &actor, request);
                if self.profile.rate_limit.is_some() {
                    self.limiter.lock(&self.profile, bucket, moment);
                }
                let is_rpc = request.uri().path().starts_with(WEBHOOKS);
                self.answer(limits::too_many(&self.profile, is_rpc))
            }
        }
    }

    fn take_effect_unless(
        &mut self,
        is_before: bool,
        moment: Moment,
        actor: &Actor,
        request: &Request<Bytes>,
    ) {
        if !is_before {
            self.execute(moment, actor, request);
        }
    }

    fn postpone(
        &mut self,
        moment: Moment,
        after: Duration,
        actor: Actor,
        request: &Request<Bytes>,
        is_awaited: bool,
        entry: &mut LogEntry,
    ) -> u64 {
        let millis = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        self.tickets += 1;
        let late = Late {
            at: moment.plus_millis(millis),
            actor,
            request: request.clone(),
            is_awaited,
            log_number: 0,
        };
        self.late.insert(self.tickets, late);
        entry.effect = Effect::Pending;
        self.tickets
    }

    /// What became of a held request; still held if its time has not come.
    pub fn collect(&mut self, now: Timestamp, ticket: u64) -> Outcome {
        let moment = self.moment(now);
        self.advance_to(moment);
        if let Some(reply) = self.answers.remove(&ticket) {
            return self.answer(reply);
        }
        match self.late.get(&ticket) {
            Some(late) => {
                let wait = late.at.micros_since(moment).max(0);
                let wait = Duration::from_micros(u64::try_from(wait).unwrap_or(0));
                let until = now.checked_add(wait).unwrap_or(Timestamp::MAX);
                Outcome::Held { until, ticket }
            }
            None => Outcome::Never,
        }
    }

    /// When something next happens by itself, on the caller's clock: a notification to send.
    pub fn next_ping(&self) -> Option<Timestamp> {
        ping::next_due(&self.world)
            .map(|due| due.plus_micros(self.ahead.saturating_neg()).timestamp())
    }

    /// The notifications to send now; tell what became of each by [`Emulator::ping_settled`].
    pub fn take_pings(&mut self, now: Timestamp) -> Vec<PingOut> {
        let moment = self.moment(now);
        self.advance_to(moment);
        ping::take_due(&mut self.world, moment)
    }

    /// Notes whether a notification was answered with a 2xx within ten seconds.
    pub fn ping_settled(&mut self, now: Timestamp, ping: &PingOut, arrived: bool) {
        let moment = self.moment(now);
        ping::settle(&mut self.world, &ping.webhook_id, arrived, moment);
        let webhook = &ping.webhook_id;
        self.journal.add(|| Entry::Ping { at: moment, webhook: webhook.clone(), arrived });
    }

    fn answer(&self, reply: Reply) -> Outcome {
        answer(reply, self.profile.emulator_header, Duration::ZERO)
    }
}

fn answer(reply: Reply, emulator_header: bool, after: Duration) -> Outcome {
    let response: Response<Bytes> = reply.into_response(emulator_header);
    Outcome::Answer { after, response }
}

/// Serves an accepted call.
fn serve(
    world: &mut World,
    profile: &Profile,
    now: Moment,
    actor: &Actor,
    request: &Request<Bytes>,
) -> Reply {
    let uri: &Uri = request.uri();
    let path = match dispatch::path(profile, uri) {
        Ok(path) => path,
        Err(refusal) => return refusal,
    };
    let is_upload = matches!(path, Path::RecordFiles(..));
    let most = profile.max_body_bytes.and_then(|most| usize::try_from(most).ok());
    if !is_upload && most.is_some_and(|most| request.body().len() > most) {
        return detail(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large.");
    }
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let call = Call {
        profile,
        actor,
        now,
        method: request.method(),
        query: Query::parse(uri.query().unwrap_or_default()),
        content_type: content_type.and_then(|value| value.to_str().ok()).unwrap_or_default(),
        body: request.body(),
    };
    dispatch::serve(world, &call, &path).unwrap_or_else(|refusal| refusal)
}

/// A page as a gateway sends it.
fn gateway(status: u16) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let reason = status.canonical_reason().unwrap_or("Error");
    html_page(status, &format!("{} {reason}", status.as_u16()))
}

/// The page that a content network puts before a suspected robot (section 1.6).
fn challenge(status: u16) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    html_page(status, "Just a moment...")
}

/// An answer that lacks its last items.
fn shortened(mut reply: Reply, left_out: usize) -> Reply {
    if let Body::Json(value) = &mut reply.body {
        let items = match value {
            serde_json::Value::Array(items) => Some(items),
            other => ["items", "successful_items", "records", "events"]
                .iter()
                .find(|key| other.get(**key).is_some_and(serde_json::Value::is_array))
                .and_then(|key| other.get_mut(*key))
                .and_then(serde_json::Value::as_array_mut),
        };
        if let Some(items) = items {
            items.truncate(items.len().saturating_sub(left_out));
        }
    }
    reply
}

/// How many items a bulk call sends, for the log.
fn items_of(route: RouteKind, body: &[u8]) -> Option<usize> {
    let is_bulk = matches!(
        route,
        RouteKind::BulkCreate
            | RouteKind::BulkUpdate
            | RouteKind::BulkReplace
            | RouteKind::BulkDelete
    );
    if !is_bulk {
        return None;
    }
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body.get("items")?.as_array().map(Vec::len)
}
