//! The OpenAPI 3.1 document: made of the same descriptors as the routes, with what the `.proto` files say of each field.
//!
//! What is required, and how long a text may be, protobuf cannot say: that is in [`limits`], and the tests hold it against
//! what the services refuse.

use std::sync::Arc;

use prost_reflect::{FileDescriptor, ServiceDescriptor};
use serde_json::{Map, Value as Json, json};

use super::{OPENAPI_PATH, body, routes::Route};
use schemas::Schemas;

mod examples;
mod limits;
mod operations;
mod schemas;

/// How all of it works, for people.
const ABOUT: &str = "The inventory authority for ticket sales: who has which seat. The same services as over gRPC, on the \
same port; `proto/usher/v1` defines both.

**JSON** is protobuf's own mapping. Fields go by their names here; lowerCamelCase is read, too. Integers of 64 bits are \
strings, and may be numbers in requests. Bytes are base64, except for ids, which are UUIDs. In a request `null` is as if \
the field were not there, and a field that is unknown is refused. An answer has every field that has a value, 0 and empty \
ones too; new fields and new values of enumerations may come.

**Refusals** are problem details (RFC 9457). Act on `reason`, never on the texts.

**Everything may be sent again.** Who makes a hold, a booking or an entry of the waitlist names it with a `hold_id` of his \
own; the same id with the same content is answered with what became of it. Where the body has no `hold_id`, the header \
`Idempotency-Key` gives it.

**A colon in an id** that is followed by one of the verbs below, as in a show that is called `x:open`, is sent as `%3A`.";

/// The document.
pub(super) fn document(routes: &[Arc<Route>]) -> Json {
    let mut schemas = Schemas::of(routes);
    let mut paths = Map::new();
    for route in routes {
        let operation = operations::operation(route, &mut schemas);
        let path = paths.entry(route.template.clone()).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    paths.insert(
        OPENAPI_PATH.to_owned(),
        json!({"get": {
            "operationId": "GetOpenApi",
            "summary": "This document.",
            "responses": {"200": {"description": "OK", "content": {body::MEDIA_TYPE: {"schema": {"type": "object"}}}}},
        }}),
    );
    let mut services: Vec<_> = routes.iter().map(|route| route.rpc.parent_service().clone()).collect();
    services.dedup();
    let tag = |service: &ServiceDescriptor| {
        let about = comment(&service.parent_file(), service.path());
        json!({"name": service.name(), "description": about})
    };
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Usher",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": services.iter().map(tag).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas.into_components(),
            "responses": operations::problems(),
            "parameters": operations::headers(),
        },
    })
}

/// What stands above something in its file, as one text.
fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let source = file.file_descriptor_proto().source_code_info.as_ref();
    let found = source.and_then(|source| source.location.iter().find(|location| location.path == path));
    let comment = found.and_then(|location| location.leading_comments.as_deref()).unwrap_or_default();
    comment.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}
