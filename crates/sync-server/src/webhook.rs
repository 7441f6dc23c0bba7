//! `POST /webhook/sync/{sync_name}`: starts a sync now.

use axum::{
    Extension, Json,
    extract::{Request, State},
    http::StatusCode,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    desk::Wish,
    problem::Problem,
    request::{Peer, SyncName, whole},
    router::Server,
};

/// The sync runs now, or again after the run under way.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Triggered {
    /// Always `triggered`.
    status: &'static str,
}

impl Triggered {
    pub(crate) const NOW: Self = Self { status: "triggered" };
}

pub(crate) async fn trigger(
    State(server): State<Server>,
    SyncName(sync): SyncName,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<(StatusCode, Json<Triggered>), Problem> {
    let (head, body) = request.into_parts();
    let body = whole(body).await?;
    let now = server.clock.now();
    server.access.check_webhook(&head.headers, &sync, &body, peer.0, now)?;
    server.ask(sync, Wish::Run { retry: false }).await?;
    Ok((StatusCode::ACCEPTED, Json(Triggered::NOW)))
}
