//! An emulator with two linked tables, called without a socket, on a clock that only tests move.

use std::{ops::Index, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request};
use jiff::Timestamp;
use serde_json::{Value, json};
use smartsuite_emulator::{
    DEMO_ACCOUNT, DEMO_TOKEN, Emulator, EmulatorBuilder, Outcome, Profile, TableSeed,
};

/// The table of most tests, with a field of every type.
pub(crate) const TABLE: &str = "6500000000000000000000c1";
/// The table it links to.
pub(crate) const OTHER: &str = "6500000000000000000000c2";
/// A record of that table, titled `There`.
pub(crate) const THERE: &str = "6500000000000000000000c3";
/// Another one, titled `Elsewhere`.
pub(crate) const ELSEWHERE: &str = "6500000000000000000000c4";
/// An id that nothing has.
pub(crate) const NOBODY: &str = "6599999999999999999999ff";
/// When every test begins: a Tuesday.
pub(crate) const START: &str = "2026-03-10T12:00:00Z";

/// The table to link to.
pub(crate) fn other_table() -> TableSeed {
    TableSeed::new(OTHER.parse().unwrap(), "Other")
        .field("samount001", "Amount", "numberfield", json!({}))
        .record(json!({"id": THERE, "title": "There", "samount001": "4"}))
        .record(json!({"id": ELSEWHERE, "title": "Elsewhere", "samount001": "6"}))
}

/// A table with a field of every type.
pub(crate) fn table() -> TableSeed {
    let choices = json!([
        {"value": "aCt1V", "label": "Active"}, {"value": "iNa0T", "label": "Inactive"},
        {"value": "1b9e5a3c-4f0d-4e8e-9a52-0c8ab5a8a001", "label": "Pending"},
    ]);
    let plain = || json!({});
    let link = json!({"linked_application": OTHER, "entries_allowed": "multiple"});
    let over = |more: Value| {
        let mut params = json!({"linked_field": "slink", "field_selection": "samount001"});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        params
    };
    TableSeed::new(TABLE.parse().unwrap(), "Everything")
        .field("title", "Name", "recordtitlefield", json!({"primary": true, "required": true}))
        .field("stext", "Text", "textfield", plain())
        .field("sunique", "Unique", "textfield", json!({"unique": true}))
        .field("sarea", "Area", "textareafield", json!({"max_length": 10}))
        .field("sdoc", "Document", "richtextareafield", plain())
        .field("snumber", "Number", "numberfield", json!({"precision": 2}))
        .field("scurrency", "Currency", "currencyfield", plain())
        .field("spercent", "Percent", "percentfield", plain())
        .field("sduration", "Duration", "durationfield", plain())
        .field("sslider", "Slider", "numbersliderfield", json!({"max_value": 100}))
        .field("scomplete", "Complete", "percentcompletefield", plain())
        .field("srating", "Rating", "ratingfield", json!({"scale": 5}))
        .field("syesno", "Yes", "yesnofield", plain())
        .field("ssingle", "Single", "singleselectfield", json!({"choices": choices}))
        .field(
            "sopen",
            "Open",
            "singleselectfield",
            json!({"choices": choices, "new_choices_allowed": true}),
        )
        .field("smultiple", "Multiple", "multipleselectfield", json!({"choices": choices}))
        .field(
            "sstatus",
            "Status",
            "statusfield",
            json!({"default_value": "backlog", "choices": [
                {"value": "backlog", "label": "Backlog"},
                {"value": "complete", "label": "Complete", "is_completed": true},
            ]}),
        )
        .field("stags", "Tags", "tagsfield", json!({"choices": choices}))
        .field("sdate", "Date", "datefield", plain())
        .field("srange", "Range", "daterangefield", plain())
        .field("sdue", "Due", "duedatefield", plain())
        .field("stime", "Time", "timefield", plain())
        .field("stracking", "Tracking", "timetrackingfield", plain())
        .field("semail", "Email", "emailfield", plain())
        .field("soneemail", "One email", "emailfield", json!({"entries_allowed": "single"}))
        .field("surl", "Link", "linkfield", plain())
        .field("sphone", "Phone", "phonefield", plain())
        .field("saddress", "Address", "addressfield", plain())
        .field("sname", "Full name", "fullnamefield", plain())
        .field("sip", "IP address", "ipaddressfield", plain())
        .field("ssocial", "Social", "socialnetworkfield", plain())
        .field("scolor", "Color", "colorpickerfield", plain())
        .field("suser", "User", "userfield", plain())
        .field("slink", "Linked", "linkedrecordfield", link)
        .field("sdepends", "Depends", "dependencyfield", plain())
        .field("sfile", "File", "filefield", plain())
        .field("ssignature", "Signature", "signaturefield", plain())
        .field("schecklist", "Checklist", "checklistfield", plain())
        .field("ssubitems", "Sub-items", "subitemsfield", plain())
        .field("svote", "Vote", "votefield", plain())
        .field("scount", "Count", "countfield", json!({"linked_field": "slink"}))
        .field("srollup", "Rollup", "rollupfield", over(json!({"function": "sum"})))
        .field("slookup", "Lookup", "lookupfield", over(json!({})))
        .field("sformula", "Formula", "formulafield", plain())
        .field("srecordid", "Record id", "recordidfield", plain())
        .field("sbutton", "Button", "buttonfield", plain())
        .field("savailable", "Available", "availabilitystatusfield", plain())
}

/// An emulator with both tables and without limits, at the default positions.
pub(crate) fn builder() -> EmulatorBuilder {
    Emulator::builder().unlimited().now(START.parse().unwrap()).table(other_table()).table(table())
}

/// The emulator of most tests.
pub(crate) fn service() -> Service {
    Service::of(builder())
}

/// The same with one switch in a position.
pub(crate) fn at(switch: &str, position: &str) -> Service {
    with(&[(switch, position)])
}

/// The same with several switches in their positions.
pub(crate) fn with(positions: &[(&str, &str)]) -> Service {
    Service::of(positioned(builder(), positions))
}

/// Sets switches.
pub(crate) fn positioned(builder: EmulatorBuilder, positions: &[(&str, &str)]) -> EmulatorBuilder {
    builder.with(|profile: &mut Profile| {
        for (switch, position) in positions {
            profile.set(switch, position).unwrap();
        }
    })
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// The body where it is JSON, else null.
    pub(crate) json: Value,
}

impl Answer {
    /// A header, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of an answer that must be a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json
    }
}

impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        &self.json[key]
    }
}

/// An emulator, its clock, and who calls.
pub(crate) struct Service {
    pub(crate) emulator: Emulator,
    pub(crate) now: Timestamp,
    pub(crate) token: String,
    pub(crate) account: String,
}

impl Service {
    pub(crate) fn of(builder: EmulatorBuilder) -> Self {
        Self {
            emulator: builder.build().unwrap(),
            now: START.parse().unwrap(),
            token: DEMO_TOKEN.to_owned(),
            account: DEMO_ACCOUNT.to_owned(),
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
    }

    /// A request with the usual headers, whatever comes of it.
    pub(crate) fn outcome(&mut self, method: &str, path: &str, body: &[u8]) -> Outcome {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("ACCOUNT-ID", &self.account)
            .header("Authorization", format!("Token {}", self.token))
            .header("Content-Type", "application/json")
            .body(Bytes::copy_from_slice(body))
            .unwrap();
        self.emulator.handle(self.now, &request)
    }

    /// A request that is answered.
    #[track_caller]
    pub(crate) fn raw(&mut self, method: &str, path: &str, body: &[u8]) -> Answer {
        let outcome = self.outcome(method, path, body);
        answered(&outcome)
    }

    #[track_caller]
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.raw("GET", &under(path), b"")
    }

    #[track_caller]
    pub(crate) fn send(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        self.raw(method, &under(path), body.to_string().as_bytes())
    }

    #[track_caller]
    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, body)
    }

    #[track_caller]
    pub(crate) fn patch(&mut self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, body)
    }

    /// A path below the table's.
    pub(crate) fn in_table(path: &str) -> String {
        format!("applications/{TABLE}/{path}")
    }

    /// Creates a record with a title of its own unless one is given.
    #[track_caller]
    pub(crate) fn create(&mut self, values: &Value) -> Answer {
        let mut values = values.clone();
        let record = values.as_object_mut().unwrap();
        record.entry("title").or_insert_with(|| "A record".into());
        self.post(&Self::in_table("records/"), &values)
    }

    /// Creates a record that must come about; its id.
    #[track_caller]
    pub(crate) fn id(&mut self, values: &Value) -> String {
        self.create(values).ok()["id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn read(&mut self, id: &str) -> Answer {
        self.get(&Self::in_table(&format!("records/{id}/")))
    }

    #[track_caller]
    pub(crate) fn update(&mut self, id: &str, values: &Value) -> Answer {
        self.patch(&Self::in_table(&format!("records/{id}/")), values)
    }

    #[track_caller]
    pub(crate) fn delete(&mut self, id: &str) -> Answer {
        self.raw("DELETE", &under(&Self::in_table(&format!("records/{id}/"))), b"")
    }

    /// A list with a query and a body.
    #[track_caller]
    pub(crate) fn list(&mut self, query: &str, body: &Value) -> Answer {
        self.post(&Self::in_table(&format!("records/list/{query}")), body)
    }

    /// The titles of the records that a clause finds.
    #[track_caller]
    pub(crate) fn titles(&mut self, field: &str, comparison: &str, value: &Value) -> Vec<String> {
        let found = self.filtered(field, comparison, value).ok();
        titles(&found["items"])
    }

    /// A list with one clause.
    #[track_caller]
    pub(crate) fn filtered(&mut self, field: &str, comparison: &str, value: &Value) -> Answer {
        let clause = json!({"field": field, "comparison": comparison, "value": value});
        self.list("", &json!({"filter": {"operator": "and", "fields": [clause]}}))
    }

    /// How many records the table shows.
    #[track_caller]
    pub(crate) fn count(&mut self) -> u64 {
        self.list("?limit=1", &json!({})).ok()["total"].as_u64().unwrap()
    }

    /// A call below `/_emulator/`.
    #[track_caller]
    pub(crate) fn side_door(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        self.raw(method, &format!("/_emulator/{path}"), body.to_string().as_bytes())
    }

    /// A method of the webhooks service.
    #[track_caller]
    pub(crate) fn rpc(&mut self, method: &str, body: &Value) -> Answer {
        let path = format!("/smartsuite.webhooks.engine.Webhooks/{method}");
        self.raw("POST", &path, body.to_string().as_bytes())
    }
}

fn under(path: &str) -> String {
    format!("/api/v1/{path}")
}

/// The titles of some records.
pub(crate) fn titles(records: &Value) -> Vec<String> {
    let records = records.as_array().unwrap().iter();
    records.map(|record| record["title"].as_str().unwrap().to_owned()).collect()
}

/// The answer of an outcome that has one at once.
#[track_caller]
pub(crate) fn answered(outcome: &Outcome) -> Answer {
    let response = outcome.response().unwrap_or_else(|| panic!("no answer: {outcome:?}"));
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        json: serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
    }
}
