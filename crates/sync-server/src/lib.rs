//! What the service shows and takes over HTTP: triggers, health, metrics, an API and its pages.
//!
//! Reading order: `desk` (the port to the service), `router` (what is answered where), `access` (who may do what),
//! `live` (what the engine's events come to), `reading` (what the state says), then `api`, `metrics` and `web`.
//! `listener` takes connections.
//!
//! Handlers read the state through the report readers of `sync-store`, on connections of their own that keep no writer
//! waiting, and change it never: whatever is to be done goes through the desk.

mod access;
mod api;
mod caller;
mod desk;
mod health;
mod listener;
mod live;
mod metrics;
mod openapi;
mod problem;
mod reading;
mod request;
mod router;
mod web;
mod webhook;

pub use access::{AccessSettings, CREDENTIAL_LENGTH_MIN, Proxies};
pub use desk::{Condition, Desk, Done, Reason, Refusal, RosterEntry, Wish};
pub use listener::{seen_from, serve};
pub use live::Live;
pub use openapi::document as openapi_document;
pub use router::{ServerParts, router};
