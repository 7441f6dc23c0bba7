//! Who asks. A handler that takes one of these cannot be reached by a caller who may not.

use axum::{extract::FromRequestParts, http::request::Parts};
use sync_core::state::StateError;

use crate::{problem::Problem, request::Peer, router::Server};

/// The server, for a caller who may look.
pub(crate) struct Looking(pub(crate) Server);

impl FromRequestParts<Server> for Looking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        server.may_look(&parts.headers, peer(parts)?)?;
        Ok(Self(server.clone()))
    }
}

/// The server, for a caller who may act.
pub(crate) struct Acting(pub(crate) Server);

impl FromRequestParts<Server> for Acting {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        server.may_act(&parts.headers, peer(parts)?)?;
        Ok(Self(server.clone()))
    }
}

fn peer(parts: &Parts) -> Result<Peer, Problem> {
    let peer = parts.extensions.get::<Peer>().copied();
    peer.ok_or_else(|| StateError::Other("a request without its peer".into()).into())
}
