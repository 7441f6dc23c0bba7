//! The form of a log line: `TIME LEVEL SYNC: message field=value ...`.

use std::fmt::{self, Write as _};

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

/// Writes lines in that form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineFormat;

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
