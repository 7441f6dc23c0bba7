//! The one reader of a server's log, for all syncs of this process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sync_core::{
    error::{SourceError, SourceErrorKind, SourcePart},
    port::Clock,
    sql::SqlTemplate,
};
use tokio::{sync::Notify, task::AbortHandle, time::timeout};

use super::{
    audience::Audience,
    changes::MysqlChanges,
    decoder::{Decoder, Step, Unreadable},
    event::Event,
    idle::Idle,
    log_failure::{LogFailure, SERVER_LACKS, begun_anew, position_lost},
    log_server::LogServer,
    position::Position,
    slot::{Moment, Slot},
    stream::{LogStream, Reader},
    watch::{Follower, Watched},
    watchlist::{RelatedTable, Watchlist},
};
use crate::{explainer::Explainer, options::ConnectOptions, session::Session, source::MysqlSource};

/// Between two tries to connect: at first, and at most.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// Tries after which a server that is behind what was read counts as one that lost it.
const BEHIND_TRIES: u32 = 8;
/// Tries in a row, about two minutes, after which those are told who wait for the first end of the log: a run that
/// only catches up must end. Who has caught up once waits for ever.
const CATCH_UP_TRIES: u32 = 8;
/// Tries in a row after which everybody is told that the log cannot be read on: each time the server sent something of
/// it, and each time the reading ended before the next transaction did.
const STUCK_TRIES: u32 = 8;
/// How often a table is sought that is not there after it was defined anew, and how long between.
const LEARN_TRIES: u32 = 10;
const LEARN_PAUSE: Duration = Duration::from_millis(300);
/// Positions are passed on at least every so many transactions.
const TRANSACTIONS_MAX: u32 = 1_000;

/// How a log is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The number under which the server knows the reader: unique among all who read its log, and the same after a
    /// restart. Where it is taken, the next one is tried.
    pub server_id: u32,
    /// How often the server shall say that it lives; three times as long a silence counts as the loss of the
    /// connection.
    pub heartbeat: Duration,
    /// How long changes are gathered before they are handed out.
    pub gather: Duration,
    /// How long to wait, besides, where nothing can be asked about what a snapshot shows.
    pub linger: Duration,
}

impl LogSettings {
    /// With every usual length.
    pub fn new(server_id: u32) -> Self {
        Self {
            server_id,
            heartbeat: Duration::from_secs(10),
            gather: Duration::from_millis(200),
            linger: Duration::from_millis(500),
        }
    }
}

/// Reads one server's log over one connection, for as many syncs as want. The connection is made when the first comes
/// and closed when the last has gone.
#[derive(Clone, Debug)]
pub struct ChangeHub(pub(crate) Arc<Shared>);

/// What the reader and its followers share.
pub(crate) struct Shared {
    pub(crate) options: ConnectOptions,
    pub(crate) explainer: Arc<Explainer>,
    pub(crate) settings: LogSettings,
    pub(crate) clock: Arc<dyn Clock>,
    seats: Mutex<Seats>,
    /// Somebody came or went.
    pub(super) changed: Notify,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Seats {
    by_follower: BTreeMap<Follower, Seat>,
    next: u64,
    /// Raised with every coming and going.
    version: u64,
    reader: Option<AbortHandle>,
}

/// One follower.
#[derive(Clone)]
pub(crate) struct Seat {
    pub(crate) source: Arc<MysqlSource>,
    pub(crate) related: Arc<[RelatedTable]>,
    pub(crate) watched: Vec<Watched>,
    /// Up to here everything is in the slot, or was.
    pub(crate) position: Position,
    pub(crate) slot: Arc<Slot>,
}

impl ChangeHub {
    /// A hub that has not connected yet.
    pub fn new(options: ConnectOptions, settings: LogSettings, clock: Arc<dyn Clock>) -> Self {
        // The hub sends no query of a user's, so none may be quoted.
        let template = SqlTemplate::default();
        let explainer = Explainer::new(&options, template, 1, []);
        Self(Arc::new(Shared {
            options,
            explainer: Arc::new(explainer),
            settings,
            clock,
            seats: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    /// The changes of one sync's rows: of the table that its key comes from, and of `related` ones.
    pub fn changes(&self, source: Arc<MysqlSource>, related: Vec<RelatedTable>) -> MysqlChanges {
        MysqlChanges { hub: self.clone(), source, related: related.into() }
    }

    /// A number for the next follower.
    pub(crate) fn number(&self) -> Follower {
        let mut seats = self.0.seats();
        seats.next += 1;
        Follower(seats.next)
    }

    /// A follower comes.
    pub(crate) fn join(&self, follower: Follower, seat: Seat) {
        let mut seats = self.0.seats();
        seats.by_follower.insert(follower, seat);
        seats.version += 1;
        if seats.reader.as_ref().is_none_or(AbortHandle::is_finished) {
            // It ends when nobody follows any more.
            seats.reader = Some(tokio::spawn(read(Arc::clone(&self.0))).abort_handle());
        }
        drop(seats);
        self.0.changed.notify_one();
    }

    /// A follower goes.
    pub(crate) fn leave(&self, follower: Follower) {
        self.0.remove(follower);
    }
}

impl Shared {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody follows; the reader ends then, and the next to come starts another.
    fn is_deserted(&self) -> bool {
        let mut seats = self.seats();
        let is_deserted = seats.by_follower.is_empty();
        if is_deserted {
            seats.reader = None;
        }
        is_deserted
    }

    fn remove(&self, follower: Follower) {
        let mut seats = self.seats();
        if seats.by_follower.remove(&follower).is_some() {
            seats.version += 1;
        }
        drop(seats);
        self.changed.notify_one();
    }

    pub(super) fn fail(&self, follower: Follower, error: SourceError) {
        if let Some(seat) = self.seat(follower) {
            seat.slot.fail(error);
        }
        self.remove(follower);
    }

    fn fail_all(&self, error: &SourceError) {
        for (follower, _) in self.all() {
            self.fail(follower, error.clone());
        }
    }

    fn fail_those_behind(&self, error: &SourceError) {
        for (follower, seat) in self.all() {
            let is_behind = !seat.slot.lock().is_caught_up;
            if is_behind {
                self.fail(follower, error.clone());
            }
        }
    }

    pub(super) fn seat(&self, follower: Follower) -> Option<Seat> {
        self.seats().by_follower.get(&follower).cloned()
    }

    pub(super) fn version(&self) -> u64 {
        self.seats().version
    }

    pub(super) fn all(&self) -> Vec<(Follower, Seat)> {
        let seats = self.seats();
        seats.by_follower.iter().map(|(follower, seat)| (*follower, seat.clone())).collect()
    }

    fn watched(&self) -> Vec<Watched> {
        self.seats().by_follower.values().flat_map(|seat| seat.watched.clone()).collect()
    }

    pub(super) fn update(&self, follower: Follower, change: impl FnOnce(&mut Seat)) {
        if let Some(seat) = self.seats().by_follower.get_mut(&follower) {
            change(seat);
        }
    }

    fn note(&self, text: &str) {
        for (_, seat) in self.all() {
            seat.slot.note(text);
        }
    }
}

/// Reads until nobody follows any more. Lost connections are made again, for ever.
async fn read(shared: Arc<Shared>) {
    let mut tries = Tries::default();
    while !shared.is_deserted() {
        let Err(failure) = serve(&shared, &mut tries).await else { continue };
        match &failure {
            LogFailure::Lost(error) | LogFailure::Clash(error) => {
                if tries.failed == 0 {
                    shared.note(&format!("{}; connecting again", error.message));
                }
                if matches!(failure, LogFailure::Clash(_)) {
                    tries.clashes += 1;
                }
                let pause = PAUSE_FIRST * 2_u32.saturating_pow(tries.failed.min(10));
                tries.failed += 1;
                if tries.failed > CATCH_UP_TRIES {
                    shared.fail_those_behind(error);
                }
                if tries.stuck > STUCK_TRIES {
                    shared.fail_all(error);
                    tries.stuck = 0;
                }
                tokio::select! {
                    biased;
                    () = shared.changed.notified() => {}
                    () = shared.clock.sleep(pause.min(PAUSE_MAX)) => {}
                }
            }
            LogFailure::PositionLost(error) => {
                // The oldest position is the one that is lost; the others are tried again.
                for follower in oldest(&shared) {
                    shared.fail(follower, error.clone());
                }
            }
            LogFailure::Broken(error) => shared.fail_all(error),
        }
    }
}

/// What went wrong in a row.
#[derive(Debug, Default)]
struct Tries {
    failed: u32,
    /// Of them, those that came to the same event, as it seems.
    stuck: u32,
    behind: u32,
    clashes: u32,
}

impl Tries {
    /// The log was read on, or to its end.
    fn succeeded(&mut self) {
        self.failed = 0;
        self.stuck = 0;
    }
}

/// Followers that stand at the position from which all would be read, or anywhere that cannot be compared.
fn oldest(shared: &Shared) -> Vec<Follower> {
    let all = shared.all();
    let Some(start) = start(&all) else {
        return all.iter().map(|(follower, _)| *follower).collect();
    };
    let at_start = |seat: &Seat| start.covers(&seat.position) != Some(false);
    let found: Vec<Follower> =
        all.iter().filter(|(_, seat)| at_start(seat)).map(|(follower, _)| *follower).collect();
    if found.is_empty() { all.iter().map(|(follower, _)| *follower).collect() } else { found }
}

/// The newest position that nobody has passed.
fn start(seats: &[(Follower, Seat)]) -> Option<Position> {
    let mut positions = seats.iter().map(|(_, seat)| &seat.position);
    let first = positions.next()?.clone();
    positions.try_fold(first, |start, position| start.common(position))
}

/// Reads over one connection. `Ok`: begin again, as somebody came who stands further back, or all went.
async fn serve(shared: &Shared, tries: &mut Tries) -> Result<(), LogFailure> {
    let mut session = Session::open(&shared.options, &shared.explainer).await?;
    let server = LogServer::ask(&mut session).await?;
    server.check()?;
    for (follower, seat) in shared.all() {
        match unusable(&seat.position, &server) {
            Some(why) => shared.fail(follower, position_lost(why)),
            None => shared.update(follower, |seat| {
                seat.position = server.own(seat.position.clone());
            }),
        }
    }
    let mut version = shared.version();
    let Some(start) = start(&shared.all()) else { return Ok(()) };
    let start = server.own(start);
    let newest = server.newest(&mut session).await?;
    if newest.as_ref().and_then(|newest| newest.covers(&start)) == Some(false) {
        tries.behind += 1;
        if tries.behind > BEHIND_TRIES {
            tries.behind = 0;
            return Err(LogFailure::PositionLost(position_lost(SERVER_LACKS)));
        }
        return Err(LogFailure::Lost(behind()));
    }
    tries.behind = 0;
    let server_id = shared.settings.server_id.wrapping_add(tries.clashes).max(1);
    let reader = Reader {
        server_id,
        uuid: format!("00000000-0000-4000-8000-{server_id:012x}"),
        heartbeat: shared.settings.heartbeat,
    };
    let mut decoder = Decoder::new(start.clone(), shared.watched());
    let mut stream =
        LogStream::open(&shared.options, &shared.explainer, server.flavour, &reader, &start)
            .await?;
    let mut audience = Audience::of(shared, &start);
    let mut idle = None;
    let mut moved = 0;
    let mut is_open = false;
    let mut has_moved = false;
    // When the last transaction was made that was read.
    let mut as_of = None;
    loop {
        let moment = Moment { as_of, now: shared.clock.now() };
        if version != shared.version() && decoder.is_between() {
            version = shared.version();
            let all = shared.all();
            let is_behind = |seat: &Seat| {
                seat.position != *decoder.position()
                    && seat.position.covers(decoder.position()) != Some(true)
            };
            if all.is_empty() || all.iter().any(|(_, seat)| is_behind(seat)) {
                audience.reach(shared, decoder.position(), moment, false);
                return Ok(());
            }
            decoder.watch(shared.watched());
            audience = Audience::of(shared, decoder.position());
        }
        let event = match stream.ready() {
            Some(event) => event,
            None => {
                // Nothing is known of the log before the server has sent something of it.
                if is_open && decoder.is_between() {
                    audience.reach(shared, decoder.position(), moment, false);
                    moved = 0;
                }
                tokio::select! {
                    biased;
                    () = shared.changed.notified() => continue,
                    event = stream.next() => event,
                }
            }
        };
        if is_open && !has_moved && matches!(event, Err(LogFailure::Lost(_))) {
            tries.stuck += 1;
        }
        let event = event?;
        let end = event.header.end;
        is_open = true;
        let step = decoder
            .read(&Event { header: event.header, body: &event.body })
            .map_err(|error| LogFailure::PositionLost(unreadable(&error, decoder.position())))?;
        match step {
            Step::Within => {}
            Step::Idle => {
                // MySQL says so too while it passes over what is known already.
                let covers = |newest| decoder.position().covers(newest) != Some(false);
                if newest.as_ref().is_none_or(covers) {
                    has_moved = true;
                    tries.succeeded();
                }
                let asked = timeout(stream.patience(), server.newest(&mut session)).await;
                let Ok(asked) = asked else { return Err(LogFailure::Lost(stream.silence())) };
                let now = Idle { newest: asked?, end };
                if idle.is_some_and(|before| now.is_kept_from(&before, decoder.position())) {
                    return Err(LogFailure::Lost(kept()));
                }
                let is_end = now.is_end(decoder.position());
                idle = Some(now);
                if is_end {
                    let moment = Moment { as_of: Some(moment.now), ..moment };
                    audience.reach(shared, decoder.position(), moment, true);
                }
            }
            Step::Committed(committed) => {
                has_moved = true;
                idle = None;
                tries.succeeded();
                // Before anybody hears of it: whoever then reads finds the tables as they are.
                if committed.is_redefined {
                    let redefined: Vec<Follower> = committed.found.keys().copied().collect();
                    learn_again(shared, &mut session, &server, &redefined).await?;
                    decoder.watch(shared.watched());
                }
                as_of = committed.time().or(as_of);
                let moment = Moment { as_of, ..moment };
                audience.hand_out(shared, committed, decoder.position(), moment).await;
                moved += 1;
                if moved >= TRANSACTIONS_MAX {
                    moved = 0;
                    audience.reach(shared, decoder.position(), moment, false);
                }
            }
        }
    }
}

/// Why a position says nothing about a server.
fn unusable(position: &Position, server: &LogServer) -> Option<&'static str> {
    match (&position.gtids, server.has_gtids) {
        (Some(gtids), true) if gtids.is_of(server.flavour) => None,
        (Some(_), _) => {
            Some("the server names its transactions in another way than the one before")
        }
        (None, _) if position.server == server.identity => None,
        (None, _) => Some("the server is another one, and its transactions have no names"),
    }
}

/// The tables of these followers were defined anew. One that is not there may be so for a moment only: it is being
/// renamed in steps, or dropped and made anew.
async fn learn_again(
    shared: &Shared,
    session: &mut Session,
    server: &LogServer,
    followers: &[Follower],
) -> Result<(), LogFailure> {
    for (follower, seat) in shared.all() {
        if !followers.contains(&follower) {
            continue;
        }
        let mut tries = 0;
        loop {
            let learnt = Watchlist::learn(session, server, &seat.source, &seat.related, follower);
            match learnt.await {
                Ok(list) => shared.update(follower, |seat| seat.watched = list.watched),
                Err(error) if error.kind == SourceErrorKind::Sql && tries < LEARN_TRIES => {
                    tries += 1;
                    shared.clock.sleep(LEARN_PAUSE).await;
                    continue;
                }
                Err(error) => match LogFailure::from(error) {
                    lost @ LogFailure::Lost(_) => return Err(lost),
                    // The table is gone, or is no table that can be followed: its sync says so.
                    other => shared.fail(follower, other.error().clone()),
                },
            }
            break;
        }
    }
    Ok(())
}

fn behind() -> SourceError {
    SourceError {
        about: SourcePart::Whole,
        kind: SourceErrorKind::Interrupted,
        message: "the server is behind what was read before".to_owned(),
        remedy: "check that MYSQL_HOST leads to the server that is written to".to_owned(),
    }
}

fn kept() -> SourceError {
    SourceError {
        message: "the server does not send what is new in its binlog".to_owned(),
        ..behind()
    }
}

fn unreadable(error: &Unreadable, position: &Position) -> SourceError {
    if *error == Unreadable::BegunAnew {
        return begun_anew();
    }
    position_lost(&format!("{error} stands behind {}:{}", position.file, position.offset))
}
