//! The next call: which entries, by which operation; marked `sending` before anybody sends it.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};
use sync_core::{
    capture::Intention,
    deletes::GonePolicy,
    delivery::{Operation, Step, step},
    draft::{Fields, Fingerprint},
    key::Key,
    mutation::{self, Mutation},
    record::RecordId,
    state::{
        Books, Call, CallEntry, CallKind, Creates, Dispatch, DispatchRequest, EntryId, Writer,
    },
};

use crate::{
    calls,
    column::{KeyColumn, KeyParameter, RecordColumn, count, fingerprint, record_parameter, time},
    failure::Failure,
    filling,
    links::Links,
    older, recordless,
    settle::drop_link,
};

/// Entries looked at to fill one call. Of three operations, one has 25 entries among any 73.
const WINDOW: i64 = 100;
/// Entries settled without a call in one transaction.
const EQUAL_MAX: u64 = 10_000;
/// A create whose record was found missing is looked up this long after (`protocol.md` D7).
pub(crate) const SETTLING_MS: i64 = 2_000;

/// Leaves out the wishes for which a record would be made.
const NO_CREATES: &str =
    "AND (o.gone OR EXISTS (SELECT 1 FROM links AS h WHERE h.sync_id = o.sync_id
  AND h.destination_id = o.destination_id AND h.key = o.key AND h.standing <> 2))";
/// Leaves out what was not sent yet.
const TRIED: &str = "AND o.attempts > 0";
/// Leaves out gone rows that are to be read again: they may be back.
const UNQUESTIONED: &str = "AND NOT (o.gone AND EXISTS (SELECT 1 FROM dirty AS d WHERE d.sync_id = o.sync_id AND d.key = o.key))";

/// `links.standing` of a link whose row is gone and whose record stays: it is not ours to delete, or archived.
pub(crate) const KEPT: i64 = 1;
/// `outbox.operation` of an archiving after which the record is deleted.
pub(crate) const ARCHIVE_FIRST: &str = "archive_first";
/// `links.standing` of a link whose record is missing, and is left so by the policy.
pub(crate) const LEFT: i64 = 3;
/// `links.standing` of a link whose record is missing: look the id up before a create.
pub(crate) const MISSING: i64 = 2;

/// An entry whose turn it may be.
struct Candidate {
    seq: i64,
    key: Key,
    /// JSON; `None` for gone.
    fields: Option<String>,
    record: Option<RecordId>,
    attempts: u32,
    refusals: u32,
    suspects: Option<i64>,
    print: Option<Fingerprint>,
    /// Its link was kept though its row was gone.
    is_kept: bool,
    turn: Turn,
}

impl Candidate {
    fn bytes(&self) -> usize {
        self.fields.as_ref().map_or(1, String::len)
    }

    fn into_entry(
        self,
        tx: &Transaction<'_>,
        writer: &Writer,
        linked: &mut Links,
    ) -> Result<CallEntry, Failure> {
        Ok(CallEntry {
            id: EntryId(self.seq),
            links: linked.rows(tx, writer, &self.key)?,
            key: self.key,
            fields: match &self.fields {
                Some(text) => serde_json::from_str(text)?,
                None => Fields::new(Vec::new()),
            },
            record: self.record,
            attempts: self.attempts,
            refusals: self.refusals,
            returns: self.is_kept,
        })
    }
}

/// What an entry's turn means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// It goes into a call.
    Send(Operation),
    /// The destination is as wished.
    Equal,
    /// Its row is gone, but the record was not created by this tool: the link is kept, marked gone (C8).
    Keep,
    /// Its row is gone, but records are to stay as they are.
    Leave,
    /// A create that follows a missing record: its id is looked up first (D7).
    LookFirst,
    /// There is no record, and the sync makes none.
    Recordless,
}

/// See [`sync_core::state::StateStore::dispatch`].
pub(crate) fn dispatch(
    tx: &Transaction<'_>,
    writer: &Writer,
    request: &DispatchRequest,
) -> Result<(Dispatch, Books), Failure> {
    let mut books = Books::default();
    while books.equal < EQUAL_MAX {
        let found = candidates(tx, writer, request)?;
        let Some(calls) = all_for_calls(tx, writer, request, found, &mut books)? else { continue };
        let Some((mut operation, mut chosen)) = choose(calls, request) else {
            return Ok((Dispatch::Nothing(next_time(tx, writer, request)?), books));
        };
        if operation == Operation::Create && filling::is_under_way(tx, writer)? {
            // Even one whose next try is not due: creates wait for it.
            let at_any_time = DispatchRequest { now: Timestamp::MAX, ..*request };
            let found = candidates_of(tx, writer, &at_any_time, Kind::Filling)?;
            let Some(fills) = all_for_calls(tx, writer, request, found, &mut books)? else {
                continue;
            };
            let Some(first) = choose(fills, request) else {
                return Ok((Dispatch::Nothing(None), books));
            };
            (operation, chosen) = first;
        }
        if operation == Operation::Create && request.creates == Creates::NotAudited {
            return Ok((Dispatch::AuditFirst, books));
        }
        let number = older::count_call(tx)?;
        mark_sending(tx, writer, request, operation, number, &chosen)?;
        calls::count(tx, writer.sync, kind_of(operation), request.now)?;
        let suspects = chosen.first().and_then(|candidate| candidate.suspects);
        let mut links = Links::default();
        let entry = |one: Candidate| one.into_entry(tx, writer, &mut links);
        let entries = chosen.into_iter().map(entry).collect::<Result<_, _>>()?;
        return Ok((Dispatch::Send(Call { number, operation, entries, suspects }), books));
    }
    // There may be more to send, but others want to write too.
    Ok((Dispatch::Nothing(Some(request.now)), books))
}

/// These candidates, if each needs a call. What needs none is settled, which makes room among the candidates: a call is
/// filled only from all that there are.
fn all_for_calls(
    tx: &Transaction<'_>,
    writer: &Writer,
    request: &DispatchRequest,
    found: Vec<Candidate>,
    books: &mut Books,
) -> rusqlite::Result<Option<Vec<Candidate>>> {
    let (calls, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|one| matches!(one.turn, Turn::Send(_)));
    for candidate in &others {
        match candidate.turn {
            Turn::Equal | Turn::Keep => books.equal += 1,
            Turn::Leave => books.taken_back += 1,
            Turn::Recordless => books.recordless += 1,
            Turn::LookFirst | Turn::Send(_) => {}
        }
        settle_without_call(tx, writer, request, candidate)?;
    }
    Ok(others.is_empty().then_some(calls))
}

/// Entries that travel together, by their group's number.
#[derive(Clone, Copy)]
enum Kind {
    /// Of a refused call that was split. The newest group first: a split call is seen through before others are begun.
    Split,
    /// Never refused.
    Fresh,
    /// Refused earlier and tried again. They must not keep healthy rows waiting, so they are last; of several groups
    /// the newest first, and of its rows those that were refused least often.
    Retried,
    /// Of a linked record that still lacks its key in a new external-id field.
    Filling,
}

impl Kind {
    fn condition(self) -> &'static str {
        match self {
            Self::Split => "o.suspects > 0",
            Self::Fresh => "o.suspects IS NULL",
            Self::Retried => "o.suspects < 0",
            Self::Filling => "l.standing IN (0, 3) AND NOT o.gone",
        }
    }

    fn order(self) -> &'static str {
        match self {
            Self::Split | Self::Fresh => "o.suspects DESC, o.seq",
            Self::Retried => "o.suspects, o.refusals, o.seq",
            Self::Filling => "o.suspects IS NOT NULL, o.suspects DESC, o.seq",
        }
    }
}

/// The entries whose turn it is, by the order that was asked for.
fn candidates(
    tx: &Transaction<'_>,
    writer: &Writer,
    request: &DispatchRequest,
) -> Result<Vec<Candidate>, Failure> {
    let order = if request.fresh_first {
        [Kind::Fresh, Kind::Split, Kind::Retried]
    } else {
        [Kind::Split, Kind::Fresh, Kind::Retried]
    };
    for kind in order {
        let found = candidates_of(tx, writer, request, kind)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// The condition by which the request leaves entries out.
fn meant(request: &DispatchRequest) -> String {
    let held = if request.creates == Creates::Held { NO_CREATES } else { "" };
    let tried = if request.tried_only { TRIED } else { "" };
    format!("{held} {tried} {UNQUESTIONED}")
}

fn candidates_of(
    tx: &Transaction<'_>,
    writer: &Writer,
    request: &DispatchRequest,
    kind: Kind,
) -> Result<Vec<Candidate>, Failure> {
    let (condition, order, meant) = (kind.condition(), kind.order(), meant(request));
    let mut select = tx.prepare_cached(&format!(
        "SELECT o.seq, o.key, o.gone, o.fields, o.fingerprint, o.suspects, o.attempts,
           l.record_id, l.standing, l.fingerprint, l.origin, o.refusals
         FROM outbox AS o LEFT JOIN links AS l
           ON l.sync_id = o.sync_id AND l.destination_id = o.destination_id AND l.key = o.key
         WHERE o.sync_id = ?1 AND o.destination_id = ?2 AND o.state = 0 AND o.not_before <= ?3 AND {condition}
           {meant}
           AND NOT EXISTS (SELECT 1 FROM outbox AS s WHERE s.sync_id = o.sync_id
             AND s.destination_id = o.destination_id AND s.key = o.key AND s.state = 1)
         ORDER BY {order} LIMIT ?4"
    ))?;
    let now = request.now.as_millisecond();
    let mut rows = select.query(params![writer.sync.0, writer.destination.0, now, WINDOW])?;
    let mut candidates = Vec::new();
    while let Some(row) = rows.next()? {
        candidates.push(candidate(row, request)?);
    }
    Ok(candidates)
}

fn candidate(row: &Row<'_>, request: &DispatchRequest) -> rusqlite::Result<Candidate> {
    let print = fingerprint(row.get(4)?);
    let wish = match (row.get::<_, bool>(2)?, print) {
        (true, _) => Intention::Gone,
        (false, Some(print)) => Intention::Record(print),
        (false, None) => Intention::Unknown,
    };
    let standing: Option<i64> = row.get(8)?;
    let link = match row.get::<_, Option<RecordColumn>>(7)? {
        Some(record) if standing != Some(MISSING) => {
            let held = match (standing, fingerprint(row.get(9)?)) {
                (Some(KEPT), _) => Intention::Gone,
                (_, Some(print)) => Intention::Record(print),
                (_, None) => Intention::Unknown,
            };
            Some((record.0, held))
        }
        _ => None,
    };
    let is_adopted = row.get::<_, Option<i64>>(10)? == Some(1);
    let is_kept = standing == Some(KEPT) && link.is_some();
    let turn = match step(wish, link.as_ref().map(|(record, held)| (record, *held))) {
        // Archived a moment ago, as the policy wants it before it deletes.
        Step::Equal
            if is_kept && wish == Intention::Gone && goes_when_archived(request, is_adopted) =>
        {
            Turn::Send(Operation::Delete)
        }
        Step::Equal => Turn::Equal,
        Step::Create
            if standing == Some(MISSING) && !mutation::is_on(Mutation::MissingCreatedBlind) =>
        {
            Turn::LookFirst
        }
        Step::Create if request.creates == Creates::Never => Turn::Recordless,
        Step::Create => Turn::Send(Operation::Create),
        Step::Update(_) => Turn::Send(Operation::Update),
        Step::Delete(_) => match request.gone {
            GonePolicy::Leave => Turn::Leave,
            GonePolicy::Delete { adopted: false } | GonePolicy::ArchiveFirst { adopted: false }
                if is_adopted && !mutation::is_on(Mutation::AdoptedDeleted) =>
            {
                Turn::Keep
            }
            GonePolicy::Delete { .. } => Turn::Send(Operation::Delete),
            GonePolicy::Archive | GonePolicy::ArchiveFirst { .. } => Turn::Send(Operation::Archive),
        },
    };
    Ok(Candidate {
        seq: row.get(0)?,
        key: row.get::<_, KeyColumn>(1)?.0,
        fields: row.get(3)?,
        record: link.map(|(record, _)| record),
        attempts: row.get(6)?,
        refusals: row.get(11)?,
        suspects: row.get(5)?,
        print,
        is_kept: standing == Some(KEPT),
        turn,
    })
}

/// Whether a record that is archived is deleted now: a wish that outlived its archiving is that of a policy that deletes.
fn goes_when_archived(request: &DispatchRequest, is_adopted: bool) -> bool {
    matches!(request.gone, GonePolicy::ArchiveFirst { adopted } if adopted || !is_adopted)
}

/// The entries of the next call: of the first candidate's group if it has one; else of the first operation that
/// fills a call, else of the first candidate's.
fn choose(
    candidates: Vec<Candidate>,
    request: &DispatchRequest,
) -> Option<(Operation, Vec<Candidate>)> {
    let first = candidates.first()?;
    let (group, first_turn) = (first.suspects, first.turn);
    let of = |turn: Turn| move |one: &&Candidate| one.suspects == group && one.turn == turn;
    let most = |turn: Turn| match turn {
        Turn::Send(Operation::Create) => request.creates_max,
        _ => request.entries_max,
    };
    let fills = |turn: &Turn| candidates.iter().filter(of(*turn)).count() >= most(*turn);
    let others = [Operation::Update, Operation::Create, Operation::Delete, Operation::Archive];
    let turn = if group.is_some() || fills(&first_turn) {
        first_turn
    } else {
        others.map(Turn::Send).into_iter().find(fills).unwrap_or(first_turn)
    };
    let Turn::Send(operation) = turn else { return None };
    let mut bytes = 0;
    let chosen = candidates
        .into_iter()
        .filter(|one| of(turn)(&one))
        .take(most(turn))
        .take_while(|candidate| {
            let fits = bytes == 0 || bytes + candidate.bytes() <= request.bytes_max;
            bytes += candidate.bytes();
            fits
        })
        .collect();
    Some((operation, chosen))
}

fn kind_of(operation: Operation) -> CallKind {
    match operation {
        Operation::Create => CallKind::Create,
        Operation::Update | Operation::Archive => CallKind::Update,
        Operation::Delete => CallKind::Delete,
    }
}

/// `protocol.md` D1: the record it goes to is noted, and what that record holds is unknown from now on.
fn mark_sending(
    tx: &Transaction<'_>,
    writer: &Writer,
    request: &DispatchRequest,
    operation: Operation,
    number: i64,
    chosen: &[Candidate],
) -> Result<(), Failure> {
    for candidate in chosen {
        let record = candidate.record.as_ref();
        let word = match (operation, request.gone) {
            (Operation::Archive, GonePolicy::ArchiveFirst { .. }) => ARCHIVE_FIRST,
            _ => operation.word(),
        };
        tx.prepare_cached(
            "UPDATE outbox SET state = 1, operation = ?, record_id = ?, left_at = ?, call = ?, doubt = 0, answered = 0,
               faulted = 0, empty_looks = 0, attempts = attempts + 1 WHERE seq = ?",
        )?
        .execute(params![
            word,
            record.map(record_parameter),
            request.now.as_millisecond(),
            number,
            candidate.seq
        ])?;
        if record.is_some() && !mutation::is_on(Mutation::BelievedWhileSent) {
            forget_fingerprint(tx, writer, &candidate.key)?;
        }
    }
    Ok(())
}

pub(crate) fn forget_fingerprint(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE links SET fingerprint = NULL WHERE sync_id = ? AND destination_id = ? AND key = ?",
    )?
    .execute(params![writer.sync.0, writer.destination.0, KeyParameter(key)])?;
    Ok(())
}

/// The entry is settled, or becomes a doubt, without a call.
fn settle_without_call(
    tx: &Transaction<'_>,
    writer: &Writer,
    request: &DispatchRequest,
    candidate: &Candidate,
) -> rusqlite::Result<()> {
    match candidate.turn {
        Turn::Send(_) => return Ok(()),
        Turn::LookFirst => {
            let now = request.now.as_millisecond();
            tx.prepare_cached(
                "UPDATE outbox SET state = 1, operation = 'create', record_id = NULL, left_at = ?1, call = NULL,
                   faulted = 0, doubt = 1, answered = 2, empty_looks = 0, not_before = ?2 WHERE seq = ?3",
            )?
            .execute([now, now + SETTLING_MS, candidate.seq])?;
            return Ok(());
        }
        Turn::Equal | Turn::Leave => {}
        Turn::Keep if mutation::is_on(Mutation::KeptUnlinked) => {
            drop_link(tx, writer, &candidate.key)?;
        }
        Turn::Recordless => {
            if let Some(print) = candidate.print {
                recordless::remember(tx, writer, &candidate.key, print)?;
            }
        }
        Turn::Keep => {
            tx.prepare_cached(
                "UPDATE links SET standing = ? WHERE sync_id = ? AND destination_id = ? AND key = ?",
            )?
            .execute(params![
                KEPT,
                writer.sync.0,
                writer.destination.0,
                KeyParameter(&candidate.key)
            ])?;
        }
    }
    tx.prepare_cached("DELETE FROM outbox WHERE seq = ?")?.execute([candidate.seq])?;
    Ok(())
}

/// See [`sync_core::state::StateStore::next_ready`].
pub(crate) fn next_ready(
    tx: &Transaction<'_>,
    writer: &Writer,
    request: &DispatchRequest,
) -> rusqlite::Result<Option<Timestamp>> {
    let now = request.now.as_millisecond();
    let ready: bool = tx
        .prepare_cached(&format!(
            "SELECT EXISTS (SELECT 1 FROM outbox AS o
             WHERE o.sync_id = ? AND o.destination_id = ? AND o.state = 0 AND o.not_before <= ? {})",
            meant(request)
        ))?
        .query_row(params![writer.sync.0, writer.destination.0, now], |row| row.get(0))?;
    if ready { Ok(Some(request.now)) } else { next_time(tx, writer, request) }
}

fn next_time(
    tx: &Transaction<'_>,
    writer: &Writer,
    request: &DispatchRequest,
) -> rusqlite::Result<Option<Timestamp>> {
    let now = request.now.as_millisecond();
    let next: Option<i64> = tx
        .prepare_cached(&format!(
            "SELECT min(o.not_before) FROM outbox AS o
             WHERE o.sync_id = ? AND o.destination_id = ? AND o.state = 0 AND o.not_before > ? {}",
            meant(request)
        ))?
        .query_row(params![writer.sync.0, writer.destination.0, now], |row| row.get(0))?;
    Ok(next.map(time))
}

/// See [`sync_core::state::StateStore::held_creates`].
pub(crate) fn held_creates(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<u64> {
    let of = [writer.sync.0, writer.destination.0];
    let waiting = |meant: &str| {
        let text = format!(
            "SELECT count(*) FROM outbox AS o WHERE o.sync_id = ? AND o.destination_id = ? AND o.state = 0 {meant}"
        );
        tx.prepare_cached(&text)?.query_row(of, |row| count(row, 0))
    };
    Ok(waiting("")?.saturating_sub(waiting(NO_CREATES)?))
}

/// See [`sync_core::state::StateStore::is_split`].
pub(crate) fn is_split(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM outbox
         WHERE sync_id = ? AND destination_id = ? AND state IN (0, 1) AND suspects > 0)",
    )?
    .query_row([writer.sync.0, writer.destination.0], |row| row.get(0))
}
