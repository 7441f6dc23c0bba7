//! What is served is what the `OpenAPI` document says, whatever is asked.
#![cfg(test)]

#[path = "contract/figures.rs"]
mod figures;
#[path = "contract/patience.rs"]
mod patience;
#[path = "contract/request.rs"]
mod request;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use jiff::Timestamp;
use serde_json::Value;
use sync_core::{
    budget::{BudgetDefinition, WhenUsedUp},
    freshness::FreshnessGoal,
    port::{Boxed, Clock},
    secret::Secret,
};
use sync_server::{
    AccessSettings, Condition, Desk, Done, Live, Refusal, RosterEntry, ServerParts, Wish,
    openapi_document, router, seen_from,
};
use sync_store::SqliteStore;
use tempfile::TempDir;
use tower::ServiceExt as _;

const OPERATOR: &str = "operator-0123456789";
const VIEWER: &str = "viewer-0123456789";
const MAPPING: &str = "
syncs:
  - name: customers
    source: {query: SELECT 1 AS id, primary_key: id}
    destination: {table_id: 6500000000000000000000c1, external_id_field: sx, field_mappings: {id: sid}}
";

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _length: Duration) -> Boxed<'static, ()> {
        Box::pin(std::future::pending())
    }
}

/// A service that does at once whatever it is asked.
struct Willing;

impl Desk for Willing {
    fn roster(&self) -> Vec<RosterEntry> {
        let config = sync_core::config::parse(MAPPING, &|_| None).config.unwrap();
        let entry = |definition| RosterEntry {
            goal: FreshnessGoal::of(&definition, 5),
            definition: Arc::new(definition),
            schedule: "every minute".to_owned(),
            next_run: None,
            is_under_way: false,
            is_paused: false,
        };
        config.syncs.into_iter().map(entry).collect()
    }

    fn ask(&self, sync: String, wish: Wish) -> Boxed<'_, Result<Done, Refusal>> {
        let answer = match wish {
            _ if sync != "customers" => Err(Refusal::Unknown { sync }),
            Wish::Run { .. } => Ok(Done::Triggered),
            Wish::Retry(_) | Wish::Drop(_) => Ok(Done::Rows(1)),
            _ => Ok(Done::Done),
        };
        Box::pin(std::future::ready(answer))
    }

    fn explain(&self, sync: String, key: String, _: bool) -> Boxed<'_, Result<Value, Refusal>> {
        let story = serde_json::json!({
            "sync": sync, "key": key, "external_id": key, "source": null, "link": null, "entries": [],
            "read_again": false, "look_again_at": null, "effects": [],
        });
        let known = sync == "customers";
        Box::pin(std::future::ready(if known { Ok(story) } else { Err(Refusal::Unknown { sync }) }))
    }

    fn condition(&self) -> Condition {
        Condition::default()
    }

    fn budget(&self) -> Option<BudgetDefinition> {
        Some(BudgetDefinition {
            monthly_calls: 5_000,
            billing_day: 1,
            reserve: 500,
            when_used_up: WhenUsedUp::Wait,
            has_overage: true,
        })
    }

    fn keeps_copies(&self) -> bool {
        true
    }
}

struct World {
    router: Router,
    _folder: TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.db");
    drop(SqliteStore::open(&state).unwrap());
    let clock: Arc<dyn Clock> = Arc::new(Still);
    let access = AccessSettings {
        operator_token: Some(Secret::new(OPERATOR)),
        viewer_token: Some(Secret::new(VIEWER)),
        ..AccessSettings::default()
    };
    let parts = ServerParts {
        desk: Arc::new(Willing),
        live: Arc::new(Live::new(Arc::clone(&clock))),
        clock,
        state,
        access,
        version: "0",
        ending: tokio_util::sync::CancellationToken::new(),
    };
    World { router: seen_from(router(parts), IpAddr::V4(Ipv4Addr::LOCALHOST)), _folder: folder }
});

static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi_document);

struct Reply {
    status: StatusCode,
    kind: String,
    body: Value,
}

fn ask(method: &str, path: &str, token: Option<&str>, body: &[u8]) -> Reply {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("content-type", "application/json").header("host", "localhost");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::from(body.to_vec())).unwrap();
        let response = WORLD.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let kind = head.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        // A stream of events has no end.
        let body = if method != "HEAD" && kind.starts_with("application/json") {
            serde_json::from_slice(&to_bytes(body, 1 << 20).await.unwrap()).unwrap()
        } else {
            Value::Null
        };
        Reply { status: head.status, kind, body }
    })
}

/// The operation of the document that a path with this method is, if it is one.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let method = if method == "HEAD" { "GET" } else { method };
    let path = path.split('?').next().unwrap();
    let is_meant = |pattern: &str| {
        let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(one), Some(other)) if one == other => {}
                (Some(one), Some(_)) if one.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    // What is written out goes before what is a parameter.
    let exact = paths.get(path);
    let found =
        exact.or_else(|| paths.iter().find(|(pattern, _)| is_meant(pattern)).map(|(_, one)| one));
    found?.get(method.to_lowercase())
}

/// What is answered is what the document says, and what is not done has a code and a hint.
fn check(method: &str, path: &str, reply: &Reply) {
    let status = reply.status.as_u16();
    if let Some(operation) = operation(method, path) {
        let documented = &operation["responses"][status.to_string()];
        assert!(documented.is_object(), "{method} {path}: {status} is not documented");
        let kinds: Vec<&String> = documented["content"].as_object().unwrap().keys().collect();
        assert!(kinds.iter().any(|kind| reply.kind.starts_with(*kind)), "{path}: {}", reply.kind);
    } else {
        let is_page = status == 200 && !reply.kind.starts_with("application/json");
        assert!(is_page || [400, 404, 405].contains(&status), "{method} {path}: {status}");
    }
    if status >= 400 && method != "HEAD" {
        let error = &reply.body["error"];
        for part in ["code", "message", "hint"] {
            assert!(
                error[part].as_str().is_some_and(|text| !text.is_empty()),
                "{path}: {}",
                reply.body
            );
        }
    }
}

#[test]
fn every_operation_of_the_document_is_served() {
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let known = path.replace("{sync}", "customers");
            let query = if path.ends_with("/record") { "?key=7" } else { "" };
            let body = if path.ends_with("session") {
                "{\"token\": \"viewer-0123456789\"}"
            } else {
                "{\"all\": true}"
            };
            let body =
                if path.contains("quarantine") || path.ends_with("session") { body } else { "{}" };
            let path = format!("{known}{query}");
            let reply = ask(&method.to_uppercase(), &path, Some(OPERATOR), body.as_bytes());
            let good: u16 =
                operation["responses"].as_object().unwrap().keys().next().unwrap().parse().unwrap();
            assert_eq!(reply.status.as_u16(), good, "{method} {path}: {}", reply.body);
            check(&method.to_uppercase(), &path, &reply);
            let is_for_operators =
                method == "post" && operation["security"][1]["session"].is_array();
            if is_for_operators {
                let reply = ask("POST", &path, Some(VIEWER), body.as_bytes());
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}");
            }
            if operation["security"].as_array().is_some_and(|all| !all.is_empty()) {
                let reply = ask(&method.to_uppercase(), &path, None, body.as_bytes());
                assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
            }
        }
    }
}
