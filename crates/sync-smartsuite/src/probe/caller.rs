//! Makes the probe's calls: each passes the gate, is counted, and never more are made than were announced.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use sync_core::{error::CallErrorKind, state::CallKind};

use super::{ProbeError, ProbeParts, is_passing};
use crate::{
    answer::{Asked, accept, unreadable},
    request::Requests,
    transport::{BodyEnd, Limits, Reply, TransportError},
};

/// A page of the largest records that a probe makes is far smaller.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Longer than any lag of lists that was reported.
const LAG_UNMEASURED: Duration = Duration::from_secs(4);
/// Waited on top of the lag that was measured, before a list is believed.
const MARGIN: Duration = Duration::from_secs(2);

/// What came of a call.
#[derive(Debug)]
pub(super) enum Heard {
    /// 2xx with this JSON; `null` for an empty body.
    Taken(Value),
    /// The service itself refused.
    Refused(Refusal),
    /// Neither: the question has no answer.
    Lost(CallErrorKind),
}

/// A 4xx with JSON.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The status.
    pub(super) status: u16,
    /// The body.
    pub(super) body: Value,
}

/// Makes calls to one table.
pub(super) struct Caller<'a> {
    parts: &'a ProbeParts<'a>,
    requests: &'a Requests,
    made: u64,
    most: u64,
    /// How long lists may not show what was written.
    lag: Duration,
}

impl<'a> Caller<'a> {
    /// A caller that makes `most` calls at most.
    pub(super) fn new(parts: &'a ProbeParts<'a>, requests: &'a Requests, most: u64) -> Self {
        Self { parts, requests, made: 0, most, lag: LAG_UNMEASURED }
    }

    /// Calls made so far.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// Allows so many calls in all.
    pub(super) fn allow(&mut self, most: u64) {
        self.most = most;
    }

    /// The table's id.
    pub(super) fn table(&self) -> &str {
        &self.parts.table
    }

    /// A number that no earlier probe had: milliseconds since 1970.
    pub(super) fn run_number(&self) -> i64 {
        self.parts.clock.now().as_millisecond()
    }

    /// Time since some start.
    pub(super) fn elapsed(&self) -> Duration {
        self.parts.clock.elapsed()
    }

    /// Notes how long a new record took to be listed.
    pub(super) fn set_lag(&mut self, lag: Duration) {
        self.lag = lag;
    }

    /// Waits until lists show everything that was written.
    pub(super) async fn settle(&self) {
        self.wait(self.lag + MARGIN).await;
    }

    /// Waits.
    pub(super) async fn wait(&self, length: Duration) {
        self.parts.clock.sleep(length).await;
    }

    /// The table's structure.
    pub(super) async fn structure(&mut self) -> Result<Value, ProbeError> {
        let request = self.request(Method::GET, &[], &[], None)?;
        self.must(CallKind::Structure, request).await
    }

    /// A list with this query and body.
    pub(super) async fn list(
        &mut self,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Heard, ProbeError> {
        let request = self.request(Method::POST, &["records", "list"], query, Some(body))?;
        self.hear(CallKind::LookUp, request).await
    }

    /// A bulk create.
    pub(super) async fn create(&mut self, items: &[Value]) -> Result<Heard, ProbeError> {
        let body = json!({ "items": items });
        let request = self.request(Method::POST, &["records", "bulk"], &[], Some(&body))?;
        self.hear(CallKind::Create, request).await
    }

    /// A bulk update; each item has its id.
    pub(super) async fn update(&mut self, items: &[Value]) -> Result<Heard, ProbeError> {
        let body = json!({ "items": items });
        let request = self.request(Method::PATCH, &["records", "bulk"], &[], Some(&body))?;
        self.hear(CallKind::Update, request).await
    }

    /// A bulk delete.
    pub(super) async fn delete(&mut self, ids: &[&str]) -> Result<Heard, ProbeError> {
        let body = json!({ "items": ids });
        let path = ["records", "bulk_delete"];
        let request = self.request(Method::PATCH, &path, &[("fields", "id")], Some(&body))?;
        self.hear(CallKind::Delete, request).await
    }

    /// A single delete; whether the answer had a body.
    pub(super) async fn delete_one(&mut self, id: &str) -> Result<Heard, ProbeError> {
        let request = self.request(Method::DELETE, &["records", id], &[], None)?;
        self.hear(CallKind::Delete, request).await
    }

    /// Brings a deleted record back.
    pub(super) async fn restore(&mut self, id: &str) -> Result<Heard, ProbeError> {
        let path = ["records", id, "restore"];
        let request = self.request(Method::POST, &path, &[], Some(&json!({})))?;
        self.hear(CallKind::Update, request).await
    }

    /// One record.
    pub(super) async fn get(&mut self, id: &str) -> Result<Heard, ProbeError> {
        let request =
            self.request(Method::GET, &["records", id], &[("hydrated", "false")], None)?;
        self.hear(CallKind::LookUp, request).await
    }

    /// A call that nothing can be asked without.
    pub(super) async fn must(
        &mut self,
        kind: CallKind,
        request: Request<Bytes>,
    ) -> Result<Value, ProbeError> {
        let reply = self.exchange(kind, request).await?;
        let body = accept(reply, self.asked())?.body;
        serde_json::from_str(&body).map_err(|_| unreadable(&body, self.asked()).into())
    }

    /// A list that nothing can be asked without.
    pub(super) async fn must_list(
        &mut self,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Value, ProbeError> {
        let request = self.request(Method::POST, &["records", "list"], query, Some(body))?;
        self.must(CallKind::Scan, request).await
    }

    /// Leaves at once, past the gate, but counted; the bare reply, if there is one.
    pub(super) async fn rush(&self, request: Request<Bytes>) -> Result<Option<Reply>, ProbeError> {
        self.parts.gate.count(CallKind::Structure).await?;
        Ok(self.parts.transport.exchange(request, self.limits()).await.ok())
    }

    /// Takes `calls` from those that are left, for calls that are rushed.
    pub(super) fn take(&mut self, calls: u64) -> Result<(), ProbeError> {
        if self.made + calls > self.most {
            return Err(ProbeError::TooManyCalls);
        }
        self.made += calls;
        Ok(())
    }

    /// Closes the gate.
    pub(super) async fn close(&self, retry_after: Option<Duration>) -> Result<(), ProbeError> {
        Ok(self.parts.gate.close(retry_after).await?)
    }

    /// A request to the table, with these segments after it.
    pub(super) fn request(
        &self,
        method: Method,
        tail: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Request<Bytes>, ProbeError> {
        let mut path = vec!["applications", self.table()];
        path.extend(tail);
        Ok(self.requests.make(method, &path, query, body)?)
    }

    async fn hear(&mut self, kind: CallKind, request: Request<Bytes>) -> Result<Heard, ProbeError> {
        let reply = self.exchange(kind, request).await?;
        if let Ok(reply) = &reply
            && let Some(refusal) = refusal(reply)
        {
            return Ok(Heard::Refused(refusal));
        }
        match accept(reply, self.asked()) {
            Ok(accepted) if accepted.body.is_empty() => Ok(Heard::Taken(Value::Null)),
            Ok(accepted) => Ok(match serde_json::from_str(&accepted.body) {
                Ok(json) => Heard::Taken(json),
                Err(_) => Heard::Lost(CallErrorKind::Garbled),
            }),
            Err(error) if is_passing(error.kind) => Ok(Heard::Lost(error.kind)),
            Err(error) => Err(error.into()),
        }
    }

    /// One exchange; a 429 closes the gate for everyone.
    async fn exchange(
        &mut self,
        kind: CallKind,
        request: Request<Bytes>,
    ) -> Result<Result<Reply, TransportError>, ProbeError> {
        self.take(1)?;
        self.parts.gate.pass(kind).await?;
        let reply = self.parts.transport.exchange(request, self.limits()).await;
        if let Ok(reply) = &reply
            && let Err(error) = accept(Ok(reply.clone()), self.asked())
        {
            match error.kind {
                CallErrorKind::Throttled { retry_after } => self.close(retry_after).await?,
                CallErrorKind::Challenge => self.close(None).await?,
                _ => {}
            }
        }
        Ok(reply)
    }

    fn limits(&self) -> Limits {
        Limits { time: self.parts.options.timeouts.bulk, body_bytes_max: ANSWER_BYTES_MAX }
    }

    fn asked(&self) -> Asked<'a> {
        Asked { shape: None, items: 0, token: self.parts.options.token.expose() }
    }
}

/// A refusal of the content, by the service itself: what is refused for who asks ends the probe instead.
fn refusal(reply: &Reply) -> Option<Refusal> {
    let is_content = matches!(reply.status, 400 | 403 | 404 | 409 | 413 | 422);
    if !is_content || reply.end != BodyEnd::Complete {
        return None;
    }
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    let is_json = body.is_object() || body.is_array();
    let accepted = accept(Ok(reply.clone()), Asked { shape: None, items: 0, token: "" });
    let about_content = accepted.err().is_some_and(|error| {
        matches!(
            error.kind,
            CallErrorKind::Refused { .. }
                | CallErrorKind::NotFound
                | CallErrorKind::Forbidden
                | CallErrorKind::PlanFull
        )
    });
    (is_json && about_content).then_some(Refusal { status: reply.status, body })
}
