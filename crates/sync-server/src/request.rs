//! What every request goes through: its peer, its size, its time, and the headers of its answer.

use std::{net::IpAddr, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes, to_bytes},
    extract::{FromRequestParts, Path, Request},
    http::{HeaderName, HeaderValue, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Bytes that the body of a request may have. Commands are small, and a trigger's body is only signed.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a request may take until its answer begins.
const PATIENCE: Duration = Duration::from_secs(20);

/// The sync that a request's path names.
#[derive(Debug)]
pub(crate) struct SyncName(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for SyncName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // A name that is no text is nobody's.
        let found = Path::<String>::from_request_parts(parts, state).await;
        found.map(|Path(name)| Self(name)).map_err(|_| Problem::not_found())
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Scripts and styles of this address and nothing else; no page may show this one inside of itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Bounds a request, and gives its answer the headers that every answer has.
pub(crate) async fn bound(request: Request, next: Next) -> Response {
    let mut response = match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::too_slow().into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The whole body.
pub(crate) async fn whole(body: Body) -> Result<Bytes, Problem> {
    to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| Problem::body_too_large(BODY_BYTES_MAX))
}

/// The body as JSON; an empty one is `{}`. Only `application/json` is taken: forms of other sites cannot send it.
pub(crate) async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    let (head, body) = request.into_parts();
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return Err(Problem::bad_request("the request needs `Content-Type: application/json`"));
    }
    let bytes = whole(body).await?;
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    serde_json::from_slice(text).map_err(|error| {
        Problem::bad_request(format!("the body is not what it should be: {error}"))
    })
}

/// An answer as JSON, or a problem.
pub(crate) type Answer<T> = Result<Json<T>, Problem>;
