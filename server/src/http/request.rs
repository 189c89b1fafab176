//! A request as a message: what its path, its query, its body and its headers say.

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, request::Parts},
};
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::{Number, Value as Json};

use super::{
    from_json, idempotency,
    problem::Problem,
    routes::{Body, Route},
};
use crate::convert::Violations;

/// Most values in a body: a million labels of seats have four million. While it is read each takes some hundred bytes.
const VALUES_MAX: usize = 8_000_000;

/// Reads the message, and encodes it. `values` are the path's, still encoded; a body may be empty.
///
/// # Errors
/// Everything that is wrong.
pub(super) fn read(
    route: &Route,
    values: &[(FieldDescriptor, String)],
    parts: &Parts,
    body: &[u8],
) -> Result<Bytes, Problem> {
    let mut violations = Violations::default();
    let mut message = DynamicMessage::new(route.rpc.input());
    if body.iter().filter(|byte| b",[{".contains(byte)).count() > VALUES_MAX {
        let detail = format!("the body has more than {VALUES_MAX} values");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", detail));
    }
    let json = if body.is_empty() { None } else { Some(serde_json::from_slice::<Json>(body).map_err(malformed)?) };
    match (&route.body, &json) {
        (Body::Message, Some(json)) => from_json::fill(&mut message, json, "", &mut violations),
        (Body::Field(field), Some(json)) => {
            if let Some(value) = from_json::field(json, field, field.name(), &mut violations) {
                message.set_field(field, value);
            }
        }
        (_, None) | (Body::None, Some(_)) => {}
    }
    for (field, text) in values {
        if message.has_field(field) {
            violations.note(field.name(), "stands in the path and must not stand in the body");
            continue;
        }
        let text = violations.take(field.name(), decoded(text, false));
        let value = text.and_then(|text| from_json::value(&of_text(text, field), field, field.name(), &mut violations));
        if let Some(value) = value {
            message.set_field(field, value);
        }
    }
    query(&mut message, route, parts.uri.query().unwrap_or_default(), &mut violations);
    name_hold(&mut message, route, &parts.headers, &mut violations);
    if violations.is_empty() { Ok(message.encode_to_vec().into()) } else { Err(violations.into()) }
}

/// One thing that is wrong.
pub(super) fn wrong(field: &str, description: &str) -> Problem {
    let mut violations = Violations::default();
    violations.note(field, description);
    violations.into()
}

#[expect(clippy::needless_pass_by_value, reason = "the error of a result")]
fn malformed(error: serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "JSON_MALFORMED", format!("the body is no JSON: {error}"))
}

/// Where the caller names a new hold, and does it with a key instead of an id.
fn name_hold(message: &mut DynamicMessage, route: &Route, headers: &HeaderMap, violations: &mut Violations) {
    let Some(hold_id) = route.new_hold_id() else { return };
    let show_id =
        message.get_field_by_name("show_id").and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default();
    let Some(key) = violations.take(idempotency::HEADER, idempotency::hold_id(headers, &show_id)) else { return };
    let given = message.get_field(&hold_id).as_bytes().filter(|id| !id.is_empty()).map(|id| id.to_vec());
    match (key, given) {
        (Some(key), None) => message.set_field(&hold_id, Value::Bytes(key.as_bytes().to_vec().into())),
        (Some(key), Some(id)) if id != key.as_bytes() => {
            violations.note("hold_id", "must be absent, or what the Idempotency-Key stands for");
        }
        // Without either the service says what is missing, with all else that is.
        _ => {}
    }
}

/// Parameters are fields that neither the path nor the body has; those of a message in it go by `message.field`.
fn query(message: &mut DynamicMessage, route: &Route, query: &str, violations: &mut Violations) {
    let mut seen = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        let (Ok(name), Ok(text)) = (decoded(name, true), decoded(text, true)) else {
            violations.note("query", "must be percent-encoded UTF-8");
            continue;
        };
        let Some(path) = parameter(&route.rpc.input(), route, &name) else {
            violations.note(&name, "is no parameter");
            continue;
        };
        if !path.last().is_some_and(FieldDescriptor::is_list) {
            if seen.contains(&path) {
                violations.note(&name, "is there twice");
                continue;
            }
            seen.push(path.clone());
        }
        set(message, &path, text, &name, violations);
    }
}

/// The fields from the message down to what a parameter names.
fn parameter(descriptor: &MessageDescriptor, route: &Route, name: &str) -> Option<Vec<FieldDescriptor>> {
    let mut descriptor = descriptor.clone();
    let mut path = Vec::new();
    let mut names = name.split('.').peekable();
    while let Some(name) = names.next() {
        let field = descriptor.get_field_by_name(name).or_else(|| descriptor.get_field_by_json_name(name))?;
        let is_message = matches!(field.kind(), Kind::Message(_));
        if is_message == names.peek().is_none() || (is_message && (field.is_list() || field.is_map())) {
            return None;
        }
        if let Kind::Message(inner) = field.kind() {
            descriptor = inner;
        }
        path.push(field);
    }
    let first = path.first()?;
    let is_free = match &route.body {
        Body::Message => false,
        Body::Field(body) => body != first,
        Body::None => true,
    };
    (is_free && route.variables().all(|own| own != first)).then_some(path)
}

fn set(message: &mut DynamicMessage, path: &[FieldDescriptor], text: String, name: &str, violations: &mut Violations) {
    let [field, rest @ ..] = path else { return };
    if let Some(other) = from_json::excluded(message, field) {
        return violations.note(name, format_args!("must not be there beside {}", other.name()));
    }
    if !rest.is_empty() {
        if let Some(inner) = message.get_field_mut(field).as_message_mut() {
            set(inner, rest, text, name, violations);
        }
        return;
    }
    let Some(value) = from_json::value(&of_text(text, field), field, name, violations) else { return };
    match message.get_field_mut(field) {
        Value::List(list) => list.push(value),
        single => *single = value,
    }
}

/// A text as the JSON that it stands for.
fn of_text(text: String, field: &FieldDescriptor) -> Json {
    match (field.kind(), text.as_str()) {
        (Kind::Bool, "true") => Json::Bool(true),
        (Kind::Bool, "false") => Json::Bool(false),
        (Kind::Uint32 | Kind::Int32 | Kind::Sint32, digits) => match digits.parse::<i64>() {
            Ok(number) if number.to_string() == digits => Json::Number(Number::from(number)),
            _ => Json::String(text),
        },
        _ => Json::String(text),
    }
}

/// Percent-decoded; in a query a plus is a space.
fn decoded(text: &str, is_query: bool) -> Result<String, &'static str> {
    let wrong = "must be percent-encoded UTF-8";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'+' if is_query => b' ',
            b'%' => {
                let digits = [rest.next().ok_or(wrong)?, rest.next().ok_or(wrong)?];
                let digits =
                    std::str::from_utf8(&digits).ok().filter(|text| text.bytes().all(|d| d.is_ascii_hexdigit()));
                u8::from_str_radix(digits.ok_or(wrong)?, 16).map_err(|_| wrong)?
            }
            other => other,
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_undone_and_must_be_whole() {
        assert_eq!(decoded("club%3Aopen%C3%A9", false).as_deref(), Ok("club:open\u{e9}"));
        assert_eq!((decoded("a+b", true).as_deref(), decoded("a+b", false).as_deref()), (Ok("a b"), Ok("a+b")));
        for wrong in ["%", "%4", "%zz", "%+1", "%ff"] {
            assert!(decoded(wrong, true).is_err(), "{wrong}");
        }
    }
}
