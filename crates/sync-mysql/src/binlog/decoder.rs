//! Events into what they mean: which keys changed by the time of each commit. No connection, no waiting.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;
use sync_core::key::Key;

use super::{
    event::{Event, EventKind, Header, RowChange, RowsForm},
    gtid::{Gtid, Gtids},
    key_column::key,
    position::{Position, file_number},
    rows::{Cell, Cells, RowsHead, for_each_row},
    statement::{Effect, Statement, prepared_xid},
    table_map::TableMap,
    watch::{Follower, Purpose, Watched},
};

/// Keys of one transaction that are remembered for one follower: more, and everything is read instead, which costs
/// about as much as reading so many by key, and no memory.
const KEYS_PER_TRANSACTION: usize = 200_000;
/// Prepared transactions that are remembered; of the oldest beyond them the keys are forgotten, so that their commit
/// leads to a reading of everything.
const PREPARED_MAX: usize = 100;

/// Why everything is read where a transaction was broken off.
const UNENDED: &str = "a transaction in the log could not be read to its end";

/// What one follower has to read again.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// Keys of its rows.
    pub(crate) keys: BTreeSet<Key>,
    /// Values of related tables' columns, by the relation's number.
    pub(crate) related: BTreeMap<usize, BTreeSet<Key>>,
    /// Why everything must be compared, if so.
    pub(crate) reconcile: Option<String>,
    /// More keys, as they were met: most come in order, and a set is made of them all at once in a fraction of the time.
    /// Empty once the transaction has ended.
    pub(super) met: Vec<Key>,
}

impl Found {
    /// A key, as often as it is met.
    fn meet(&mut self, key: Option<Key>) {
        self.met.extend(key);
        if self.met.len() + self.keys.len() > KEYS_PER_TRANSACTION {
            self.settle();
        }
    }

    /// Every key once.
    fn settle(&mut self) {
        if self.keys.is_empty() {
            self.keys = std::mem::take(&mut self.met).into_iter().collect();
        } else {
            self.keys.extend(self.met.drain(..));
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.met.extend(other.met);
        for (relation, values) in other.related {
            self.related.entry(relation).or_default().extend(values);
        }
        if self.reconcile.is_none() {
            self.reconcile = other.reconcile;
        }
    }

    fn reconcile(&mut self, why: impl FnOnce() -> String) {
        if self.reconcile.is_none() {
            self.reconcile = Some(why());
        }
    }

    /// Keys and values that it holds.
    pub(crate) fn size(&self) -> usize {
        self.keys.len() + self.related.values().map(BTreeSet::len).sum::<usize>()
    }
}

/// A place between two transactions, and what the one before it changed.
#[derive(Debug)]
pub(crate) struct Committed {
    /// By follower.
    pub(crate) found: BTreeMap<Follower, Found>,
    /// When the transaction's last statement began, seconds since 1970; 0 where the server does not say.
    seconds: u32,
    /// Whether a followed table was defined anew, so that its columns must be learnt again.
    pub(crate) is_redefined: bool,
}

impl Committed {
    /// When the transaction's last statement began, where the server says so.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        (self.seconds > 0).then(|| Timestamp::from_second(self.seconds.into()).ok()).flatten()
    }
}

/// What an event came to.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing yet.
    Within,
    /// A transaction has ended.
    Committed(Committed),
    /// The server has nothing new.
    Idle,
}

/// The log cannot be read on: an event is of a kind that is not known, or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A kind that is not on the list.
    Unknown(u8),
    /// An event of a known kind is not of its form.
    Damaged(u8),
    /// It is another log than the one that the position is of: it was deleted and begun anew.
    BegunAnew,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(kind) => write!(f, "an event of the unknown kind {kind}"),
            Self::Damaged(kind) => write!(f, "a damaged event of kind {kind}"),
            Self::BegunAnew => f.write_str("another log"),
        }
    }
}

/// Reads the events of one log in order.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// After the last transaction that has ended.
    position: Position,
    /// The file that is being read: it may have begun since.
    file: String,
    /// When it was begun.
    begun: Option<u32>,
    /// The file that is read first, from its beginning on.
    opening: Opening,
    watched: Vec<Watched>,
    tables: BTreeMap<u64, Mapped>,
    /// What the open transaction has changed so far.
    open: BTreeMap<Follower, Found>,
    is_open: bool,
    is_redefined: bool,
    gtid: Option<Gtid>,
    /// Where the compressed transaction ends whose events are being read.
    payload_end: Option<u32>,
    prepared: Vec<(String, BTreeMap<Follower, Found>)>,
}

/// The first file that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// Nothing is known of it.
    Awaited,
    /// It is a later one than the position's.
    Later,
    /// It has begun.
    Over,
}

/// A table as the log described it last, and whom its rows concern.
#[derive(Debug)]
struct Mapped {
    table: TableMap,
    /// Places of the wanted columns, all followers' together.
    places: Vec<usize>,
    /// Each watch with the places of its columns in `places`; `None` where the table has not the columns that are
    /// known of it.
    uses: Vec<(usize, Option<Vec<usize>>)>,
}

impl Decoder {
    pub(crate) fn new(position: Position, watched: Vec<Watched>) -> Self {
        Self {
            file: position.file.clone(),
            begun: None,
            opening: Opening::Awaited,
            position,
            watched,
            tables: BTreeMap::new(),
            open: BTreeMap::new(),
            is_open: false,
            is_redefined: false,
            gtid: None,
            payload_end: None,
            prepared: Vec::new(),
        }
    }

    /// After the last transaction that has ended.
    pub(crate) fn position(&self) -> &Position {
        &self.position
    }

    /// Whether no transaction is open, so that who is watched may change.
    pub(crate) fn is_between(&self) -> bool {
        !self.is_open
    }

    pub(crate) fn watch(&mut self, watched: Vec<Watched>) {
        self.watched = watched;
        self.tables.clear();
        self.prepared.clear();
    }

    /// # Errors
    /// The log cannot be read on. The position stays before the transaction that could not be read.
    pub(crate) fn read(&mut self, event: &Event<'_>) -> Result<Step, Unreadable> {
        let Event { header, body } = event;
        let damaged = Unreadable::Damaged(header.kind);
        match EventKind::of(header.kind) {
            EventKind::Unknown(kind) => return Err(Unreadable::Unknown(kind)),
            EventKind::Silent => {}
            EventKind::Heartbeat => return Ok(Step::Idle),
            EventKind::FormatDescription => self.begin_file(header)?,
            EventKind::MySqlEarlier => self.compare_earlier(Gtids::parse_mysql_earlier, body)?,
            EventKind::MariaDbEarlier => {
                self.compare_earlier(Gtids::parse_mariadb_earlier, body)?;
            }
            EventKind::Rotate => self.rotate(body).ok_or(damaged)?,
            EventKind::MySqlGtid { is_tagged } => {
                let gtid = Gtid::parse_mysql(body, is_tagged).ok_or(damaged)?;
                self.begin(Some(gtid), false);
            }
            EventKind::NoGtid => self.begin(None, false),
            EventKind::MariaDbGtid => {
                let gtid = Gtid::parse_mariadb(body, header.server_id).ok_or(damaged)?;
                // It stands for BEGIN, unless the one statement that follows stands alone.
                let stands_alone = body.get(12).ok_or(damaged)? & 1 == 1;
                self.begin(Some(gtid), !stands_alone);
            }
            EventKind::Payload => {
                self.is_open = true;
                self.payload_end = Some(header.end);
            }
            EventKind::TableMap => {
                let table = TableMap::parse(body).ok_or(damaged)?;
                self.is_open = true;
                self.map(table);
            }
            EventKind::Rows(form) => self.rows(body, form).ok_or(damaged)?,
            EventKind::Commit => return Ok(self.commit(header)),
            EventKind::Query { is_compressed } => {
                let statement = Statement::parse(body, is_compressed).ok_or(damaged)?;
                return Ok(self.statement(header, &statement));
            }
            EventKind::LoadedFile => {
                self.reconcile_all("a file was loaded by a statement in the log");
                if !self.is_open {
                    return Ok(self.commit(header));
                }
            }
            EventKind::XaPrepare => {
                let (commits, xid) = prepared_xid(body).ok_or(damaged)?;
                if !commits {
                    let reasons = reasons(&self.open);
                    self.prepared.push((xid, std::mem::replace(&mut self.open, reasons)));
                    if self.prepared.len() > PREPARED_MAX {
                        self.prepared.remove(0);
                    }
                }
                return Ok(self.commit(header));
            }
            EventKind::Incident => self.reconcile_all("the server says that its log lacks events"),
        }
        Ok(Step::Within)
    }

    /// What was open when a file ends was never committed: the server crashed. Not so a compressed transaction: it is in
    /// the log as a whole, and was committed.
    fn begin_file(&mut self, header: &Header) -> Result<(), Unreadable> {
        self.tables.clear();
        if !header.is_artificial() {
            let is_committed = self.payload_end.is_some();
            self.abandon();
            if is_committed {
                self.reconcile_all(UNENDED);
            }
        }
        self.begun = (header.seconds > 0).then_some(header.seconds);
        self.compare_file()
    }

    /// Names of files, and of transactions, begin at 1 again in a log that was deleted and begun anew: it may look as if
    /// it went on behind the position. What does not come again is the time at which a file was begun.
    fn compare_file(&mut self) -> Result<(), Unreadable> {
        let is_first = std::mem::replace(&mut self.opening, Opening::Over) == Opening::Awaited;
        let (Some(known), Some(file)) = (file_number(&self.position.file), file_number(&self.file))
        else {
            // Of its names MySQL tells no place: the file that it begins with is as good as any. A place on MariaDB
            // says what is before it, too.
            if self.position.file.is_empty() && matches!(self.position.gtids, Some(Gtids::MySql(_)))
            {
                self.position.file.clone_from(&self.file);
                self.position.begun = self.begun;
            }
            return Ok(());
        };
        match file.cmp(&known) {
            Ordering::Less => return Err(Unreadable::BegunAnew),
            Ordering::Equal => match (self.position.begun, self.begun) {
                (Some(known), Some(begun)) if known != begun => return Err(Unreadable::BegunAnew),
                (None, begun) => self.position.begun = begun,
                (Some(_), _) => {}
            },
            // The server found the place by names. Nothing is to be between.
            Ordering::Greater if is_first => self.opening = Opening::Later,
            Ordering::Greater => {}
        }
        Ok(())
    }

    /// A server begins with a later file than the position's only if everything before that is known.
    fn compare_earlier(
        &mut self,
        parse: fn(&[u8]) -> Option<Gtids>,
        body: &[u8],
    ) -> Result<(), Unreadable> {
        if std::mem::replace(&mut self.opening, Opening::Over) != Opening::Later {
            return Ok(());
        }
        let (Some(earlier), Some(known)) = (parse(body), &self.position.gtids) else {
            return Ok(());
        };
        if earlier.covers(known) == Some(false) {
            return Err(Unreadable::BegunAnew);
        }
        Ok(())
    }

    /// Forgets the rows of a transaction that was not committed. A reason to read everything stays one.
    fn abandon(&mut self) {
        self.open = reasons(&self.open);
        self.is_open = false;
        self.payload_end = None;
        self.gtid = None;
    }

    fn rotate(&mut self, body: &[u8]) -> Option<()> {
        let (_, name) = body.split_at_checked(8)?;
        self.file = String::from_utf8(name.to_vec()).ok()?;
        self.tables.clear();
        Some(())
    }

    /// A transaction begins; one that had no end before it is one that could not be read.
    fn begin(&mut self, gtid: Option<Gtid>, opens: bool) {
        if self.is_open {
            self.abandon();
            self.reconcile_all(UNENDED);
        }
        self.gtid = gtid;
        self.is_open = opens;
    }

    fn statement(&mut self, header: &Header, statement: &Statement) -> Step {
        match &statement.effect {
            Effect::Begin => {
                self.is_open = true;
                return Step::Within;
            }
            Effect::End => return self.commit(header),
            Effect::Nothing => {}
            Effect::XaCommit(xid) => {
                match self.prepared.iter().position(|(prepared, _)| prepared == xid) {
                    // Beside what is open already: a reason to read everything may have been found before.
                    Some(place) => {
                        for (follower, found) in self.prepared.remove(place).1 {
                            self.open.entry(follower).or_default().merge(found);
                        }
                    }
                    None => {
                        self.reconcile_all("a transaction was committed that was prepared earlier");
                    }
                }
                return self.commit(header);
            }
            Effect::XaRollback(xid) => {
                self.prepared.retain(|(prepared, _)| prepared != xid);
                return self.commit(header);
            }
            Effect::Definition { verb, names } => self.redefine(statement, verb, names),
            Effect::Unknown { verb } => {
                self.reconcile_all(&format!("the log holds a statement instead of rows ({verb})"));
            }
        }
        if self.is_open { Step::Within } else { self.commit(header) }
    }

    fn redefine(&mut self, statement: &Statement, verb: &str, names: &[String]) {
        for watched in &self.watched {
            let schema = watched.schema.to_lowercase();
            let names_schema =
                statement.database.to_lowercase() == schema || names.contains(&schema);
            let names_table = names.contains(&watched.table.to_lowercase());
            let is_whole_schema = names.contains(&schema)
                && names.iter().any(|name| name == "database" || name == "schema");
            if (names_table && names_schema) || is_whole_schema {
                self.is_redefined = true;
                let found = self.open.entry(watched.follower).or_default();
                found.reconcile(|| format!("{verb} of table `{}`", watched.table));
            }
        }
    }

    fn reconcile_all(&mut self, why: &str) {
        for watched in &self.watched {
            self.open.entry(watched.follower).or_default().reconcile(|| why.to_owned());
        }
    }

    fn commit(&mut self, header: &Header) -> Step {
        let payload_end = self.payload_end.take();
        if let Some(end) = [header.end, payload_end.unwrap_or(0)].into_iter().find(|end| *end > 0) {
            self.position.offset = u64::from(end);
            self.position.file.clone_from(&self.file);
            self.position.begun = self.begun;
        }
        if let (Some(gtids), Some(gtid)) = (&mut self.position.gtids, self.gtid.take()) {
            gtids.add(&gtid);
        }
        self.is_open = false;
        let mut found = std::mem::take(&mut self.open);
        found.values_mut().for_each(Found::settle);
        Step::Committed(Committed {
            found,
            seconds: header.seconds,
            is_redefined: std::mem::take(&mut self.is_redefined),
        })
    }

    fn map(&mut self, table: TableMap) {
        let known = self.tables.get(&table.id);
        if known.is_some_and(|known| known.table == table) {
            return;
        }
        let mut places: Vec<usize> = Vec::new();
        let mut uses = Vec::new();
        for (index, watched) in self.watched.iter().enumerate() {
            if !watched.is_of(&table) {
                continue;
            }
            let found = watched.places(&table).map(|found| {
                found
                    .into_iter()
                    .map(|place| match places.iter().position(|known| *known == place) {
                        Some(at) => at,
                        None => {
                            places.push(place);
                            places.len() - 1
                        }
                    })
                    .collect()
            });
            uses.push((index, found));
        }
        self.tables.insert(table.id, Mapped { table, places, uses });
    }

    fn rows(&mut self, body: &[u8], form: RowsForm) -> Option<()> {
        let head = RowsHead::parse(body, form)?;
        self.is_open = true;
        if let Some(id) = head.table {
            let mapped = self.tables.get(&id)?;
            if !mapped.uses.is_empty() {
                let (watched, open) = (&self.watched, &mut self.open);
                for_each_row(head, form, &mapped.table, &mapped.places, |before, after| {
                    for (index, places) in &mapped.uses {
                        let Some(watched) = watched.get(*index) else { continue };
                        let found = open.entry(watched.follower).or_default();
                        match places {
                            Some(places) => {
                                watched.take(places, form.change, before, after, found);
                            }
                            None => found.reconcile(|| {
                                format!("table `{}` has other columns than now", watched.table)
                            }),
                        }
                    }
                })?;
            }
        }
        if head.ends_statement {
            self.tables.clear();
        }
        Some(())
    }
}

/// The reasons to read everything in what was found, without its rows.
fn reasons(open: &BTreeMap<Follower, Found>) -> BTreeMap<Follower, Found> {
    let reason = |(follower, found): (&Follower, &Found)| {
        let reconcile = Some(found.reconcile.clone()?);
        Some((*follower, Found { reconcile, ..Found::default() }))
    };
    open.iter().filter_map(reason).collect()
}

impl Watched {
    /// Takes what one row means for the follower.
    fn take(
        &self,
        places: &[usize],
        change: RowChange,
        before: Option<&Cells<'_>>,
        after: Option<&Cells<'_>>,
        found: &mut Found,
    ) {
        if found.reconcile.is_some() && matches!(self.purpose, Purpose::Parent { .. }) {
            return;
        }
        let old = before.map(|image| self.key_in(places, image, None)).transpose();
        // What an image after does not show is as it was before.
        let new = after.map(|image| self.key_in(places, image, before)).transpose();
        let (old, new) = match (old, new) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(why), _) | (_, Err(why)) => {
                found.reconcile(|| format!("the log {why} of table `{}`", self.table));
                return;
            }
        };
        let (old, new) = (old.flatten(), new.flatten());
        match &self.purpose {
            Purpose::Rows => {
                if old != new {
                    found.meet(old);
                }
                found.meet(new);
            }
            Purpose::Related(relation) => {
                let values = found.related.entry(*relation).or_default();
                values.extend(old);
                values.extend(new);
            }
            Purpose::Parent { on_delete, on_update } => {
                let cascades = match change {
                    RowChange::Insert => false,
                    RowChange::Delete => *on_delete,
                    RowChange::Update => *on_update && old != new,
                };
                if cascades {
                    found.reconcile(|| {
                        format!("rows of table `{}` that others refer to changed", self.table)
                    });
                }
            }
        }
        if found.size() > KEYS_PER_TRANSACTION {
            found.keys.clear();
            found.related.clear();
            found.reconcile(|| {
                format!("one transaction changed more than {KEYS_PER_TRANSACTION} rows")
            });
        }
    }

    /// The key in an image, and in `else_in` what that does not show; no key where a part of it is NULL.
    fn key_in<'a>(
        &self,
        places: &[usize],
        image: &Cells<'a>,
        else_in: Option<&Cells<'a>>,
    ) -> Result<Option<Key>, NoKey> {
        let cell = |place: &usize| {
            let shown = |image: &Cells<'a>| image.get(*place).copied().unwrap_or_default();
            match (shown(image), else_in) {
                (Cell::Hidden, Some(other)) => shown(other),
                (cell, _) => cell,
            }
        };
        if places.iter().any(|place| cell(place) == Cell::Hidden) {
            return Err(NoKey::Hidden);
        }
        let bytes = |place: &usize| match cell(place) {
            Cell::Shown(bytes) => Some(bytes),
            Cell::Null | Cell::Hidden => None,
        };
        match key(&self.columns, places.iter().map(bytes)) {
            None if places.iter().all(|place| cell(place) != Cell::Null) => Err(NoKey::Garbled),
            found => Ok(found),
        }
    }
}

/// Why an image tells no key, though its row has one.
enum NoKey {
    /// It does not show all of it.
    Hidden,
    /// A cell is not of its column's form.
    Garbled,
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hidden => "does not show the key",
            Self::Garbled => "holds a key that cannot be read",
        })
    }
}
