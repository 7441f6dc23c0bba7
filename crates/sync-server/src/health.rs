//! `/healthz`: the process answers. `/readyz`: the service does its work, or why it does not.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::router::Server;

/// Whether the process answers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    status: &'static str,
}

/// Whether the service does its work.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Readiness {
    /// Whether it does.
    ready: bool,
    /// Why it does not.
    reasons: Vec<ReasonView>,
    /// What needs a person, though the service does its work: nothing of it is mended by starting it anew.
    warnings: Vec<ReasonView>,
}

/// Why the service does not do its work, or what needs a person. Names no sync: everybody may ask.
#[derive(Debug, Serialize, JsonSchema)]
struct ReasonView {
    /// Stable code.
    code: String,
    /// In words.
    message: String,
}

pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

pub(crate) async fn readyz(State(server): State<Server>) -> Response {
    let mut reasons: Vec<ReasonView> = server
        .desk
        .condition()
        .reasons
        .into_iter()
        .map(|reason| ReasonView { code: reason.code.to_owned(), message: reason.message })
        .collect();
    let version = server.live.version();
    let now = server.clock.now();
    let look = server.reading.read(move |reader| {
        Ok(Look { stopped: reader.stopped_count(now)?, unsent: reader.unsent_alerts()?.len() })
    });
    // Before the first run there is no state.
    let look = async { look.await.map(Option::unwrap_or_default) };
    let mut warnings = Vec::new();
    match server.looked.get(server.clock.as_ref(), version, look).await {
        Ok(look) => look.warn(&mut warnings),
        Err(problem) => reasons.push(ReasonView {
            code: problem.code.to_owned(),
            message: problem.message().to_owned(),
        }),
    }
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, reasons, warnings })).into_response()
}

/// What the state says for `/readyz`.
#[derive(Default)]
pub(crate) struct Look {
    /// Syncs that are stopped.
    stopped: u64,
    /// Alerts that could not be sent.
    unsent: usize,
}

impl Look {
    fn warn(&self, warnings: &mut Vec<ReasonView>) {
        let mut add = |code: &str, message: String| {
            warnings.push(ReasonView { code: code.to_owned(), message });
        };
        match self.stopped {
            0 => {}
            1 => add("syncs_stopped", "1 sync is stopped until a person acts".to_owned()),
            more => add("syncs_stopped", format!("{more} syncs are stopped until a person acts")),
        }
        match self.unsent {
            0 => {}
            1 => add("alerts_unsent", "1 alert could not be sent yet".to_owned()),
            more => add("alerts_unsent", format!("{more} alerts could not be sent yet")),
        }
    }
}
