//! What is answered when something cannot be done: a status, a stable code, what is wrong and what to do.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::state::StateError;

use crate::desk::Refusal;

/// A request that is not done.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    message: Cow<'static, str>,
    hint: Cow<'static, str>,
    header: Option<(HeaderName, HeaderValue)>,
}

/// What an answer says that is not the one asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProblemBody<'p> {
    /// The problem.
    error: ProblemWords<'p>,
}

/// A problem in words.
#[derive(Debug, Serialize, JsonSchema)]
struct ProblemWords<'p> {
    /// Stable code.
    code: &'p str,
    /// What is wrong.
    message: &'p str,
    /// What to do about it.
    hint: &'p str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let error = ProblemWords { code: self.code, message: &self.message, hint: &self.hint };
        let mut response = (self.status, Json(ProblemBody { error })).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl Problem {
    fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code, message: message.into(), hint: hint.into(), header: None }
    }

    /// Whether signing in would help.
    pub(crate) fn is_sign_in(&self) -> bool {
        self.code == "http_sign_in_needed"
    }

    /// What is wrong.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    pub(crate) fn sign_in_needed() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "http_sign_in_needed",
            "nobody is signed in",
            "sign in on the page, or send `Authorization: Bearer TOKEN`",
        )
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub(crate) fn wrong_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "http_wrong_token",
            "the token is none of this service's",
            "it is the value of SYNC_OPERATOR_TOKEN or SYNC_VIEWER_TOKEN where the service runs; the webhook has \
             SYNC_WEBHOOK_TOKEN",
        )
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub(crate) fn too_many_attempts(seconds: i64) -> Self {
        Self::not_listened_to(
            seconds,
            "too many wrong tokens came from this address",
            "behind a proxy that SYNC_TRUSTED_PROXIES does not name all clients have one address",
        )
    }

    pub(crate) fn too_many_attempts_of_all(seconds: i64) -> Self {
        Self::not_listened_to(
            seconds,
            "too many wrong tokens came from many addresses, and no right one came from this address within a day",
            "addresses that had a right one are listened to",
        )
    }

    pub(crate) fn too_many_signatures(seconds: i64) -> Self {
        Self::not_listened_to(
            seconds,
            "more signed requests came than can be remembered, so that replayed ones could not be told",
            "sign fewer; a burst of triggers is one run",
        )
    }

    fn not_listened_to(seconds: i64, message: &'static str, more: &str) -> Self {
        let hint = format!("wait {seconds} seconds; {more}");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "http_too_many_attempts", message, hint)
            .with(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    pub(crate) fn operators_only() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "http_operators_only",
            "who only looks may not do this",
            "sign in with the token of operators",
        )
    }

    pub(crate) fn another_site() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "http_another_site",
            "the request was made by a page of another site",
            "use the pages of this service; a proxy in front must hand on the `Host` header as it came",
        )
    }

    pub(crate) fn another_name() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "http_another_name",
            "without tokens this service answers only under an address of its machine or `localhost`",
            "set SYNC_OPERATOR_TOKEN to use another name",
        )
    }

    pub(crate) fn webhook_credentials_needed() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "webhook_credentials",
            "the request has neither a token nor a signature",
            "send `Authorization: Bearer SYNC_WEBHOOK_TOKEN`, or sign it with SYNC_WEBHOOK_SECRET",
        )
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub(crate) fn signature_wrong() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "webhook_signature",
            "the signature does not fit",
            "`X-Sync-Signature: sha256=HEX` is the HMAC-SHA256 of `TIMESTAMP.SYNC_NAME.BODY` with SYNC_WEBHOOK_SECRET",
        )
    }

    pub(crate) fn signature_time() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "webhook_time",
            "the time stamp is missing, or more than 5 minutes from this machine's clock",
            "`X-Sync-Timestamp` is the time in seconds since 1970 UTC; look at both clocks",
        )
    }

    pub(crate) fn replayed() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "webhook_replayed",
            "a request with this signature has been taken already",
            "sign each request anew; the first one did its work",
        )
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "http_not_found",
            "there is nothing at this address",
            "`/api/v1/openapi.json` lists what there is",
        )
    }

    pub(crate) fn wrong_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "http_wrong_method",
            "this address does not take that method",
            "`/api/v1/openapi.json` lists what there is",
        )
    }

    pub(crate) fn body_too_large(bytes_max: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "http_body_too_large",
            "the request is too large",
            format!("a body may have {bytes_max} bytes"),
        )
    }

    pub(crate) fn too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "http_too_slow",
            "the request took too long",
            "send it again; a slow connection may be why",
        )
    }

    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "http_bad_request",
            message,
            "`/api/v1/openapi.json` says what is expected",
        )
    }

    pub(crate) fn unknown_sync(name: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "sync_unknown",
            format!("there is no sync `{name}`"),
            "`/api/v1/overview` lists them",
        )
    }

    pub(crate) fn not_ready() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "service_not_ready",
            "the service is starting or ending",
            "ask again in a moment",
        )
        .with(header::RETRY_AFTER, HeaderValue::from_static("2"))
    }
}

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, error.code(), error.to_string(), error.remedy())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown { sync } => Self::unknown_sync(&sync),
            Refusal::Stopped { message, remedy } => {
                Self::new(StatusCode::CONFLICT, "sync_stopped", message, remedy)
            }
            Refusal::Paused => Self::new(
                StatusCode::CONFLICT,
                "sync_paused",
                "the sync is paused",
                "resume it first",
            ),
            Refusal::Disabled => Self::new(
                StatusCode::CONFLICT,
                "sync_disabled",
                "the sync is disabled in the mapping file",
                "set `enabled: true` there",
            ),
            Refusal::NotServing => Self::not_ready(),
            Refusal::State(error) => error.into(),
        }
    }
}
