//! The pages. They are part of the program and hold nothing that is anybody's: what they show they ask the API for.

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::router::Server;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

/// The one page, which shows what its address says.
const PAGE: &str = include_str!("web/page.html");

/// Everything that the page needs.
const FILES: &[(&str, &str, &str)] = &[
    ("/web/style.css", STYLE, include_str!("web/style.css")),
    ("/web/icon.svg", IMAGE, include_str!("web/icon.svg")),
    ("/web/main.js", SCRIPT, include_str!("web/main.js")),
    ("/web/api.js", SCRIPT, include_str!("web/api.js")),
    ("/web/chart.js", SCRIPT, include_str!("web/chart.js")),
    ("/web/dom.js", SCRIPT, include_str!("web/dom.js")),
    ("/web/words.js", SCRIPT, include_str!("web/words.js")),
    ("/web/dialog.js", SCRIPT, include_str!("web/dialog.js")),
    ("/web/budget.js", SCRIPT, include_str!("web/budget.js")),
    ("/web/overview.js", SCRIPT, include_str!("web/overview.js")),
    ("/web/quarantine.js", SCRIPT, include_str!("web/quarantine.js")),
    ("/web/record.js", SCRIPT, include_str!("web/record.js")),
    ("/web/sign_in.js", SCRIPT, include_str!("web/sign_in.js")),
    ("/web/sync.js", SCRIPT, include_str!("web/sync.js")),
];

/// Addresses of pages.
const PAGES: &[&str] = &["/", "/syncs/{sync}", "/record", "/quarantine", "/budget"];

pub(crate) fn routes() -> Router<Server> {
    let mut router = Router::new();
    for path in PAGES {
        router = router.route(path, get(|| async { file(HTML, PAGE, &HeaderMap::new()) }));
    }
    for &(path, kind, text) in FILES {
        let served = move |headers: HeaderMap| async move { file(kind, text, &headers) };
        router = router.route(path, get(served));
    }
    router
}

/// A file, or that the browser has it already. It is asked for each time, so that a new program shows its own pages.
fn file(kind: &'static str, text: &'static str, headers: &HeaderMap) -> Response {
    let tag = format!("\"{:016x}\"", fingerprint(text));
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, kind)], text).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// FNV-1a: tells one version of a file from the next, which is all that it is for.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
