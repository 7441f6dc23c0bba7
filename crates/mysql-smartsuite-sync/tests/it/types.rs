//! Every type of column into every type of field: what arrives, what is refused, and that what arrives is what is read
//! back, in every profile of the emulator. The reference publishes what was found.

mod column;
mod field;
mod page;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_TOKEN, ProfileName};
use sync_core::{
    config::{self, model::SyncDefinition},
    draft::Fields,
    error::CallErrorKind,
    field_value::{DateStamp, FieldValue},
    mapping::{CompiledMapping, Severity},
    port::{
        BULK_MAX, PAGE_MAX, ReadScope, RecordFilter, RecordShape, RecordTarget as _, RowSource as _,
    },
    record::{RecordId, SeenRecord},
    secret::Secret,
    slug::Slug,
    source::{Column as SourceColumn, Row},
    table::{FieldKind, TableStructure},
    value::{Decimal, Value},
};
use sync_mysql::{ConnectOptions, MysqlSource};
use sync_smartsuite::{ClientOptions, SmartSuiteClient};
use throwaway_server::{Flavor, TestDatabase};

use self::{
    column::{COLUMNS, Column},
    field::{EXTERNAL_ID, kinds, slug, table_id, tables},
};
use crate::emulator::Served;

/// What becomes of one value in one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    /// The field is empty afterwards.
    Empty,
    /// The field holds this afterwards, as the service shows it.
    Kept(Json),
    /// The row is refused with this code.
    Refused(&'static str),
    /// No value of the column's type could be taken.
    Never(&'static str),
}

mod every_pair_is_kept_exactly_or_refused {
    use throwaway_server::Flavor;

    #[test]
    fn on_mariadb() {
        super::play(Flavor::MariaDb);
    }

    #[test]
    fn on_mysql() {
        super::play(Flavor::MySql);
    }
}

fn play(flavor: Flavor) {
    let Some(database) = TestDatabase::create(flavor).unwrap() else { return };
    let columns: Vec<&Column> =
        COLUMNS.iter().filter(|column| column.only.is_none_or(|only| only == flavor)).collect();
    let services: Vec<(ProfileName, Served)> = ProfileName::ALL
        .map(|profile| (profile, Served::of(profile, tables(columns.len()))))
        .into_iter()
        .collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let found = runtime.block_on(every_pair(&database, &columns, &services));
    page::check(COLUMNS, &found);
}

/// What the source yields.
struct Read {
    columns: Vec<SourceColumn>,
    rows: Vec<Row>,
    /// The same as texts, by the server's own word; row by row.
    texts: Vec<Row>,
}

/// Sends every pair to every profile; what was found, as a section of the reference for each column.
async fn every_pair(
    database: &TestDatabase,
    columns: &[&Column],
    services: &[(ProfileName, Served)],
) -> BTreeMap<&'static str, String> {
    let read = read(database, columns).await;
    let mut fates: Vec<page::Fates> = columns.iter().map(|_| Vec::new()).collect();
    let mut wrong = Vec::new();
    let clients: Vec<SmartSuiteClient> = services.iter().map(|(_, one)| client(&one.url)).collect();
    for (number, kind) in kinds().enumerate() {
        let table = table_id(number);
        // What the mapping makes of the rows is the same for every profile.
        let mut structure = clients[0].structure(&table).await.unwrap();
        structure.members = Some(clients[0].members(0).await.unwrap().members);
        let drafted = Pairs::of(&read, &structure, columns, kind, &mut wrong);
        let mut refused = BTreeSet::new();
        for ((profile, smartsuite), client) in services.iter().zip(&clients) {
            let mut pairs = drafted.clone();
            pairs.write(client, &mut refused, &mut wrong).await;
            let records = pairs.compare(client, *profile, kind, &mut wrong).await;
            if *profile == ProfileName::Default {
                let shown = smartsuite.records(&table);
                for (place, fates) in fates.iter_mut().enumerate() {
                    fates.push((kind, pairs.fates(place, columns[place], &shown)));
                }
            }
            pairs.clear(client, &records, *profile, kind, &mut wrong).await;
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    let of = |(column, fates): (&&Column, &page::Fates)| (column.sql, page::section(column, fates));
    columns.iter().zip(&fates).map(of).collect()
}

/// A row for each value: the first values of all columns in one, the second ones in the next. The last is all NULL.
async fn read(database: &TestDatabase, columns: &[&Column]) -> Read {
    let most = columns.iter().map(|column| column.values.len()).max().unwrap();
    let declared: Vec<String> =
        columns.iter().enumerate().map(|(n, column)| format!("c{n} {}", column.sql)).collect();
    let mut sql = format!(
        "SET NAMES utf8mb4; SET time_zone = '+00:00', sql_mode = '';
         CREATE TABLE t (id INT PRIMARY KEY, {}) ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4;",
        declared.join(", ")
    );
    for row in 0..=most {
        let value = |column: &&Column| column.values.get(row).copied().unwrap_or("NULL");
        let values: Vec<&str> = columns.iter().map(value).collect();
        sql += &format!("INSERT INTO t VALUES ({row}, {});", values.join(", "));
    }
    database.execute(&sql).unwrap();
    let names: Vec<String> = (0..columns.len()).map(|n| format!("c{n}")).collect();
    // FLOAT's own text has six digits, and a bit's is a byte.
    let text = |(name, column): (&String, &&Column)| match column.sql {
        "FLOAT" => format!("CAST({name} + 0e0 AS CHAR) AS {name}"),
        "POINT" | "GEOMETRY" | "VECTOR(3)" => format!("NULL AS {name}"),
        sql if sql.starts_with("BIT") => format!("CAST({name} + 0 AS CHAR) AS {name}"),
        _ => format!("CAST({name} AS CHAR) AS {name}"),
    };
    let texts: Vec<String> = names.iter().zip(columns).map(text).collect();
    let (of_table, rows) = select(database, "SELECT * FROM t ORDER BY id", &names).await;
    let query = format!("SELECT id, {} FROM t ORDER BY id", texts.join(", "));
    let (_, texts) = select(database, &query, &names).await;
    Read { columns: of_table, rows, texts }
}

async fn select(
    database: &TestDatabase,
    query: &str,
    names: &[String],
) -> (Vec<SourceColumn>, Vec<Row>) {
    let mut options =
        ConnectOptions::new(database.host(), "root", Secret::new(""), database.name());
    options.port = database.port();
    let source = definition(&table_id(0), query, names.len()).source;
    let source = MysqlSource::new(options, &source, names.iter().cloned()).unwrap();
    let mut read = source.open(ReadScope::Full).await.unwrap();
    let mut rows = Vec::new();
    loop {
        let some = read.next_rows(100).await.unwrap();
        if some.is_empty() {
            break (read.columns().to_vec(), rows);
        }
        rows.extend(some);
    }
}

/// The sync of one type of field, as a mapping file says it.
fn definition(table: &str, query: &str, columns: usize) -> SyncDefinition {
    let mapped: Vec<String> = (0..columns).map(|n| format!("c{n}: {}", slug(n))).collect();
    let text = format!(
        "syncs:
  - name: types
    source: {{query: {query:?}, primary_key: id}}
    destination: {{table_id: {table:?}, external_id_field: {EXTERNAL_ID}, field_mappings: {{{}}}}}",
        mapped.join(", ")
    );
    let parsed = config::parse(&text, &|_| None);
    let config = parsed.config.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
    config.syncs.into_iter().next().unwrap()
}

fn client(url: &str) -> SmartSuiteClient {
    let mut options = ClientOptions::new(DEMO_ACCOUNT, Secret::new(DEMO_TOKEN));
    url.clone_into(&mut options.base_url);
    SmartSuiteClient::new(&options).unwrap()
}

/// Every column into the fields of one table.
#[derive(Clone)]
struct Pairs {
    /// The part of the table that some value can be written to.
    shape: RecordShape,
    /// What each row becomes, refused values left out.
    drafts: Vec<Fields>,
    /// By column: why none of its values is taken, or which are not.
    refused: Vec<Result<BTreeMap<usize, &'static str>, &'static str>>,
}

impl Pairs {
    fn of(
        read: &Read,
        structure: &TableStructure,
        columns: &[&Column],
        kind: &FieldKind,
        wrong: &mut Vec<String>,
    ) -> Self {
        let whole = definition(&structure.id, "SELECT * FROM t", columns.len());
        let mut values: Vec<Vec<(Slug, FieldValue)>> =
            read.rows.iter().map(|_| Vec::new()).collect();
        let mut refused = Vec::new();
        let mut taken = whole.destination.clone();
        for (place, column) in columns.iter().enumerate() {
            let slug = slug(place);
            let mut alone = whole.destination.clone();
            alone.fields.retain(|field| field.slug == slug);
            let (mapping, findings) =
                CompiledMapping::compile(&alone, &whole.source, &read.columns, structure);
            let error = findings.iter().find(|finding| finding.severity() == Severity::Error);
            if let Some(error) = error {
                refused.push(Err(error.code.code()));
                taken.fields.retain(|field| field.slug != slug);
                continue;
            }
            let mapping = mapping.unwrap();
            let mut faults = BTreeMap::new();
            for (row, cells) in read.rows.iter().enumerate() {
                let value = match mapping.draft(cells) {
                    Ok(draft) => draft.fields.get(&slug).unwrap().clone(),
                    Err(fault) => {
                        faults.insert(row, fault.code.code());
                        continue;
                    }
                };
                if cells.0[place + 1] == Value::Null && value != FieldValue::Empty {
                    wrong.push(format!("{}: NULL into {} is not empty", column.sql, kind.name()));
                }
                wrong.extend(inexact(column, kind, &read.texts[row].0[place + 1], &value));
                values[row].push((slug.clone(), value));
            }
            refused.push(Ok(faults));
        }
        let (mapping, findings) =
            CompiledMapping::compile(&taken, &whole.source, &read.columns, structure);
        let shape = mapping.unwrap_or_else(|| panic!("{findings:?}")).shape().clone();
        let keyed = |(row, mut fields): (usize, Vec<(Slug, FieldValue)>)| {
            fields.push((Slug::from(EXTERNAL_ID), FieldValue::text(format!("row {row}"))));
            let fields = Fields::new(fields);
            // The state keeps drafts as text between reading and sending.
            let kept: Fields =
                serde_json::from_str(&serde_json::to_string(&fields).unwrap()).unwrap();
            assert!(kept == fields, "the state keeps every value");
            fields
        };
        let drafts = values.into_iter().enumerate().map(keyed).collect();
        Self { shape, drafts, refused }
    }

    /// Creates a record for each row. What the service refuses is left out, and the row written without it. `refused`
    /// holds what other profiles refused, as row and column: not each says what it refuses.
    async fn write(
        &mut self,
        client: &SmartSuiteClient,
        refused: &mut BTreeSet<(usize, usize)>,
        wrong: &mut Vec<String>,
    ) {
        assert!(self.drafts.len() <= BULK_MAX);
        drop(client.create(&self.shape, &self.drafts).await);
        let written: BTreeSet<String> =
            self.list(client).await.into_iter().filter_map(|record| record.external_id).collect();
        for row in 0..self.drafts.len() {
            if !written.contains(&format!("row {row}")) {
                self.write_alone(client, row, refused, wrong).await;
            }
        }
    }

    async fn write_alone(
        &mut self,
        client: &SmartSuiteClient,
        row: usize,
        refused: &mut BTreeSet<(usize, usize)>,
        wrong: &mut Vec<String>,
    ) {
        loop {
            let draft = self.drafts[row].clone();
            let complaints = match client.create(&self.shape, std::slice::from_ref(&draft)).await {
                Ok(answer) if !answer.records.is_empty() => return,
                Ok(answer) => answer.complaints,
                // The profile takes another form of dates.
                Err(error) if error.retry_as_is => continue,
                Err(error) => error.complaints,
            };
            let named = complaints.iter().find_map(|one| one.slug.clone());
            let known = || {
                let of_row = refused.iter().filter(|(of, _)| *of == row);
                of_row.map(|(_, place)| slug(*place)).find(|slug| draft.get(slug).is_some())
            };
            let Some(slug) = named.or_else(known) else {
                return wrong.push(format!("row {row} is refused without a word about a field"));
            };
            let place: usize = slug.trim_start_matches("scol").parse().unwrap();
            refused.insert((row, place));
            let code = CallErrorKind::Refused { status: 400 }.code();
            self.refused[place].as_mut().unwrap().insert(row, code);
            let kept = draft.iter().filter(|(name, _)| **name != slug);
            let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
            self.drafts[row] = Fields::new(kept.collect());
        }
    }

    /// Reads the records; each must hold what was sent.
    async fn compare(
        &self,
        client: &SmartSuiteClient,
        profile: ProfileName,
        kind: &FieldKind,
        wrong: &mut Vec<String>,
    ) -> Vec<RecordId> {
        let seen = self.list(client).await;
        let mut ids = Vec::new();
        for (row, draft) in self.drafts.iter().enumerate() {
            let id = format!("row {row}");
            let Some(record) = seen.iter().find(|one| one.external_id.as_deref() == Some(&id))
            else {
                wrong.push(format!("{profile}, {}: {id} is not there", kind.name()));
                continue;
            };
            for slug in draft.differing(&record.fields) {
                let read = record.fields.iter().find(|(name, _)| *name == slug).unwrap();
                let sent = draft.get(&slug).unwrap();
                if !is_kept_otherwise(profile, kind, sent, &read.1) {
                    let (kind, sent, read) = (kind.name(), words(sent), words(&read.1));
                    wrong
                        .push(format!("{profile}, {kind} {slug}: {sent} was sent, {read} is read"));
                }
            }
            ids.push(record.id.clone());
        }
        ids
    }

    /// Empties every field of every record; each must then be empty.
    async fn clear(
        &self,
        client: &SmartSuiteClient,
        records: &[RecordId],
        profile: ProfileName,
        kind: &FieldKind,
        wrong: &mut Vec<String>,
    ) {
        let emptied = |(row, id): (usize, &RecordId)| {
            let key = (Slug::from(EXTERNAL_ID), FieldValue::text(format!("row {row}")));
            let empty = self.shape.fields.iter().filter(|field| *field.slug != *EXTERNAL_ID);
            let empty = empty.map(|field| (field.slug.clone(), FieldValue::Empty));
            (id.clone(), Fields::new(empty.chain([key]).collect()))
        };
        let updates: Vec<_> = records.iter().enumerate().map(emptied).collect();
        let kind = kind.name();
        if let Err(error) = client.update(&self.shape, &updates).await {
            return wrong.push(format!("{profile}, {kind}: {} {}", error.kind, error.detail.0));
        }
        for record in self.list(client).await {
            for (slug, value) in &record.fields {
                if *value != FieldValue::Empty && **slug != *EXTERNAL_ID {
                    wrong.push(format!("{profile}, {kind} {slug}: not cleared: {}", words(value)));
                }
            }
        }
    }

    async fn list(&self, client: &SmartSuiteClient) -> Vec<SeenRecord> {
        client.list(&self.shape, &RecordFilter::All, 0, PAGE_MAX).await.unwrap().records
    }

    /// What became of a column's values.
    fn fates(&self, place: usize, column: &Column, shown: &[Json]) -> Vec<Fate> {
        let slug = slug(place);
        let of = |row: usize| match &self.refused[place] {
            Err(code) => Fate::Never(code),
            Ok(faults) => match faults.get(&row) {
                Some(code) => Fate::Refused(code),
                None if self.drafts[row].get(&slug) == Some(&FieldValue::Empty) => Fate::Empty,
                None => {
                    let id = format!("row {row}");
                    let record = shown.iter().find(|one| one[EXTERNAL_ID] == *id);
                    Fate::Kept(record.map_or(Json::Null, |one| one[slug.as_str()].clone()))
                }
            },
        };
        (0..column.values.len()).map(of).collect()
    }
}

/// Columns whose values stand in a text otherwise than the server itself would show them, and why.
const OWN_FORM: &[(&str, &str)] = &[
    (
        "FLOAT",
        "the server shows more digits of its double, or fewer of its own, than the number has",
    ),
    ("INT(8) ZEROFILL", "zeros in front are a way to show a number, and no part of it"),
    (
        "JSON",
        "equal documents have one form: without spaces, members sorted; a text alone is that text",
    ),
    ("TEXT", "a text field has one kind of line end"),
    ("TIMESTAMP NULL", "an instant says that it is in UTC"),
    ("TIMESTAMP(6) NULL", "an instant says that it is in UTC"),
    ("YEAR", "the year 0 is no year"),
];

/// Holds a value against the server's own text, without the mapping's rules: a text is that text, a number that number.
fn inexact(column: &Column, kind: &FieldKind, text: &Value, value: &FieldValue) -> Option<String> {
    let Value::Text(text) = text else { return None };
    let differs = match (kind, value) {
        (FieldKind::Text | FieldKind::TextArea, FieldValue::Text(held)) => {
            held != text && OWN_FORM.iter().all(|(sql, _)| *sql != column.sql)
        }
        (FieldKind::Number | FieldKind::Currency, FieldValue::Number(number)) => {
            if column.sql == "FLOAT" {
                // Each is the same float.
                number.to_string().parse::<f32>() != text.parse::<f32>()
            } else {
                text.parse::<Decimal>().is_ok_and(|exact| *number != exact)
            }
        }
        _ => false,
    };
    differs.then(|| format!("{} as {}: {text:?} became {}", column.sql, kind.name(), words(value)))
}

/// Where a profile keeps another value than it was sent, by a switch that is meant to.
fn is_kept_otherwise(
    profile: ProfileName,
    kind: &FieldKind,
    sent: &FieldValue,
    read: &FieldValue,
) -> bool {
    profile == ProfileName::Adversarial
        && match (sent, read) {
            // `user_writes`
            (FieldValue::Ids(_), FieldValue::Empty) => *kind == FieldKind::User,
            // `trim_text`
            (FieldValue::Text(sent), FieldValue::Text(read)) => sent.trim() == read,
            // `date_forms`, `range_date_forms`: a text at midnight does not say whether the time is meant.
            (FieldValue::Date { at: sent, .. }, FieldValue::Date { at: read, .. }) => sent == read,
            (
                FieldValue::DateRange { from: sent, to: sent_to },
                FieldValue::DateRange { from: read, to: read_to },
            ) => {
                let days = |from: &Option<DateStamp>, to: &Option<DateStamp>| {
                    (from.map(|one| one.at), to.map(|one| one.at))
                };
                days(sent, sent_to) == days(read, read_to)
            }
            _ => false,
        }
}

fn words(value: &FieldValue) -> String {
    serde_json::to_string(value).unwrap()
}
