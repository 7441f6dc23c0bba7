//! Holding a definition against both live schemas.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{
    coerce::{
        Coerce,
        choice_set::ChoiceSet,
        choice_table::ChoiceTable,
        date::Date,
        decimal_text,
        duration::Duration,
        email::Email,
        id_set::IdSet,
        link::Link,
        number::Number,
        older_form::{DateText, NumberText},
        phone::{self, Country, Phone},
        single_choice::SingleChoice,
        text::Text,
        yes_no::YesNo,
    },
    compiled::{CompiledField, CompiledMapping},
    external_id,
    family::{Family, Match, compare, family, type_name},
    finding::{Finding, FindingCode},
    hash, suggestion,
};
use crate::{
    config::model::{
        Conversion, DestinationDefinition, FieldMapping, SourceDefinition, Transformation,
        TypeOptions,
    },
    port::RecordShape,
    source::{Column, ColumnKind},
    table::{Field, FieldKind, TableStructure},
    value::Decimal,
};

impl CompiledMapping {
    /// Holds a sync's definition against the columns its query returns and the table as it is, and reports
    /// everything that is wrong or worth knowing, at once and in the order of the definition.
    ///
    /// There is a mapping unless a finding [blocks](FindingCode::blocks) it; with an error that does not, all rows
    /// but those it names can be written.
    pub fn compile(
        destination: &DestinationDefinition,
        source: &SourceDefinition,
        columns: &[Column],
        structure: &TableStructure,
    ) -> (Option<Self>, Vec<Finding>) {
        let mut compiler =
            Compiler { destination, source, columns, structure, findings: Vec::new() };
        let mapping = compiler.mapping();
        let blocked = compiler.findings.iter().any(|finding| finding.code.blocks());
        (mapping.filter(|_| !blocked), compiler.findings)
    }
}

struct Compiler<'a> {
    destination: &'a DestinationDefinition,
    source: &'a SourceDefinition,
    columns: &'a [Column],
    structure: &'a TableStructure,
    findings: Vec<Finding>,
}

/// One mapping of the definition with both its ends.
#[derive(Clone, Copy)]
struct Pair<'a> {
    mapping: &'a FieldMapping,
    column: &'a Column,
    field: &'a Field,
}

impl Pair<'_> {
    fn finding(self, code: FindingCode, message: String) -> Finding {
        Finding::new(code, message).column(&self.column.name).slug(&self.field.slug)
    }

    /// `column `a` into field `b` ("Label")`.
    fn path(self) -> String {
        format!(
            "column `{}` into field `{}` (\"{}\")",
            self.column.name, self.field.slug, self.field.label
        )
    }
}

impl<'a> Compiler<'a> {
    fn mapping(&mut self) -> Option<CompiledMapping> {
        let zone = self.zone();
        let key_columns = self.key_columns();
        let carrier =
            external_id::find(self.destination, self.source, self.columns, self.structure)
                .map_err(|finding| self.findings.push(finding))
                .ok();
        let mut fields = Vec::new();
        let mut shape_fields = Vec::new();
        for mapping in &self.destination.fields {
            let Some(pair) = self.pair(mapping) else { continue };
            let Some(rule) = self.rule(pair, &zone) else { continue };
            if let Some(advice) = rule.misfit(&pair.column.kind) {
                self.findings.push(misfit(pair, advice));
            }
            shape_fields.push(pair.field.clone());
            fields.push(CompiledField {
                slug: pair.field.slug.clone(),
                column: pair.column.name.clone(),
                position: self.position(&pair.column.name)?,
                kind: pair.column.kind.clone(),
                // An unticked box is an answer.
                required: pair.field.required && pair.field.kind != FieldKind::YesNo,
                rule,
            });
        }
        self.report_unmapped_required();
        let (external_id, carrier) = carrier?;
        shape_fields.push(external_id.clone());
        shape_fields.sort_by(|a, b| a.slug.cmp(&b.slug));
        fields.sort_by(|a, b| a.slug.cmp(&b.slug));
        let shape = RecordShape {
            table: self.structure.id.clone(),
            external_id: external_id.clone(),
            fields: shape_fields,
        };
        Some(CompiledMapping {
            key_columns: key_columns?,
            key_prefix: self.destination.key_prefix.clone(),
            carrier,
            fields,
            hash: hash::definition_hash(self.destination, self.source),
            structure_hash: hash::shape_hash(&shape),
            shape,
        })
    }

    /// UTC if the zone is unknown, so that the rest can be checked too.
    fn zone(&mut self) -> TimeZone {
        let Some(name) = &self.source.time_zone else { return TimeZone::UTC };
        TimeZone::get(name).unwrap_or_else(|_| {
            self.findings.push(
                Finding::new(
                    FindingCode::TimeZoneUnknown,
                    format!("there is no time zone `{name}`"),
                )
                .hint("use an IANA name such as `Europe/Berlin`, or `UTC`"),
            );
            TimeZone::UTC
        })
    }

    fn key_columns(&mut self) -> Option<Vec<(String, usize)>> {
        let mut positions = Vec::new();
        for name in &self.source.primary_key {
            let Some(column) = self.column(name, FindingCode::KeyColumnMissing) else { continue };
            if !can_be_key(&column.kind) {
                self.findings.push(
                    Finding::new(
                        FindingCode::KeyColumnUnsuitable,
                        format!("key column `{name}` has a type whose values have no exact, lasting text"),
                    )
                    .hint("choose a key of whole numbers, text or dates, or convert it with CAST(... AS CHAR)")
                    .column(name),
                );
            }
            if column.nullable {
                self.findings.push(
                    Finding::new(
                        FindingCode::KeyColumnNullable,
                        format!("key column `{name}` may be NULL; such rows cannot be written"),
                    )
                    .column(name),
                );
            }
            positions.push((name.clone(), self.position(name)?));
        }
        (positions.len() == self.source.primary_key.len()).then_some(positions)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The one column of this name; reports none and several.
    fn column(&mut self, name: &str, missing: FindingCode) -> Option<&'a Column> {
        let mut named = self.columns.iter().filter(|column| column.name == name);
        let Some(column) = named.next() else {
            let names = self.columns.iter().map(|column| column.name.as_str());
            self.findings.push(
                Finding::new(missing, format!("the query does not return column `{name}`"))
                    .hint(suggestion::for_column(name, names))
                    .column(name),
            );
            return None;
        };
        if named.next().is_some() {
            self.findings.push(
                Finding::new(
                    FindingCode::ColumnAmbiguous,
                    format!("the query returns more than one column `{name}`"),
                )
                .hint(format!("name them apart in the query, e.g. `... AS {name}_2`"))
                .column(name),
            );
        }
        Some(column)
    }

    /// Both ends of a mapping; `None` if one is missing (reported) or the field is not to be written by it.
    fn pair(&mut self, mapping: &'a FieldMapping) -> Option<Pair<'a>> {
        let column = self.column(&mapping.column, FindingCode::ColumnMissing);
        if mapping.slug == self.destination.external_id_field {
            self.check_external_id_source(mapping);
            return None;
        }
        let Some(field) = self.structure.field(&mapping.slug) else {
            self.findings.push(
                Finding::new(
                    FindingCode::SlugUnknown,
                    format!("table \"{}\" has no field `{}`", self.structure.name, mapping.slug),
                )
                .hint(suggestion::for_slug(&mapping.slug, self.structure))
                .column(&mapping.column)
                .slug(&mapping.slug),
            );
            return None;
        };
        if field.read_only || field.kind == FieldKind::AutoNumber {
            self.findings.push(
                Finding::new(
                    FindingCode::FieldReadOnly,
                    format!(
                        "field `{}` (\"{}\") is filled by SmartSuite itself and is left out",
                        field.slug, field.label
                    ),
                )
                .hint("remove the mapping, or map the column to another field")
                .column(&mapping.column)
                .slug(&field.slug),
            );
            return None;
        }
        Some(Pair { mapping, column: column?, field })
    }

    /// The external-id field always holds the key; only the key itself may be mapped onto it.
    fn check_external_id_source(&mut self, mapping: &FieldMapping) {
        if self.source.primary_key == [mapping.column.as_str()] {
            return;
        }
        self.findings.push(
            Finding::new(
                FindingCode::ExternalIdFieldTaken,
                format!(
                    "column `{}` is mapped onto `{}`, which carries the key",
                    mapping.column, mapping.slug
                ),
            )
            .hint("map the column to another field, or name another `external_id_field`")
            .column(&mapping.column)
            .slug(&mapping.slug),
        );
    }

    /// The rule by the field's own type and the options of the definition. `None`: reported.
    fn rule(&mut self, pair: Pair<'_>, zone: &TimeZone) -> Option<Box<dyn Coerce>> {
        let no_options = TypeOptions::default();
        let options = match &pair.mapping.conversion {
            Conversion::Automatic => &no_options,
            Conversion::Typed { kind, options } => {
                self.check_declared(pair, kind);
                options
            }
            Conversion::Transformed(transformation) => {
                return self.older_rule(pair, transformation, zone);
            }
        };
        self.rule_of_field(pair, options, zone)
    }

    /// Type taken from the live table; the definition only adds options.
    fn rule_of_field(
        &mut self,
        pair: Pair<'_>,
        options: &TypeOptions,
        zone: &TimeZone,
    ) -> Option<Box<dyn Coerce>> {
        let field = pair.field;
        Some(match &field.kind {
            FieldKind::Text | FieldKind::TextArea | FieldKind::Title => {
                Box::new(Text { rich: false })
            }
            FieldKind::RichText => Box::new(Text { rich: true }),
            FieldKind::Number
            | FieldKind::Currency
            | FieldKind::Percent
            | FieldKind::NumberSlider
            | FieldKind::PercentComplete
            | FieldKind::Rating => {
                let number = number_of(field);
                self.check_precision(pair, number.digits);
                Box::new(number)
            }
            FieldKind::Duration => Box::new(Duration { digits: field.precision }),
            FieldKind::YesNo => Box::new(YesNo),
            FieldKind::SingleSelect | FieldKind::Status => {
                Box::new(SingleChoice { choices: self.choices(pair, &options.value_map) })
            }
            FieldKind::MultipleSelect | FieldKind::Tags => {
                Box::new(ChoiceSet { choices: self.choices(pair, &options.value_map) })
            }
            FieldKind::Date => {
                self.check_zone(pair, options.include_time);
                Box::new(Date {
                    include_time: options.include_time,
                    zone: zone.clone(),
                    pattern: None,
                })
            }
            FieldKind::Email => Box::new(Email { multiple: field.multiple }),
            FieldKind::Link => Box::new(Link { multiple: field.multiple }),
            FieldKind::Phone => Box::new(self.phone(pair, options)?),
            FieldKind::User | FieldKind::LinkedRecord => {
                Box::new(IdSet { multiple: field.multiple })
            }
            FieldKind::AutoNumber | FieldKind::Other(_) => {
                self.findings.push(
                    pair.finding(
                        FindingCode::FieldTypeUnsupported,
                        format!(
                            "field `{}` (\"{}\") is a {}, which cannot be written yet",
                            field.slug,
                            field.label,
                            type_name(&field.kind)
                        ),
                    )
                    .hint("remove the mapping, or map the column to a field of another type"),
                );
                return None;
            }
        })
    }

    /// The rule for an entry of `transformations`. `None`: reported.
    fn older_rule(
        &mut self,
        pair: Pair<'_>,
        transformation: &Transformation,
        zone: &TimeZone,
    ) -> Option<Box<dyn Coerce>> {
        let live = family(&pair.field.kind);
        match (transformation, live) {
            (Transformation::Number { whole }, Family::Text) => {
                Some(Box::new(NumberText(Number {
                    digits: whole.then_some(0),
                    ..Number::default()
                })))
            }
            (Transformation::Number { whole: false }, Family::Number)
                if pair.field.kind == FieldKind::Duration =>
            {
                self.rule_of_field(pair, &TypeOptions::default(), zone)
            }
            (Transformation::Number { whole }, Family::Number) => {
                let number = number_of(pair.field);
                if !whole {
                    self.check_precision(pair, number.digits);
                }
                Some(Box::new(Number {
                    digits: if *whole { Some(0) } else { number.digits },
                    ..number
                }))
            }
            (Transformation::Choice { value_map }, Family::Choice) => {
                let options =
                    TypeOptions { value_map: value_map.clone(), ..TypeOptions::default() };
                self.rule_of_field(pair, &options, zone)
            }
            (Transformation::Date { format }, Family::Date | Family::Text) => {
                if let Some(pattern) = format {
                    self.check_pattern(pair, pattern);
                }
                self.check_zone(pair, None);
                let date = Date { include_time: None, zone: zone.clone(), pattern: format.clone() };
                Some(match live {
                    Family::Text => Box::new(DateText(date)),
                    _ => Box::new(date),
                })
            }
            (Transformation::Number { .. }, _) => self.mismatch(pair, "number"),
            (Transformation::Choice { .. }, _) => self.mismatch(pair, "choice"),
            (Transformation::Date { .. }, _) => self.mismatch(pair, "date"),
        }
    }

    fn mismatch(&mut self, pair: Pair<'_>, declared: &str) -> Option<Box<dyn Coerce>> {
        self.report_type(pair, FindingCode::TypeMismatch, declared);
        None
    }

    fn check_declared(&mut self, pair: Pair<'_>, declared: &FieldKind) {
        match compare(declared, &pair.field.kind) {
            Match::Same => {}
            Match::Lenient => self.report_type(pair, FindingCode::TypeDiffers, type_name(declared)),
            Match::None => self.report_type(pair, FindingCode::TypeMismatch, type_name(declared)),
        }
    }

    fn report_type(&mut self, pair: Pair<'_>, code: FindingCode, declared: &str) {
        let message = format!(
            "column `{}` is declared as {declared}, but field `{}` (\"{}\") is a {}",
            pair.column.name,
            pair.field.slug,
            pair.field.label,
            type_name(&pair.field.kind)
        );
        let hint = "remove the entry (the type is then the field's own), or map the column to another field";
        self.findings.push(pair.finding(code, message).hint(hint));
    }

    fn check_precision(&mut self, pair: Pair<'_>, digits: Option<u32>) {
        let (ColumnKind::Decimal { scale }, Some(digits)) = (&pair.column.kind, digits) else {
            return;
        };
        if u32::from(*scale) > digits {
            let message = format!(
                "{}: the column has {scale} digits behind the point, the field keeps {digits}",
                pair.path()
            );
            let hint = "raise the field's precision in SmartSuite, or round in the query; numbers are rounded half \
                        away from zero";
            self.findings.push(pair.finding(FindingCode::PrecisionLoss, message).hint(hint));
        }
    }

    /// A zone matters where clocks become instants, and where an instant becomes a day.
    fn check_zone(&mut self, pair: Pair<'_>, include_time: Option<bool>) {
        let matters = match pair.column.kind {
            ColumnKind::DateTime => include_time != Some(false),
            ColumnKind::Timestamp => include_time == Some(false),
            ColumnKind::Date => include_time == Some(true),
            _ => false,
        };
        if matters && self.source.time_zone.is_none() {
            let message = format!("{}: no time zone is declared, so UTC is assumed", pair.path());
            let hint = "declare the zone that the column is written in: `source.time_zone`, e.g. `Europe/Berlin`";
            self.findings.push(pair.finding(FindingCode::TimeZoneMissing, message).hint(hint));
        }
    }

    fn check_pattern(&mut self, pair: Pair<'_>, pattern: &str) {
        let probe = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        if jiff::fmt::strtime::format(pattern, &probe).is_err() {
            let message = format!("{}: `{pattern}` is no strftime pattern", pair.path());
            let hint = "e.g. `%Y-%m-%d` or `%d.%m.%Y %H:%M`";
            self.findings.push(pair.finding(FindingCode::DatePatternInvalid, message).hint(hint));
        }
    }

    fn choices(&mut self, pair: Pair<'_>, value_map: &BTreeMap<String, String>) -> ChoiceTable {
        let sources = value_map
            .iter()
            .map(|(source, target)| (source_form(source, &pair.column.kind), target.clone()));
        let (table, unknown) = ChoiceTable::new(&pair.field.choices, sources);
        if pair.field.choices.is_empty() {
            let message = format!("{}: the field has no choices that can be read", pair.path());
            let hint =
                "add the choices in SmartSuite; until then every row with a value is refused";
            self.findings.push(pair.finding(FindingCode::ChoicesMissing, message).hint(hint));
        }
        for target in unknown {
            let message = format!(
                "{}: `value_map` names \"{target}\", which is not one choice of it",
                pair.path()
            );
            let hint = format!("its choices: {}", table.labels());
            self.findings
                .push(pair.finding(FindingCode::ValueMapTargetUnknown, message).hint(hint));
        }
        table
    }

    fn phone(&mut self, pair: Pair<'_>, options: &TypeOptions) -> Option<Phone> {
        let declared = options.default_country.as_deref();
        let country = Country::new(declared.unwrap_or(phone::COUNTRY_DEFAULT));
        if country.is_none() {
            let name = declared.unwrap_or_default();
            let message = format!("{}: `default_country` \"{name}\" is no country", pair.path());
            let hint = "use a code of two letters, e.g. `US`, `GB` or `DE`";
            self.findings.push(pair.finding(FindingCode::PhoneCountryUnknown, message).hint(hint));
        } else if declared.is_none() {
            let message = format!("{}: numbers without + are taken as US numbers", pair.path());
            let hint = "declare the country: type `phonefield` with `default_country`";
            self.findings.push(pair.finding(FindingCode::PhoneCountryMissing, message).hint(hint));
        }
        let kind = options.default_type.unwrap_or(phone::KIND_DEFAULT);
        Some(Phone { country: country?, kind, multiple: pair.field.multiple })
    }

    fn report_unmapped_required(&mut self) {
        let is_mapped = |field: &Field| {
            field.slug == self.destination.external_id_field
                || self.destination.fields.iter().any(|mapping| mapping.slug == field.slug)
        };
        let unmapped: Vec<_> = self
            .structure
            .fields
            .iter()
            .filter(|field| field.required && !field.read_only && !is_mapped(field))
            .map(|field| {
                Finding::new(
                    FindingCode::RequiredFieldUnmapped,
                    format!(
                        "field `{}` (\"{}\") is required and nothing is mapped to it",
                        field.slug, field.label
                    ),
                )
                .hint("map a column to it, or make it optional in SmartSuite")
                .slug(&field.slug)
            })
            .collect();
        self.findings.extend(unmapped);
    }
}

fn misfit(pair: Pair<'_>, advice: &str) -> Finding {
    let message = format!(
        "{}: no value of the column can become a {}",
        pair.path(),
        type_name(&pair.field.kind)
    );
    pair.finding(FindingCode::ColumnTypeMisfit, message).hint(advice)
}

/// The limits of a numeric field.
fn number_of(field: &Field) -> Number {
    match field.kind {
        FieldKind::Rating => Number { digits: Some(0), least: Some(0), greatest: None },
        FieldKind::PercentComplete => {
            Number { digits: field.precision, least: Some(0), greatest: Some(100) }
        }
        _ => Number { digits: field.precision, ..Number::default() },
    }
}

/// Types whose text is exact and the same tomorrow.
fn can_be_key(kind: &ColumnKind) -> bool {
    match kind {
        ColumnKind::Int { .. }
        | ColumnKind::Year
        | ColumnKind::Bit { .. }
        | ColumnKind::Decimal { .. }
        | ColumnKind::Text
        | ColumnKind::Enum
        | ColumnKind::Binary
        | ColumnKind::Date
        | ColumnKind::DateTime
        | ColumnKind::Timestamp => true,
        ColumnKind::Float
        | ColumnKind::Double
        | ColumnKind::Set
        | ColumnKind::Time
        | ColumnKind::Json
        | ColumnKind::Other(_) => false,
    }
}

/// A `value_map` source as the column's values read: `1.5` names the `1.50` of a DECIMAL(4,2).
fn source_form(source: &str, column: &ColumnKind) -> String {
    match (column, source.parse::<Decimal>()) {
        (ColumnKind::Decimal { .. }, Ok(number)) => decimal_text(&number, column),
        _ => source.to_owned(),
    }
}
