//! Which rule a method and a path belong to (sections 3, 4 and 6).

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

/// A resource, found by its path alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Path {
    Accounts,
    Solutions,
    SolutionNames,
    Solution(String),
    Tables,
    DeletedTables,
    DeletedFields,
    Table(String),
    TableCopy(String),
    AddField(String),
    BulkAddFields(String),
    ChangeField(String),
    DeleteField(String),
    RestoreField(String),
    Records(String),
    List(String),
    Bulk(String),
    BulkDelete(String),
    View(String),
    Record(String, String),
    Restore(String, String),
    DeletedRecords,
    DeletedPages,
    ShortRestore(String),
    RecordFiles(String, String, String),
    FileAddress(String),
    Comments,
    Members,
    Teams,
    /// A method of the webhooks service.
    Webhooks(String),
}

/// Where the REST calls live.
pub(crate) const REST: &str = "/api/v1/";
/// Where the webhook calls live.
pub(crate) const WEBHOOKS: &str = "/smartsuite.webhooks.engine.Webhooks/";

impl Path {
    /// The resource of a path without its trailing slash; none when nothing is there.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        if let Some(method) = path.strip_prefix(WEBHOOKS) {
            return (!method.contains('/')).then(|| Self::Webhooks(method.to_owned()));
        }
        let rest = path.strip_prefix(REST)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let parts: Vec<&str> = rest.split('/').collect();
        let own = |part: &&str| (*part).to_owned();
        Some(match parts.as_slice() {
            ["accounts"] => Self::Accounts,
            ["solutions"] => Self::Solutions,
            ["solutions", "validate_name_uniqueness"] => Self::SolutionNames,
            ["solutions", id] => Self::Solution(own(id)),
            ["applications"] => Self::Tables,
            ["applications", "deleted_applications"] => Self::DeletedTables,
            ["applications", "deleted_fields"] => Self::DeletedFields,
            ["applications", t] => Self::Table(own(t)),
            ["applications", t, "duplicate"] => Self::TableCopy(own(t)),
            ["applications", t, "add_field"] => Self::AddField(own(t)),
            ["applications", t, "bulk-add-fields" | "bulk_add_fields"] => {
                Self::BulkAddFields(own(t))
            }
            ["applications", t, "change_field"] => Self::ChangeField(own(t)),
            ["applications", t, "delete_field"] => Self::DeleteField(own(t)),
            ["applications", t, "restore_field"] => Self::RestoreField(own(t)),
            ["applications", t, "records-for-report"] => Self::View(own(t)),
            ["applications", t, "records"] => Self::Records(own(t)),
            ["applications", t, "records", "list"] => Self::List(own(t)),
            ["applications", t, "records", "bulk"] => Self::Bulk(own(t)),
            ["applications", t, "records", "bulk_delete"] => Self::BulkDelete(own(t)),
            ["applications", t, "records", r] => Self::Record(own(t), own(r)),
            ["applications", t, "records", r, "restore"] => Self::Restore(own(t), own(r)),
            ["deleted-records"] => Self::DeletedRecords,
            ["deleted-records", "paginated"] => Self::DeletedPages,
            ["deleted-records", r, "restore"] => Self::ShortRestore(own(r)),
            ["recordfiles", t, r, slug] => Self::RecordFiles(own(t), own(r), own(slug)),
            ["shared-files", handle, "url"] => Self::FileAddress(own(handle)),
            ["comments"] => Self::Comments,
            ["members", "list"] => Self::Members,
            ["teams", "list"] => Self::Teams,
            _ => return None,
        })
    }
}

/// The kind of a call, by which faults are scripted and calls are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteKind {
    /// One record created.
    Create,
    /// Up to 25 records created.
    BulkCreate,
    /// One record updated by PATCH.
    Update,
    /// One record replaced by PUT.
    Replace,
    /// Up to 25 records updated by PATCH.
    BulkUpdate,
    /// Up to 25 records replaced by PUT.
    BulkReplace,
    /// One record deleted.
    Delete,
    /// Up to 25 records deleted.
    BulkDelete,
    /// Records listed.
    List,
    /// One record read.
    Get,
    /// A view read.
    View,
    /// A record restored.
    Restore,
    /// Deleted records listed.
    Deleted,
    /// One table read.
    Table,
    /// Tables listed, created, changed or copied.
    Tables,
    /// A field added, changed, deleted or restored.
    Fields,
    /// Accounts and solutions.
    Solutions,
    /// Members and teams.
    Members,
    /// Files.
    Files,
    /// Comments.
    Comments,
    /// A method of the webhooks service.
    Webhooks,
    /// A path or a method that is not served.
    Unknown,
}

impl fmt::Display for RouteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl RouteKind {
    /// The kind of a call to a path.
    pub(crate) fn of(method: &Method, path: Option<&Path>) -> Self {
        let Some(path) = path else { return Self::Unknown };
        match path {
            Path::Accounts | Path::Solutions | Path::SolutionNames | Path::Solution(_) => {
                Self::Solutions
            }
            Path::Table(_) if method == Method::GET => Self::Table,
            Path::Table(_) | Path::Tables | Path::DeletedTables | Path::TableCopy(_) => {
                Self::Tables
            }
            Path::DeletedFields
            | Path::AddField(_)
            | Path::BulkAddFields(_)
            | Path::ChangeField(_)
            | Path::DeleteField(_)
            | Path::RestoreField(_) => Self::Fields,
            Path::Records(_) if method == Method::POST => Self::Create,
            Path::Records(_) => Self::Unknown,
            Path::List(_) => Self::List,
            Path::Bulk(_) => match method.as_str() {
                "POST" => Self::BulkCreate,
                "PATCH" => Self::BulkUpdate,
                "PUT" => Self::BulkReplace,
                "DELETE" => Self::BulkDelete,
                _ => Self::Unknown,
            },
            Path::BulkDelete(_) => Self::BulkDelete,
            Path::View(_) => Self::View,
            Path::Record(..) => match method.as_str() {
                "GET" => Self::Get,
                "PATCH" => Self::Update,
                "PUT" => Self::Replace,
                "DELETE" => Self::Delete,
                _ => Self::Unknown,
            },
            Path::Restore(..) | Path::ShortRestore(_) => Self::Restore,
            Path::DeletedRecords | Path::DeletedPages => Self::Deleted,
            Path::RecordFiles(..) | Path::FileAddress(_) => Self::Files,
            Path::Comments => Self::Comments,
            Path::Members | Path::Teams => Self::Members,
            Path::Webhooks(_) => Self::Webhooks,
        }
    }
}
