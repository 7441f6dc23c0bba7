//! The `OpenAPI` document: what is served, made from the same types as the answers. It is served, and lies as
//! `docs/reference/openapi.json`, which a test keeps current.

mod operation;
#[cfg(test)]
mod reference;

use std::sync::LazyLock;

use axum::{body::Bytes, http::header, response::IntoResponse};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use self::operation::{Answers, OPERATIONS, Operation, Where};

/// As it is served. Everybody may ask for it, so that it is made once.
static TEXT: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());

/// Serves the document.
pub(crate) async fn served() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.clone())
}

/// The document.
pub fn document() -> Value {
    let settings = SchemaSettings::openapi3();
    let mut schemas = SchemaGenerator::new(settings);
    let mut paths: Map<String, Value> = Map::new();
    for operation in OPERATIONS {
        let described = described(operation, &mut schemas);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(operation.method.to_owned(), described);
        }
    }
    let components: Map<String, Value> = schemas.take_definitions(true);
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "mysql-smartsuite-sync",
            "description": "What the service shows, and the commands that it takes. No command carries a value: it \
                starts a run, or marks rows to be read again.",
            "version": "1",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": "sync_session" },
                "signature": { "type": "apiKey", "in": "header", "name": "X-Sync-Signature" },
            },
        },
    })
}

fn described(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let mut described = Map::new();
    described.insert("operationId".to_owned(), json!(operation.id));
    described.insert("summary".to_owned(), json!(operation.summary));
    described.insert("security".to_owned(), operation.guard.security());
    let parameters: Vec<Value> = operation
        .parameters
        .iter()
        .map(|parameter| {
            json!({
                "name": parameter.name,
                "in": match parameter.place { Where::Path => "path", Where::Query => "query" },
                "required": parameter.required,
                "description": parameter.words,
                "schema": { "type": parameter.kind },
            })
        })
        .collect();
    if !parameters.is_empty() {
        described.insert("parameters".to_owned(), json!(parameters));
    }
    if let Some(body) = operation.body {
        let schema = body(schemas);
        let content = json!({ "application/json": { "schema": schema } });
        described.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    let mut responses = Map::new();
    let content = match operation.answers {
        Answers::Json(schema) => json!({ "application/json": { "schema": schema(schemas) } }),
        Answers::Events(schema) => json!({ "text/event-stream": { "schema": schema(schemas) } }),
        Answers::Text => json!({ "text/plain": { "schema": { "type": "string" } } }),
    };
    responses.insert(
        operation.status.to_string(),
        json!({ "description": "As asked.", "content": content }),
    );
    let problem = schemas.subschema_for::<crate::problem::ProblemBody<'_>>();
    let problem = json!({ "application/json": { "schema": problem } });
    for (status, words) in operation.problems() {
        let content = &problem;
        responses.insert(status.to_string(), json!({ "description": words, "content": content }));
    }
    described.insert("responses".to_owned(), Value::Object(responses));
    Value::Object(described)
}

/// The schema of a type, by reference where it has a name.
fn of<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().to_value()
}

#[cfg(test)]
mod tests;
