//! What is answered where.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    http::HeaderMap,
    middleware::from_fn,
    routing::{get, post},
};
use jiff::Timestamp;
use sync_core::port::Clock;
use tokio_util::sync::CancellationToken;

use crate::{
    access::{Access, AccessSettings, Role},
    api,
    desk::{Desk, Done, Wish},
    health::{self, Look},
    live::Live,
    metrics, openapi,
    problem::Problem,
    reading::{LinkCounts, Reading, Shared},
    request::{self, Peer},
    web, webhook,
};

/// What the server is made of.
pub struct ServerParts {
    /// The service.
    pub desk: Arc<dyn Desk>,
    /// What its engine's events come to.
    pub live: Arc<Live>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The state file.
    pub state: PathBuf,
    /// Who may do what.
    pub access: AccessSettings,
    /// The program's version.
    pub version: &'static str,
    /// Cancelled when the service ends: what would last for ever ends with it.
    pub ending: CancellationToken,
}

impl std::fmt::Debug for ServerParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerParts").field("state", &self.state).finish_non_exhaustive()
    }
}

/// What every handler has.
#[derive(Clone)]
pub(crate) struct Server(Arc<Inside>);

pub(crate) struct Inside {
    pub(crate) desk: Arc<dyn Desk>,
    pub(crate) live: Arc<Live>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) reading: Reading,
    pub(crate) links: LinkCounts,
    pub(crate) access: Access,
    pub(crate) version: &'static str,
    pub(crate) began: Timestamp,
    pub(crate) ending: CancellationToken,
    pub(crate) looked: Shared<Look>,
    pub(crate) overview: Shared<api::Overview>,
    pub(crate) budget: Shared<api::Budget>,
}

impl std::ops::Deref for Server {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl Server {
    /// Fails unless the caller may look.
    pub(crate) fn may_look(&self, headers: &HeaderMap, peer: Peer) -> Result<Role, Problem> {
        self.access.role(headers, peer.0, self.clock.now(), false)
    }

    /// Fails unless the caller may act.
    pub(crate) fn may_act(&self, headers: &HeaderMap, peer: Peer) -> Result<(), Problem> {
        match self.access.role(headers, peer.0, self.clock.now(), true)? {
            Role::Operator => Ok(()),
            Role::Viewer => Err(Problem::operators_only()),
        }
    }

    /// Asks the service, and lets pages know that something changed.
    pub(crate) async fn ask(&self, sync: String, wish: Wish) -> Result<Done, Problem> {
        let done = self.desk.ask(sync, wish).await?;
        self.live.touch();
        Ok(done)
    }
}

/// Everything that is served. Without a listener it is called through
/// [`crate::seen_from`].
pub fn router(parts: ServerParts) -> Router {
    let server = Server(Arc::new(Inside {
        began: parts.clock.now(),
        desk: parts.desk,
        live: parts.live,
        clock: parts.clock,
        reading: Reading::new(parts.state),
        links: LinkCounts::default(),
        access: Access::new(parts.access),
        version: parts.version,
        ending: parts.ending,
        looked: Shared::default(),
        overview: Shared::default(),
        budget: Shared::default(),
    }));
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/webhook/sync/{sync}", post(webhook::trigger))
        .route("/api/v1/openapi.json", get(openapi::served))
        .route(
            "/api/v1/session",
            get(api::session::look).post(api::session::sign_in).delete(api::session::sign_out),
        )
        .route("/api/v1/overview", get(api::overview))
        .route("/api/v1/budget", get(api::budget))
        .route("/api/v1/live", get(api::live))
        .route("/api/v1/quarantine", get(api::quarantine))
        .route("/api/v1/quarantine/retry", post(api::retry))
        .route("/api/v1/quarantine/drop", post(api::drop_rows))
        .route("/api/v1/syncs/{sync}", get(api::sync))
        .route("/api/v1/syncs/{sync}/record", get(api::record))
        .route("/api/v1/syncs/{sync}/run", post(api::run))
        .route("/api/v1/syncs/{sync}/pause", post(api::pause))
        .route("/api/v1/syncs/{sync}/resume", post(api::resume))
        .route("/api/v1/syncs/{sync}/resync", post(api::resync))
        .merge(web::routes())
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::wrong_method() })
        .layer(from_fn(request::bound))
        .with_state(server)
}
