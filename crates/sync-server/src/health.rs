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
}

/// Why the service does not do its work.
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
    let look = server.reading.read(|reader| reader.gate_closed_until(jiff::Timestamp::MIN));
    let look = async { look.await.map(|_| ()) };
    if let Err(problem) = server.looked.get(server.clock.as_ref(), version, look).await {
        reasons.push(ReasonView {
            code: problem.code.to_owned(),
            message: problem.message().to_owned(),
        });
    }
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, reasons })).into_response()
}
