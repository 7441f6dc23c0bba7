//! Whether incremental reads use an index.

use sync_core::error::{SourceError, SourceErrorKind};

use crate::{
    column::{Origin, ResultColumn},
    explainer::SentSql,
    finding::{Severity, SourceFinding, SourceFindingCode},
    key_literal::text_literal,
    server::Flavour,
    session::Session,
    statement::quoted,
};

/// A finding if the incremental form of the query, `sent`, reads tables from end to end.
pub(crate) async fn index_use(
    session: &mut Session,
    sent: &SentSql,
    cursor: Option<&ResultColumn>,
) -> Result<Option<SourceFinding>, SourceError> {
    let steps = match plan(session, sent).await {
        Ok(steps) => steps,
        // The query itself was taken: a view may be read by users to whom the server does not show what is behind it.
        Err(error) if error.kind == SourceErrorKind::Sql => return Ok(Some(unknown(&error))),
        Err(error) => return Err(error),
    };
    let Some(origin) = cursor.and_then(|column| column.origin.as_ref()) else {
        let scans = steps.iter().any(|step| step.access == "ALL" && step.possible_keys.is_empty());
        return Ok(scans.then(|| {
            warning(
                "the incremental form of the query reads a table from end to end each time"
                    .to_owned(),
                "index the columns that are compared with `:last_sync_time`".to_owned(),
            )
        }));
    };
    let indexes = indexes_on(session, origin).await?;
    let Origin { table, column, .. } = origin;
    if indexes.is_empty() {
        return Ok(Some(warning(
            format!(
                "no index begins with cursor column `{column}` of table `{table}`: each run reads the whole table"
            ),
            format!(
                "CREATE INDEX {} ON {} ({})",
                quoted(&format!("{column}_idx")),
                quoted(table),
                quoted(column)
            ),
        )));
    }
    // The optimiser may well scan a small table; what counts is that it could use the index.
    let usable =
        steps.iter().any(|step| step.possible_keys.iter().any(|key| indexes.contains(key)));
    Ok((!usable).then(|| {
        warning(
            format!(
                "the condition on `:last_sync_time` cannot use the index `{}` of table `{table}`: each run reads the \
                 whole table",
                indexes.join("`, `")
            ),
            format!(
                "compare the bare column, without a function around it: \
                 ({column} > :last_sync_time OR :last_sync_time IS NULL)"
            ),
        )
    }))
}

fn warning(message: String, hint: String) -> SourceFinding {
    let code = SourceFindingCode::CursorIndex;
    SourceFinding { severity: Severity::Warning, code, message, hint }
}

fn unknown(error: &SourceError) -> SourceFinding {
    SourceFinding {
        severity: Severity::Note,
        code: SourceFindingCode::CursorIndex,
        message: format!(
            "whether the incremental form of the query uses an index cannot be told: {}",
            error.message
        ),
        hint: "for a view, GRANT SHOW VIEW on it lets `validate` tell".to_owned(),
    }
}

/// One line of the server's plan.
struct Step {
    access: String,
    possible_keys: Vec<String>,
}

async fn plan(session: &mut Session, sent: &SentSql) -> Result<Vec<Step>, SourceError> {
    let explain = match session.version().flavour {
        Flavour::MariaDb => "EXPLAIN\n",
        Flavour::MySql => "EXPLAIN FORMAT=TRADITIONAL\n",
    };
    let sent = SentSql {
        sql: format!("{explain}{}", sent.sql),
        query_offset: sent.query_offset + explain.len(),
        rendered: sent.rendered.clone(),
    };
    let steps = session.named_rows(&sent, &["type", "possible_keys"]).await?;
    let steps = steps.into_iter().map(|cells| {
        let mut cells = cells.into_iter().map(Option::unwrap_or_default);
        let access = cells.next().unwrap_or_default();
        let keys = cells.next().unwrap_or_default();
        let possible_keys =
            keys.split(',').filter(|key| !key.is_empty()).map(str::to_owned).collect();
        Step { access, possible_keys }
    });
    Ok(steps.collect())
}

/// The indexes whose first column is this one.
async fn indexes_on(session: &mut Session, origin: &Origin) -> Result<Vec<String>, SourceError> {
    let rows = session
        .rows(&format!(
            "SELECT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} \
             AND COLUMN_NAME = {} AND SEQ_IN_INDEX = 1",
            text_literal(&origin.schema),
            text_literal(&origin.table),
            text_literal(&origin.column)
        ))
        .await?;
    Ok(rows.into_iter().flatten().flatten().collect())
}
