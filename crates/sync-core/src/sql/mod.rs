//! The user's SQL as text: enough of MySQL's lexical rules to fill in `:last_sync_time`, to say where something
//! stands, and to warn before the first run. No parsing beyond tokens: the server knows its own grammar.
//!
//! The rules are those of a session with an empty `sql_mode`, which is what every read sets: `"..."` is a string and
//! `\` escapes in strings.

mod condition;
mod null_filter;
mod percent;
mod position;
mod template;
mod token;

pub use condition::{ConditionFault, whole_condition};
pub use null_filter::null_filter;
pub use percent::doubled_percents;
pub use position::{SqlFinding, TextPosition};
pub use template::{
    CursorTime, NotWatermark, PARAMETER, RenderedSql, SqlTemplate, TemplateFault, TemplateFaultKind,
};
pub use token::{Token, TokenKind, tokens};
