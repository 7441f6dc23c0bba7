//! An emulator with one table, a client of it, and a clock that only requests move.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use smartsuite_emulator::{
    DEMO_ACCOUNT, DEMO_TOKEN, Emulator, EmulatorBuilder, ObjectId, Outcome, ProfileName, TableSeed,
};
use sync_core::{
    draft::Fields,
    field_value::FieldValue,
    port::{BULK_MAX, Boxed, PAGE_MAX, RecordFilter, RecordShape, RecordTarget},
    record::SeenRecord,
    secret::Secret,
    slug::Slug,
};
use sync_smartsuite::{
    BodyEnd, ClientOptions, Limits, Reply, SmartSuiteClient, Transport, TransportError,
};

/// The table of every suite.
pub(crate) const TABLE: &str = "6500000000000000000000c1";
/// A table to link to, and its record.
pub(crate) const OTHER_TABLE: &str = "6500000000000000000000c2";
pub(crate) const OTHER_RECORD: &str = "6500000000000000000000c3";

/// Longer than any profile's list lag: what was written before a call is seen by it.
const STEP: Duration = Duration::from_secs(2);

pub(crate) fn object_id(text: &str) -> ObjectId {
    text.parse().unwrap()
}

/// A table with a field of every type that is written.
pub(crate) fn table() -> TableSeed {
    let choices = json!({ "choices": [
        { "value": "aCt1V", "label": "Active" }, { "value": "iNa0T", "label": "Inactive" },
        { "value": "pEn3D", "label": "Pending" } ] });
    let several = json!({ "entries_allowed": "multiple" });
    let plain = || json!({});
    TableSeed::new(object_id(TABLE), "Everything")
        .field("title", "Name", "recordtitlefield", json!({ "primary": true }))
        .field("sextid0001", "External ID", "textfield", plain())
        .field("snumext001", "Number ID", "numberfield", plain())
        .field("stextarea1", "Area", "textareafield", plain())
        .field("srichtext1", "Doc", "richtextareafield", plain())
        .field("snumber001", "Number", "numberfield", json!({ "precision": 4 }))
        .field("scurrency1", "Currency", "currencyfield", plain())
        .field("spercent01", "Percent", "percentfield", plain())
        .field("sduration1", "Duration", "durationfield", plain())
        .field(
            "sslider001",
            "Slider",
            "numbersliderfield",
            json!({ "min_value": 0, "max_value": 100 }),
        )
        .field("spercomp01", "Complete", "percentcompletefield", plain())
        .field("srating001", "Rating", "ratingfield", json!({ "scale": 5 }))
        .field("syesno0001", "Yes", "yesnofield", plain())
        .field("ssingle001", "Single", "singleselectfield", choices.clone())
        .field("smultiple1", "Multiple", "multipleselectfield", choices.clone())
        .field("sstatus001", "Status", "statusfield", choices)
        .field("sdate00001", "Date", "datefield", plain())
        .field("sdatetime1", "Time", "datefield", json!({ "include_time": true }))
        .field("semail0001", "Email", "emailfield", several.clone())
        .field("sphone0001", "Phone", "phonefield", several.clone())
        .field("slink00001", "Link", "linkfield", several.clone())
        .field("suser00001", "User", "userfield", several.clone())
        .field("sdaterange", "Range", "daterangefield", plain())
        .field("sduedate01", "Due", "duedatefield", plain())
        .field("stimeofday", "Time of day", "timefield", plain())
        .field("saddress01", "Address", "addressfield", plain())
        .field("sfullname1", "Full name", "fullnamefield", plain())
        .field("sipaddress", "IP", "ipaddressfield", several.clone())
        .field("ssocial001", "Social", "socialnetworkfield", plain())
        .field("scolor0001", "Colour", "colorpickerfield", several)
        .field(
            "slinked001",
            "Linked",
            "linkedrecordfield",
            json!({ "linked_application": OTHER_TABLE, "entries_allowed": "multiple" }),
        )
}

/// The table that records link to.
pub(crate) fn other_table() -> TableSeed {
    TableSeed::new(object_id(OTHER_TABLE), "Other")
        .record(json!({ "id": OTHER_RECORD, "title": "There" }))
}

/// An emulator of a profile with both tables.
pub(crate) fn builder(profile: ProfileName) -> EmulatorBuilder {
    Emulator::builder()
        .named_profile(profile)
        .unlimited()
        .now("2026-01-05T08:00:00Z".parse().unwrap())
        .table(other_table())
        .table(table())
}

/// The emulator and its clock.
pub(crate) struct Virtual {
    emulator: Mutex<Emulator>,
    now: Mutex<Timestamp>,
    step: Duration,
}

impl Virtual {
    /// An emulator whose time passes by `step` a call.
    pub(crate) fn new(builder: EmulatorBuilder, step: Duration) -> Self {
        Self {
            emulator: Mutex::new(builder.build().unwrap()),
            now: Mutex::new("2026-01-05T08:00:00Z".parse().unwrap()),
            step,
        }
    }

    /// What its clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, length: Duration) {
        *self.now.lock().unwrap() += length;
    }

    /// Looks at or changes the emulator.
    pub(crate) fn emulator(&self) -> MutexGuard<'_, Emulator> {
        self.emulator.lock().unwrap()
    }

    /// How many records there are, live ones alone, asked without the client.
    pub(crate) fn count(&self) -> u64 {
        let body = br#"{"sort":[],"filter":{}}"#;
        let path = format!("/api/v1/applications/{TABLE}/records/list/?limit=1&offset=0");
        self.ask("POST", &path, body)["total"].as_u64().unwrap()
    }

    /// Does something that no client of ours does, as somebody with the same key.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &'static [u8]) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("account-id", DEMO_ACCOUNT)
            .header("authorization", format!("Token {DEMO_TOKEN}"))
            .header("content-type", "application/json")
            .body(Bytes::from_static(body))
            .unwrap();
        let now = self.pass();
        let outcome = self.emulator().handle(now, &request);
        serde_json::from_slice(outcome.response().unwrap().body()).unwrap()
    }

    fn pass(&self) -> Timestamp {
        let mut now = self.now.lock().unwrap();
        *now += self.step;
        *now
    }
}

impl Transport for Virtual {
    fn exchange(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> Boxed<'_, Result<Reply, TransportError>> {
        let sent = self.pass();
        let mut outcome = self.emulator().handle(sent, &request);
        while let Outcome::Held { until, ticket } = outcome {
            outcome = if until > sent + limits.time {
                Outcome::Never
            } else {
                self.emulator().collect(until, ticket)
            };
        }
        let late = || TransportError::TimedOut("virtual".to_owned());
        Box::pin(std::future::ready(match outcome {
            Outcome::Answer { after, .. } | Outcome::Truncated { after, .. }
                if after >= limits.time =>
            {
                Err(late())
            }
            Outcome::Answer { response, .. } => Ok(reply(response, usize::MAX)),
            Outcome::Truncated { response, bytes, .. } => Ok(reply(response, bytes)),
            Outcome::Reset { .. } => Err(TransportError::Broken("virtual".to_owned())),
            Outcome::Never | Outcome::Held { .. } => Err(late()),
        }))
    }
}

fn reply(response: Response<Bytes>, bytes: usize) -> Reply {
    let (head, body) = response.into_parts();
    let end = if bytes < body.len() { BodyEnd::Broken } else { BodyEnd::Complete };
    let headers: HeaderMap = head.headers;
    Reply { status: head.status.as_u16(), headers, body: body.slice(..bytes.min(body.len())), end }
}

/// A client of an emulator.
pub(crate) struct World {
    pub(crate) profile: ProfileName,
    pub(crate) client: SmartSuiteClient,
    pub(crate) service: Arc<Virtual>,
    /// All writable fields, the external id in text.
    pub(crate) shape: RecordShape,
}

/// Options for the emulator's demo key.
pub(crate) fn demo_options() -> ClientOptions {
    let mut options = ClientOptions::new(DEMO_ACCOUNT, Secret::new(DEMO_TOKEN));
    "http://localhost".clone_into(&mut options.base_url);
    options
}

impl World {
    /// A world of a profile.
    pub(crate) async fn new(profile: ProfileName) -> Self {
        Self::from(profile, builder(profile), &demo_options(), STEP).await
    }

    /// A world with an emulator and options of one's own; time passes by `step` a call.
    pub(crate) async fn from(
        profile: ProfileName,
        builder: EmulatorBuilder,
        options: &ClientOptions,
        step: Duration,
    ) -> Self {
        let service = Arc::new(Virtual::new(builder, step));
        let transport: Arc<dyn Transport> = Arc::<Virtual>::clone(&service);
        let client = SmartSuiteClient::with_transport(options, transport).unwrap();
        let reader =
            SmartSuiteClient::with_transport(&demo_options(), Arc::<Virtual>::clone(&service));
        let structure = reader.unwrap().structure(TABLE).await.unwrap();
        let external_id = structure.field("sextid0001").unwrap().clone();
        let mut fields = structure.fields;
        // System fields of other types are no part of a mapping.
        fields.retain(|field| !field.read_only && &*field.slug != "followed_by");
        fields.sort_by(|a, b| a.slug.cmp(&b.slug));
        service.emulator().clear_log();
        let shape = RecordShape {
            table: TABLE.to_owned(),
            external_id,
            fields,
            on_create: Vec::new(),
            if_empty: Vec::new(),
        };
        Self { profile, client, service, shape }
    }

    /// A row of a text id and some values.
    pub(crate) fn row(id: &str, values: &[(&str, FieldValue)]) -> Fields {
        let mut fields: Vec<(Slug, FieldValue)> =
            values.iter().map(|(slug, value)| (Slug::from(*slug), value.clone())).collect();
        fields.push(("sextid0001".into(), FieldValue::text(id)));
        Fields::new(fields)
    }

    /// The records with these external ids.
    pub(crate) async fn found(&self, ids: &[&str]) -> Vec<SeenRecord> {
        let filter = RecordFilter::ExternalIds(ids.iter().map(|&id| id.to_owned()).collect());
        self.client.list(&self.shape, &filter, 0, PAGE_MAX).await.unwrap().records
    }

    /// Creates rows as the engine does: never without a look-up after a doubt, again once the form of a value has
    /// changed. At most one call's worth; the records, in the rows' order.
    pub(crate) async fn create(&self, rows: &[Fields]) -> Vec<SeenRecord> {
        assert!(rows.len() <= BULK_MAX, "one call");
        let id_of = |row: &Fields| match row.get("sextid0001") {
            Some(FieldValue::Text(id)) => id.clone(),
            _ => panic!("a row has an id"),
        };
        let ids: Vec<String> = rows.iter().map(id_of).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        for _ in 0..4 {
            let there = self.found(&ids).await;
            let is_missing = |row: &&Fields| {
                let id = id_of(row);
                !there.iter().any(|record| record.external_id.as_deref() == Some(&id))
            };
            let missing: Vec<Fields> = rows.iter().filter(is_missing).cloned().collect();
            if missing.is_empty() {
                let place =
                    |id: &Option<String>| ids.iter().position(|own| Some(*own) == id.as_deref());
                let mut there = there;
                there.sort_by_key(|record| place(&record.external_id));
                assert_eq!(there.len(), rows.len(), "no twin in {}", self.profile);
                return there;
            }
            match self.client.create(&self.shape, &missing).await {
                Ok(answer) => {
                    let settled = answer.complaints.is_empty() || answer.retry_as_is;
                    assert!(settled, "{}: {:?}", self.profile, words(&answer.complaints));
                }
                Err(error) => assert!(
                    error.retry_as_is,
                    "{}: {error} {:?}",
                    self.profile,
                    words(&error.complaints)
                ),
            }
        }
        panic!("the rows never arrived in {}", self.profile);
    }
}

/// Complaints, readable in a failing test.
pub(crate) fn words(complaints: &[sync_core::error::Complaint]) -> Vec<String> {
    let line = |complaint: &sync_core::error::Complaint| {
        format!("{:?} {:?}: {}", complaint.item, complaint.slug, complaint.message.0)
    };
    complaints.iter().map(line).collect()
}
