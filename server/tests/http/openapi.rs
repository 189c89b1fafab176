//! The OpenAPI document against what the server does.

use serde_json::{Value, json};

use super::{ADA, Served, at, common::http::wrong_fields, hold, serve};

/// Every operation: method, path, itself.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, methods): (&String, &'_ Value)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    let all = paths.iter().flat_map(of_path);
    all.map(|(method, path)| {
        let operation = &paths[&path][method.to_lowercase()];
        (method, path, operation)
    })
    .collect()
}

/// The schema that a reference names.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    schema["$ref"].as_str().map_or(schema, |reference| at(document, &reference[1..]))
}

#[test]
fn every_reference_leads_somewhere_and_every_field_is_explained() {
    let Served { http, .. } = &serve();
    let document = http.get("/v1/openapi.json").ok();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(operations(&document).len() >= 38, "{}", operations(&document).len());
    let mut waiting = vec![&document];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    at(&document, reference.strip_prefix('#').unwrap());
                }
                waiting.extend(fields.values());
            }
            Value::Array(values) => waiting.extend(values),
            _ => {}
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let none = serde_json::Map::new();
        for (field, schema) in schema["properties"].as_object().unwrap_or(&none) {
            let about = resolved(&document, schema)["description"].as_str().or(schema["description"].as_str());
            assert!(about.is_some_and(|about| !about.is_empty()), "{name}.{field} is not explained");
        }
    }
}

#[test]
fn every_operation_is_there_and_refuses_what_lacks_a_required_field() {
    let Served { http, .. } = &serve();
    let document = http.get("/v1/openapi.json").ok();
    for (method, path, operation) in operations(&document) {
        let path = path.replace("{show_id}", "club").replace("{hold_id}", ADA).replace("{key}", "fans");
        let content = &operation["requestBody"]["content"]["application/json"];
        let required = &resolved(&document, &content["schema"])["required"];
        let answer =
            http.send(&method, &path, &[("content-type", "application/json")], if method == "GET" { "" } else { "{}" });
        assert!(
            !["PATH_UNKNOWN", "METHOD_NOT_ALLOWED"].contains(&answer.json()["reason"].as_str().unwrap_or_default()),
            "{method} {path}"
        );
        let status = answer.status.as_str();
        assert!(operation["responses"][status].is_object(), "{method} {path} answers {status}: {}", answer.json());
        let Some(required) = required.as_array() else { continue };
        let problem = answer.problem(400, "INVALID_REQUEST");
        let named = wrong_fields(&problem);
        for field in required {
            let field = field.as_str().unwrap();
            let is_named = named.iter().any(|named| named.split(['.', '[']).next() == Some(field));
            assert!(is_named, "{method} {path}: {field} is required, and was not missed: {problem}");
        }
    }
}

#[test]
fn every_example_is_well_formed_and_about_something_that_is_there() {
    let Served { http, .. } = &serve();
    let document = http.get("/v1/openapi.json").ok();
    let mut sent = 0;
    for (method, path, operation) in operations(&document) {
        let example = &operation["requestBody"]["content"]["application/json"]["example"];
        if example.is_null() {
            continue;
        }
        let path = path.replace("{show_id}", "club").replace("{hold_id}", ADA);
        let answer = http.send(&method, &path, &[("content-type", "application/json")], example.to_string());
        let reason = answer.json()["reason"].as_str().unwrap_or_default().to_owned();
        let is_taken = answer.status == 200 || answer.status == 409 || reason == "HOLD_UNKNOWN";
        assert!(is_taken, "{method} {path} {example}: {}", answer.json());
        sent += 1;
    }
    assert!(sent > 15, "{sent}");
}

#[test]
fn answers_are_what_the_document_says() {
    let Served { http, .. } = &serve();
    let document = http.get("/v1/openapi.json").ok();
    let check = |operation: &str, path: &str, answer: Value| {
        let schema = at(
            &document,
            &format!("/paths/{}/{operation}/responses/200/content/application~1json/schema", path.replace('/', "~1")),
        );
        let schema = json!({"$ref": schema["$ref"], "components": document["components"]});
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let wrong: Vec<_> =
            validator.iter_errors(&answer).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{operation} {path}: {wrong:?}\n{answer}");
    };
    let show = "/v1/shows/{show_id}";
    check("post", &format!("{show}/holds"), http.post("/v1/shows/club/holds", &hold(ADA, "ada", 3)).ok());
    check("get", &format!("{show}/holds"), http.get("/v1/shows/club/holds?buyer_id=ada").ok());
    check("get", &format!("{show}/holds/{{hold_id}}"), http.get(&format!("/v1/shows/club/holds/{ADA}")).ok());
    check("get", show, http.get("/v1/shows/club").ok());
    check("get", &format!("{show}/overview"), http.get("/v1/shows/club/overview").ok());
    check("get", &format!("{show}/seats"), http.get("/v1/shows/club/seats").ok());
    check("get", "/v1/shows", http.get("/v1/shows").ok());
    check("post", "/v1/snapshots:take", http.post("/v1/snapshots:take", "{}").ok());
    let problem = http.post("/v1/shows/club/holds", &hold(ADA, "bob", 3)).json();
    let schema = json!({"$ref": "#/components/schemas/Problem", "components": document["components"]});
    assert!(jsonschema::draft202012::new(&schema).unwrap().is_valid(&problem), "{problem}");
}
