//! Whatever is asked: random paths, queries and bodies, and every operation of the document with them.

use std::sync::LazyLock;

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::{DOCUMENT, OPERATOR, VIEWER, ask, check};

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("customers".to_owned()),
        prop::sample::select(vec![
            "api",
            "v1",
            "syncs",
            "record",
            "run",
            "pause",
            "resume",
            "resync",
            "quarantine",
            "retry",
            "drop",
            "webhook",
            "sync",
            "session",
            "overview",
            "budget",
            "metrics",
            "healthz",
            "web",
            "main.js",
            "..",
            "%2e%2e",
            "%00",
            "%ff%fe",
            "%F0%9F%92%A9",
            "a%2Fb",
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z0-9_.~%-]{0,12}",
    ]
}

fn path() -> impl Strategy<Value = String> {
    let documented: Vec<String> = DOCUMENT["paths"].as_object().unwrap().keys().cloned().collect();
    prop_oneof![
        (prop::sample::select(documented), segment())
            .prop_map(|(path, sync)| path.replace("{sync}", &sync)),
        prop::collection::vec(segment(), 0..6).prop_map(|parts| format!("/{}", parts.join("/"))),
    ]
}

/// The names of the parameters in queries that the document knows, and others.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|methods| methods.as_object().unwrap().values());
    let parameters = operations.filter_map(|operation| operation["parameters"].as_array());
    let queries = parameters.flatten().filter(|parameter| parameter["in"] == "query");
    let known = queries.map(|parameter| parameter["name"].as_str().unwrap().to_owned());
    known.chain(["x".to_owned(), String::new()]).collect()
});

fn query() -> impl Strategy<Value = String> {
    let name = prop::sample::select(NAMES.as_slice());
    let value = prop_oneof![
        Just("customers".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[a-zA-Z0-9%&=+;|-]{0,10}",
    ];
    prop::collection::vec((name, value), 0..4).prop_map(|pairs| {
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"{}".to_vec()),
        Just(b"{\"all\": true}".to_vec()),
        Just(b"{\"keys\": [\"1\"]}".to_vec()),
        Just(b"{\"keys\": []}".to_vec()),
        Just(b"{\"retry\": true}".to_vec()),
        Just(b"[[[[".to_vec()),
        Just(vec![b'x'; 70_000]),
        prop::collection::vec(any::<u8>(), 0..64),
    ]
}

/// A value of JSON, not too large.
fn value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z|%\\PC]{0,8}".prop_map(Value::from),
        Just(json!("customers")),
    ];
    plain.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..3)
                .prop_map(|entries| entries.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// Bodies that have the properties which the document gives an operation's, with any values.
fn body_of(operation: &Value) -> BoxedStrategy<Vec<u8>> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let schema = name.map_or(schema, |name| &DOCUMENT["components"]["schemas"][name]);
    let names: Vec<String> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    if names.is_empty() {
        return body().boxed();
    }
    let given = prop::collection::vec((prop::sample::select(names), value()), 0..4);
    let object = given.prop_map(|pairs| {
        let object: serde_json::Map<String, Value> = pairs.into_iter().collect();
        Value::from(object).to_string().into_bytes()
    });
    prop_oneof![3 => object, 1 => body()].boxed()
}

#[test]
fn every_operation_takes_any_query_and_body_as_documented() {
    let mut bodies = 0;
    for (pattern, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            bodies += usize::from(!operation["requestBody"].is_null());
            let token =
                prop::sample::select(vec![Some(OPERATOR), Some(OPERATOR), Some(VIEWER), None]);
            let given = (segment(), query(), body_of(operation), token);
            let mut runner =
                TestRunner::new(ProptestConfig { cases: 24, ..ProptestConfig::default() });
            let outcome = runner.run(&given, |(sync, query, body, token)| {
                let path = pattern.replace("{sync}", &sync);
                let address = format!("{path}{query}");
                prop_assume!(address.parse::<axum::http::Uri>().is_ok());
                check(
                    &method.to_uppercase(),
                    &path,
                    &ask(&method.to_uppercase(), &address, token, &body),
                );
                Ok(())
            });
            outcome.unwrap_or_else(|error| panic!("{method} {pattern}: {error}"));
        }
    }
    assert!(bodies > 5, "{bodies} operations take a body");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_the_answer_is_as_documented(
        method in prop::sample::select(vec!["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS"]),
        path in path(),
        query in query(),
        body in body(),
        token in prop::sample::select(vec![Some(OPERATOR), Some(VIEWER), None]),
    ) {
        let address = format!("{path}{query}");
        // What is no address is refused before it gets here.
        prop_assume!(address.parse::<axum::http::Uri>().is_ok());
        let reply = ask(method, &address, token, &body);
        check(method, &path, &reply);
    }
}
