//! Delivery: takes keys with nothing in flight, fills calls of 25, passes the gate, marks, sends, settles.
//!
//! A plain loop around pure deciders: the state chooses entries ([`sync_core::delivery`]), [`landing`] reads answers,
//! [`sync_core::doubt`] judges creates of unknown fate, [`sync_core::breaker`] says when to stop.

mod checking;
mod landing;
mod lookup;
mod matching;
mod scan;
mod second_look;
mod sending;
mod setback;
mod turn;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sync_core::{
    breaker::Breaker,
    config::model::OnMissing,
    deletes::{Going, GonePolicy},
    delivery::Operation,
    error::CallError,
    key::Key,
    mapping::Archive,
    matching::MatchFields,
    mutation::{self, Mutation},
    port::{BULK_MAX, RecordShape, RecordTarget},
    record::RecordId,
    silence::Silence,
    slug::Slug,
    state::{
        Books, Call, CallEntry, Creates, Dispatch, DispatchRequest, EntryId, Fault, Outcome,
        Settlement, StateError, Stop, Writer,
    },
};
use tokio::task::JoinSet;

use self::{
    landing::{Answer, Landing, Reading, land},
    sending::send,
};
pub(crate) use self::{lookup::IDS_MAX, turn::Turn};
use crate::{
    calls::Calls,
    capture::{QUARANTINE_MAX, quarantine_full},
    event::Event,
    run::Trouble,
};

/// Calls of one sync under way at once: a bulk call takes up to a second, and four leave each second.
const IN_FLIGHT_MAX: usize = 4;
/// Bytes of drafts in one call. The service documents no limit; one megabyte is the usual one of a web server, and
/// what a draft becomes on the wire is little longer, rich text of many short lines apart.
const CALL_BYTES_MAX: usize = 600_000;
/// Failures in a row that are not about rows, after which the run ends and leaves the rest to the next one.
const FAILURES_MAX: u32 = 4;
/// How long a run waits for entries whose time will come: a create in doubt needs 90 s.
const PATIENCE: Duration = Duration::from_mins(4);

/// How long a field that was seen empty is taken to be empty still: then its record is looked at anew.
const EMPTY_WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// What delivery needs to know of its sync.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) calls: Calls,
    pub(crate) target: Arc<dyn RecordTarget>,
    pub(crate) shape: Arc<RecordShape>,
    pub(crate) writer: Writer,
    pub(crate) key_prefix: String,
    pub(crate) on_missing: OnMissing,
    pub(crate) dedicated_member: bool,
    /// What becomes of records whose rows are gone.
    pub(crate) gone: GonePolicy,
    /// How many may go by a person's yes.
    pub(crate) allow_deletes: Option<u64>,
    /// How they are archived, where that is the policy.
    pub(crate) archive: Option<Arc<Archive>>,
    /// The fields by which rows take over records that carry no key.
    pub(crate) match_on: Option<Arc<MatchFields>>,
    /// Whether no record is made, but those that are there changed, which other syncs may share.
    pub(crate) only_updates: bool,
    /// Whether the table is only looked at, though nothing waits to be created.
    pub(crate) audits: bool,
}

/// How delivery ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Nothing may be sent now.
    Idle,
    /// Somebody asked to stop.
    Cancelled,
    /// The breaker or a refusal about table or account stopped the sync.
    Stopped(Stop),
    /// The service cannot be worked with at this moment.
    Failed(CallError),
    /// The table is not what the mapping was made for.
    StructureChanged,
    /// Whoever oversees the run did not let a call leave.
    NotPlanned,
    /// The month's calls are to last: what waits is left to a later run.
    Deferred(Trouble),
}

/// One delivery, from first call to last.
pub(crate) struct Delivery<'a> {
    route: &'a Route,
    turn: &'a Turn,
    flights: JoinSet<Flight>,
    breaker: Breaker,
    /// The same for rows that were refused earlier: what they suffer from says nothing of healthy ones.
    retries: Breaker,
    /// Writing calls that nobody answers.
    silence: Silence,
    /// It was said that rows go one by one.
    told_one_by_one: bool,
    books: Books,
    /// Entries still to be settled.
    waiting: u64,
    failures_in_a_row: u32,
    /// Whether what the table holds was considered before this delivery's first write.
    prepared: bool,
    /// Whether creates may be sent: the audit of this process was made.
    audited: bool,
    structure_checked: bool,
    /// Whether the records that look-ups would be proved by were found to be gone.
    controls_gone: bool,
    /// Bytes of drafts in one call: less than usual once a call was too large.
    bytes_max: usize,
    /// Fields that the service keeps otherwise than they were sent, with the number of records.
    kept_otherwise: BTreeMap<Slug, u64>,
    /// Entries that are sent once more, with fields of their records that were seen empty, and when that was.
    fills: BTreeMap<EntryId, (Vec<Slug>, Timestamp)>,
    /// Linked records that were seen to be archived.
    archived: Vec<(Key, RecordId)>,
    /// Records of the last look-up that do not hold what archives one.
    unmarked: Vec<RecordId>,
    /// Records of this run that had gone with their rows before this delivery.
    gone: u64,
    /// Records that wait for a yes before they go.
    held: Option<Going>,
    ended: Option<Ended>,
    /// Why no record is created, while that is so.
    creates_held: Option<Stop>,
    /// What waits is more than the month's calls allow.
    too_much: Option<Trouble>,
}

/// A call that is back.
struct Flight {
    call: Call,
    /// Fields that are filled, as they were seen empty.
    filled: BTreeMap<EntryId, Vec<Slug>>,
    left_at: Timestamp,
    answer: Result<Answer, StateError>,
}

/// What a delivery came to.
pub(crate) struct Delivered {
    pub(crate) ended: Ended,
    pub(crate) books: Books,
    /// Whether the table was audited.
    pub(crate) audited: bool,
    /// Records that wait for a yes before they go.
    pub(crate) held: Option<Going>,
}

/// Sends what waits until nothing may be sent now. `gone`: records of this run that went with their rows already.
pub(crate) async fn deliver(
    route: &Route,
    audited: bool,
    gone: u64,
    turn: &Turn,
) -> Result<Delivered, StateError> {
    let (writer, policy, allowed) = (route.writer, route.gone, route.allow_deletes);
    let (key_digest, now) = (Arc::clone(&route.calls.key_digest), route.calls.clock.now());
    let guarded = route.calls.state.run(move |state| {
        let (going, holds) = state.guard_deletes(&writer, policy, gone, allowed)?;
        let stop = state.stop(&writer)?.filter(|stop| stop.only_creates);
        if stop.as_ref().is_some_and(|stop| !stop.holds_for(&key_digest, now)) {
            // A stream that is followed for good has no next run that would find it run out.
            state.set_stop(&writer, None)?;
        }
        let stop = stop.filter(|stop| stop.holds_for(&key_digest, now));
        let held_creates = if stop.is_some() { state.held_creates(&writer)? } else { 0 };
        Ok((state.backlog(&writer)?.0, held_creates, holds.then_some(going), stop))
    });
    let (waiting, held_creates, held, creates_held) = guarded.await?;
    let mut delivery = Delivery {
        route,
        turn,
        flights: JoinSet::new(),
        breaker: Breaker::default(),
        retries: Breaker::default(),
        silence: Silence::default(),
        told_one_by_one: false,
        books: Books::default(),
        waiting,
        failures_in_a_row: 0,
        prepared: false,
        audited,
        structure_checked: false,
        controls_gone: false,
        bytes_max: CALL_BYTES_MAX,
        kept_otherwise: BTreeMap::new(),
        fills: BTreeMap::new(),
        archived: Vec::new(),
        unmarked: Vec::new(),
        gone,
        held,
        ended: None,
        creates_held,
        too_much: None,
    };
    // What is held costs no call.
    let to_send = waiting.saturating_sub(held_creates);
    if to_send > 0 {
        delivery.too_much = route.calls.may_spend(Some(to_send)).err();
    }
    let ended = delivery.run().await?;
    delivery.tell_kept_otherwise();
    let Delivery { books, audited, held, .. } = delivery;
    Ok(Delivered { ended, books, audited, held })
}

impl Delivery<'_> {
    async fn run(&mut self) -> Result<Ended, StateError> {
        if self.waiting > 0 || self.route.audits {
            self.wait_for_older_calls().await?;
        }
        loop {
            while let Some(flight) = self.flights.try_join_next() {
                self.settle_flight(flight).await?;
            }
            if self.turn.over.is_cancelled() {
                self.ended.get_or_insert(Ended::Cancelled);
            }
            if let Some(ended) = self.ended.take() {
                // Calls in flight finish and are settled; nothing new leaves.
                while let Some(flight) = self.flights.join_next().await {
                    self.settle_flight(flight).await?;
                }
                return Ok(ended);
            }
            // What falls due between the two is neither done nor waited for, if each asks for the time.
            let now = self.now();
            if !self.step(now).await? && !self.wait(now).await? && !self.lets_go().await? {
                // What waits is at least what may not be created.
                let held = self.creates_held.as_ref().filter(|_| self.waiting > 0);
                return Ok(held.map_or(Ended::Idle, |stop| Ended::Deferred(Trouble::from(stop))));
            }
        }
    }

    /// Counts anew what is held back, when nothing else is left to do: what was in doubt is known by now. Answers whether
    /// it may go after all.
    async fn lets_go(&mut self) -> Result<bool, StateError> {
        if self.held.is_none() {
            return Ok(false);
        }
        let Route { writer, gone: policy, allow_deletes: allowed, .. } = *self.route;
        let done = self.gone + self.books.deleted + self.books.archived;
        let (going, holds) =
            self.state(move |state| state.guard_deletes(&writer, policy, done, allowed)).await?;
        self.held = holds.then_some(going);
        Ok(!holds)
    }

    /// Does one thing that can be done at this time; answers whether there was one.
    async fn step(&mut self, now: Timestamp) -> Result<bool, StateError> {
        let writer = self.route.writer;
        self.route.calls.heartbeat(writer).await?;
        let (doubts, next_look) =
            self.state(move |state| state.doubts(&writer, now, IDS_MAX)).await?;
        if !doubts.is_empty() {
            self.turn.begin();
            self.look_up(doubts).await?;
            return Ok(true);
        }
        let looks = self.state(move |state| state.second_looks(&writer, now, IDS_MAX)).await?;
        if !looks.is_empty() && !self.may_soon_be_known(now).await? {
            self.turn.begin();
            self.look_once_more(looks).await?;
            return Ok(true);
        }
        if self.route.audits {
            self.prepared = true;
            self.prepare().await?;
            // What waits leaves when the sweep that this is made for, and the keys that are to be read, have had their say.
            self.ended.get_or_insert(Ended::Idle);
            return Ok(true);
        }
        let request = self.request(now);
        let ready = self.state(move |state| state.next_ready(&writer, &request)).await?;
        if request.tried_only && ready.is_none() && next_look.is_none() && self.flights.is_empty() {
            // What went unanswered was taken back or replaced: nothing is left to be wary of.
            self.silence = Silence::default();
            return Ok(true);
        }
        if self.flights.len() >= self.in_flight_max() || ready.is_none_or(|at| at > now) {
            return Ok(false);
        }
        if self.breaker.is_wary() && next_look.is_some() {
            return Ok(false);
        }
        let deferred = match self.too_much.take() {
            Some(trouble) => Err(trouble),
            None => self.route.calls.may_spend(None),
        };
        if let Err(trouble) = deferred {
            self.ended = Some(Ended::Deferred(trouble));
            return Ok(true);
        }
        if !self.prepared {
            self.prepared = true;
            self.prepare().await?;
            return Ok(true);
        }
        let Some(departure) = self.route.calls.pass(None).await? else { return Ok(true) };
        if !self.flights.is_empty() {
            // Answers that came while the gate was waited for may change what is next.
            let made = self.route.calls.made();
            while let Some(flight) = self.flights.try_join_next() {
                self.settle_flight(flight).await?;
            }
            // A departure that was kept waiting by calls about those answers has passed: the next one is taken.
            let has_passed =
                self.route.calls.made() > made && !mutation::is_on(Mutation::DepartureKept);
            if self.ended.is_some() || has_passed {
                return Ok(true);
            }
        }
        self.dispatch(departure).await
    }

    /// One call at a time until rows are accepted: a mistake that hits everything should cost few calls.
    fn in_flight_max(&self) -> usize {
        let any_accepted = self.breaker.any_accepted() || self.retries.any_accepted();
        if any_accepted { IN_FLIGHT_MAX } else { 1 }
    }

    /// The breaker that watches entries which were refused so often before.
    fn breaker_of(&mut self, refusals: u32) -> &mut Breaker {
        if refusals > 0 { &mut self.retries } else { &mut self.breaker }
    }

    /// What the next call may hold.
    fn request(&self, now: Timestamp) -> DispatchRequest {
        let is_alone = |creates| {
            self.silence.goes_one_by_one(creates) || mutation::is_on(Mutation::OneRowACall)
        };
        let most = |creates| if is_alone(creates) { 1 } else { BULK_MAX };
        DispatchRequest {
            now,
            entries_max: most(false),
            creates_max: most(true),
            bytes_max: self.bytes_max,
            creates: self.creates(),
            fresh_first: self.breaker.wants_fresh(),
            tried_only: self.silence.is_wary(),
            gone: self.route.gone,
        }
    }

    /// Lets the next call leave, for which this departure was kept.
    async fn dispatch(&mut self, departure: Timestamp) -> Result<bool, StateError> {
        let (writer, now) = (self.route.writer, self.now());
        let request = self.request(now);
        let (dispatch, books) = self.state(move |state| state.dispatch(&writer, &request)).await?;
        self.count(books);
        match dispatch {
            Dispatch::Send(call) if self.route.calls.may_leave(&call) => {
                let is_kept = mutation::is_on(Mutation::DepartureKept);
                if self.route.calls.has_missed(departure) && !is_kept {
                    // Marking took its time. What is marked leaves, even if the end is asked for meanwhile.
                    self.route.calls.pass(None).await?;
                }
                self.fly(call);
                Ok(true)
            }
            Dispatch::Send(call) => {
                self.take_back(&call).await?;
                Ok(true)
            }
            Dispatch::AuditFirst => {
                self.prepared = false;
                Ok(true)
            }
            // The store gave others a turn and has more to look at.
            Dispatch::Nothing(at) => Ok(at.is_some_and(|at| at <= now)),
        }
    }

    fn creates(&self) -> Creates {
        if self.route.only_updates {
            Creates::Never
        } else if self.creates_held.is_some() {
            Creates::Held
        } else if self.audited {
            Creates::Audited
        } else {
            Creates::NotAudited
        }
    }

    /// The call does not leave: its entries are wishes again.
    async fn take_back(&mut self, call: &Call) -> Result<(), StateError> {
        let back = |entry: &CallEntry| Settlement { id: entry.id, outcome: self.back() };
        let settlements = call.entries.iter().map(back).collect();
        self.ended.get_or_insert(Ended::NotPlanned);
        self.settle(settlements).await
    }

    fn fly(&mut self, call: Call) {
        let (route, left_at) = (self.route.clone(), self.now());
        let filled = self.take_fills(&call);
        self.turn.begin();
        self.flights.spawn(async move {
            let answer = send(&route, &call, &filled).await;
            Flight { call, filled, left_at, answer }
        });
    }

    /// What is filled with this call. What was seen empty too long ago is only looked at again: somebody may have
    /// written there.
    fn take_fills(&mut self, call: &Call) -> BTreeMap<EntryId, Vec<Slug>> {
        let now = self.now();
        let entries = call.entries.iter().filter_map(|entry| self.fills.remove_entry(&entry.id));
        let fresh = entries.filter(|(_, (_, seen))| now.duration_since(*seen) <= EMPTY_WITHIN);
        fresh.map(|(id, (slugs, _))| (id, slugs)).collect()
    }

    /// Waits until something may have changed since this time; answers `false` when nothing will by itself, within patience.
    async fn wait(&mut self, now: Timestamp) -> Result<bool, StateError> {
        let writer = self.route.writer;
        let request = self.request(now);
        let (next_look, next_ready) = self
            .state(move |state| {
                Ok((state.doubts(&writer, now, 1)?.1, state.next_ready(&writer, &request)?))
            })
            .await?;
        // An entry that is ready and was not sent waits for its key's entry in flight or in doubt.
        let next = [next_look, next_ready.filter(|at| *at > now)].into_iter().flatten().min();
        let wait =
            next.map(|at| Duration::try_from(at.duration_since(self.now())).unwrap_or_default());
        let over = self.turn.over.clone();
        self.turn.begin();
        if self.flights.is_empty() {
            let Some(wait) = wait.filter(|wait| *wait <= PATIENCE) else { return Ok(false) };
            tokio::select! {
                biased;
                () = over.cancelled() => {}
                () = self.route.calls.clock.sleep(wait) => {}
            }
            return Ok(true);
        }
        let alarm = self.route.calls.clock.sleep(wait.unwrap_or(PATIENCE));
        tokio::select! {
            biased;
            () = over.cancelled() => {
                self.ended.get_or_insert(Ended::Cancelled);
            }
            Some(flight) = self.flights.join_next() => self.settle_flight(flight).await?,
            () = alarm => {}
        }
        Ok(true)
    }

    async fn settle_flight(
        &mut self,
        flight: Result<Flight, tokio::task::JoinError>,
    ) -> Result<(), StateError> {
        let flight = flight
            .map_err(|_| StateError::Other("a call's task ended without an answer".into()))?;
        let Flight { call, filled, left_at, answer } = flight;
        let now = self.now();
        let may_split = self.may_split(&call).await?;
        let shape = &self.route.shape;
        let reading = Reading {
            call: &call,
            filled: &filled,
            shape,
            left_at,
            now,
            may_split,
            any_answered: self.silence.any_answered(),
        };
        let landing = land(&reading, answer?);
        self.note(&call, &landing).await?;
        let some_gone = landing.some_gone;
        let Landing { mut settlements, unnamed, undeleted, fills, .. } = landing;
        self.fills.extend(fills.into_iter().map(|(id, slugs)| (id, (slugs, now))));
        if some_gone {
            let gone = self.outcomes_of_gone(call.entries).await?;
            settlements.retain(|one| gone.iter().all(|settlement| settlement.id != one.id));
            settlements.extend(gone);
        }
        for (entry, fault) in unnamed {
            let outcome = self.outcome_of_unnamed(&entry, fault).await?;
            if outcome == Outcome::Deleted {
                self.breaker_of(entry.refusals).accepted([entry.id]);
            }
            settlements.push(Settlement { id: entry.id, outcome });
        }
        if !undeleted.is_empty() {
            settlements.extend(self.outcomes_of_undeleted(undeleted).await?);
        }
        self.settle(settlements).await
    }

    /// Whether this call may be split if it goes unanswered once more: while nothing of this delivery is answered, one
    /// call at a time, so that an outage splits little.
    async fn may_split(&self, call: &Call) -> Result<bool, StateError> {
        if self.silence.any_answered() || call.suspects.is_some() {
            return Ok(true);
        }
        let writer = self.route.writer;
        Ok(!self.state(move |state| state.is_split(&writer)).await?)
    }

    fn tell_one_by_one(&mut self, creates: bool) {
        if self.silence.goes_one_by_one(creates) && !self.told_one_by_one {
            self.told_one_by_one = true;
            let text = "SmartSuite does not answer calls of several rows, but those of one: rows are sent one by one, \
                        which takes up to 25 times as many calls";
            self.route.calls.observe(&Event::Note { text: text.to_owned() });
        }
    }

    /// Draws the conclusions of an answer that reach beyond its rows.
    async fn note(&mut self, call: &Call, landing: &Landing) -> Result<(), StateError> {
        if let (Some(member), true) = (landing.member.clone(), call.operation == Operation::Create)
        {
            let writer = self.route.writer;
            self.state(move |state| {
                if state.own_member(&writer)?.as_deref() == Some(&member) {
                    return Ok(());
                }
                state.set_own_member(&writer, &member)
            })
            .await?;
        }
        // A call holds only entries that were refused before, or none.
        let breaker = self.breaker_of(call.entries.first().map_or(0, |entry| entry.refusals));
        breaker.accepted(landing.accepted.iter().copied());
        if landing.split {
            breaker.call_refused(call.entries.iter().map(|entry| entry.id));
        }
        for (entry, code) in &landing.blamed {
            breaker.row_refused(*entry, code);
        }
        let carries_drafts = matches!(call.operation, Operation::Create | Operation::Update);
        if landing.too_large && carries_drafts && call.entries.len() > 1 {
            // No other call should be as large.
            self.bytes_max = self.bytes_max.min(draft_bytes(call) / 2);
        }
        for fault in &landing.refused {
            self.tell_refused(fault);
        }
        for (slug, records) in &landing.kept_otherwise {
            *self.kept_otherwise.entry(slug.clone()).or_default() += records;
        }
        if landing.names_field {
            self.check_structure().await?;
        }
        if landing.shows_nothing {
            self.check_old_structure().await?;
        }
        let creates = call.operation == Operation::Create;
        match &landing.failure {
            None => {
                self.failures_in_a_row = 0;
                self.silence.answered(creates, call.entries.len());
            }
            Some(error) if error.kind.may_lie_in_the_call() => {
                self.silence.unanswered(creates, call.entries.len());
                if self.silence.is_outage() {
                    self.ended.get_or_insert(Ended::Failed(error.clone()));
                }
            }
            Some(error) if creates && error.kind.is_about_adding() => {
                self.hold_creates(error).await?;
            }
            Some(error) => self.failed(error).await?,
        }
        self.tell_one_by_one(creates);
        let in_doubt = landing
            .settlements
            .iter()
            .filter(|settled| matches!(settled.outcome, Outcome::InDoubt { .. }));
        match in_doubt.count() {
            0 => {}
            entries => self.route.calls.observe(&Event::InDoubt { entries }),
        }
        Ok(())
    }

    fn tell_refused(&self, fault: &Fault) {
        let slug = fault.slug.as_ref().map(ToString::to_string);
        self.route.calls.observe(&Event::RowRefused { code: fault.code.clone(), slug });
    }

    fn back(&self) -> Outcome {
        Outcome::Back { group: None, not_before: self.now() }
    }

    /// Stores settlements and stops the sync if the breaker says so.
    async fn settle(&mut self, settlements: Vec<Settlement>) -> Result<(), StateError> {
        let (writer, now) = (self.route.writer, self.now());
        let (books, quarantined) = self
            .state(move |state| {
                let books = state.settle(&writer, &settlements, now)?;
                let quarantined =
                    if books.quarantined > 0 { state.quarantined(&writer)? } else { 0 };
                Ok((books, quarantined))
            })
            .await?;
        self.count(books);
        // Where a whole call of them is refused as before, it is not split to its end; after two, none is tried more.
        let all = self.retries.tripped().is_some();
        if all || self.retries.wants_fresh() {
            let books = self.state(move |state| state.put_off_retries(&writer, now, all)).await?;
            self.count(books);
        }
        if quarantined >= QUARANTINE_MAX && self.ended.is_none() {
            self.stop(quarantine_full()).await?;
        }
        if let (Some(code), None) = (self.breaker.tripped().map(str::to_owned), &self.ended) {
            self.stop(Stop {
                code,
                message: "SmartSuite refuses rows of whole batches with the same complaint".into(),
                remedy: "see `status` for what it says, mend the mapping or the table, then `run --retry`".into(),
                key: None,
                until: None,
                only_creates: false,
            })
            .await?;
        }
        Ok(())
    }

    fn tell_kept_otherwise(&self) {
        for (slug, records) in &self.kept_otherwise {
            let label = self.route.shape.field(slug).map_or("", |field| field.label.as_str());
            let text = format!(
                "SmartSuite keeps another value in field `{label}` (`{slug}`) than it was sent, in {records} of the \
                 records written: check the field's limits"
            );
            self.route.calls.observe(&Event::Note { text });
        }
    }

    fn count(&mut self, books: Books) {
        if books != Books::default() {
            self.books += books;
            self.waiting = self.waiting.saturating_sub(books.left());
            self.route.calls.observe(&Event::Settled { books, waiting: self.waiting });
        }
    }

    fn now(&self) -> Timestamp {
        self.route.calls.clock.now()
    }

    async fn state<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn sync_core::state::StateStore) -> Result<T, StateError>
        + Send
        + 'static,
    ) -> Result<T, StateError> {
        self.route.calls.state.run(job).await
    }
}

/// The bytes of a call's drafts, as the state counts them.
fn draft_bytes(call: &Call) -> usize {
    let bytes =
        |entry: &CallEntry| serde_json::to_string(&entry.fields).map_or(0, |text| text.len());
    call.entries.iter().map(bytes).sum()
}
