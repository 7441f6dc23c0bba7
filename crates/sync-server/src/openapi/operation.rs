//! Every operation that is served, once.

use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::of;
use crate::{api, health, webhook};

type Schema = fn(&mut SchemaGenerator) -> Value;

/// One operation.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) guard: Guard,
    pub(super) parameters: &'static [Parameter],
    pub(super) body: Option<Schema>,
    pub(super) status: u16,
    pub(super) answers: Answers,
}

/// Who may call it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Everybody.
    Nobody,
    /// Who may look.
    Viewer,
    /// Who may act.
    Operator,
    /// Who may trigger.
    Webhook,
}

/// What a good answer is.
pub(super) enum Answers {
    Json(Schema),
    Events(Schema),
    Text,
}

pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: Where,
    pub(super) required: bool,
    pub(super) kind: &'static str,
    pub(super) words: &'static str,
}

pub(super) enum Where {
    Path,
    Query,
}

impl Guard {
    pub(super) fn security(self) -> Value {
        match self {
            Self::Nobody => json!([]),
            Self::Viewer | Self::Operator => json!([{ "token": [] }, { "session": [] }]),
            Self::Webhook => json!([{ "token": [] }, { "signature": [] }]),
        }
    }
}

impl Operation {
    /// What it answers when it is not done.
    pub(super) fn problems(&self) -> Vec<(u16, &'static str)> {
        let mut problems = Vec::new();
        if self.guard != Guard::Nobody || self.id == "signIn" {
            problems.push((401, "No token, or a wrong one."));
            problems.push((429, "Too many wrong tokens from this address."));
        }
        if self.guard != Guard::Nobody || self.path == "/api/v1/session" {
            problems.push((403, "Not for this role, or made by a page of another site."));
        }
        if self.body.is_some()
            || self.parameters.iter().any(|one| matches!(one.place, Where::Query))
        {
            problems.push((400, "The request is not what it should be."));
        }
        if self.parameters.iter().any(|one| matches!(one.place, Where::Path) || one.name == "sync")
        {
            problems.push((404, "There is no such sync."));
        }
        if matches!(self.guard, Guard::Operator | Guard::Webhook) {
            problems.push((409, "The sync is stopped, paused or disabled."));
        }
        if self.method == "post" {
            problems.push((413, "The body is too large."));
        }
        problems.push((408, "The request took too long."));
        if self.path != "/healthz" && !self.path.ends_with("openapi.json") {
            problems.push((503, "The state cannot be read, or the service is starting or ending."));
        }
        problems
    }
}

const SYNC: Parameter = Parameter {
    name: "sync",
    place: Where::Path,
    required: true,
    kind: "string",
    words: "The sync's name.",
};

const fn query(name: &'static str, kind: &'static str, words: &'static str) -> Parameter {
    Parameter { name, place: Where::Query, required: false, kind, words }
}

const fn get(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    guard: Guard,
    answers: Answers,
) -> Operation {
    Operation {
        method: "get",
        path,
        id,
        summary,
        guard,
        parameters: &[],
        body: None,
        status: 200,
        answers,
    }
}

const fn command(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    body: Schema,
) -> Operation {
    Operation {
        method: "post",
        path,
        id,
        summary,
        guard: Guard::Operator,
        parameters: &[],
        body: Some(body),
        status: 200,
        answers: Answers::Json(of::<api::DoneView>),
    }
}

const fn of_sync(operation: Operation) -> Operation {
    Operation { parameters: &[SYNC], ..operation }
}

/// The body of commands that say nothing more.
fn nothing(_: &mut SchemaGenerator) -> Value {
    json!({ "type": "object" })
}

/// The document itself.
fn anything(_: &mut SchemaGenerator) -> Value {
    json!({ "type": "object" })
}

/// Every operation.
pub(super) const OPERATIONS: &[Operation] = &[
    get(
        "/healthz",
        "health",
        "The process answers.",
        Guard::Nobody,
        Answers::Json(of::<health::Health>),
    ),
    get(
        "/readyz",
        "readiness",
        "The service does its work, or (with 503) why it does not.",
        Guard::Nobody,
        Answers::Json(of::<health::Readiness>),
    ),
    get("/metrics", "metrics", "Figures for Prometheus.", Guard::Viewer, Answers::Text),
    Operation {
        method: "post",
        status: 202,
        guard: Guard::Webhook,
        parameters: &[SYNC],
        ..get(
            "/webhook/sync/{sync}",
            "trigger",
            "Starts the sync now, or again after the run under way. A burst becomes one run.",
            Guard::Webhook,
            Answers::Json(of::<webhook::Triggered>),
        )
    },
    get(
        "/api/v1/openapi.json",
        "document",
        "This document.",
        Guard::Nobody,
        Answers::Json(anything),
    ),
    get(
        "/api/v1/session",
        "session",
        "Who is signed in.",
        Guard::Nobody,
        Answers::Json(of::<api::session::Session>),
    ),
    Operation {
        method: "post",
        body: Some(of::<api::session::SignIn>),
        ..get(
            "/api/v1/session",
            "signIn",
            "Signs in: sets the session's cookie.",
            Guard::Nobody,
            Answers::Json(of::<api::session::Session>),
        )
    },
    Operation {
        method: "delete",
        ..get(
            "/api/v1/session",
            "signOut",
            "Signs out.",
            Guard::Nobody,
            Answers::Json(of::<api::session::Session>),
        )
    },
    get(
        "/api/v1/overview",
        "overview",
        "How every sync stands.",
        Guard::Viewer,
        Answers::Json(of::<api::Overview>),
    ),
    get(
        "/api/v1/budget",
        "budget",
        "The month's calls: what was used, by day and sync, and what is left.",
        Guard::Viewer,
        Answers::Json(of::<api::Budget>),
    ),
    get(
        "/api/v1/live",
        "live",
        "What happens now: an event whenever a run moves, a few times a second at most.",
        Guard::Viewer,
        Answers::Events(of::<api::LiveView>),
    ),
    of_sync(get(
        "/api/v1/syncs/{sync}",
        "sync",
        "One sync: its runs, its calls, and its mapping as it is understood.",
        Guard::Viewer,
        Answers::Json(of::<api::SyncDetail>),
    )),
    Operation {
        parameters: &[
            SYNC,
            Parameter {
                required: true,
                ..query("key", "string", "The row's key; parts of a composite key joined by `|`.")
            },
            query("live", "boolean", "Whether the row itself is read, too."),
        ],
        ..get(
            "/api/v1/syncs/{sync}/record",
            "record",
            "Why a record is as it is.",
            Guard::Viewer,
            Answers::Json(of::<api::RecordStory>),
        )
    },
    Operation {
        parameters: &[
            query("sync", "string", "Only of this sync."),
            query("code", "string", "Only with this complaint."),
            query("key", "string", "Only the row with this key."),
            query(
                "after",
                "integer",
                "Those after this one: `next` of the page before. Needs `sync`.",
            ),
            query("rows", "integer", "At most so many of each sync: 1 to 500, else 50."),
        ],
        ..get(
            "/api/v1/quarantine",
            "quarantine",
            "Rows that could not be written, with their reasons.",
            Guard::Viewer,
            Answers::Json(of::<api::QuarantineView>),
        )
    },
    command(
        "/api/v1/quarantine/retry",
        "retryRows",
        "Rows are tried again with the sync's next run, which is started.",
        of::<api::RowsRequest>,
    ),
    command(
        "/api/v1/quarantine/drop",
        "dropRows",
        "Rows are forgotten until they change or everything is read.",
        of::<api::RowsRequest>,
    ),
    of_sync(command(
        "/api/v1/syncs/{sync}/run",
        "run",
        "Starts the sync now, or again after the run under way.",
        of::<api::RunRequest>,
    )),
    of_sync(command(
        "/api/v1/syncs/{sync}/pause",
        "pause",
        "Ends the run under way in good order and begins no other, also after a restart of the service.",
        nothing,
    )),
    of_sync(command(
        "/api/v1/syncs/{sync}/resume",
        "resume",
        "Lets the sync run again, at once.",
        nothing,
    )),
    of_sync(command(
        "/api/v1/syncs/{sync}/resync",
        "resync",
        "Rows are read again, whatever the position says: some, or all. Rows that did not change cost no call.",
        of::<api::ResyncRequest>,
    )),
];
