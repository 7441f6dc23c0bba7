//! The calls we use, one HTTP request each.

mod choices;
mod fallback;
mod workspace;

use std::{fmt, sync::Arc};

use http::{Method, Request};
use serde_json::{Value, json};
use sync_core::{
    draft::Fields,
    error::{CallError, CallErrorKind},
    port::{
        Boxed, BulkAnswer, MemberPage, PAGE_MAX, RecordFilter, RecordPage, RecordShape,
        RecordTarget,
    },
    record::{RecordId, SeenRecord},
    secret::Secret,
    table::{Choice, FieldText, TableStructure},
};

use self::fallback::SingleFallback;
pub use self::workspace::{NewField, Solution};
use crate::{
    answer::{self, Accepted, Asked, accept, unreadable},
    form::{FormMemory, Forms},
    options::{ClientOptions, OptionsError, Timeouts},
    request::Requests,
    transport::{HttpTransport, Limits, Transport},
    wire::{bulk, list, member, record, structure},
};

/// Most bytes of a structure or a single record. The largest structures reported are a few megabytes.
const SMALL_ANSWER_BYTES_MAX: usize = 16 << 20;
/// Most bytes of a page or a bulk answer: 64 kB a record where 3 kB are usual.
const LARGE_ANSWER_BYTES_MAX: usize = 64 << 20;

/// SmartSuite, as one member of one workspace sees it.
///
/// It retries nothing, waits for nothing and follows no redirect: whoever calls passes the gate, counts, and decides.
/// It remembers one thing, which written forms of values have proved to work. Cheap to share; calls may overlap.
pub struct SmartSuiteClient {
    transport: Arc<dyn Transport>,
    requests: Requests,
    token: Secret,
    timeouts: Timeouts,
    forms: FormMemory,
    single: SingleFallback,
}

impl fmt::Debug for SmartSuiteClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmartSuiteClient")
            .field("base", &self.requests.base().as_str())
            .finish_non_exhaustive()
    }
}

impl SmartSuiteClient {
    /// A client over the network. Makes no request.
    pub fn new(options: &ClientOptions) -> Result<Self, OptionsError> {
        Self::with_transport(options, Arc::new(HttpTransport::new(options)?))
    }

    /// A client over another way of exchanging requests and answers, such as the emulator in the same process.
    pub fn with_transport(
        options: &ClientOptions,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, OptionsError> {
        Ok(Self {
            transport,
            requests: Requests::new(options)?,
            token: options.token.clone(),
            timeouts: options.timeouts,
            forms: FormMemory::default(),
            single: SingleFallback::default(),
        })
    }

    fn read_limits(&self) -> Limits {
        Limits { time: self.timeouts.read, body_bytes_max: SMALL_ANSWER_BYTES_MAX }
    }

    fn bulk_limits(&self) -> Limits {
        Limits { time: self.timeouts.bulk, body_bytes_max: LARGE_ANSWER_BYTES_MAX }
    }

    /// What a complaint may be about.
    fn asked<'a>(&'a self, shape: Option<&'a RecordShape>, items: usize) -> Asked<'a> {
        Asked { shape, items, token: self.token.expose() }
    }

    /// The one exchange of a call.
    async fn send(
        &self,
        request: Request<bytes::Bytes>,
        limits: Limits,
        asked: Asked<'_>,
    ) -> Result<Accepted, CallError> {
        accept(self.transport.exchange(request, limits).await, asked)
    }

    /// Creates or updates: `ids` is empty for a create.
    async fn write(
        &self,
        shape: &RecordShape,
        ids: &[&RecordId],
        items: &[&Fields],
    ) -> Result<BulkAnswer, CallError> {
        if items.is_empty() {
            return Ok(BulkAnswer::default()); // What the service makes of an empty list is unknown.
        }
        let creates = ids.is_empty();
        let single = items.len() == 1 && self.single.is_on(&shape.table, creates);
        let result = self.write_by(shape, ids, items, single).await;
        if items.len() == 1 {
            self.single.learn(&shape.table, creates, single, &result);
        }
        result
    }

    /// Creates or updates by one route, and learns which forms of values are taken.
    async fn write_by(
        &self,
        shape: &RecordShape,
        ids: &[&RecordId],
        items: &[&Fields],
        single: bool,
    ) -> Result<BulkAnswer, CallError> {
        let forms = self.forms.forms(&shape.table);
        let request = self.write_request(shape, ids, items, &forms, single)?;
        let asked = self.asked(Some(shape), items.len());
        let body = match self.send(request, self.bulk_limits(), asked).await {
            Ok(accepted) => accepted.body,
            Err(mut error) => {
                error.retry_as_is = self.forms.refused(shape, items, &forms, &error.complaints);
                return Err(error);
            }
        };
        let Some(mut found) = bulk::read(&body, shape, items.len()) else {
            return Err(unreadable(&body, asked));
        };
        for complaint in &mut found.complaints {
            let words = std::mem::take(&mut complaint.message.0);
            complaint.message.0 = answer::redacted(words, asked.token);
        }
        let names = |at: usize, item: &Fields| {
            found.records.iter().find(|record| match ids.get(at) {
                Some(id) => **id == record.id,
                None => is_key_of(shape, item, record),
            })
        };
        for (at, item) in items.iter().enumerate() {
            if let Some(record) = names(at, item) {
                self.forms.answered(shape, item, record, &forms);
            }
        }
        let mut changed = self.forms.refused(shape, items, &forms, &found.complaints);
        if found.complaints.is_empty() {
            for (at, item) in items.iter().enumerate() {
                if names(at, item).is_none() {
                    changed |= self.forms.passed_over(shape, item, &forms);
                }
            }
        }
        found.retry_as_is = changed;
        Ok(found)
    }

    fn write_request(
        &self,
        shape: &RecordShape,
        ids: &[&RecordId],
        items: &[&Fields],
        forms: &Forms,
        single: bool,
    ) -> Result<Request<bytes::Bytes>, CallError> {
        let records = ["applications", &shape.table, "records"];
        let json = |at: usize, item: &Fields, with_id: bool| {
            let id = ids.get(at).copied().filter(|_| with_id);
            bulk::item(shape, id, item, forms, ids.is_empty())
        };
        if let ([item], true) = (items, single) {
            let body = json(0, item, false);
            return match ids.first() {
                None => self.requests.make(Method::POST, &records, &[], Some(&body)),
                Some(id) => {
                    let [applications, table, records] = records;
                    let path = [applications, table, records, &id.0];
                    self.requests.make(Method::PATCH, &path, &[], Some(&body))
                }
            };
        }
        let list: Vec<Value> =
            items.iter().enumerate().map(|(at, item)| json(at, item, true)).collect();
        let method = if ids.is_empty() { Method::POST } else { Method::PATCH };
        let [applications, table, records] = records;
        let path = [applications, table, records, "bulk"];
        self.requests.make(method, &path, &[], Some(&bulk::body(&list)))
    }
}

/// Whether an answer's record carries the external id that an item was sent with.
fn is_key_of(shape: &RecordShape, item: &Fields, record: &SeenRecord) -> bool {
    let sent = item.get(&shape.external_id.slug).and_then(record::external_id);
    sent.is_some() && sent == record.external_id
}

impl RecordTarget for SmartSuiteClient {
    fn structure<'a>(&'a self, table: &'a str) -> Boxed<'a, Result<TableStructure, CallError>> {
        Box::pin(async move {
            let request = self.requests.make(Method::GET, &["applications", table], &[], None)?;
            let asked = self.asked(None, 0);
            let body = self.send(request, self.read_limits(), asked).await?.body;
            structure::read(&body, table).ok_or_else(|| unreadable(&body, asked))
        })
    }

    fn field<'a>(
        &'a self,
        table: &'a str,
        slug: &'a str,
    ) -> Boxed<'a, Result<(TableStructure, Option<FieldText>), CallError>> {
        Box::pin(async move {
            let request = self.requests.make(Method::GET, &["applications", table], &[], None)?;
            let asked = self.asked(None, 0);
            let body = self.send(request, self.read_limits(), asked).await?.body;
            let structure =
                structure::read(&body, table).ok_or_else(|| unreadable(&body, asked))?;
            Ok((structure, choices::text_of(&body, slug)))
        })
    }

    fn add_choices<'a>(
        &'a self,
        table: &'a str,
        field: &'a FieldText,
        choices: &'a [Choice],
    ) -> Boxed<'a, Result<(), CallError>> {
        Box::pin(async move {
            let Some(body) = choices::with_more(field, choices) else {
                return Err(CallErrorKind::NotSent.into());
            };
            let path = ["applications", table, "change_field"];
            let request = self.requests.make(Method::PUT, &path, &[], Some(&body))?;
            self.send(request, self.read_limits(), self.asked(None, 0)).await?;
            Ok(())
        })
    }

    fn members(&self, offset: u64) -> Boxed<'_, Result<MemberPage, CallError>> {
        Box::pin(async move {
            let (from, most) = (offset.to_string(), PAGE_MAX.to_string());
            let query = [("offset", from.as_str()), ("limit", most.as_str())];
            let body = json!({ "sort": [], "filter": {} });
            let path = ["members", "list"];
            let request = self.requests.make(Method::POST, &path, &query, Some(&body))?;
            let asked = self.asked(None, 0);
            let body = self.send(request, self.read_limits(), asked).await?.body;
            member::read(&body).ok_or_else(|| unreadable(&body, asked))
        })
    }

    fn create<'a>(
        &'a self,
        shape: &'a RecordShape,
        items: &'a [Fields],
    ) -> Boxed<'a, Result<BulkAnswer, CallError>> {
        Box::pin(async move {
            let items: Vec<&Fields> = items.iter().collect();
            let found = self.write(shape, &[], &items).await.map_err(answer::of_create)?;
            answer::of_created(found)
        })
    }

    fn update<'a>(
        &'a self,
        shape: &'a RecordShape,
        items: &'a [(RecordId, Fields)],
    ) -> Boxed<'a, Result<BulkAnswer, CallError>> {
        Box::pin(async move {
            let (ids, items): (Vec<&RecordId>, Vec<&Fields>) =
                items.iter().map(|(id, fields)| (id, fields)).unzip();
            self.write(shape, &ids, &items).await
        })
    }

    fn delete<'a>(
        &'a self,
        table: &'a str,
        ids: &'a [RecordId],
    ) -> Boxed<'a, Result<Vec<RecordId>, CallError>> {
        Box::pin(async move {
            if ids.is_empty() {
                return Ok(Vec::new());
            }
            let items: Value = ids.iter().map(|id| id.0.as_str()).collect();
            let path = ["applications", table, "records", "bulk_delete"];
            let body = json!({ "items": items });
            let request =
                self.requests.make(Method::PATCH, &path, &[("fields", "id")], Some(&body))?;
            let asked = self.asked(None, ids.len());
            let accepted = self.send(request, self.bulk_limits(), asked).await?;
            if accepted.no_content {
                return Ok(Vec::new());
            }
            let body = accepted.body;
            let complaints = bulk::refused_deletes(&body, ids.len());
            if !complaints.is_empty() {
                let kind = CallErrorKind::Refused { status: 200 };
                return Err(CallError { complaints, ..kind.into() });
            }
            bulk::read_ids(&body, ids).ok_or_else(|| unreadable(&body, asked))
        })
    }

    fn get<'a>(
        &'a self,
        shape: &'a RecordShape,
        id: &'a RecordId,
    ) -> Boxed<'a, Result<Option<SeenRecord>, CallError>> {
        Box::pin(async move {
            let path = ["applications", &shape.table, "records", &id.0];
            let query = [("hydrated", "false")];
            let request = self.requests.make(Method::GET, &path, &query, None)?;
            let asked = self.asked(Some(shape), 0);
            let body = match self.send(request, self.read_limits(), asked).await {
                Ok(accepted) => accepted.body,
                Err(error) if error.kind == CallErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let found = record::read_text(&body, shape).filter(|found| found.record.id == *id);
            let found = found.ok_or_else(|| unreadable(&body, asked))?;
            Ok((!found.deleted).then_some(found.record))
        })
    }

    fn list<'a>(
        &'a self,
        shape: &'a RecordShape,
        filter: &'a RecordFilter,
        offset: u64,
        limit: usize,
    ) -> Boxed<'a, Result<RecordPage, CallError>> {
        Box::pin(async move {
            let path = ["applications", &shape.table, "records", "list"];
            let (from, most) = (offset.to_string(), limit.to_string());
            let query = [("offset", from.as_str()), ("limit", most.as_str())];
            let body = list::body(shape, filter);
            let request = self.requests.make(Method::POST, &path, &query, Some(&body))?;
            let asked = self.asked(Some(shape), 0);
            let body = self.send(request, self.bulk_limits(), asked).await?.body;
            list::read(&body, shape, filter, offset, limit).ok_or_else(|| unreadable(&body, asked))
        })
    }
}
