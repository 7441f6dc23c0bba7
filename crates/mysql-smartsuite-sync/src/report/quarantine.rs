//! Rows in quarantine, for people and for machines. Made to show rows: keys, reasons and values appear here.

use jiff::Timestamp;
use serde_json::{Value, json};
use sync_store::QuarantinedRow;

use crate::report::{
    Paint, counted,
    table::{Table, cut},
    thousands,
};

/// Characters of a reason in a table.
const REASON: usize = 60;

/// Rows of one sync.
#[derive(Clone, Debug)]
pub(crate) struct OfSync {
    /// The sync.
    pub(crate) name: String,
    /// The rows that are shown.
    pub(crate) rows: Vec<QuarantinedRow>,
    /// How many there are by the same conditions; at least so many where `is_more`.
    pub(crate) is_more: bool,
}

/// The list for people.
pub(crate) fn list(all: &[OfSync], now: Timestamp, paint: Paint) -> String {
    let shown: usize = all.iter().map(|one| one.rows.len()).sum();
    if shown == 0 {
        return "no row is in quarantine".to_owned();
    }
    let headings = ["sync", "key", "code", "field", "attempts", "next try", "reason"];
    let mut table = Table::new(&headings);
    for one in all {
        for row in &one.rows {
            table.row(vec![
                one.name.clone(),
                cut(&row.key.text(), 40),
                row.fault.code.clone(),
                row.fault.slug.as_ref().map(ToString::to_string).unwrap_or_default(),
                thousands(row.refusals),
                next_try(row, now),
                cut(&row.fault.reason.0, REASON),
            ]);
        }
    }
    let mut out = table.text(paint);
    for one in all.iter().filter(|one| one.is_more) {
        let rows = counted(u64::try_from(one.rows.len()).unwrap_or(u64::MAX), "row");
        out += &format!("\n{}: the first {rows}; `--rows NUMBER` shows more", one.name);
    }
    out + &format!(
        "\n{} `quarantine show SYNC KEY` shows a row whole; they are tried again by themselves",
        paint.strong("hint:")
    )
}

fn next_try(row: &QuarantinedRow, now: Timestamp) -> String {
    if row.next_try <= now {
        "next run".to_owned()
    } else {
        row.next_try.strftime("%m-%d %H:%M UTC").to_string()
    }
}

/// One row whole.
pub(crate) fn row(name: &str, row: &QuarantinedRow, now: Timestamp, paint: Paint) -> String {
    let clock = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let mut out = format!("{}  key {}", paint.strong(name), row.key.text());
    let mut line = |label: &str, words: &str| {
        out += &format!("\n  {}  {words}", paint.faint(&format!("{label:9}")));
    };
    line(
        "reason",
        &format!("{} {}", row.fault.reason.0, paint.faint(&format!("[{}]", row.fault.code))),
    );
    if let Some(slug) = &row.fault.slug {
        line("field", slug);
    }
    line("remedy", &row.fault.remedy);
    line("attempts", &thousands(row.refusals));
    line("read", &clock(row.since));
    let again = if row.next_try <= now {
        "by the next run".to_owned()
    } else {
        format!("at {}, or with `quarantine retry`", clock(row.next_try))
    };
    line("next try", &format!("when the row changes, else {again}"));
    match row.payload.as_ref().and_then(|payload| serde_json::from_str::<Value>(&payload.0).ok()) {
        Some(Value::Object(cells)) => {
            for (place, (cell, value)) in cells.iter().enumerate() {
                let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                line(if place == 0 { "values" } else { "" }, &format!("{cell}: {value}"));
            }
        }
        Some(_) | None => line("values", "not kept"),
    }
    out
}

/// Rows for machines.
pub(crate) fn json(all: &[OfSync]) -> Value {
    let rows: Vec<Value> =
        all.iter().flat_map(|one| one.rows.iter().map(|row| row_json(&one.name, row))).collect();
    json!({ "rows": rows, "more": all.iter().any(|one| one.is_more) })
}

/// One row for machines.
pub(crate) fn row_json(name: &str, row: &QuarantinedRow) -> Value {
    let payload = row.payload.as_ref().and_then(|text| serde_json::from_str(&text.0).ok());
    json!({
        "sync": name,
        "key": row.key.text(),
        "code": row.fault.code,
        "field": row.fault.slug.as_ref().map(|slug| slug.as_str()),
        "reason": row.fault.reason.0,
        "hint": row.fault.remedy,
        "attempts": row.refusals,
        "since": row.since,
        "next_try": row.next_try,
        "values": payload.unwrap_or(Value::Null),
    })
}
