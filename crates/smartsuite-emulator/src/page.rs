//! The page that shows a person what is in "their SmartSuite" (section 8.6).

use std::fmt;

use serde_json::Value;

use crate::emulator::Emulator;
use crate::model::account::Account;
use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::record::Record;
use crate::model::table::Table;
use crate::moment::Moment;
use crate::profile::ReadEmpties;
use crate::rules::read::View;

/// Records on one page.
const PAGE: usize = 100;

/// Linked records shown of one cell.
const LINKS: usize = 6;

const STYLE: &str = include_str!("page/style.css");

/// A page as it grows.
#[derive(Debug, Default)]
struct Html(String);

impl Html {
    fn text(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn add(&mut self, text: fmt::Arguments<'_>) {
        self.0.push_str(&text.to_string());
    }
}

/// The page of everything: workspaces and their tables.
pub(crate) fn overview(emulator: &Emulator, now: Moment) -> String {
    let mut main = Html::default();
    for account in emulator.world.accounts.values() {
        section(&mut main, emulator, account, now);
    }
    let counters = emulator.log.counters();
    let calls = format!(
        "<p class=\"quiet\">{} so far, {} of them changed something. \
         <a href=\"/_emulator/log\">Request log</a> &middot; \
         <a href=\"/_emulator/profile\">Profile</a></p>",
        counted(counters.requests, "request"),
        grouped(counters.effects),
    );
    main.text(&calls);
    document("SmartSuite emulator", "", &main.0)
}

fn section(main: &mut Html, emulator: &Emulator, account: &Account, now: Moment) {
    let used = account.calls.get(&now.month()).copied().unwrap_or(0);
    let quota = match account.plan.limits().calls_a_month {
        Some(most) => format!("{} of {} API calls this month", grouped(used), grouped(most)),
        None => format!("{} this month", counted(used, "API call")),
    };
    main.add(format_args!(
        "<section><h2>{}</h2><p class=\"quiet\">ACCOUNT-ID <code>{}</code> &middot; plan {} \
             &middot; {quota}</p>",
        escaped(&account.name),
        escaped(&account.slug),
        account.plan.name(),
    ));
    for solution in account.solutions.values() {
        main.add(format_args!("<h3>{}</h3>", escaped(&solution.name)));
        let mut tables: Vec<&Table> = emulator.world.tables_of(solution.id).collect();
        tables.sort_by_key(|table| (table.order, table.id));
        if tables.is_empty() {
            main.text("<p class=\"empty\">No tables yet.</p>");
            continue;
        }
        main.text("<ul class=\"cards\">");
        for table in tables {
            main.add(format_args!(
                "<li><a href=\"/_emulator/tables/{}\"><strong>{}</strong>\
                     <span>{}</span><code>{}</code></a></li>",
                table.id,
                escaped(&table.name),
                counted(table.live_count(), "record"),
                table.id,
            ));
        }
        main.text("</ul>");
    }
    main.text("</section>");
}

/// The page of one table; none if there is none of that id.
pub(crate) fn table(
    emulator: &Emulator,
    now: Moment,
    id: &str,
    page: Option<&str>,
) -> Option<String> {
    let table = emulator.world.tables.get(&id.parse().ok()?)?;
    let page: usize = page.and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
    let view = View {
        empties: ReadEmpties::Explicit,
        ..View::of_read(&emulator.world, &emulator.profile, table, now)
    };
    let fields: Vec<&Field> = shown_fields(table, now);
    let mut main = Html::default();
    main.add(format_args!(
        "<p class=\"quiet\">{} &middot; table id <code>{}</code></p>",
        counted(table.live_count(), "record"),
        table.id
    ));
    // Whoever uses the keyboard alone must be able to scroll it.
    main.text("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Records\"><table>");
    main.text("<thead><tr><th class=\"place\" scope=\"col\">#</th>");
    for field in &fields {
        main.add(format_args!(
            "<th scope=\"col\"{}>{}<small>{} &middot; {}</small></th>",
            class_of(field),
            escaped(&field.label),
            escaped(&field.slug),
            field.kind.name().trim_end_matches("field"),
        ));
    }
    main.text("</tr></thead><tbody>");
    let live = table.rows().filter(|(_, record)| record.deleted.is_none());
    let mut shown = 0;
    for (rank, record) in live.skip((page - 1).saturating_mul(PAGE)).take(PAGE) {
        row(&mut main, &view, &fields, rank, record);
        shown += 1;
    }
    main.text("</tbody></table></div>");
    if shown == 0 {
        main.text("<p class=\"empty\">No records here yet.</p>");
    }
    pager(&mut main, table, page);
    let title = format!("{} \u{2013} SmartSuite emulator", table.name);
    let crumbs = format!(
        "<nav><a href=\"/_emulator/\">All tables</a></nav><h2>{}</h2>",
        escaped(&table.name)
    );
    Some(document(&title, &crumbs, &main.0))
}

/// The table's own fields, the title first; then when it was last changed.
fn shown_fields(table: &Table, now: Moment) -> Vec<&Field> {
    let all: Vec<&Field> = table.visible_fields(now).collect();
    let is_system = |field: &&&Field| {
        matches!(
            field.kind,
            FieldType::FirstCreated
                | FieldType::LastUpdated
                | FieldType::CommentsCount
                | FieldType::AutoNumber
        ) || field.slug == "followed_by"
    };
    let title = all.iter().filter(|field| field.slug == table.primary);
    let own = all.iter().filter(|field| field.slug != table.primary && !is_system(field));
    let last = all.iter().filter(|field| field.kind == FieldType::LastUpdated);
    title.chain(own).chain(last).copied().collect()
}

/// Numbers stand under each other.
fn class_of(field: &Field) -> &'static str {
    match field.kind {
        FieldType::Number
        | FieldType::Currency
        | FieldType::Percent
        | FieldType::Duration
        | FieldType::NumberSlider
        | FieldType::PercentComplete
        | FieldType::Rating
        | FieldType::Count
        | FieldType::Rollup => " class=\"number\"",
        _ => "",
    }
}

fn row(main: &mut Html, view: &View<'_>, fields: &[&Field], rank: u64, record: &Record) {
    main.add(format_args!("<tr id=\"{}\"><td class=\"place\">{rank}</td>", record.id));
    for field in fields {
        let cell = field.column.map_or(&Cell::Absent, |column| record.cell(column));
        let shown = value(view, field, cell, rank, record);
        main.add(format_args!("<td{}>{shown}</td>", class_of(field)));
    }
    main.text("</tr>");
}

/// A value as a person would want to read it.
fn value(view: &View<'_>, field: &Field, cell: &Cell, rank: u64, record: &Record) -> String {
    let label = |id: &str| field.choice(id).map_or_else(|| id.to_owned(), |c| c.label.clone());
    match (field.kind, cell) {
        (FieldType::SingleSelect, Cell::Text(id)) => pill(&label(id)),
        (FieldType::Status, Cell::Status(status)) => pill(&label(&status.choice)),
        (FieldType::MultipleSelect | FieldType::Tags, Cell::Texts(ids)) => {
            ids.iter().map(|id| pill(&label(id))).collect()
        }
        (FieldType::LinkedRecord, Cell::Ids(ids)) => {
            let table = field.linked_table.and_then(|id| view.world.tables.get(&id));
            let shown = ids.iter().take(LINKS).map(|id| {
                let title = table.and_then(|table| {
                    table.live(*id)?.cell(table.title_column()?).as_text().map(str::to_owned)
                });
                let title = title.filter(|title| !title.is_empty());
                let title = title.unwrap_or_else(|| id.to_string());
                let page = table.map(|table| table.id.to_string()).unwrap_or_default();
                format!(
                    "<a class=\"pill\" href=\"/_emulator/tables/{page}#{id}\">{}</a>",
                    escaped(&title)
                )
            });
            let more = ids.len().saturating_sub(LINKS);
            let more = (more > 0).then(|| format!("<span class=\"place\">and {more} more</span>"));
            shown.chain(more).collect()
        }
        (FieldType::User, Cell::Ids(ids)) => {
            let account = view.world.accounts.get(&view.table.account);
            let name = |id: &crate::ObjectId| {
                let member = account.and_then(|account| account.member(*id));
                member
                    .map_or_else(|| id.to_string(), |m| format!("{} {}", m.first_name, m.last_name))
            };
            ids.iter().map(|id| pill(&name(id))).collect()
        }
        (FieldType::YesNo, cell) => if *cell == Cell::Yes { "yes" } else { "no" }.to_owned(),
        (FieldType::LastUpdated, _) => {
            format!("<time>{}</time>", record.updated.at.timestamp().strftime("%Y-%m-%d %H:%M:%S"))
        }
        (kind, cell) if kind.is_stored() && cell.is_empty() => String::new(),
        _ => escaped(&words(&view.field(field, rank, record))),
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(parts) => {
            if let Some(Value::String(date)) = parts.get("date") {
                let has_time = parts.get("include_time") == Some(&Value::Bool(true));
                let day = date.split('T').next().unwrap_or_default();
                let time = date.trim_end_matches('Z').replace('T', " ");
                return if has_time { time } else { day.to_owned() };
            }
            if let (Some(from), Some(to)) = (parts.get("from_date"), parts.get("to_date")) {
                return format!("{} \u{2013} {}", words(from), words(to));
            }
            let key =
                ["sys_title", "sys_root", "preview", "filename", "address", "value", "metadata"];
            let found = key.iter().find_map(|key| parts.get(*key));
            found.map_or_else(|| value.to_string(), words)
        }
    }
}

fn pill(text: &str) -> String {
    format!("<span class=\"pill\">{}</span>", escaped(text))
}

fn pager(main: &mut Html, table: &Table, page: usize) {
    let total = usize::try_from(table.live_count()).unwrap_or(usize::MAX);
    let pages = total.div_ceil(PAGE);
    if pages <= 1 {
        return;
    }
    let link = |to: usize, text: &str| {
        format!("<a href=\"/_emulator/tables/{}?page={to}\">{text}</a>", table.id)
    };
    main.text("<p class=\"pager\">");
    if page > 1 {
        main.text(&link(page - 1, "&larr; Previous"));
    }
    main.add(format_args!("<span>Page {page} of {pages}</span>"));
    if page < pages {
        main.text(&link(page + 1, "Next &rarr;"));
    }
    main.text("</p>");
}

fn document(title: &str, crumbs: &str, main: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"icon\" href=\"data:,\"><title>{}</title><style>{STYLE}</style></head><body>\
         <header><h1><a href=\"/_emulator/\">SmartSuite emulator</a></h1>\
         <p>A local stand-in. Nothing here is in the real service.</p></header>\
         <main>{crumbs}{main}</main></body></html>\n",
        escaped(title)
    )
}

/// `1 record`, `1,204 records`.
fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// Text that cannot become markup.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() && c != '\n' && c != '\t' => {
                // A control character is shown by its number: it must be seen, not obeyed.
                safe.push_str(&c.escape_unicode().to_string());
            }
            c => safe.push(c),
        }
    }
    safe
}
