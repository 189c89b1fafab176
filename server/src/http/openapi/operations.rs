//! A method as an operation: its parameters, its body, its answers.

use axum::http::StatusCode;
use prost_reflect::{FieldDescriptor, Kind};
use serde_json::{Map, Value as Json, json};

use super::{
    super::{
        body as http_body, deadline, idempotency, problem,
        routes::{Body, Route},
    },
    comment, examples, limits,
    schemas::{Direction, Schemas},
};

/// The problems that any method may answer with, and when.
const PROBLEMS: [(StatusCode, &str); 6] = [
    (StatusCode::BAD_REQUEST, "The request is malformed: `violations` names every field that is wrong."),
    (StatusCode::NOT_FOUND, "There is no such show, hold, place or channel."),
    (StatusCode::CONFLICT, "The rules say no, as things stand: `reason` says why, and nothing changed."),
    (StatusCode::TOO_MANY_REQUESTS, "Too much at once: come back after `Retry-After`."),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "The show's shard does not serve. With the reason `OUTCOME_UNKNOWN` what was asked for may or may not have \
         happened: send it again.",
    ),
    (StatusCode::GATEWAY_TIMEOUT, "The time that the request gave is over. Send it again."),
];
/// Those of methods that have a body, besides.
const BODY_PROBLEMS: [(StatusCode, &str); 3] = [
    (StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time."),
    (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is no JSON."),
];

/// The operation of a method.
pub(super) fn operation(route: &Route, schemas: &mut Schemas) -> Json {
    let rpc = &route.rpc;
    let about = comment(&rpc.parent_file(), rpc.path());
    let summary = about.split_inclusive(". ").next().unwrap_or_default().trim().to_owned();
    let mut parameters = parameters(route, schemas);
    if route.new_hold_id().is_some() {
        parameters.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
    }
    parameters.push(json!({"$ref": "#/components/parameters/RequestTimeout"}));
    let answer = comment(&rpc.output().parent_file(), rpc.output().path());
    let schema = schemas.reference(&rpc.output(), Direction::Response);
    let mut responses = Map::new();
    let content = json!({http_body::MEDIA_TYPE: {"schema": schema}});
    responses.insert("200".to_owned(), json!({"description": answer, "content": content}));
    let has_body = !matches!(route.body, Body::None);
    for (status, _) in PROBLEMS.iter().chain(BODY_PROBLEMS.iter().filter(|_| has_body)) {
        let status = status.as_str();
        responses.insert(status.to_owned(), json!({"$ref": format!("#/components/responses/{status}")}));
    }
    let mut operation = json!({
        "operationId": rpc.name(),
        "tags": [rpc.parent_service().name()],
        "summary": summary,
        "description": about,
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(body) = body(route, schemas) {
        operation["requestBody"] = body;
    }
    operation
}

fn body(route: &Route, schemas: &mut Schemas) -> Option<Json> {
    let (schema, is_required) = match &route.body {
        Body::None => return None,
        Body::Message => {
            let in_path: Vec<&FieldDescriptor> = route.variables().collect();
            let schema = schemas.body(route.rpc.name(), &route.rpc.input(), &in_path);
            let required = limits::required(route.rpc.input().name());
            let is_required = required.iter().any(|name| in_path.iter().all(|field| field.name() != *name));
            (schema, is_required)
        }
        Body::Field(field) => (schemas.field(field, Direction::Request), false),
    };
    let mut content = json!({"schema": schema});
    if let Some(example) = examples::body(route.rpc.name()) {
        content["example"] = example;
    }
    Some(json!({
        "description": format!("At most {} bytes.", http_body::bytes_max(route)),
        "required": is_required,
        "content": {http_body::MEDIA_TYPE: content},
    }))
}

/// What stands in the path and in the query.
fn parameters(route: &Route, schemas: &mut Schemas) -> Vec<Json> {
    let in_path: Vec<&FieldDescriptor> = route.variables().collect();
    let mut parameters: Vec<Json> = in_path.iter().map(|field| parameter(field, field.name(), true, schemas)).collect();
    if !matches!(route.body, Body::None) {
        return parameters;
    }
    for field in route.rpc.input().fields().filter(|field| !in_path.contains(&field)) {
        match field.kind() {
            Kind::Message(inner) => parameters.extend(
                inner.fields().map(|own| parameter(&own, &format!("{}.{}", field.name(), own.name()), false, schemas)),
            ),
            _ => parameters.push(parameter(&field, field.name(), false, schemas)),
        }
    }
    parameters
}

fn parameter(field: &FieldDescriptor, name: &str, is_in_path: bool, schemas: &mut Schemas) -> Json {
    let mut parameter = json!({
        "name": name,
        "in": if is_in_path { "path" } else { "query" },
        "required": is_in_path,
        "description": comment(&field.parent_message().parent_file(), field.path()),
        "schema": schemas.parameter(field),
    });
    match name {
        "show_id" => parameter["example"] = json!(examples::SHOW_ID),
        "hold_id" => parameter["example"] = json!(examples::HOLD_ID),
        _ => {}
    }
    parameter
}

/// `components.responses`: the problems by their status.
pub(super) fn problems() -> Json {
    let content = json!({problem::MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}});
    let problems = PROBLEMS.iter().chain(&BODY_PROBLEMS).map(|(status, description)| {
        let mut response = json!({"description": description, "content": content});
        if [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(status) {
            let seconds = json!({"type": "integer", "minimum": 0});
            response["headers"] = json!({"Retry-After": {"description": "In seconds.", "schema": seconds}});
        }
        (status.as_str().to_owned(), response)
    });
    Json::Object(problems.collect())
}

/// `components.parameters`: the headers that methods share.
pub(super) fn headers() -> Json {
    let key = "Gives the new hold's id where the body has no `hold_id`: a UUID is taken as it is; any other key stands for \
               one id in each show. Who repeats a request with its key gets the same hold. With a `hold_id` in the body it \
               must stand for the same.";
    let wait =
        "How long the answer is waited for, in seconds. Afterwards nobody knows whether it happened: send it again.";
    json!({
        "IdempotencyKey": {
            "name": idempotency::HEADER, "in": "header", "description": key,
            "schema": {"type": "string", "minLength": 1, "maxLength": idempotency::KEY_CHARS_MAX, "pattern": "^[!-~]+$"},
        },
        "RequestTimeout": {
            "name": deadline::HEADER, "in": "header", "description": wait,
            "schema": {"type": "number", "minimum": deadline::SECONDS[0], "maximum": deadline::SECONDS[1]},
        },
    })
}
