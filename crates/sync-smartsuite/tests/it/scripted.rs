//! A transport that answers from a list and keeps what it was sent.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::Value;
use sync_core::port::Boxed;
use sync_smartsuite::{BodyEnd, Limits, Reply, SmartSuiteClient, Transport, TransportError};

use crate::fixture::options;

/// One request as it was sent.
pub(crate) struct Sent {
    /// Method, path and query: `GET /api/v1/applications/t/`.
    pub(crate) line: String,
    /// The body; `null` without one.
    pub(crate) body: Value,
}

/// The answers still to give, and the requests seen.
#[derive(Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<(u16, String)>>,
    sent: Mutex<Vec<Sent>>,
}

impl Script {
    /// What was sent since the last look.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }
}

/// A client whose service gives these answers, in order.
pub(crate) fn client(answers: &[(u16, &str)]) -> (SmartSuiteClient, Arc<Script>) {
    let script = Arc::new(Script::default());
    *script.answers.lock().unwrap() =
        answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
    let transport: Arc<dyn Transport> = Arc::<Script>::clone(&script);
    let client = SmartSuiteClient::with_transport(&options("http://localhost"), transport);
    (client.unwrap(), script)
}

impl Transport for Script {
    fn exchange(
        &self,
        request: Request<Bytes>,
        _: Limits,
    ) -> Boxed<'_, Result<Reply, TransportError>> {
        let path = request.uri().path_and_query().unwrap();
        self.sent.lock().unwrap().push(Sent {
            line: format!("{} {path}", request.method()),
            body: serde_json::from_slice(request.body()).unwrap_or_default(),
        });
        let (status, body) = self.answers.lock().unwrap().pop_front().expect("an answer is left");
        let reply =
            Reply { status, headers: HeaderMap::new(), body: body.into(), end: BodyEnd::Complete };
        Box::pin(std::future::ready(Ok(reply)))
    }
}
