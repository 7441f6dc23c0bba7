//! What `validate --online` wants to know of a source.

use sync_core::{
    error::{SourceError, SourceErrorKind},
    source::{Column, ColumnKind, ColumnValues},
    sql::{CursorTime, PARAMETER, RenderedSql},
};

use crate::{
    column::ResultColumn,
    column_values::column_values,
    explainer::SentSql,
    finding::{Severity, SourceFinding, SourceFindingCode},
    index_use::index_use,
    layout::Layout,
    overlap::{CursorFacts, Moment, position},
    server::ServerVersion,
    session::Session,
    source::{MysqlSource, NoTime},
    statement::{RowFilter, wrapped},
};

/// What a source's check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceReport {
    /// Who answered.
    pub server: ServerVersion,
    /// The cipher of the connection; `None` if it is not encrypted.
    pub cipher: Option<String>,
    /// Every column of the query, in its order.
    pub columns: Vec<Column>,
    /// What the schema says of their values, of those that come straight from a table.
    pub values: Vec<ColumnValues>,
    /// What is wrong, worth knowing or could be better; the worst first.
    pub findings: Vec<SourceFinding>,
}

/// A time that every row is later than, in every kind of column.
const LONG_AGO: jiff::civil::DateTime = jiff::civil::datetime(1970, 1, 2, 0, 0, 0, 0);

impl MysqlSource {
    /// Connects and looks at the query with the server's eyes, without reading its rows.
    ///
    /// # Errors
    /// The source cannot be read: no connection, SQL that the server does not accept, columns that the query does not
    /// return (all of them are named).
    pub async fn check(&self) -> Result<SourceReport, SourceError> {
        let mut session = Session::open(&self.options, &self.explainer).await?;
        let server = session.version().clone();
        let cipher = session.column("SHOW SESSION STATUS LIKE 'Ssl_cipher'", &["Value"]).await?;
        let cipher = cipher.into_iter().flatten().find(|cipher| !cipher.is_empty());
        let layout = self.layout_on(&mut session).await?;
        layout.select(&self.wanted)?;
        self.check_keys(&mut session).await?;
        let mut findings = self.key_findings(&layout);
        findings.extend(self.page_finding(&mut session, &layout).await?);
        findings.extend(self.wrap_finding(&mut session, &layout).await?);
        let values = column_values(&mut session, &layout).await?;
        let moment = Moment::measure(&mut session, self.zone.as_ref()).await?;
        match self.cursor_on(&layout) {
            Ok(Some(cursor)) if self.template.has_parameter() => {
                let probed = self.null_finding(&mut session, &layout).await?;
                findings.extend(probed);
                findings.extend(self.cursor_findings(&mut session, &layout, &moment, &cursor).await?);
            }
            Ok(Some(_)) => findings.push(SourceFinding {
                severity: Severity::Note,
                code: SourceFindingCode::CursorUnused,
                message: format!("the query does not use `{PARAMETER}`: every run reads everything"),
                hint: format!("unchanged rows cost no API call; to read less, add a condition with `{PARAMETER}`"),
            }),
            Ok(None) => {}
            Err(NoTime(message)) => findings.push(SourceFinding {
                severity: Severity::Warning,
                code: SourceFindingCode::CursorNoTime,
                message,
                hint: "name a DATETIME or TIMESTAMP column in `source.updated_at_field`".to_owned(),
            }),
        }
        findings.sort_by_key(|finding| finding.severity);
        let columns = layout.columns().iter().map(ResultColumn::column).collect();
        Ok(SourceReport { server, cipher, columns, values, findings })
    }

    fn key_findings(&self, layout: &Layout) -> Vec<SourceFinding> {
        let columns = self.key_columns.iter().filter_map(|name| layout.column(name));
        let findings = columns.filter_map(|column| {
            let name = &column.name;
            let kind = match &column.kind {
                ColumnKind::Float => "FLOAT",
                ColumnKind::Double => "DOUBLE",
                ColumnKind::Time => "TIME",
                ColumnKind::Set => "SET",
                ColumnKind::Json => "JSON",
                ColumnKind::Other(kind) => kind,
                ColumnKind::Int { .. }
                | ColumnKind::Year
                | ColumnKind::Bit { .. }
                | ColumnKind::Decimal { .. }
                | ColumnKind::Text
                | ColumnKind::Enum
                | ColumnKind::Binary
                | ColumnKind::Date
                | ColumnKind::DateTime
                | ColumnKind::Timestamp => {
                    return column.nullable.then(|| SourceFinding {
                        severity: Severity::Warning,
                        code: SourceFindingCode::KeyNullable,
                        message: format!("key column `{name}` may be NULL: such rows are refused"),
                        hint: "exclude them in the query, or take a column that is NOT NULL"
                            .to_owned(),
                    });
                }
            };
            Some(SourceFinding {
                severity: Severity::Error,
                code: SourceFindingCode::KeyKind,
                message: format!("key column `{name}` is a {kind}, whose text is no stable key"),
                hint: "take another column, or CAST it to DECIMAL or CHAR in the query".to_owned(),
            })
        });
        findings.collect()
    }

    /// Whether a table must be read at once, for want of an order along its key.
    async fn page_finding(
        &self,
        session: &mut Session,
        layout: &Layout,
    ) -> Result<Option<SourceFinding>, SourceError> {
        let key_columns = layout.select(&self.key_columns)?;
        if !self.is_table || self.is_pageable(session, &key_columns).await? {
            return Ok(None);
        }
        Ok(Some(SourceFinding {
            severity: Severity::Warning,
            code: SourceFindingCode::KeyWithoutOrder,
            message: format!(
                "no unique index has exactly the key columns ({}), NOT NULL and in their order, or one of them is an ENUM: \
                 the table is read at once, and a load that breaks off begins anew",
                self.key_columns.join(", ")
            ),
            hint: "take the table's primary key, or create such an index".to_owned(),
        }))
    }

    /// Whether the server takes the query inside another: rows are asked for by key in that form.
    async fn wrap_finding(
        &self,
        session: &mut Session,
        layout: &Layout,
    ) -> Result<Option<SourceFinding>, SourceError> {
        let columns = layout.select(&self.key_columns)?;
        let named = session.version().has_named_subqueries();
        let rendered = self.template.render(None);
        let sent = wrapped(rendered, layout.columns(), &columns, RowFilter::All, named);
        match session.describe(&sent).await {
            Ok(_) => Ok(None),
            Err(error) if error.kind == SourceErrorKind::Sql => Ok(Some(SourceFinding {
                severity: Severity::Error,
                code: SourceFindingCode::QueryUnwrappable,
                message: format!(
                    "the server does not take the query inside another, as it must be to ask for rows by key: {}",
                    error.message
                ),
                hint: "give every column a name of its own, and leave out what only a whole statement may have, such as \
                       SQL_CALC_FOUND_ROWS"
                    .to_owned(),
            })),
            Err(error) => Err(error),
        }
    }

    /// Whether the query yields nothing because `:last_sync_time` is NULL: it does with a time long ago.
    async fn null_finding(
        &self,
        session: &mut Session,
        layout: &Layout,
    ) -> Result<Option<SourceFinding>, SourceError> {
        if self.yields_a_row(session, layout, self.template.render(None)).await? {
            return Ok(None);
        }
        let long_ago = self.template.render(Some(CursorTime::new(LONG_AGO)));
        if !self.yields_a_row(session, layout, long_ago).await? {
            return Ok(None);
        }
        Ok(Some(SourceFinding {
            severity: Severity::Error,
            code: SourceFindingCode::NullYieldsNothing,
            message: format!(
                "the query yields nothing when `{PARAMETER}` is NULL, as it is on a full read and when rows are asked \
                 for by key"
            ),
            hint: format!("add `OR {PARAMETER} IS NULL` to the condition, in parentheses"),
        }))
    }

    /// How many rows the query yields, counted up to `most` and on the server.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub async fn row_count(&self, most: u64) -> Result<u64, SourceError> {
        let mut session = Session::open(&self.options, &self.explainer).await?;
        let layout = self.layout_on(&mut session).await?;
        let columns = layout.select(&self.key_columns)?;
        let named = session.version().has_named_subqueries();
        let rendered = self.template.render(None);
        let mut sent = wrapped(rendered, layout.columns(), &columns, RowFilter::All, named);
        let before = "SELECT COUNT(*) FROM (\n";
        sent.sql = format!("{before}{} LIMIT {most}\n) counted", sent.sql);
        sent.query_offset += before.len();
        let rows = session.query_rows(&sent).await?;
        let count = rows.into_iter().flatten().flatten().next();
        count.and_then(|count| count.parse().ok()).ok_or_else(|| self.explainer.interrupted())
    }

    async fn yields_a_row(
        &self,
        session: &mut Session,
        layout: &Layout,
        rendered: RenderedSql,
    ) -> Result<bool, SourceError> {
        let columns = layout.select(&self.key_columns)?;
        let named = session.version().has_named_subqueries();
        let mut sent = wrapped(rendered, layout.columns(), &columns, RowFilter::All, named);
        sent.sql.push_str(" LIMIT 1");
        Ok(!session.query_rows(&sent).await?.is_empty())
    }

    async fn cursor_findings(
        &self,
        session: &mut Session,
        layout: &Layout,
        moment: &Moment,
        cursor: &CursorFacts,
    ) -> Result<Vec<SourceFinding>, SourceError> {
        let note = |code, message, hint: &str| SourceFinding {
            severity: Severity::Note,
            code,
            message,
            hint: hint.to_owned(),
        };
        let mut findings = Vec::new();
        let position = position(moment, cursor, &self.overlaps, None);
        if let Some(time) = position.time {
            let sent = SentSql::plain(self.template.render(Some(time)));
            findings.extend(index_use(session, &sent, layout.column(&cursor.name)).await?);
        }
        for message in position.notes {
            findings.push(note(SourceFindingCode::Position, message, ""));
        }
        if !cursor.is_kept_current {
            findings.push(note(
                SourceFindingCode::CursorApplicationWritten,
                format!(
                    "the server does not keep cursor column `{}` by itself (ON UPDATE CURRENT_TIMESTAMP), so rows of \
                     the last {} minutes are read again each time, in case clocks differ",
                    cursor.name,
                    self.overlaps.application.as_secs() / 60
                ),
                "",
            ));
        }
        if layout.column(&cursor.name).is_none() {
            findings.push(note(
                SourceFindingCode::CursorNotReturned,
                format!(
                    "the query does not return cursor column `{}`, so its type and zone are unknown and positions \
                     keep to the earlier of UTC and the server's zone",
                    cursor.name
                ),
                "add the column to the SELECT list",
            ));
        }
        Ok(findings)
    }
}
