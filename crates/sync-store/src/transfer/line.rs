//! The lines. Their form is documented in `docs/reference/state-export.md`; a change of it is a new version.

use serde::{Deserialize, Serialize};

/// What the first line says it is.
pub(super) const FORMAT: &str = "mysql-smartsuite-sync state";
/// The version of the form. In the first one a mark could lie above creates that were on their way.
pub(super) const VERSION: u32 = 2;

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    /// The first.
    State(Head),
    /// A sync with one of its destinations; the links that follow are its own.
    Sync(SyncLine),
    /// A link.
    Link(LinkLine),
    /// A key to be looked at once more.
    SecondLook(LookLine),
    /// Calls of a sync.
    Calls(CallsLine),
    /// The last; without it the file is not whole.
    End(End),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) format: String,
    pub(super) version: u32,
    /// When it was written, milliseconds since 1970 UTC.
    pub(super) at: i64,
    /// Writing calls that the state knew of.
    pub(super) calls: i64,
    /// When the last create was sent; 0: never.
    pub(super) created_at: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SyncLine {
    pub(super) name: String,
    pub(super) host: String,
    pub(super) account: String,
    pub(super) table: String,
    /// Whether it is the one that the sync has now.
    #[serde(default)]
    pub(super) current: bool,
    pub(super) external_id_field: String,
    /// The highest autonumber accounted for; `None`: the table is read before anything is created.
    #[serde(default)]
    pub(super) mark: Option<i64>,
    #[serde(default)]
    pub(super) own_member: Option<String>,
    #[serde(default)]
    pub(super) values_hash: Option<String>,
    #[serde(default)]
    pub(super) key_hash: Option<String>,
    #[serde(default)]
    pub(super) watermark: Option<String>,
    /// Why the next read must be a full one.
    #[serde(default)]
    pub(super) full_read: Option<String>,
    /// Whether nothing waited, was in doubt, dirty or in quarantine.
    #[serde(default)]
    pub(super) settled: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LinkLine {
    /// A number, or text.
    pub(super) key: KeyText,
    pub(super) record: String,
    /// Whether the record was found rather than created.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) adopted: bool,
    /// `links.standing`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) standing: i64,
    /// 32 hex digits; `None`: what the record holds is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fingerprint: Option<String>,
    /// Seconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) created_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) updated_at: Option<i64>,
}

/// A key as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum KeyText {
    Int(i64),
    Text(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LookLine {
    pub(super) key: KeyText,
    /// Milliseconds since 1970 UTC.
    pub(super) due_at: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CallsLine {
    pub(super) day: String,
    pub(super) sync: String,
    pub(super) kind: String,
    pub(super) count: i64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct End {
    /// Links in the file.
    pub(super) links: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde hands over")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde hands over")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}
