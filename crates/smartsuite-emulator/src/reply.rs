//! What a rule answers: a status and a body, before it becomes an HTTP answer.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::{Value, json};

/// The body of an answer and, with it, its content type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Json(Value),
    Text(String),
    Html(String),
    Empty,
}

/// An answer. Rules return a refusal as `Err` so that `?` ends them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Body,
    pub(crate) headers: Vec<(header::HeaderName, String)>,
}

/// An answer or a refusal.
pub(crate) type Answer = Result<Reply, Reply>;

impl Reply {
    pub(crate) fn new(status: StatusCode, body: Body) -> Self {
        Self { status, body, headers: Vec::new() }
    }

    /// 200 with JSON.
    pub(crate) fn json(value: Value) -> Self {
        Self::new(StatusCode::OK, Body::Json(value))
    }

    /// 200 with nothing.
    pub(crate) fn empty() -> Self {
        Self::new(StatusCode::OK, Body::Empty)
    }

    /// With one more header.
    pub(crate) fn with(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As an HTTP answer.
    pub(crate) fn into_response(self, emulator_header: bool) -> Response<Bytes> {
        let (content_type, bytes) = match self.body {
            Body::Json(value) => (Some("application/json"), Bytes::from(value.to_string())),
            Body::Text(text) => (Some("text/plain; charset=utf-8"), Bytes::from(text)),
            Body::Html(html) => (Some("text/html; charset=utf-8"), Bytes::from(html)),
            Body::Empty => (None, Bytes::new()),
        };
        let mut response = Response::new(bytes);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
        }
        if emulator_header {
            headers.insert("x-emulator", header::HeaderValue::from_static("smartsuite-emulator"));
        }
        for (name, value) in self.headers {
            // A path with bytes that no header can hold goes without the header.
            if let Ok(value) = header::HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// A refusal with JSON.
pub(crate) fn refusal(status: StatusCode, body: Value) -> Reply {
    Reply::new(status, Body::Json(body))
}

/// A refusal as the framework words it: `{"detail": "..."}`.
pub(crate) fn detail(status: StatusCode, text: &str) -> Reply {
    refusal(status, json!({"detail": text}))
}

/// 400 on one part of the request: `{"params": ["This field is required."]}`.
pub(crate) fn bad(part: &str, message: &str) -> Reply {
    refusal(StatusCode::BAD_REQUEST, json!({part: [message]}))
}

/// 404 as a missing or deleted resource gets it.
pub(crate) fn not_found() -> Reply {
    detail(StatusCode::NOT_FOUND, "Not found.")
}

/// An HTML page with a title, as a gateway sends one.
pub(crate) fn html_page(status: StatusCode, title: &str) -> Reply {
    let page = format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\
         <body><center><h1>{title}</h1></center></body></html>\n"
    );
    Reply::new(status, Body::Html(page))
}
