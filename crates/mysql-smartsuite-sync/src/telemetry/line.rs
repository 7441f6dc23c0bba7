//! The form of a log line: `TIME LEVEL SYNC: message field=value ...`, or a JSON object.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

use crate::environment::LogFormat;

/// Writes lines in that form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineFormat(pub(crate) LogFormat);

/// The field that names the sync, which stands before the message.
const SYNC: &str = "sync.name";

impl<S, N> FormatEvent<S, N> for LineFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if self.0 == LogFormat::Json {
            return write_json(&mut out, event);
        }
        let mut parts = Parts::default();
        event.record(&mut parts);
        SystemTime.format_time(&mut out)?;
        write!(out, " {:5} ", event.metadata().level())?;
        if let Some(sync) = &parts.sync {
            write!(out, "{sync}: ")?;
        }
        writeln!(out, "{}{}", parts.message, parts.fields)
    }
}

/// One object: `time`, `level`, `message`, and every field under its own name.
fn write_json(out: &mut Writer<'_>, event: &Event<'_>) -> fmt::Result {
    let mut time = String::new();
    SystemTime.format_time(&mut Writer::new(&mut time))?;
    let mut object = Object(Map::new());
    object.0.insert("time".to_owned(), Value::from(time));
    object.0.insert("level".to_owned(), Value::from(event.metadata().level().as_str()));
    event.record(&mut object);
    writeln!(out, "{}", Value::Object(object.0))
}

struct Object(Map<String, Value>);

impl Visit for Object {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), Value::from(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }
}

#[derive(Default)]
struct Parts {
    sync: Option<String>,
    message: String,
    fields: String,
}

impl Parts {
    #[expect(clippy::needless_pass_by_value, reason = "made for this line")]
    fn put(&mut self, field: &Field, shown: String) {
        match field.name() {
            "message" => self.message = one_line(&shown),
            SYNC => self.sync = Some(one_line(&shown)),
            // Writing to a text cannot fail.
            name => drop(write!(self.fields, " {name}={}", one_line(&shown))),
        }
    }
}

/// What comes from outside must not look like a line of its own.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Visit for Parts {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let plain = matches!(field.name(), "message" | SYNC) || !value.contains([' ', '"']);
        self.put(field, if plain { value.to_owned() } else { format!("{value:?}") });
    }
}
