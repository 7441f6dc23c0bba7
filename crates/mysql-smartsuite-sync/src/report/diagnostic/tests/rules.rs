//! Broken mapping files, each against one rule and no other. A rule that says something else than it used to shows in
//! the screens, which are looked at when they change.

use insta::assert_snapshot;
use sync_core::config::diagnostic::Code;

use super::{exploding, parsed, shown};

/// A mapping file: its keys as lines, some of which a rule replaces.
struct File {
    sync: Vec<String>,
    source: Vec<String>,
    destination: Vec<String>,
    more: String,
}

fn lines(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

impl File {
    fn sound() -> Self {
        Self {
            sync: lines("name: customers"),
            source: lines("query: SELECT id, email, status FROM customers\nprimary_key: id"),
            destination: lines(
                "table_id: 6500000000000000000000c1
external_id_field: sexternal1
field_mappings:
  email: semail0001
  status: sstatus001",
            ),
            more: String::new(),
        }
    }

    /// Without the lines of these keys.
    fn without(mut self, keys: &[&str]) -> Self {
        for part in [&mut self.sync, &mut self.source, &mut self.destination] {
            let mut drops = false;
            part.retain(|line| {
                if !line.starts_with(' ') {
                    drops = keys.iter().any(|key| line.starts_with(&format!("{key}:")));
                }
                !drops
            });
        }
        self
    }

    fn sync(mut self, more: &str) -> Self {
        self.sync.extend(lines(more));
        self
    }

    fn source(mut self, more: &str) -> Self {
        self.source.extend(lines(more));
        self
    }

    fn destination(mut self, more: &str) -> Self {
        self.destination.extend(lines(more));
        self
    }

    /// More text behind the sync.
    fn more(mut self, text: &str) -> Self {
        self.more = text.to_owned();
        self
    }

    fn text(&self) -> String {
        let under = |lines: &[String], depth: usize| {
            let lines: Vec<String> =
                lines.iter().map(|line| format!("{:depth$}{line}\n", "")).collect();
            lines.concat()
        };
        let mut first = under(&self.sync, 4);
        first.replace_range(2..3, "-");
        format!(
            "syncs:\n{first}    source:\n{}    destination:\n{}{}",
            under(&self.source, 6),
            under(&self.destination, 6),
            self.more
        )
    }
}

fn file() -> File {
    File::sound()
}

fn query(text: &str) -> File {
    file().without(&["query"]).source(&format!("query: {text}"))
}

/// The fields of `fields` below a sound destination.
fn field(text: &str) -> File {
    file().destination(&format!("fields:\n  sfield0001: {text}"))
}

fn option(kind: &str, options: &str) -> File {
    file().destination(&format!("field_types:\n  status: {{type: {kind}, options: {{{options}}}}}"))
}

fn second(name: &str, more: &str) -> String {
    format!(
        "  - name: {name}
    source: {{query: SELECT id FROM t, primary_key: id}}
    destination: {{table_id: 6500000000000000000000c1, external_id_field: sexternal1, field_mappings: {{a: sother0001}}{more}}}
"
    )
}

/// Each rule with a file that breaks it.
fn rules() -> Vec<(&'static str, Code, String)> {
    let of = |rule, code, file: File| (rule, code, file.text());
    let whole = |rule, code, text: &str| (rule, code, text.to_owned());
    vec![
        whole("the file is YAML", Code::YamlSyntax, "syncs: [\n"),
        whole("a line is indented by spaces", Code::YamlSyntax, "syncs:\n\t- name: a\n"),
        whole("an alias stands for something", Code::YamlSyntax, "syncs: *nothing\n"),
        whole("the file is no larger than a mapping can be", Code::TooLarge, &exploding()),
        of("a variable is set", Code::UnsetVariable, file().sync("description: ${NOBODY_SET_THIS}")),
        of("a variable has a name", Code::BadVariable, file().sync("description: \"${}\"")),
        of("a variable is closed", Code::BadVariable, file().sync("description: \"${PASSWORD\"")),
        of("a sync has only keys that mean something", Code::UnknownKey, file().sync("enabeld: true")),
        of("a source has only keys that mean something", Code::UnknownKey, file().source("cursor: updated_at")),
        of("a destination has only keys that mean something", Code::UnknownKey, file().destination("colour: red")),
        whole("there are syncs", Code::MissingKey, "smartsuite: {calls_per_second: 2}\n"),
        of("a source has rows", Code::MissingKey, file().without(&["query"])),
        of("a query has a key", Code::MissingKey, file().without(&["primary_key"])),
        of("a destination has a table", Code::MissingKey, file().without(&["table_id"])),
        of("a destination has a field for the key", Code::MissingKey, file().without(&["external_id_field"])),
        of("a destination has fields", Code::MissingKey, file().without(&["field_mappings"])),
        of("a field's value comes from somewhere", Code::MissingKey, field("{trim: true}")),
        of("an archive has a field", Code::MissingKey, file().source("deleted_field: gone").destination("on_delete: archive")),
        of("a yes or no is true or false", Code::WrongType, file().sync("enabled: perhaps")),
        of("a list is no text", Code::WrongType, file().without(&["field_mappings"]).destination("field_mappings: email")),
        of("a key is given once", Code::DuplicateKey, file().source("primary_key: email")),
        of("a column is mapped in one line", Code::DuplicateKey, file().without(&["field_mappings"]).destination("field_mappings:\n  email: semail0001\n  email: semail0002")),
        of("rows come from a query or a table", Code::ConflictingKeys, file().source("table: customers")),
        of("a value comes from one place", Code::ConflictingKeys, field("{column: email, value: x}")),
        of("a path belongs to a column", Code::ConflictingKeys, field("{value: x, path: a.b}")),
        of("personal data is hashed or masked", Code::ConflictingKeys, field("{column: email, hash: \"${PASSWORD}aaaaaaaaaaaaaaaa\", mask: 4}")),
        of("`delete_adopted` belongs to `delete`", Code::ConflictingKeys, file().destination("delete_adopted: true")),
        of("a sync that makes no records recreates none", Code::ConflictingKeys, file().destination("mode: update_only\non_missing: recreate")),
        of("a sync that makes no records deletes none", Code::ConflictingKeys, file().source("deleted_field: gone").destination("mode: update_only\non_delete: delete")),
        of("a sync that makes no records writes none on creation", Code::ConflictingKeys, file().destination("mode: update_only\nfields:\n  sfield0001: {column: email, write: on_create}")),
        of("a sync that changes no records matches none", Code::ConflictingKeys, file().destination("mode: create_only\nmatch_on: [semail0001]")),
        of("a name is not empty", Code::EmptyValue, file().without(&["name"]).sync("name: \"\"")),
        of("a query is not empty", Code::EmptyValue, query("\"\"")),
        of("`mode` is one of three", Code::UnknownValue, file().destination("mode: insert")),
        of("`write` is one of three", Code::UnknownValue, field("{column: email, write: once}")),
        of("`on_unknown` is one of four", Code::UnknownValue, field("{column: email, on_unknown: guess}")),
        of("`on_missing` is one of three", Code::UnknownValue, file().destination("on_missing: ignore")),
        of("`on_delete` is one of three", Code::UnknownValue, file().destination("on_delete: vanish")),
        of("a type is SmartSuite's", Code::UnknownValue, file().destination("field_types:\n  status: {type: dropdown}")),
        of("a zero date becomes something that is known", Code::UnknownValue, field("{column: email, zero_date: today}")),
        of("an interval is a minute at least", Code::OutOfRange, file().sync("schedule: {interval: 0}")),
        of("a mask shows no more than it hides", Code::OutOfRange, field("{column: email, mask: 40}")),
        of("two syncs have two names", Code::DuplicateSync, file().more(&second("customers", ", key_prefix: \"b:\"")).without(&[]).destination("key_prefix: \"a:\"")),
        of("a former name is nobody's", Code::BadPreviously, file().sync("previously: customers")),
        of("an option belongs to its type", Code::OptionNotForType, option("number", "default_country: DE")),
        of("a `value_map` leads from texts to choices", Code::BadValueMap, option("singleselect", "value_map: {active: [a, b]}")),
        of("a field is filled once", Code::MappedTwice, file().without(&["field_mappings"]).destination("field_mappings:\n  email: semail0001\n  status: semail0001")),
        of("the external-id field is the key's", Code::ExternalIdTaken, file().without(&["field_mappings"]).destination("field_mappings:\n  email: sexternal1")),
        of("a link leads to a sync of the file", Code::LinkUnknownSync, file().destination("links:\n  slink00001: {sync: nobody, from: email}")),
        of("a link leads to a sync that runs", Code::LinkDisabledSync, file().destination("key_prefix: \"a:\"\nlinks:\n  slink00001: {sync: other, from: email}").more(&second("other", ", key_prefix: \"b:\"").replace("- name: other", "- name: other\n    enabled: false"))),
        of("a link has the columns of its parent's key", Code::LinkKey, file().destination("links:\n  slink00001: {sync: customers, from: [email, status]}")),
        of("two syncs of a table tell their keys apart", Code::SharedTable, file().more(&second("other", ""))),
        of("no prefix begins another", Code::SharedTable, file().destination("key_prefix: a").more(&second("other", ", key_prefix: ab"))),
        of("a cron pattern is one", Code::BadCron, file().sync("schedule: {cron: every day}")),
        of("a cron pattern comes due", Code::BadCron, file().sync("schedule: {cron: 0 0 30 2 *}")),
        of("a zone is known", Code::BadTimeZone, file().source("time_zone: Mars/Olympus")),
        of("a date format is a pattern", Code::BadDateFormat, file().destination("transformations:\n  status: {type: date, format: \"%\"}")),
        of("an expression can be read", Code::BadExpression, field("{expression: \"round(net * 1.19,, 2)\"}")),
        of("a template's braces are closed", Code::BadExpression, field("{template: \"{first {last}\"}")),
        of("a path can be read", Code::BadExpression, field("{column: email, path: \"city..name\"}")),
        of("a secret does not stand in the file", Code::BadSecret, field("{column: email, hash: a secret in the file}")),
        of("a secret is long enough", Code::BadSecret, field("{column: email, hash: \"${PASSWORD}\"}")),
        of("rows are matched by mapped fields", Code::BadMatch, file().destination("match_on: [scompany01]")),
        of("rows are matched by fields that are kept", Code::BadMatch, file().destination("match_on: [sfield0001]\nfields:\n  sfield0001: {column: name, write: on_create}")),
        of("a query has one parameter", Code::QueryParameter, query("SELECT id, email, status FROM t WHERE a > :since")),
        of("a query is a SELECT", Code::QueryStatement, query("DELETE FROM customers")),
        of("a query is one statement", Code::QueryStatement, query("\"SELECT 1; SELECT 2\"")),
        of("a query's quotes are closed", Code::QueryStatement, query("SELECT id, 'email FROM customers")),
        of("a condition closes its brackets", Code::TableFilter, file().without(&["query", "primary_key"]).source("table: customers\nwhere: \"(a = 1\"")),
        of("somebody says which rows are gone", Code::DeletesUnseen, file().destination("on_delete: delete")),
        of("percent signs are not doubled", Code::QueryPercent, query("SELECT id, email, status FROM t WHERE a %% 2 = 0")),
        of("a full read yields rows", Code::QueryNullFilter, query("SELECT id, email, status, u FROM t WHERE u >= :last_sync_time").source("updated_at_field: u")),
        of("a cursor has a column", Code::QueryCursor, query("SELECT id, email, status FROM t WHERE :last_sync_time IS NULL OR u >= :last_sync_time")),
        of("what is converted is mapped", Code::UnmappedColumn, file().destination("field_types:\n  phone: {type: phonefield}")),
        of("a column is converted in one way", Code::TwoConversions, file().destination("field_types:\n  status: {type: singleselect}\ntransformations:\n  status: {type: choice}")),
        of("an included file is there", Code::IncludeUnreadable, file().more("include: orders.yml\n")),
        of("a file is included once", Code::IncludeTwice, file().more("include: sync_mappings.yml\n")),
        of("a table id looks like one", Code::DoubtfulTableId, file().without(&["table_id"]).destination("table_id: customers")),
    ]
}

#[test]
fn a_sound_file_breaks_none() {
    assert_eq!(parsed(&file().text()).diagnostics, []);
}

/// Catches: a rule that is not kept, and a mistake that sets off more than one alarm.
#[test]
fn each_broken_file_breaks_one_rule() {
    let rules = rules();
    assert!(rules.len() >= 50, "{}", rules.len());
    let mut wrong = Vec::new();
    for (rule, code, text) in &rules {
        let codes: Vec<&str> = parsed(text).diagnostics.iter().map(|one| one.code).collect();
        if codes != [code.name()] {
            wrong.push(format!("{rule}: {codes:?} instead of {code}\n{}", shown(text)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_has_a_rule() {
    let rules = rules();
    for code in Code::ALL {
        assert!(rules.iter().any(|(_, broken, _)| broken == code), "{code}");
    }
}

#[test]
fn what_each_broken_file_is_told() {
    let screens =
        rules().into_iter().map(|(rule, _, text)| format!("# {rule}\n\n{}\n", shown(&text)));
    assert_snapshot!(screens.collect::<Vec<_>>().join("\n"));
}
