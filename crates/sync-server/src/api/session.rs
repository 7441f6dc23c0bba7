//! Signing in and out.

use axum::{
    Extension, Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    access::{Role, clearing_cookie, cookie_of},
    problem::Problem,
    request::{Answer, Peer, json},
    router::Server,
};

/// Who is signed in.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Session {
    /// `viewer`, `operator`, or `null` where nobody is signed in.
    role: Option<&'static str>,
    /// Whether a token is needed at all.
    needs_token: bool,
    /// Whether the session is the browser's, so that it can be ended.
    can_sign_out: bool,
    /// The program's version; `null` where nobody is signed in.
    version: Option<&'static str>,
}

/// A token.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct SignIn {
    /// The token of operators or of viewers.
    token: String,
}

pub(crate) async fn look(
    State(server): State<Server>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Answer<Session> {
    let role = match server.may_look(&headers, peer) {
        Ok(role) => Some(role),
        Err(problem) if problem.is_sign_in() => None,
        Err(problem) => return Err(problem),
    };
    Ok(Json(session(&server, role, cookie_of(&headers).is_some())))
}

fn session(server: &Server, role: Option<Role>, has_cookie: bool) -> Session {
    let needs_token = server.access.is_guarded();
    Session {
        role: role.map(Role::word),
        needs_token,
        can_sign_out: needs_token && has_cookie && role.is_some(),
        version: role.map(|_| server.version),
    }
}

pub(crate) async fn sign_in(
    State(server): State<Server>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    server.access.check_browser(&headers)?;
    let SignIn { token } = json(request).await?;
    let now = server.clock.now();
    let role = server.access.role_of_token(&token, &headers, peer.0, now)?;
    let cookie = server.access.session_cookie(role, &headers, now);
    Ok(with_cookie(Json(session(&server, Some(role), true)), &cookie))
}

pub(crate) async fn sign_out(
    State(server): State<Server>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    server.access.check_browser(&headers)?;
    Ok(with_cookie(Json(session(&server, None, false)), &clearing_cookie(&headers)))
}

fn with_cookie(answer: impl IntoResponse, cookie: &str) -> Response {
    let mut response = answer.into_response();
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}
