//! The checked configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::{defaults, span::Span, suggestion::nearest};
use crate::{
    alert::AlertDefinition,
    budget::{BudgetDefinition, Plan, Priority},
    deletes::GonePolicy,
    expression::Expression,
    json_path::JsonPath,
    slug::Slug,
    table::FieldKind,
};

/// Every sync of the mapping file.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// In the file's order; names are unique.
    pub syncs: Vec<SyncDefinition>,
    /// Whether the token's member is used by this tool alone (`smartsuite.dedicated_member`), so that what it
    /// created counts as created here.
    pub dedicated_member: bool,
    /// Calls that may leave each second, evenly spaced (`smartsuite.calls_per_second`): 1 to 5.
    pub calls_per_second: u32,
    /// The workspace's plan, where the file says it.
    pub plan: Option<Plan>,
    /// The month's calls, where the file says how many there are.
    pub budget: Option<BudgetDefinition>,
    /// Who is told when something is wrong.
    pub alerts: Option<AlertDefinition>,
    /// What the state keeps, and for how long.
    pub state: StateDefinition,
    /// Tests of the mappings, by sync.
    pub tests: BTreeMap<String, Vec<MappingTest>>,
}

/// A row with what it must become.
#[derive(Clone, Debug, PartialEq)]
pub struct MappingTest {
    /// What is tested, for people.
    pub name: Option<String>,
    /// Where it stands in the file.
    pub at: Span,
    /// Values of columns, as MySQL shows them.
    pub row: Vec<(String, String)>,
    /// What must come of it.
    pub expected: ExpectedRecord,
}

/// What must come of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpectedRecord {
    /// A record with these values, among others.
    Fields(Vec<(Slug, String)>),
    /// A refusal with this code.
    Refused(String),
}

/// What the state keeps beyond what the work needs, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateDefinition {
    /// A log of what was done to each record.
    pub log_effects: bool,
    /// Days that its lines are kept.
    pub keep_effects_days: u32,
    /// Days that runs are kept.
    pub keep_runs_days: u32,
    /// What refused rows hold.
    pub keep_refused_values: bool,
    /// What was last written to each record.
    pub keep_values: bool,
    /// Daily copies of the state that `schedule` keeps; 0: it takes none.
    pub daily_backups: u32,
}

impl StateDefinition {
    /// Whether `schedule` takes copies of the state.
    pub fn keeps_copies(&self) -> bool {
        self.daily_backups > 0
    }
}

impl Default for StateDefinition {
    fn default() -> Self {
        Self {
            log_effects: defaults::LOG_EFFECTS,
            keep_effects_days: defaults::KEEP_EFFECTS_DAYS,
            keep_runs_days: defaults::KEEP_RUNS_DAYS,
            keep_refused_values: defaults::KEEP_REFUSED_VALUES,
            keep_values: defaults::KEEP_VALUES,
            daily_backups: defaults::DAILY_BACKUPS,
        }
    }
}

impl Default for Config {
    /// What holds where there is no mapping file: no sync, and the usual manners.
    fn default() -> Self {
        Self {
            syncs: Vec::new(),
            dedicated_member: defaults::DEDICATED_MEMBER,
            calls_per_second: defaults::CALLS_PER_SECOND,
            plan: None,
            budget: None,
            alerts: None,
            state: StateDefinition::default(),
            tests: BTreeMap::new(),
        }
    }
}

impl Config {
    /// The sync of this name.
    pub fn sync(&self, name: &str) -> Option<&SyncDefinition> {
        self.syncs.iter().find(|sync| sync.name == name)
    }

    /// The name of a sync that may have been meant by `name`.
    pub fn nearest_sync(&self, name: &str) -> Option<&str> {
        nearest(name, self.syncs.iter().map(|sync| sync.name.as_str()))
    }
}

/// One sync: rows of one query, or of one source table, into records of one table.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncDefinition {
    /// Unique, non-empty.
    pub name: String,
    /// A disabled sync is checked but never run.
    pub enabled: bool,
    /// For people.
    pub description: Option<String>,
    /// The name under which the state may still know this sync.
    pub previously: Option<String>,
    /// Where rows come from.
    pub source: SourceDefinition,
    /// Where records go.
    pub destination: DestinationDefinition,
    /// When `schedule` runs it; `None`: at the service's interval.
    pub schedule: Option<ScheduleDefinition>,
    /// Minutes that its records may be behind their rows; `None`: as its schedule lets expect.
    pub freshness: Option<u32>,
    /// How much it matters where the month's calls do not suffice for all.
    pub priority: Priority,
    /// How changes are noticed.
    pub capture: CaptureMode,
    /// What to do when the binlog does not reach back to where it was read.
    pub on_position_lost: OnPositionLost,
    /// What to do when a mapping that fitted fits no more.
    pub on_drift: OnDrift,
    /// When keys are swept for rows that are gone; `None`: with each `run`, and every hour of a service.
    pub sweep: Option<ScheduleDefinition>,
    /// When every row is read again, whatever the position; `None`: on demand, and daily in a service.
    pub reconcile: Option<ScheduleDefinition>,
}

impl SyncDefinition {
    /// Whether its keys are swept for rows that are gone: their records do not stay as they are, and all keys can be
    /// had.
    pub fn is_swept(&self) -> bool {
        self.destination.on_delete.policy() != GonePolicy::Leave && self.source.shows_keys()
    }
}

/// How changes are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureMode {
    /// The query says, by its cursor column.
    Query,
    /// The table's rows are read in pages, or by its cursor column.
    Table,
    /// The server's binlog says.
    Binlog,
}

/// What to do when the binlog does not reach back to where it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnPositionLost {
    /// Every run fails, until somebody asks for a full one.
    Stop,
    /// Every row is read and compared, and the log followed from there.
    Repair,
}

/// What to do when a mapping that fitted the schemas fits them no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDrift {
    /// Every run fails until it fits again.
    #[default]
    Freeze,
    /// Runs go on without it.
    Ignore,
    /// Runs go on without it, and columns that are new in the source table get fields.
    Extend,
}

/// Another table whose rows decide what rows of a sync hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelatedDefinition {
    /// Its name, with its database before a dot where that is another one.
    pub table: String,
    /// Its column by whose value rows of the sync are found.
    pub column: String,
    /// The sync's column that holds that value.
    pub matches: String,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceDefinition {
    /// What yields the rows.
    pub rows: SourceRows,
    /// Key columns in order; at least one, except for a table whose key is to be learnt from the database's schema.
    pub primary_key: Vec<String>,
    /// The cursor column; `None`: every run reads everything.
    pub updated_at_field: Option<String>,
    /// Tables that the query joins; with `capture: binlog`, rows are read again when those change.
    pub related: Vec<RelatedDefinition>,
    /// The column that says whether a row counts as deleted.
    pub deleted_field: Option<String>,
    /// Zone of DATETIME columns, an IANA name or `UTC`; `None`: UTC, with a warning where it matters.
    pub time_zone: Option<String>,
}

impl SourceDefinition {
    /// Whether the keys of all rows can be read: those of a table, by a query of their own, or as the query itself shows
    /// them where rows come and go with those of related tables.
    pub fn shows_keys(&self) -> bool {
        !matches!(self.rows, SourceRows::Query { keys: None, .. }) || !self.related.is_empty()
    }
}

/// What yields the rows of a sync.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceRows {
    /// The user's SQL.
    Query {
        /// That yields the rows.
        query: QueryText,
        /// That yields the key of every row there is.
        keys: Option<QueryText>,
    },
    /// A table, or a view.
    Table {
        /// Its name, with its database before a dot where that is another one.
        name: String,
        /// The condition that its rows must meet, as written.
        filter: Option<QueryText>,
    },
}

impl SourceRows {
    /// The rows of a query that no mapping file holds.
    pub fn query(text: impl Into<String>) -> Self {
        Self::Query { query: QueryText { text: text.into(), line: 1 }, keys: None }
    }

    /// The user's SQL that yields the rows; `None` for a table.
    pub fn query_text(&self) -> Option<&QueryText> {
        match self {
            Self::Query { query, .. } => Some(query),
            Self::Table { .. } => None,
        }
    }

    /// What it is called in messages: `the query` or `table NAME`.
    pub fn in_words(&self) -> String {
        match self {
            Self::Query { .. } => "the query".to_owned(),
            Self::Table { name, .. } => format!("table `{name}`"),
        }
    }
}

/// SQL of the mapping file, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryText {
    /// The SQL.
    pub text: String,
    /// Line of the mapping file where it begins, counted from 1; for messages about its lines.
    pub line: usize,
}

/// Where records go.
#[derive(Clone, Debug, PartialEq)]
pub struct DestinationDefinition {
    /// SmartSuite's table id.
    pub table_id: String,
    /// The field that carries the key.
    pub external_id_field: Slug,
    /// Put before every key, so that several syncs can share a table.
    pub key_prefix: String,
    /// What is written, in the file's order. The external-id field is not among them unless the key column is
    /// mapped to it.
    pub fields: Vec<FieldMapping>,
    /// Linked-record fields that are filled from the keys of other syncs' rows, in the file's order.
    pub links: Vec<LinkDefinition>,
    /// What to do when a linked record is gone.
    pub on_missing: OnMissing,
    /// Which records it may make and change.
    pub mode: WriteMode,
    /// Slugs of mapped fields by which records without a key are matched before the first write; empty: by none.
    pub match_on: Vec<Slug>,
    /// What to do when a row is gone.
    pub on_delete: OnDelete,
}

/// What to do with the record of a row that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// Leave it as it is.
    Ignore,
    /// Delete it.
    Delete {
        /// Also if this tool did not create it.
        adopted: bool,
    },
    /// Set a field of it, and delete it when that is done.
    ArchiveFirst {
        /// Also if this tool did not create it.
        adopted: bool,
        /// The field.
        archive: ArchiveField,
    },
    /// Set a field of it, and leave it.
    Archive(ArchiveField),
}

impl OnDelete {
    /// What becomes of records whose rows are gone.
    pub fn policy(&self) -> GonePolicy {
        match self {
            Self::Ignore => GonePolicy::Leave,
            Self::Delete { adopted } => GonePolicy::Delete { adopted: *adopted },
            Self::ArchiveFirst { adopted, .. } => GonePolicy::ArchiveFirst { adopted: *adopted },
            Self::Archive(_) => GonePolicy::Archive,
        }
    }

    /// The field that is set, if one is.
    pub fn archive(&self) -> Option<&ArchiveField> {
        match self {
            Self::Archive(archive) | Self::ArchiveFirst { archive, .. } => Some(archive),
            Self::Ignore | Self::Delete { .. } => None,
        }
    }
}

/// The field that says that a record's row is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveField {
    /// The field.
    pub slug: Slug,
    /// What it is set to, as text.
    pub value: String,
    /// What it is set to when the row is there again, as text; `None`: it is emptied. Without effect where a column is
    /// mapped to the field.
    pub restored: Option<String>,
}

/// What to do when people deleted a linked record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMissing {
    /// Create it again.
    Recreate,
    /// Leave it, until the row changes its key.
    Skip,
    /// Park the row and say so.
    Quarantine,
}

/// One field and where its value comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldMapping {
    /// Where the value comes from.
    pub origin: Origin,
    /// The destination field.
    pub slug: Slug,
    /// How the value is converted.
    pub conversion: Conversion,
    /// What is done to the value before it is converted.
    pub treatment: Treatment,
    /// When it is written.
    pub write: WritePolicy,
}

impl FieldMapping {
    /// A column into a field, with nothing in between.
    pub fn of_column(column: &str, slug: Slug, conversion: Conversion) -> Self {
        Self {
            origin: Origin::Column { name: column.to_owned(), path: None },
            slug,
            conversion,
            treatment: Treatment::default(),
            write: WritePolicy::Always,
        }
    }

    /// Every source column that it reads, sorted.
    pub fn columns(&self) -> BTreeSet<&str> {
        match &self.origin {
            Origin::Column { name, .. } => BTreeSet::from([name.as_str()]),
            Origin::Computed(expression) => expression.columns(),
            Origin::Parts(parts) => parts.values().flat_map(Expression::columns).collect(),
        }
    }
}

/// Where a field's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// A column, or a part of the JSON document in it.
    Column {
        /// The column.
        name: String,
        /// The part; `None`: the whole value.
        path: Option<JsonPath>,
    },
    /// A constant, a template or an expression.
    Computed(Expression),
    /// Several values into one compound field, by the names of its parts.
    Parts(BTreeMap<String, Expression>),
}

/// What is done to a value before it is converted, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Treatment {
    /// What a zero or partial date becomes.
    pub zero_date: ZeroDate,
    /// How bytes become text.
    pub binary: BinaryForm,
    /// Whether white space at both ends is dropped.
    pub trim: bool,
    /// The text that stands in for NULL and blank text.
    pub default: Option<String>,
    /// How personal data is made unreadable.
    pub secrecy: Option<Secrecy>,
    /// Most characters of a text; `None`: what the field takes.
    pub length_max: Option<u32>,
    /// Whether longer texts are cut instead of refused.
    pub cut: bool,
}

/// What a zero or partial date (`0000-00-00`, `2024-00-00`) becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZeroDate {
    /// Nothing.
    #[default]
    Empty,
    /// The row is put in quarantine.
    Quarantine,
    /// This day.
    Fixed(jiff::civil::Date),
}

/// How the bytes of BINARY and BLOB columns become text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BinaryForm {
    /// They are UTF-8 text.
    #[default]
    Text,
    /// Base64.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// 16 bytes as a UUID.
    Uuid,
    /// 16 bytes in the order of MySQL's `UUID_TO_BIN(..., 1)` as a UUID.
    SwappedUuid,
}

/// How personal data is made unreadable.
#[derive(Clone, PartialEq, Eq)]
pub enum Secrecy {
    /// Replaced by a keyed hash: equal texts stay equal, and nobody without the key can try texts out. The key is
    /// derived from the secret that the user gave.
    Hash([u8; 32]),
    /// All but the last so many characters replaced by `*`.
    Mask {
        /// How many stay.
        shown: u32,
    },
}

impl std::fmt::Debug for Secrecy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hash(_) => f.write_str("Hash(***)"),
            Self::Mask { shown } => write!(f, "Mask({shown})"),
        }
    }
}

/// When a field is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WritePolicy {
    /// Whenever its value changes.
    #[default]
    Always,
    /// When its record is created; from then on it belongs to people.
    OnCreate,
    /// When its record is created, and when its record is written for another reason while the field is empty.
    IfEmpty,
}

/// Which records a sync may make and change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteMode {
    /// Both.
    #[default]
    Upsert,
    /// Records that are there are changed; none is made.
    UpdateOnly,
    /// Records are made; what they hold is changed by people only.
    CreateOnly,
}

/// What to do with a text that is no choice, or an e-mail address that is nobody's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnknown {
    /// The run fails and leaves its position where it was.
    Error,
    /// The row is put in quarantine.
    #[default]
    Quarantine,
    /// The field is left empty.
    Blank,
    /// The choice is added to the field.
    Create,
}

/// One linked-record field, filled from the keys of another sync's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkDefinition {
    /// The linked-record field.
    pub slug: Slug,
    /// Name of the sync whose records are linked to, the parent; it may be the sync itself.
    pub parent: String,
    /// The name under which the state may still know the parent.
    pub parent_previously: Option<String>,
    /// The table that the parent writes.
    pub parent_table: String,
    /// The columns that hold the parent's key, in the order of its key columns; a single one for a list.
    pub from: Vec<String>,
    /// Whether the column holds several keys.
    pub list: bool,
}

/// How a column's value becomes a field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Conversion {
    /// By the column's MySQL type and the field's SmartSuite type.
    Automatic,
    /// `field_types`: as this type, whatever the live field says of its kind (a mismatch is reported).
    Typed {
        /// The declared type.
        kind: FieldKind,
        /// Its options.
        options: TypeOptions,
    },
    /// `fields` without a type: by the field's own type, with these options.
    Options(TypeOptions),
    /// `transformations`, the older form.
    Transformed(Transformation),
}

/// `field_types.<column>.options`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypeOptions {
    /// Dates: whether the time of day is written; `None`: as the column's type has it.
    pub include_time: Option<bool>,
    /// Selects: source text to a choice's label or id. Source texts are compared exactly.
    pub value_map: BTreeMap<String, String>,
    /// Selects and people: what to do with what is not known.
    pub on_unknown: OnUnknown,
    /// Phones: country when the number does not say, ISO alpha-2.
    pub default_country: Option<String>,
    /// Phones: 1 office, 2 mobile, 4 home, 5 fax, 6 main, 8 other.
    pub default_type: Option<u8>,
}

/// `transformations.<column>`.
#[derive(Clone, Debug, PartialEq)]
pub enum Transformation {
    /// `type: number`.
    Number {
        /// `format: int`: rounded to a whole number; else as it is.
        whole: bool,
    },
    /// `type: choice`.
    Choice {
        /// Source text to a choice's label or id.
        value_map: BTreeMap<String, String>,
    },
    /// `type: date`.
    Date {
        /// strftime pattern for text columns; `None`: ISO 8601.
        format: Option<String>,
    },
}

/// When `schedule` runs a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleDefinition {
    /// Every so many minutes.
    Interval {
        /// At least 1.
        minutes: u32,
    },
    /// A cron pattern.
    Cron {
        /// Five or six fields, checked.
        pattern: String,
        /// IANA zone; `UTC` by default.
        time_zone: String,
    },
}
