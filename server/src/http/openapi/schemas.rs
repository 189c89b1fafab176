//! Messages as JSON Schemas, one for requests and one for answers where they differ: a request may leave out what an
//! answer always has, and may write a number as either of two types.

use std::{collections::BTreeSet, sync::Arc};

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value as Json, json};

use super::{
    super::{ids, problem, routes::Route},
    comment, limits,
};

/// Which way a message goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Response,
}

/// `components.schemas`, as far as something refers to them.
pub(super) struct Schemas {
    components: Map<String, Json>,
    /// The full names of messages that go both ways.
    both_ways: BTreeSet<String>,
}

impl Schemas {
    /// None yet, for these routes.
    pub(super) fn of(routes: &[Arc<Route>]) -> Self {
        let (mut sent, mut answered) = (BTreeSet::new(), BTreeSet::new());
        for route in routes {
            reach(&route.rpc.input(), &mut sent);
            reach(&route.rpc.output(), &mut answered);
        }
        let both_ways = sent.intersection(&answered).cloned().collect();
        Self { components: Map::from_iter([("Problem".to_owned(), problem())]), both_ways }
    }

    pub(super) fn into_components(self) -> Map<String, Json> {
        self.components
    }

    /// A reference to a message's schema.
    pub(super) fn reference(&mut self, message: &MessageDescriptor, direction: Direction) -> Json {
        let is_other = direction == Direction::Request && self.both_ways.contains(message.full_name());
        let name = if is_other { format!("{}Input", message.name()) } else { message.name().to_owned() };
        if !self.components.contains_key(&name) {
            // A message may be part of itself.
            self.components.insert(name.clone(), Json::Null);
            let schema = self.object(message, direction, None);
            self.components.insert(name.clone(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// A reference to the schema of a method's body: its message without what the path names.
    pub(super) fn body(&mut self, rpc: &str, message: &MessageDescriptor, in_path: &[&FieldDescriptor]) -> Json {
        let name = format!("{rpc}Body");
        let schema = self.object(message, Direction::Request, Some(in_path));
        self.components.insert(name.clone(), schema);
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    fn object(
        &mut self,
        message: &MessageDescriptor,
        direction: Direction,
        without: Option<&[&FieldDescriptor]>,
    ) -> Json {
        let always = limits::required(message.name());
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields().filter(|field| !without.is_some_and(|without| without.contains(&field))) {
            let mut schema = self.field(&field, direction);
            let is_required = match direction {
                // No header names the holds of a batch.
                Direction::Request => {
                    always.contains(&field.name()) || (without.is_none() && field.name() == "hold_id")
                }
                Direction::Response => !field.supports_presence(),
            };
            if is_required {
                required.push(field.name().to_owned());
            } else if direction == Direction::Request {
                schema = or_null(schema);
            }
            schema["description"] = json!(description(&field));
            properties.insert(field.name().to_owned(), schema);
        }
        let about = comment(&message.parent_file(), message.path());
        let mut object = json!({"type": "object", "description": about, "properties": properties});
        if !required.is_empty() {
            object["required"] = json!(required);
        }
        if direction == Direction::Request {
            object["additionalProperties"] = json!(false);
        }
        object
    }

    /// The schema of a field's value.
    pub(super) fn field(&mut self, field: &FieldDescriptor, direction: Direction) -> Json {
        if let (true, Kind::Message(entry)) = (field.is_map(), field.kind()) {
            let of = self.value(&entry.map_entry_value_field(), direction);
            return json!({"type": "object", "additionalProperties": of});
        }
        let value = self.value(field, direction);
        if field.is_list() { json!({"type": "array", "items": value}) } else { value }
    }

    /// The same, for what stands in a path or a query.
    pub(super) fn parameter(&mut self, field: &FieldDescriptor) -> Json {
        let mut schema = self.field(field, Direction::Request);
        // Everything is text there.
        if let Some(types) = schema.get_mut("type").filter(|types| types.is_array()) {
            *types = json!("integer");
        }
        if let Some(schema) = schema.as_object_mut().filter(|schema| schema["type"] == "integer") {
            schema.remove("pattern");
        }
        schema
    }

    fn value(&mut self, field: &FieldDescriptor, direction: Direction) -> Json {
        let is_request = direction == Direction::Request;
        let mut schema = match field.kind() {
            Kind::Message(message) => self.reference(&message, direction),
            Kind::Enum(values) => self.named(&values),
            Kind::Bool => json!({"type": "boolean"}),
            Kind::String => json!({"type": "string"}),
            Kind::Bytes if ids::is_id(field) && is_request => json!({"type": "string", "pattern": ids::ID_PATTERN}),
            Kind::Bytes if ids::is_id(field) => json!({"type": "string", "format": "uuid"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX})
            }
            Kind::Uint64 | Kind::Fixed64 if is_request => json!({
                "type": ["string", "integer"], "pattern": "^(0|[1-9][0-9]{0,19})$", "minimum": 0, "maximum": u64::MAX,
            }),
            Kind::Uint64 | Kind::Fixed64 => json!({"type": "string", "pattern": "^[0-9]+$"}),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 if is_request => json!({
                "type": ["string", "integer"], "pattern": "^(0|-?[1-9][0-9]{0,18})$",
                "minimum": i64::MIN, "maximum": i64::MAX,
            }),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({"type": "string", "pattern": "^-?[0-9]+$"}),
            Kind::Float | Kind::Double => json!({"type": "number"}),
        };
        if is_request {
            limits::limit(field, &mut schema);
        }
        schema
    }

    fn named(&mut self, values: &EnumDescriptor) -> Json {
        let lines = values.values().map(|value| {
            let about = comment(&values.parent_file(), value.path());
            format!("- `{}`: {about}", value.name())
        });
        let about = comment(&values.parent_file(), values.path());
        let description = format!("{about}\n\n{}", lines.collect::<Vec<_>>().join("\n"));
        let names: Vec<_> = values.values().map(|value| value.name().to_owned()).collect();
        let schema = json!({"type": "string", "enum": names, "description": description});
        self.components.insert(values.name().to_owned(), schema);
        json!({"$ref": format!("#/components/schemas/{}", values.name())})
    }
}

/// Gathers the full names of a message and of all that it may have in it.
fn reach(message: &MessageDescriptor, reached: &mut BTreeSet<String>) {
    if !reached.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        if let Kind::Message(inner) = field.kind() {
            reach(&inner, reached);
        }
    }
}

fn or_null(mut schema: Json) -> Json {
    match schema.get_mut("type") {
        Some(Json::Array(types)) => types.push(json!("null")),
        Some(one) => *one = json!([one.take(), "null"]),
        None => return json!({"anyOf": [schema, {"type": "null"}]}),
    }
    schema
}

/// What the `.proto` files say of a field, and which others it excludes.
fn description(field: &FieldDescriptor) -> String {
    let about = comment(&field.parent_message().parent_file(), field.path());
    let Some(group) = field.containing_oneof().filter(|group| !group.is_synthetic()) else { return about };
    let names: Vec<_> = group.fields().map(|field| format!("`{}`", field.name())).collect();
    format!("{about} At most one of {} is there.", names.join(", "))
}

fn problem() -> Json {
    let text = |description: &str| json!({"type": "string", "description": description});
    let violation = json!({
        "type": "object",
        "properties": {"field": text("The path of the field."), "description": text("What is wrong, with the limit.")},
        "required": ["field", "description"],
    });
    let resource = json!({
        "type": "object",
        "properties": {"type": text("Such as `show`."), "name": text("Its id or name.")},
        "required": ["type", "name"],
        "description": "What there is not.",
    });
    json!({
        "type": "object",
        "description": "Why there is no answer: problem details (RFC 9457), with what gRPC says in its error details.",
        "properties": {
            "type": text(&format!("`{}` and the reason: a name, nothing to be looked up.", problem::TYPE_PREFIX)),
            "title": text("The reason in words."),
            "status": {"type": "integer", "description": "The HTTP status."},
            "detail": text("For people."),
            "instance": text("The path of the request."),
            "reason": text("What to act on, in UPPER_SNAKE: the same as `google.rpc.ErrorInfo.reason`."),
            "metadata": {
                "type": "object", "additionalProperties": {"type": "string"},
                "description": "The limit, the deadline, the state: the same as `google.rpc.ErrorInfo.metadata`.",
            },
            "seat_indexes": {
                "type": "array", "items": {"type": "integer", "minimum": 0},
                "description": "The seats that stand in the way.",
            },
            "violations": {"type": "array", "items": violation, "description": "What is wrong with the request."},
            "resource": resource,
            "retry_after_ms": {"type": "integer", "minimum": 0, "description": "When to send it again."},
        },
        "required": ["type", "title", "status", "detail", "instance", "reason"],
    })
}
