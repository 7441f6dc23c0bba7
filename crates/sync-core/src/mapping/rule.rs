//! Choosing the rule for one mapping: by the field's own type, with the options of the definition.

use std::collections::BTreeMap;

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
    family::{Family, family},
    finding::{Finding, FindingCode},
    fit,
    pair::Pair,
    zone::Zone,
};
use crate::{
    config::model::{Conversion, Transformation, TypeOptions},
    source::ColumnKind,
    table::{Field, FieldKind},
    value::Decimal,
};

/// The rule for a pair; `None` if there can be none, which is among the findings.
pub(super) fn choose(
    pair: Pair<'_>,
    zone: &Zone,
    findings: &mut Vec<Finding>,
) -> Option<Box<dyn Coerce>> {
    let mut choice = RuleChoice { pair, zone, findings };
    let rule = match &pair.mapping.conversion {
        Conversion::Automatic => choice.of_field(&TypeOptions::default()),
        Conversion::Typed { kind, options } => {
            choice.findings.extend(fit::declared_type(pair, kind));
            choice.of_field(options)
        }
        Conversion::Transformed(transformation) => choice.of_older_form(transformation),
    }?;
    if let Some(advice) = rule.misfit(&pair.column.kind) {
        let message = format!("no value of the column fits type {}", pair.field_type());
        findings.push(pair.finding(FindingCode::ColumnTypeMisfit, &message).hint(advice));
    }
    Some(rule)
}

struct RuleChoice<'a> {
    pair: Pair<'a>,
    zone: &'a Zone,
    findings: &'a mut Vec<Finding>,
}

impl RuleChoice<'_> {
    fn of_field(&mut self, options: &TypeOptions) -> Option<Box<dyn Coerce>> {
        let field = self.pair.field;
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
                self.findings.extend(fit::precision(self.pair, number.digits));
                Box::new(number)
            }
            FieldKind::Duration => Box::new(Duration { digits: field.precision }),
            FieldKind::YesNo => Box::new(YesNo),
            FieldKind::SingleSelect | FieldKind::Status => {
                Box::new(SingleChoice { choices: self.choices(&options.value_map) })
            }
            FieldKind::MultipleSelect | FieldKind::Tags => {
                Box::new(ChoiceSet { choices: self.choices(&options.value_map) })
            }
            FieldKind::Date => Box::new(self.date(options.include_time, None)),
            FieldKind::Email => Box::new(Email { multiple: field.multiple }),
            FieldKind::Link => Box::new(Link { multiple: field.multiple }),
            FieldKind::Phone => Box::new(self.phone(options)?),
            FieldKind::User | FieldKind::LinkedRecord => {
                Box::new(IdSet { multiple: field.multiple })
            }
            FieldKind::AutoNumber | FieldKind::Other(_) => {
                let message =
                    format!("fields of type {} cannot be written yet", self.pair.field_type());
                self.findings.push(
                    self.pair
                        .finding(FindingCode::FieldTypeUnsupported, &message)
                        .hint("remove the mapping, or map the column to a field of another type"),
                );
                return None;
            }
        })
    }

    fn of_older_form(&mut self, transformation: &Transformation) -> Option<Box<dyn Coerce>> {
        match (transformation, family(&self.pair.field.kind)) {
            (Transformation::Number { whole }, Family::Text) => {
                let digits = whole.then_some(0);
                Some(Box::new(NumberText(Number { digits, ..Number::default() })))
            }
            (Transformation::Number { whole: false }, Family::Number) => {
                self.of_field(&TypeOptions::default())
            }
            (Transformation::Number { whole: true }, Family::Number) => {
                Some(Box::new(Number { digits: Some(0), ..number_of(self.pair.field) }))
            }
            (Transformation::Choice { value_map }, Family::Choice) => {
                let value_map = value_map.clone();
                self.of_field(&TypeOptions { value_map, ..TypeOptions::default() })
            }
            (Transformation::Date { format }, Family::Date) => {
                Some(Box::new(self.date(None, format.clone())))
            }
            (Transformation::Date { format }, Family::Text) => {
                Some(Box::new(DateText(self.date(None, format.clone()))))
            }
            (Transformation::Number { .. }, _) => self.contradicted("number"),
            (Transformation::Choice { .. }, _) => self.contradicted("choice"),
            (Transformation::Date { .. }, _) => self.contradicted("date"),
        }
    }

    fn contradicted(&mut self, declared: &str) -> Option<Box<dyn Coerce>> {
        self.findings.push(fit::contradiction(self.pair, FindingCode::TypeMismatch, declared));
        None
    }

    fn date(&mut self, include_time: Option<bool>, pattern: Option<String>) -> Date {
        self.findings.extend(fit::zone(self.pair, include_time, self.zone));
        if let Some(pattern) = &pattern {
            self.findings.extend(fit::date_pattern(self.pair, pattern));
        }
        Date { include_time, zone: self.zone.zone.clone(), pattern }
    }

    fn choices(&mut self, value_map: &BTreeMap<String, String>) -> ChoiceTable {
        let Pair { column, field, .. } = self.pair;
        let sources = value_map
            .iter()
            .map(|(source, target)| (source_form(source, &column.kind), target.clone()));
        let (table, unknown) = ChoiceTable::new(&field.choices, sources);
        if field.choices.is_empty() {
            self.findings.push(
                self.pair
                    .finding(
                        FindingCode::ChoicesMissing,
                        "the field has no choices that can be read",
                    )
                    .hint(
                        "add the choices in SmartSuite; until then every row with a value is refused",
                    ),
            );
        }
        for target in unknown {
            let message =
                format!("`value_map` names \"{target}\", which is not exactly one of its choices");
            self.findings.push(
                self.pair
                    .finding(FindingCode::ValueMapTargetUnknown, &message)
                    .hint(format!("its choices: {}", table.labels())),
            );
        }
        table
    }

    fn phone(&mut self, options: &TypeOptions) -> Option<Phone> {
        let declared = options.default_country.as_deref();
        let country = Country::new(declared.unwrap_or(phone::COUNTRY_DEFAULT));
        match (declared, country) {
            (Some(name), None) => self.findings.push(
                self.pair
                    .finding(
                        FindingCode::PhoneCountryUnknown,
                        &format!("`default_country` \"{name}\" is no country"),
                    )
                    .hint("use a code of two letters, e.g. `US`, `GB` or `DE`"),
            ),
            (None, _) => self.findings.push(
                self.pair
                    .finding(
                        FindingCode::PhoneCountryMissing,
                        "numbers without + are taken as US numbers",
                    )
                    .hint("declare type `phonefield` with `default_country`"),
            ),
            (Some(_), Some(_)) => {}
        }
        let kind = options.default_type.unwrap_or(phone::KIND_DEFAULT);
        Some(Phone { country: country?, kind, multiple: self.pair.field.multiple })
    }
}

/// The limits of a numeric field.
fn number_of(field: &Field) -> Number {
    if field.kind == FieldKind::Rating {
        return Number { digits: Some(0), least: Some(0), greatest: None };
    }
    let range = (field.kind == FieldKind::PercentComplete).then_some((0, 100));
    Number {
        digits: field.precision,
        least: range.map(|(least, _)| least),
        greatest: range.map(|(_, greatest)| greatest),
    }
}

/// A `value_map` source as the column's values read: `1.5` names the `1.50` of a DECIMAL(4,2).
fn source_form(source: &str, column: &ColumnKind) -> String {
    let number =
        source.parse::<Decimal>().ok().filter(|_| matches!(column, ColumnKind::Decimal { .. }));
    number.map_or_else(|| source.to_owned(), |number| decimal_text(&number, column))
}
