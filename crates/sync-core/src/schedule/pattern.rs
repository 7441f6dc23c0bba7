//! Cron patterns: what is wrong with one, in words that name the field.

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

use super::ScheduleFault;

/// The fields of a pattern, the optional one first.
const FIELDS: [&str; 6] = ["second", "minute", "hour", "day of month", "month", "day of week"];

pub(super) fn parse(pattern: &str) -> Result<Cron, ScheduleFault> {
    CronParser::builder()
        .seconds(Seconds::Optional)
        .year(Year::Disallowed)
        .build()
        .parse(pattern)
        .map_err(|_| ScheduleFault::Pattern { reason: reason(pattern) })
}

fn reason(pattern: &str) -> String {
    let fields: Vec<_> = pattern.split_whitespace().collect();
    let names = match fields.len() {
        5 => FIELDS.get(1..).unwrap_or(&FIELDS),
        6 => &FIELDS,
        0 => return "is empty".to_owned(),
        1 => return "has 1 field, not 5 or 6".to_owned(),
        count => return format!("has {count} fields, not 5 or 6"),
    };
    let culprit = fields.iter().zip(names).enumerate().find(|(index, (field, _))| {
        let mut alone = vec!["*"; fields.len()];
        if let Some(place) = alone.get_mut(*index) {
            *place = field;
        }
        CronParser::builder().seconds(Seconds::Optional).build().parse(&alone.join(" ")).is_err()
    });
    match culprit {
        Some((_, (field, name))) => format!("has no {name} `{field}`"),
        None => "cannot be understood".to_owned(),
    }
}
