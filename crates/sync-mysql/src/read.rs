//! One open read: a task that takes rows off the wire, and the hand that passes them on.

use std::{
    collections::{BTreeSet, VecDeque},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::FutureExt as _;
use mysql_async::{Conn, prelude::Queryable};
use sync_core::{
    error::{SourceError, SourceErrorKind, SourcePart},
    key::Key,
    port::{Boxed, RowRead, Watermark},
    source::{Column, ColumnKind, Row},
    value::Value,
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{
    column::ResultColumn,
    convert,
    explainer::{Explainer, SentSql},
    session::Session,
};

/// Rows travel in batches of at most this many...
const BATCH_ROWS: usize = 1_000;
/// ...or as many as hold this many bytes, so that memory stays bounded when rows are large.
const BATCH_BYTES: usize = 512 * 1024;
/// Batches that wait while the engine is busy.
const BATCHES_AHEAD: usize = 2;

/// Where a connection rests between two reads.
pub(crate) type IdleSession = Arc<Mutex<Option<Session>>>;

/// What to read on a session that is ready for it.
#[derive(Debug)]
pub(crate) struct ReadPlan {
    pub(crate) sent: SentSql,
    /// The columns to yield. FLOAT is expected as DOUBLE.
    pub(crate) columns: Vec<ResultColumn>,
    /// For reads by key: how many of the first columns are the key, and which keys are meant.
    pub(crate) keys: Option<(usize, BTreeSet<Key>)>,
    /// For pages: how many of the first columns are the key, and how many rows make a page.
    pub(crate) page: Option<(usize, usize)>,
    pub(crate) watermark: Option<Watermark>,
    pub(crate) notes: Vec<String>,
}

/// An open read of [`crate::MysqlSource`].
#[derive(Debug)]
pub(crate) struct MysqlRead {
    columns: Vec<Column>,
    watermark: Option<Watermark>,
    notes: Vec<String>,
    explainer: Arc<Explainer>,
    batches: mpsc::Receiver<Batch>,
    waiting: VecDeque<Row>,
    end: Option<Result<(), SourceError>>,
    page: Option<Page>,
}

/// What is known of a page while its rows are handed on.
#[derive(Debug)]
struct Page {
    key_length: usize,
    rows_left: usize,
    last: Option<Key>,
}

/// Rows, or `None` at the end of all. A channel that closes without either was a task that died.
type Batch = Result<Option<Vec<Row>>, SourceError>;

impl MysqlRead {
    /// Sends the query and waits until its rows begin. When they end, the session goes to `idle`.
    pub(crate) async fn start(
        session: Session,
        plan: ReadPlan,
        idle: IdleSession,
    ) -> Result<Self, SourceError> {
        let explainer = Arc::clone(session.explainer());
        let (started, has_started) = oneshot::channel();
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let columns = plan.columns.iter().map(ResultColumn::column).collect();
        let pump =
            Pump { session, sent: plan.sent, columns: plan.columns, keys: plan.keys, sender };
        // On a thread of its own: a task that is woken by the one that maps rows would wait for that one's processor.
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || runtime.block_on(pump.run(started, idle)));
        has_started.await.unwrap_or_else(|_| Err(explainer.interrupted()))?;
        Ok(Self {
            columns,
            watermark: plan.watermark,
            notes: plan.notes,
            explainer,
            batches,
            waiting: VecDeque::new(),
            end: None,
            page: plan.page.map(|(key_length, rows)| Page {
                key_length,
                rows_left: rows,
                last: None,
            }),
        })
    }

    /// Notes where a page stands after these rows.
    fn note_page(&mut self, rows: &[Row]) {
        let (Some(page), Some(row)) = (&mut self.page, rows.last()) else { return };
        let names = self.columns.iter().map(|column| column.name.as_str());
        page.rows_left = page.rows_left.saturating_sub(rows.len());
        page.last = Key::from_cells(names.zip(&row.0).take(page.key_length)).ok();
    }

    async fn fill(&mut self) -> Result<(), SourceError> {
        while self.waiting.is_empty() {
            if let Some(end) = &self.end {
                return end.clone();
            }
            match self.batches.recv().await {
                Some(Ok(Some(rows))) => self.waiting = rows.into(),
                Some(Ok(None)) => self.end = Some(Ok(())),
                Some(Err(error)) => self.end = Some(Err(error)),
                None => self.end = Some(Err(self.explainer.interrupted())),
            }
        }
        Ok(())
    }
}

impl RowRead for MysqlRead {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn watermark(&self) -> Option<Watermark> {
        self.watermark.clone()
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn next_rows(&mut self, rows_max: usize) -> Boxed<'_, Result<Vec<Row>, SourceError>> {
        Box::pin(async move {
            self.fill().await?;
            // An empty answer means the end, so at least one row is given while there are any.
            let count = rows_max.max(1).min(self.waiting.len());
            let rows: Vec<Row> = self.waiting.drain(..count).collect();
            self.note_page(&rows);
            Ok(rows)
        })
    }

    fn next_page(&self) -> Option<Key> {
        let page = self.page.as_ref().filter(|page| page.rows_left == 0)?;
        page.last.clone()
    }
}

/// Takes rows off the wire until they end or nobody wants them any more.
struct Pump {
    session: Session,
    sent: SentSql,
    columns: Vec<ResultColumn>,
    keys: Option<(usize, BTreeSet<Key>)>,
    sender: mpsc::Sender<Batch>,
}

/// Why a pump stopped.
enum Stop {
    /// All rows were passed on.
    End,
    /// Nobody listens.
    Abandoned,
    Failed(SourceError),
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Failed(error)
    }
}

impl Pump {
    async fn run(mut self, started: oneshot::Sender<Result<(), SourceError>>, idle: IdleSession) {
        let mut started = Some(started);
        match self.pass_rows(&mut started).await {
            Stop::End => {
                // The snapshot is let go before the reader hears of the end, so that its next read finds the
                // session; a session that cannot even do that is dropped.
                if self.session.run("COMMIT").await.is_ok() {
                    let mut place = idle.lock().unwrap_or_else(PoisonError::into_inner);
                    *place = Some(self.session);
                }
                drop(self.sender.send(Ok(None)).await);
            }
            Stop::Abandoned => {}
            Stop::Failed(error) => match started.take() {
                Some(started) => drop(started.send(Err(error))),
                None => drop(self.sender.send(Err(error)).await),
            },
        }
    }

    async fn pass_rows(
        &mut self,
        started: &mut Option<oneshot::Sender<Result<(), SourceError>>>,
    ) -> Stop {
        match self.try_pass_rows(started).await {
            Ok(()) => Stop::End,
            Err(stop) => stop,
        }
    }

    async fn try_pass_rows(
        &mut self,
        started: &mut Option<oneshot::Sender<Result<(), SourceError>>>,
    ) -> Result<(), Stop> {
        let explainer = Arc::clone(self.session.explainer());
        let limit = self.session.answer_limit();
        let silent = || Stop::Failed(explainer.silent(limit.as_secs()));
        let failed =
            |error: &mysql_async::Error, sent| Stop::Failed(explainer.reading(error, Some(sent)));
        let closed = self.sender.closed();
        tokio::pin!(closed);

        let conn: &mut Conn = self.session.conn()?;
        let query = timeout(limit, conn.query_iter(self.sent.sql.as_str()));
        let mut result = tokio::select! {
            biased;
            () = &mut closed => return Err(Stop::Abandoned),
            result = query => result.map_err(|_| silent())?.map_err(|error| failed(&error, &self.sent))?,
        };
        let arriving: Vec<ResultColumn> =
            result.columns_ref().iter().map(ResultColumn::from).collect();
        let converter = Converter::new(&arriving, &self.columns)?;
        if result.is_empty() {
            return Err(Stop::Failed(explainer.interrupted()));
        }
        if let Some(started) = started.take() {
            started.send(Ok(())).map_err(|_| Stop::Abandoned)?;
        }

        let mut batch = Vec::new();
        let mut batch_bytes = 0;
        loop {
            // Not as a stream, which would make a box for each row.
            let mut next = pin!(result.next());
            // Most rows are there already; only a wait is worth a timer.
            let next = if let Some(next) = next.as_mut().now_or_never() {
                next
            } else {
                tokio::select! {
                    biased;
                    () = &mut closed => return Err(Stop::Abandoned),
                    next = timeout(limit, next) => next.map_err(|_| silent())?,
                }
            };
            let Some(row) = next.map_err(|error| failed(&error, &self.sent))? else { break };
            let cells = row.unwrap();
            batch_bytes += cells.iter().map(size).sum::<usize>();
            let row = converter.row(cells)?;
            if self.keys.as_ref().is_none_or(|keys| is_meant(&row, &self.columns, keys)) {
                batch.push(row);
            }
            if batch.len() >= BATCH_ROWS || batch_bytes >= BATCH_BYTES {
                let full = std::mem::take(&mut batch);
                self.sender.send(Ok(Some(full))).await.map_err(|_| Stop::Abandoned)?;
                batch_bytes = 0;
            }
        }
        if !batch.is_empty() {
            self.sender.send(Ok(Some(batch))).await.map_err(|_| Stop::Abandoned)?;
        }
        Ok(())
    }
}

fn size(cell: &mysql_async::Value) -> usize {
    let held = if let mysql_async::Value::Bytes(bytes) = cell { bytes.len() } else { 0 };
    held + size_of::<mysql_async::Value>()
}

/// Whether a row that the server found has one of the keys exactly: its collation may have taken `a` for `A`.
fn is_meant(
    row: &Row,
    columns: &[ResultColumn],
    (key_length, keys): &(usize, BTreeSet<Key>),
) -> bool {
    let names = columns.iter().map(|column| column.name.as_str());
    Key::from_cells(names.zip(&row.0).take(*key_length)).is_ok_and(|key| keys.contains(&key))
}

/// Turns arriving cells into the wanted values.
struct Converter {
    /// Place in the arriving row, and kind, of each wanted column.
    columns: Vec<(usize, String, ColumnKind)>,
}

impl Converter {
    /// # Errors
    /// The table's definition changed since the query was described.
    fn new(arriving: &[ResultColumn], wanted: &[ResultColumn]) -> Result<Self, SourceError> {
        let columns = wanted
            .iter()
            .map(|column| {
                let place = arriving.iter().position(|other| other.name == column.name)?;
                let arrives_as = &arriving.get(place)?.kind;
                // A FLOAT that was not widened would lose digits; a widened one that is none any more, everything.
                let fits = match (&column.kind, arrives_as) {
                    (ColumnKind::Float, kind) => *kind == ColumnKind::Double,
                    (_, ColumnKind::Float) => false,
                    (ColumnKind::Json | ColumnKind::Text, _) => true,
                    (kind, other) => std::mem::discriminant(kind) == std::mem::discriminant(other),
                };
                fits.then(|| (place, column.name.clone(), column.kind.clone()))
            })
            .collect::<Option<Vec<_>>>();
        columns.map(|columns| Self { columns }).ok_or_else(|| SourceError {
            about: SourcePart::Whole,
            kind: SourceErrorKind::Interrupted,
            message: "a table of the query was altered while the read began".to_owned(),
            remedy: "run again".to_owned(),
        })
    }

    fn row(&self, mut cells: Vec<mysql_async::Value>) -> Result<Row, SourceError> {
        let mut values = Vec::with_capacity(self.columns.len());
        for (place, name, kind) in &self.columns {
            let cell =
                cells.get_mut(*place).map(|cell| std::mem::replace(cell, mysql_async::Value::NULL));
            values.push(match cell {
                Some(mysql_async::Value::NULL) => Value::Null,
                Some(mysql_async::Value::Bytes(bytes)) => convert::value(kind, bytes)
                    .map_err(|convert::BadCell| Explainer::bad_cell(name))?,
                _ => return Err(Explainer::bad_cell(name)),
            });
        }
        Ok(Row(values))
    }
}
