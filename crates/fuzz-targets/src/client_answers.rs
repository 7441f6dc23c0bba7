//! Any answer to any call: the client must make sense of it or refuse it, with one request a call.
//!
//! The input is a byte for the call, one for the status, one for how the body ended, a line for `Retry-After`, a line for
//! `Date`, and the body.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use sync_core::{
    draft::Fields,
    error::{CallError, CallErrorKind},
    field_value::FieldValue,
    port::{Boxed, RecordFilter, RecordShape, RecordTarget},
    record::RecordId,
    secret::Secret,
    table::{Field, FieldKind, NumberRange},
};
use sync_smartsuite::{
    BodyEnd, ClientOptions, Limits, Reply, SmartSuiteClient, Transport, TransportError,
};

use crate::input::Input;

const STATUSES: &[u16] = &[
    200, 200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 502, 503,
    504, 100, 999,
];
const ENDS: &[BodyEnd] =
    &[BodyEnd::Complete, BodyEnd::Complete, BodyEnd::TimedOut, BodyEnd::Broken, BodyEnd::TooLarge];
/// A type of each written form.
const KINDS: &[FieldKind] = &[
    FieldKind::Text,
    FieldKind::RichText,
    FieldKind::Number,
    FieldKind::Percent,
    FieldKind::Duration,
    FieldKind::Rating,
    FieldKind::YesNo,
    FieldKind::SingleSelect,
    FieldKind::MultipleSelect,
    FieldKind::Status,
    FieldKind::Date,
    FieldKind::Email,
    FieldKind::Phone,
    FieldKind::Link,
    FieldKind::User,
    FieldKind::LinkedRecord,
    FieldKind::DateRange,
    FieldKind::Time,
    FieldKind::Address,
    FieldKind::IpAddress,
    FieldKind::ColorPicker,
];
/// The most bytes that any call lets an answer have.
const BODY_BYTES_MAX: usize = 64 << 20;

/// Answers the call that the input names with the reply that it describes.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let call = input.byte();
    let mut reply = Reply {
        status: input.one_of(STATUSES, 200),
        headers: HeaderMap::new(),
        end: input.one_of(ENDS, BodyEnd::Complete),
        body: Bytes::new(),
    };
    for name in ["retry-after", "date"] {
        if let Ok(value) = HeaderValue::from_bytes(input.line()) {
            reply.headers.insert(HeaderName::from_static(name), value);
        }
    }
    reply.body = Bytes::copy_from_slice(input.rest());
    let unfinished = reply.end != BodyEnd::Complete;
    let status = reply.status;
    let transport = Arc::new(Canned { reply, requests: AtomicUsize::new(0) });
    let Some(answered) = made(call, &transport) else { return };
    assert_eq!(transport.requests.load(Ordering::Relaxed), 1, "one request a call");
    let telling = matches!(status, 204 | 400 | 401 | 403 | 413);
    assert!(!(answered && unfinished) || telling, "half an answer was taken for one");
}

/// Makes one call; whether its outcome counts as answered. `None`: there is no client.
fn made(call: u8, transport: &Arc<Canned>) -> Option<bool> {
    let mut options = ClientOptions::new("s1234567", Secret::new("token"));
    "http://localhost".clone_into(&mut options.base_url);
    let shared: Arc<dyn Transport> = Arc::<Canned>::clone(transport);
    let client = SmartSuiteClient::with_transport(&options, shared).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
    let (shape, id) = (shape(), RecordId("r1".to_owned()));
    let ids = RecordFilter::ExternalIds(vec!["k1".to_owned()]);
    let rows = [row("k1"), row("k2")];
    let failure = runtime.block_on(async {
        match call % 7 {
            0 => client.structure("t1").await.err().map(kind),
            1 => client.create(&shape, &rows).await.err().map(kind),
            2 => client.update(&shape, &[(id, row("k1"))]).await.err().map(kind),
            3 => client.delete("t1", &[id]).await.err().map(kind),
            4 => client.get(&shape, &id).await.err().map(kind),
            5 => client.list(&shape, &ids, 0, 25).await.err().map(kind),
            _ => client.list(&shape, &RecordFilter::All, 0, 1000).await.err().map(kind),
        }
    });
    Some(failure.is_none_or(CallErrorKind::is_answered))
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over what owns it")]
fn kind(error: CallError) -> CallErrorKind {
    error.kind
}

/// Answers every request with the same reply.
struct Canned {
    reply: Reply,
    requests: AtomicUsize,
}

impl Transport for Canned {
    fn exchange(
        &self,
        _: Request<Bytes>,
        limits: Limits,
    ) -> Boxed<'_, Result<Reply, TransportError>> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        assert!(limits.body_bytes_max <= BODY_BYTES_MAX, "every call has a bound");
        assert!(limits.time <= Duration::from_mins(10), "every call ends");
        Box::pin(std::future::ready(Ok(self.reply.clone())))
    }
}

/// A table with a field of every kind that can be read.
fn shape() -> RecordShape {
    let external_id = field("sext", FieldKind::Text);
    let mut fields: Vec<Field> =
        KINDS.iter().map(|kind| field(&format!("s{kind:?}"), kind.clone())).collect();
    fields.push(external_id.clone());
    fields.sort_by(|a, b| a.slug.cmp(&b.slug));
    RecordShape {
        table: "6500000000000000000000c1".to_owned(),
        external_id,
        fields,
        on_create: Vec::new(),
        if_empty: vec![field("sempty", FieldKind::Number)],
    }
}

fn field(slug: &str, kind: FieldKind) -> Field {
    Field {
        slug: slug.into(),
        label: slug.to_owned(),
        kind,
        required: false,
        unique: false,
        read_only: false,
        choices: Vec::new(),
        multiple: true,
        precision: Some(2),
        range: NumberRange::default(),
        length_max: None,
        linked_table: None,
    }
}

fn row(id: &str) -> Fields {
    Fields::new(vec![("sext".into(), FieldValue::text(id))])
}
