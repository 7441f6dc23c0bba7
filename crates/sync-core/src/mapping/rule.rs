//! Choosing the rule for one mapping: by the field's own type, with the options of the definition.

use super::{
    coerce::{
        Coerce,
        choice_set::ChoiceSet,
        choice_table::ChoiceTable,
        color::Color,
        date::Date,
        date_range::DateRange,
        decimal_text,
        duration::Duration,
        email::Email,
        id_set::IdSet,
        ip_address::IpAddress,
        link::Link,
        number::Number,
        older_form::{DateText, NumberText},
        parts::Parts,
        people::People,
        phone::{self, Country, Phone},
        single_choice::SingleChoice,
        text::Text,
        time_of_day::TimeOfDay,
        yes_no::YesNo,
    },
    family::{Family, family},
    finding::{Finding, FindingCode},
    fit,
    pair::Pair,
    unwritable,
    zone::Zone,
};
use crate::{
    config::model::{BinaryForm, Conversion, OnUnknown, Origin, Transformation, TypeOptions},
    source::ColumnKind,
    table::{Field, FieldKind, NumberRange, TableStructure},
    value::Decimal,
};

/// The rule for a pair; `None` if there can be none, which is among the findings.
pub(super) fn choose(
    pair: &Pair<'_>,
    structure: &TableStructure,
    zone: &Zone,
    findings: &mut Vec<Finding>,
) -> Option<Box<dyn Coerce>> {
    let mut choice = RuleChoice { pair, structure, zone, findings };
    let rule = match &pair.mapping.conversion {
        Conversion::Automatic => choice.of_field(&TypeOptions::default()),
        Conversion::Options(options) => {
            choice.findings.extend(fit::options(pair, options));
            choice.of_field(options)
        }
        Conversion::Typed { kind, options } => {
            choice.findings.extend(fit::declared_type(pair, kind));
            choice.of_field(options)
        }
        Conversion::Transformed(transformation) => choice.of_older_form(transformation),
    }?;
    findings.extend(fit::parts(pair, rule.parts()));
    // Bytes that are written as text by the mapping are text to the rule.
    let column = match (&pair.column.kind, pair.mapping.treatment.binary) {
        (ColumnKind::Binary | ColumnKind::Other(_), BinaryForm::Text) => pair.column.kind.clone(),
        (ColumnKind::Binary | ColumnKind::Other(_), _) => ColumnKind::Text,
        (kind, _) => kind.clone(),
    };
    let column = if pair.mapping.treatment.secrecy.is_some() { ColumnKind::Text } else { column };
    let is_parts = matches!(pair.mapping.origin, Origin::Parts(_));
    if let Some(advice) = rule.misfit(&column).filter(|_| !is_parts) {
        let message = format!("no value of the column fits type {}", pair.field_type());
        findings.push(pair.finding(FindingCode::ColumnTypeMisfit, &message).hint(advice));
    }
    Some(rule)
}

struct RuleChoice<'a> {
    pair: &'a Pair<'a>,
    structure: &'a TableStructure,
    zone: &'a Zone,
    findings: &'a mut Vec<Finding>,
}

impl RuleChoice<'_> {
    fn of_field(&mut self, options: &TypeOptions) -> Option<Box<dyn Coerce>> {
        let field = self.pair.field;
        Some(match &field.kind {
            FieldKind::Text | FieldKind::TextArea | FieldKind::Title => Box::new(self.text(false)),
            FieldKind::RichText => Box::new(self.text(true)),
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
                Box::new(SingleChoice { choices: self.choices(options) })
            }
            FieldKind::MultipleSelect | FieldKind::Tags => {
                Box::new(ChoiceSet { choices: self.choices(options) })
            }
            FieldKind::Date => Box::new(self.date(options.include_time, None)),
            FieldKind::Email => Box::new(Email { multiple: field.multiple }),
            FieldKind::Link => Box::new(Link { multiple: field.multiple }),
            FieldKind::Phone => Box::new(self.phone(options)?),
            FieldKind::DateRange | FieldKind::DueDate => Box::new(DateRange {
                date: self.date(options.include_time, None),
                due: field.kind == FieldKind::DueDate,
            }),
            FieldKind::Time => Box::new(TimeOfDay { zone: self.zone.zone.clone() }),
            FieldKind::Address => Box::new(Parts::ADDRESS),
            FieldKind::FullName => Box::new(Parts::FULL_NAME),
            FieldKind::SocialNetwork => Box::new(Parts::SOCIAL_NETWORK),
            FieldKind::IpAddress => Box::new(IpAddress { multiple: field.multiple }),
            FieldKind::ColorPicker => Box::new(Color { multiple: field.multiple }),
            FieldKind::User => Box::new(People::new(
                self.structure.members.as_deref(),
                field.multiple,
                options.on_unknown,
            )),
            FieldKind::LinkedRecord => Box::new(IdSet { multiple: field.multiple }),
            FieldKind::AutoNumber | FieldKind::Other(_) => {
                let name = self.pair.field_type();
                let (reason, hint) = unwritable::reason(name);
                let message = format!("fields of type {name} are not written: {reason}");
                self.findings.push(
                    self.pair.finding(FindingCode::FieldTypeUnsupported, &message).hint(hint),
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

    fn text(&mut self, rich: bool) -> Text {
        let treatment = &self.pair.mapping.treatment;
        let length_max = match (treatment.length_max, self.pair.field.length_max) {
            (Some(asked), Some(taken)) if asked > taken => {
                let message =
                    format!("`max_length` is {asked}, but the field takes {taken} characters");
                self.findings.push(self.pair.finding(FindingCode::LengthUnfit, &message).hint(
                    "raise the field's greatest length in SmartSuite, or lower `max_length`",
                ));
                Some(taken)
            }
            (asked, taken) => asked.or(taken),
        };
        Text { rich, length_max, cut: treatment.cut }
    }

    fn choices(&mut self, options: &TypeOptions) -> ChoiceTable {
        let Pair { column, field, .. } = self.pair;
        let mut on_unknown = options.on_unknown;
        if on_unknown == OnUnknown::Create && field.kind == FieldKind::Tags {
            on_unknown = OnUnknown::Quarantine;
            self.findings.push(
                self.pair
                    .finding(
                        FindingCode::ChoicesMissing,
                        "SmartSuite documents no way to add tags, so `on_unknown: create` cannot add any",
                    )
                    .hint("add the tags in SmartSuite, or use a multiple select"),
            );
        }
        let sources = options
            .value_map
            .iter()
            .map(|(source, target)| (source_form(source, &column.kind), target.clone()));
        let (table, mut unknown) = ChoiceTable::new(&field.choices, sources, on_unknown);
        if on_unknown == OnUnknown::Create {
            // They are added when a row asks for them.
            unknown.clear();
        } else if field.choices.is_empty() {
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
    let NumberRange { least, greatest } = field.range.clone();
    let zero = || Decimal::from(0);
    match field.kind {
        FieldKind::Rating => {
            Number { digits: Some(0), least: least.or_else(|| Some(zero())), greatest }
        }
        FieldKind::PercentComplete => Number {
            digits: field.precision,
            least: least.or_else(|| Some(zero())),
            greatest: greatest.or_else(|| Some(Decimal::from(100))),
        },
        _ => Number { digits: field.precision, least, greatest },
    }
}

/// A `value_map` source as the column's values read: `1.5` names the `1.50` of a DECIMAL(4,2).
fn source_form(source: &str, column: &ColumnKind) -> String {
    let number =
        source.parse::<Decimal>().ok().filter(|_| matches!(column, ColumnKind::Decimal { .. }));
    number.map_or_else(|| source.to_owned(), |number| decimal_text(&number, column))
}
