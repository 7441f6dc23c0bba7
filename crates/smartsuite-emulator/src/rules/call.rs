//! An authenticated call: who makes it, when, with what (section 1).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::moment::Moment;
use crate::object_id::ObjectId;
use crate::profile::Profile;
use crate::query::Query;
use crate::reply::{Reply, detail};

/// Whose right a call uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Actor {
    pub(crate) account: String,
    pub(crate) member: ObjectId,
    /// The only solutions it sees.
    pub(crate) solutions: Option<Vec<ObjectId>>,
    pub(crate) denied_tables: Vec<ObjectId>,
    pub(crate) read_only: bool,
    /// Whether this is a person in the application instead of a key.
    pub(crate) is_person: bool,
}

/// A call, after its key was accepted.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) actor: &'a Actor,
    pub(crate) now: Moment,
    pub(crate) method: &'a http::Method,
    pub(crate) query: Query,
    pub(crate) content_type: &'a str,
    pub(crate) body: &'a [u8],
}

impl Call<'_> {
    /// The body as JSON; an empty body is an empty object.
    pub(crate) fn json(&self) -> Result<Value, Reply> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Object(Map::new()));
        }
        serde_json::from_slice(self.body).map_err(|error| {
            detail(StatusCode::BAD_REQUEST, &format!("JSON parse error - {error}"))
        })
    }

    /// The body as a JSON object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Reply> {
        match self.json()? {
            Value::Object(object) => Ok(object),
            _ => Err(crate::reply::bad("non_field_errors", "Invalid data. Expected a dictionary.")),
        }
    }
}

impl Actor {
    /// One who sees and may do everything in a workspace.
    pub(crate) fn everything(account: String, member: ObjectId) -> Self {
        Self {
            account,
            member,
            solutions: None,
            denied_tables: Vec::new(),
            read_only: false,
            is_person: false,
        }
    }
}
