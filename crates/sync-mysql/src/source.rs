//! The source: reads of one sync's query.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use sync_core::{
    config::model::{QueryText, SourceDefinition, SourceRows},
    error::{SourceError, SourceErrorKind, SourcePart},
    key::Key,
    port::{Boxed, ReadScope, RowRead, RowSource},
    source::{Column, ColumnKind},
    sql::{CursorTime, SqlTemplate, TemplateFault, null_filter},
};

use crate::{
    binlog::{guard, position::Position},
    column::ResultColumn,
    explainer::{Explainer, SentSql},
    layout::Layout,
    options::ConnectOptions,
    overlap::{CursorFacts, CursorZone, Moment, Overlaps, position},
    read::{IdleSession, MysqlRead, ReadPlan},
    session::Session,
    statement::{KeyComparison, RowFilter, wrapped},
    table,
};

/// Rows of one query, or one table, on one MySQL or MariaDB server.
///
/// A connection is kept between reads and replaced when it breaks. Reads yield the key columns, then the other wanted
/// columns, whatever else the query returns.
#[derive(Debug)]
pub struct MysqlSource {
    pub(crate) options: ConnectOptions,
    pub(crate) template: SqlTemplate,
    /// What yields the key of every row there is, where it is another query.
    keys_template: Option<SqlTemplate>,
    /// Whether anything yields them.
    shows_keys: bool,
    pub(crate) is_table: bool,
    pub(crate) key_columns: Vec<String>,
    /// Key columns first.
    pub(crate) wanted: Vec<String>,
    pub(crate) cursor: Option<String>,
    /// The zone of DATETIME columns, where it is configured.
    pub(crate) zone: Option<TimeZone>,
    pub(crate) explainer: Arc<Explainer>,
    pub(crate) overlaps: Overlaps,
    idle: IdleSession,
    /// Reads show at least what is before it, where the log is followed.
    floor: Mutex<Option<Position>>,
    /// What was last learnt about the query's columns.
    layout: Mutex<Option<Arc<Layout>>>,
    /// The same of the query that yields keys.
    keys_layout: Mutex<Option<Arc<Layout>>>,
    /// Whether the table can be read in pages, once that is known.
    pageable: Mutex<Option<bool>>,
}

impl MysqlSource {
    /// A source that yields `definition`'s key columns, its deleted column and the `wanted` ones. Connects only when
    /// read. The key columns must be known: see [`MysqlSource::primary_key`].
    ///
    /// # Errors
    /// The query is not usable: see [`SqlTemplate::parse`] and [`null_filter`].
    pub fn new(
        options: ConnectOptions,
        definition: &SourceDefinition,
        wanted: impl IntoIterator<Item = String>,
    ) -> Result<Self, SourceError> {
        let key_columns = definition.primary_key.clone();
        let mut columns = key_columns.clone();
        for name in definition.deleted_field.iter().cloned().chain(wanted) {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
        let names: Vec<String> =
            columns.iter().chain(&definition.updated_at_field).cloned().collect();
        let (template, keys_template, explainer) = match &definition.rows {
            SourceRows::Query { query: QueryText { text, line }, keys } => {
                let template = SqlTemplate::parse(text).map_err(|faults| unusable(&faults))?;
                let explainer = Explainer::new(&options, template.clone(), *line, names);
                // Such a query would also show no row when asked for by key, and all would seem deleted.
                if let Some(finding) = null_filter(text) {
                    return Err(explainer.sql(&finding.message, Some(finding.at), &finding.hint));
                }
                // With a related row that goes, rows leave a join and stay in their own table: only the join shows that.
                let keys = keys.as_ref().filter(|_| definition.related.is_empty());
                let keys = keys.map(|keys| SqlTemplate::parse(&keys.text)).transpose();
                (template, keys.map_err(|faults| unusable(&faults))?, explainer)
            }
            SourceRows::Table { name, filter } => {
                let text = table::query(name, filter.as_ref(), definition, &columns);
                let template = SqlTemplate::parse(&text).map_err(|faults| unusable(&faults))?;
                let explainer = Explainer::new(&options, template.clone(), 1, names).of_table(name);
                (template, None, explainer)
            }
        };
        let zone =
            definition.time_zone.as_deref().map(TimeZone::get).transpose().map_err(|_| {
                explainer.sql(
                    "`source.time_zone` names no time zone",
                    None,
                    "write an IANA name such as Europe/Berlin",
                )
            })?;
        Ok(Self {
            options,
            template,
            keys_template,
            shows_keys: definition.shows_keys(),
            is_table: matches!(definition.rows, SourceRows::Table { .. }),
            key_columns,
            wanted: columns,
            cursor: definition.updated_at_field.clone(),
            zone,
            explainer: Arc::new(explainer),
            overlaps: Overlaps::default(),
            idle: IdleSession::default(),
            floor: Mutex::default(),
            layout: Mutex::default(),
            keys_layout: Mutex::default(),
            pageable: Mutex::default(),
        })
    }

    /// The source with other overlaps than the usual ones.
    #[must_use]
    pub fn with_overlaps(mut self, overlaps: Overlaps) -> Self {
        self.overlaps = overlaps;
        self
    }

    async fn open_read(&self, scope: ReadScope) -> Result<MysqlRead, SourceError> {
        match self.open_comparing(&scope, KeyComparison::Indexed).await {
            // A key from elsewhere may hold characters that the column's character set does not have. Only the server
            // knows, and says so before it reads anything.
            Err(error)
                if error.kind == SourceErrorKind::Sql && matches!(scope, ReadScope::Keys(_)) =>
            {
                self.open_comparing(&scope, KeyComparison::Scanning).await
            }
            outcome => outcome,
        }
    }

    async fn open_comparing(
        &self,
        scope: &ReadScope,
        comparison: KeyComparison,
    ) -> Result<MysqlRead, SourceError> {
        let rested = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(session) = rested {
            match self.read_on(session, scope, comparison).await {
                // The server may have closed a connection that rested too long.
                Err(error) if error.kind == SourceErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
        let session = Session::open(&self.options, &self.explainer).await?;
        self.read_on(session, scope, comparison).await
    }

    async fn read_on(
        &self,
        mut session: Session,
        scope: &ReadScope,
        comparison: KeyComparison,
    ) -> Result<MysqlRead, SourceError> {
        let since = since(scope)?;
        let moment = if self.keeps_position(scope) {
            Some(Moment::measure(&mut session, self.zone.as_ref()).await?)
        } else {
            None
        };
        self.open_snapshot(&mut session).await?;
        let (template, layout, wanted) = match (scope, &self.keys_template) {
            (ReadScope::LiveKeys, Some(keys)) => {
                let layout = learn(&mut session, keys, &self.keys_layout).await?;
                (keys, layout, &self.key_columns)
            }
            (ReadScope::LiveKeys, None) if !self.shows_keys => return Err(self.no_keys()),
            (ReadScope::LiveKeys | ReadScope::KeysWhere(_), _) => {
                (&self.template, self.layout_on(&mut session).await?, &self.key_columns)
            }
            _ => (&self.template, self.layout_on(&mut session).await?, &self.wanted),
        };
        let columns = layout.select(wanted)?;
        let key_columns = columns.get(..self.key_columns.len()).unwrap_or_default();
        let named = session.version().has_named_subqueries();
        let pages = matches!(scope, ReadScope::Page { .. })
            && self.is_pageable(&mut session, key_columns).await?;
        let wrap = |rendered, filter| wrapped(rendered, layout.columns(), &columns, filter, named);
        let mut page = None;
        let (sent, keys) = match scope {
            ReadScope::Keys(keys) => {
                let filter = RowFilter::Keys { columns: key_columns, keys, comparison };
                let sent = wrap(template.render(None), filter);
                (sent, Some((key_columns.len(), keys.iter().cloned().collect())))
            }
            ReadScope::Page { after, rows_max } if pages => {
                page = Some((key_columns.len(), *rows_max));
                let (after, rows_max) = (after.as_ref(), *rows_max);
                let filter = RowFilter::Page { columns: key_columns, after, rows_max };
                (wrap(template.render(None), filter), None)
            }
            ReadScope::Page { .. } | ReadScope::LiveKeys => {
                (wrap(template.render(None), RowFilter::All), None)
            }
            ReadScope::KeysWhere(condition) => {
                (wrap(template.render(None), RowFilter::Where(condition)), None)
            }
            ReadScope::Full | ReadScope::Since(_) => {
                let has_float = columns.iter().any(|column| column.kind == ColumnKind::Float);
                let rendered = template.render(since);
                let sent = if has_float {
                    wrap(rendered, RowFilter::All)
                } else {
                    SentSql::plain(rendered)
                };
                (sent, None)
            }
        };
        let (watermark, notes) = match (moment, self.cursor_on(&layout)) {
            (Some(moment), Ok(Some(cursor))) => {
                let position = position(&moment, &cursor, &self.overlaps, since);
                (position.time.map(|time| time.watermark()), position.notes)
            }
            (Some(_), Err(NoTime(note))) => (None, vec![note]),
            (None, _) | (Some(_), Ok(None)) => (None, Vec::new()),
        };
        let plan = ReadPlan {
            sent,
            columns: columns.into_iter().cloned().collect(),
            keys,
            page,
            watermark,
            notes,
        };
        MysqlRead::start(session, plan, Arc::clone(&self.idle)).await
    }

    /// Reads from now on show at least what is before the position.
    pub(crate) fn set_floor(&self, position: &Position) {
        *self.floor.lock().unwrap_or_else(PoisonError::into_inner) = Some(position.clone());
    }

    async fn open_snapshot(&self, session: &mut Session) -> Result<(), SourceError> {
        let floor = self.floor.lock().unwrap_or_else(PoisonError::into_inner).clone();
        guard::open_snapshot(session, floor.as_ref()).await
    }

    /// Keys of the rows whose `column` holds one of these values, as the column itself compares them: so does a join, most
    /// likely, and a row too many harms nothing.
    pub(crate) async fn keys_with(
        &self,
        column: &str,
        values: &[Key],
    ) -> Result<Vec<Key>, SourceError> {
        let is_refused = |outcome: &Result<Vec<Key>, SourceError>| {
            outcome.as_ref().is_err_and(|error| error.kind == SourceErrorKind::Sql)
        };
        let found = self.keys_comparing(column, values, KeyComparison::Indexed).await;
        if !is_refused(&found) {
            return found;
        }
        // Some of the values hold characters that the column's character set does not have, unless this fails, too.
        let mut keys = self.keys_comparing(column, values, KeyComparison::Scanning).await?;
        let mut parts = vec![values];
        while let Some((some, others)) = parts.pop().map(|part| part.split_at(part.len() / 2)) {
            for part in [some, others].into_iter().filter(|part| !part.is_empty()) {
                let found = self.keys_comparing(column, part, KeyComparison::Indexed).await;
                if !is_refused(&found) {
                    keys.extend(found?);
                } else if part.len() > 1 {
                    parts.push(part);
                }
            }
        }
        Ok(keys)
    }

    async fn keys_comparing(
        &self,
        column: &str,
        values: &[Key],
        comparison: KeyComparison,
    ) -> Result<Vec<Key>, SourceError> {
        let mut session = Session::open(&self.options, &self.explainer).await?;
        self.open_snapshot(&mut session).await?;
        let layout = self.layout_on(&mut session).await?;
        let matching = layout.select(&[column.to_owned()])?;
        let columns = layout.select(&self.key_columns)?;
        let filter = RowFilter::Keys { columns: &matching, keys: values, comparison };
        let named = session.version().has_named_subqueries();
        let rendered = self.template.render(None);
        let plan = ReadPlan {
            sent: wrapped(rendered, layout.columns(), &columns, filter, named),
            columns: columns.into_iter().cloned().collect(),
            keys: None,
            page: None,
            watermark: None,
            notes: Vec::new(),
        };
        let mut read = MysqlRead::start(session, plan, Arc::clone(&self.idle)).await?;
        let mut keys = Vec::new();
        loop {
            let rows = read.next_rows(1_000).await?;
            if rows.is_empty() {
                return Ok(keys);
            }
            let names = || self.key_columns.iter().map(String::as_str);
            keys.extend(rows.iter().filter_map(|row| Key::from_cells(names().zip(&row.0)).ok()));
        }
    }

    /// Whether a read leads to a position: the query asks for what changed, and the read is no look at single keys.
    fn keeps_position(&self, scope: &ReadScope) -> bool {
        self.cursor.is_some()
            && self.template.has_parameter()
            && match scope {
                ReadScope::Full | ReadScope::Since(_) => true,
                // That of the first page counts.
                ReadScope::Page { after, .. } => after.is_none(),
                ReadScope::Keys(_) | ReadScope::LiveKeys | ReadScope::KeysWhere(_) => false,
            }
    }

    /// Whether the table can be read in pages.
    pub(crate) async fn is_pageable(
        &self,
        session: &mut Session,
        key_columns: &[&ResultColumn],
    ) -> Result<bool, SourceError> {
        let known = *self.pageable.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known {
            return Ok(known);
        }
        let is = self.is_table && table::is_pageable(session, key_columns).await?;
        *self.pageable.lock().unwrap_or_else(PoisonError::into_inner) = Some(is);
        Ok(is)
    }

    /// The query that yields keys must yield the key columns.
    pub(crate) async fn check_keys(&self, session: &mut Session) -> Result<(), SourceError> {
        let Some(keys) = &self.keys_template else { return Ok(()) };
        let layout = learn(session, keys, &self.keys_layout).await?;
        layout.select(&self.key_columns).map(drop).map_err(|error| SourceError {
            message: error.message.replace("the query", "`keys_query`"),
            remedy: "let `source.keys_query` select the columns of `primary_key`, by their names"
                .to_owned(),
            about: SourcePart::Whole,
            ..error
        })
    }

    fn no_keys(&self) -> SourceError {
        self.explainer.sql("nothing yields the keys of all rows", None, "add `source.keys_query`")
    }

    /// What is known of the cursor column; `None` without one.
    pub(crate) fn cursor_on(&self, layout: &Layout) -> Result<Option<CursorFacts>, NoTime> {
        let Some(name) = self.cursor.clone() else { return Ok(None) };
        let Some(column) = layout.column(&name) else {
            // The query uses it without returning it.
            return Ok(Some(CursorFacts {
                name,
                zone: CursorZone::Unknown,
                is_date: false,
                is_kept_current: false,
                nullable: false,
            }));
        };
        let zone = match (&column.kind, &column.origin) {
            (ColumnKind::Timestamp, _) => CursorZone::Utc,
            (ColumnKind::DateTime | ColumnKind::Date, Some(_)) if self.zone.is_some() => {
                CursorZone::Writers
            }
            // Applications write UTC as often as the server's own zone.
            (ColumnKind::DateTime | ColumnKind::Date, _) => CursorZone::Unknown,
            _ => {
                return Err(NoTime(format!(
                    "cursor column `{name}` holds no dates and times: every run reads everything"
                )));
            }
        };
        Ok(Some(CursorFacts {
            zone,
            is_date: column.kind == ColumnKind::Date,
            is_kept_current: layout.is_kept_current(column),
            nullable: column.nullable,
            name,
        }))
    }

    /// Every column that the query returns or the table has, whatever is mapped.
    ///
    /// # Errors
    /// No connection, or the server does not accept the query.
    pub async fn all_columns(
        options: &ConnectOptions,
        definition: &SourceDefinition,
    ) -> Result<Vec<Column>, SourceError> {
        let rows = match &definition.rows {
            SourceRows::Table { name, .. } => {
                let query = QueryText { text: table::every_column(name), line: 1 };
                SourceRows::Query { query, keys: None }
            }
            rows @ SourceRows::Query { .. } => rows.clone(),
        };
        let definition = SourceDefinition { rows, ..definition.clone() };
        let source = Self::new(options.clone(), &definition, Vec::new())?;
        let mut session = Session::open(&source.options, &source.explainer).await?;
        let layout = source.layout_on(&mut session).await?;
        Ok(layout.columns().iter().map(ResultColumn::column).collect())
    }

    /// The query's columns as they are now.
    pub(crate) async fn layout_on(
        &self,
        session: &mut Session,
    ) -> Result<Arc<Layout>, SourceError> {
        learn(session, &self.template, &self.layout).await
    }
}

/// The columns of a query as they are now; what `known` holds is used as long as it is true.
async fn learn(
    session: &mut Session,
    template: &SqlTemplate,
    known: &Mutex<Option<Arc<Layout>>>,
) -> Result<Arc<Layout>, SourceError> {
    let sent = SentSql::plain(template.render(None));
    let wire = session.describe(&sent).await?;
    let remembered = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(layout) = remembered.filter(|layout| layout.is_of(&wire)) {
        return Ok(layout);
    }
    let layout = Arc::new(Layout::learn(session, wire, template.text()).await?);
    *known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&layout));
    Ok(layout)
}

/// The user's SQL cannot be sent at all.
fn unusable(faults: &[TemplateFault]) -> SourceError {
    let words: Vec<String> = faults
        .iter()
        .map(|fault| {
            format!("{fault} (line {} of the query, column {})", fault.at.line, fault.at.column)
        })
        .collect();
    SourceError {
        about: faults.first().map(|fault| SourcePart::Query(fault.at)).unwrap_or_default(),
        kind: SourceErrorKind::Sql,
        message: words.join("; "),
        remedy: faults.first().map_or("", |fault| fault.kind.hint()).to_owned(),
    }
}

/// The cursor column is none that a position can be a value of; says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoTime(pub(crate) String);

/// The time that stands for `:last_sync_time`.
fn since(scope: &ReadScope) -> Result<Option<CursorTime>, SourceError> {
    let ReadScope::Since(watermark) = scope else { return Ok(None) };
    CursorTime::try_from(watermark).map(Some).map_err(|error| SourceError {
        about: SourcePart::Whole,
        kind: SourceErrorKind::Protocol,
        message: error.to_string(),
        remedy: "run with --full".to_owned(),
    })
}

impl RowSource for MysqlSource {
    fn open(&self, scope: ReadScope) -> Boxed<'_, Result<Box<dyn RowRead>, SourceError>> {
        Box::pin(async move {
            let read = self.open_read(scope).await?;
            Ok(Box::new(read) as Box<dyn RowRead>)
        })
    }
}
