//! JSON to messages: protobuf's own mapping, read strictly. Everything that is wrong is named by its path, not only the
//! first; nothing that is unknown is passed over.
//!
//! Fields go by their names in the `.proto` files, or in lowerCamelCase. `null` is as if it were not there. 64-bit
//! integers are strings or numbers, enumerations names, ids UUIDs.

use std::collections::HashMap;

use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _, Value,
    bytes::Bytes,
};
use serde_json::{Number, Value as Json};

use super::ids;
use crate::convert::Violations;

/// Reads a message. What is wrong is noted, and left out of it.
pub(super) fn message(
    json: &Json,
    descriptor: &MessageDescriptor,
    path: &str,
    violations: &mut Violations,
) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    fill(&mut message, json, path, violations);
    message
}

/// As [`message`], where some of its fields may be there already.
pub(super) fn fill(message: &mut DynamicMessage, json: &Json, path: &str, violations: &mut Violations) {
    let Json::Object(fields) = json else {
        return violations.note(if path.is_empty() { "body" } else { path }, "must be an object");
    };
    let descriptor = message.descriptor();
    let mut seen: Vec<u32> = Vec::new();
    for (name, json) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let Some(field) = descriptor.get_field_by_name(name).or_else(|| descriptor.get_field_by_json_name(name)) else {
            violations.note(&path, format_args!("is not a field of {}", descriptor.name()));
            continue;
        };
        if seen.contains(&field.number()) {
            violations.note(&path, "is there twice, under both of its names");
            continue;
        }
        seen.push(field.number());
        if json.is_null() {
            continue;
        }
        if let Some(other) = excluded(message, &field) {
            violations.note(&path, format_args!("must not be there beside {}", other.name()));
            continue;
        }
        if let Some(value) = self::field(json, &field, &path, violations) {
            message.set_field(&field, value);
        }
    }
}

/// The field that is there already where only one of them may be.
pub(super) fn excluded(message: &DynamicMessage, field: &FieldDescriptor) -> Option<FieldDescriptor> {
    field.containing_oneof()?.fields().find(|other| other != field && message.has_field(other))
}

/// Reads a field: one value, a list of them, or a map.
pub(super) fn field(json: &Json, field: &FieldDescriptor, path: &str, violations: &mut Violations) -> Option<Value> {
    if field.is_map() {
        return map(json, field, path, violations);
    }
    if !field.is_list() {
        return value(json, field, path, violations);
    }
    let Json::Array(list) = json else {
        violations.note(path, "must be a list");
        return None;
    };
    let values = (0..)
        .zip(list)
        .filter_map(|(position, json): (usize, _)| value(json, field, &format!("{path}[{position}]"), violations));
    Some(Value::List(values.collect()))
}

fn map(json: &Json, field: &FieldDescriptor, path: &str, violations: &mut Violations) -> Option<Value> {
    let (Json::Object(entries), Kind::Message(entry)) = (json, field.kind()) else {
        violations.note(path, "must be an object");
        return None;
    };
    let of = entry.map_entry_value_field();
    let entries = entries.iter().filter_map(|(key, json)| {
        // Keys are texts in all of our maps; a test holds that.
        Some((MapKey::String(key.clone()), value(json, &of, &format!("{path}[{key:?}]"), violations)?))
    });
    Some(Value::Map(entries.collect::<HashMap<_, _>>()))
}

pub(super) fn value(json: &Json, field: &FieldDescriptor, path: &str, violations: &mut Violations) -> Option<Value> {
    let (value, expected) = match field.kind() {
        Kind::Message(descriptor) => return Some(Value::Message(message(json, &descriptor, path, violations))),
        Kind::Enum(values) => return named(json, &values, path, violations),
        Kind::Bool => (json.as_bool().map(Value::Bool), "must be true or false"),
        Kind::String => (json.as_str().map(|text| Value::String(text.to_owned())), "must be a text"),
        Kind::Bytes if ids::is_id(field) => (bytes(json, ids::read_id), "must be a UUID, or its 16 bytes in base64"),
        Kind::Bytes => (bytes(json, ids::read_base64), "must be base64"),
        Kind::Uint32 | Kind::Fixed32 => (integer(json).map(Value::U32), "must be an integer, 0 to 4294967295"),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            (integer(json).map(Value::I32), "must be an integer, -2147483648 to 2147483647")
        }
        Kind::Uint64 | Kind::Fixed64 => {
            (long(json).map(Value::U64), "must be an integer, as a number or a string, 0 to 18446744073709551615")
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            (long(json).map(Value::I64), "must be an integer of 64 bits, as a number or a string")
        }
        Kind::Float | Kind::Double => return floating(json, &field.kind(), path, violations),
    };
    if value.is_none() {
        violations.note(path, expected);
    }
    value
}

fn floating(json: &Json, kind: &Kind, path: &str, violations: &mut Violations) -> Option<Value> {
    let number = violations.take(path, json.as_f64().ok_or("must be a number"))?;
    // Protobuf's JSON rounds to what fits.
    #[expect(clippy::cast_possible_truncation, reason = "rounds")]
    let narrow = number as f32;
    Some(if matches!(kind, Kind::Float) { Value::F32(narrow) } else { Value::F64(number) })
}

fn named(json: &Json, values: &EnumDescriptor, path: &str, violations: &mut Violations) -> Option<Value> {
    let found = json.as_str().and_then(|name| values.get_value_by_name(name));
    if found.is_none() {
        let names: Vec<_> = values.values().map(|value| value.name().to_owned()).collect();
        violations.note(path, format_args!("must be one of {}", names.join(", ")));
    }
    found.map(|value| Value::EnumNumber(value.number()))
}

fn bytes(json: &Json, read: fn(&str) -> Option<Vec<u8>>) -> Option<Value> {
    json.as_str().and_then(read).map(|bytes| Value::Bytes(Bytes::from(bytes)))
}

/// An integer, also one that is written as 1.0 or 1e3.
fn integer<T: TryFrom<i128>>(json: &Json) -> Option<T> {
    let whole = |number: &Number| {
        let exact = number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from));
        exact.or_else(|| number.as_f64().and_then(|float| float.to_string().parse().ok()))
    };
    json.as_number().and_then(whole).and_then(|number| T::try_from(number).ok())
}

/// The same, or its digits as a string.
fn long<T: TryFrom<i128>>(json: &Json) -> Option<T> {
    let Some(text) = json.as_str() else { return integer(json) };
    let number = text.parse::<i128>().ok().filter(|number| number.to_string() == text);
    number.and_then(|number| T::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use prost_reflect::DescriptorPool;

    use super::*;
    use crate::http::to_json;

    fn pool() -> DescriptorPool {
        DescriptorPool::decode(usher_proto::FILE_DESCRIPTOR_SET).unwrap()
    }

    /// What is written of a message that was read from this.
    fn read(name: &str, json: &str) -> Result<Json, String> {
        let descriptor = pool().get_message_by_name(&format!("usher.v1.{name}")).unwrap();
        let mut violations = Violations::default();
        let message = message(&serde_json::from_str(json).unwrap(), &descriptor, "", &mut violations);
        violations.done(Some(())).map_err(|refusal| refusal.into_status().message().to_owned())?;
        Ok(serde_json::to_value(to_json::Message(&message)).unwrap())
    }

    #[test]
    fn integers_are_read_exactly_or_not_at_all() {
        let cases: [(&str, &str, &[&str], &[&str]); 3] = [
            ("Wish", "quantity", &["3", "3.0", "3e0", "null"], &["3.5", "-1", "4294967296", "1e300", "\"3\"", "true"]),
            (
                "Wish",
                "price_minor_max",
                &["18446744073709551615", "\"18446744073709551615\"", "\"0\""],
                &["18446744073709551616", "\"18446744073709551616\"", "\"-1\"", "\"+1\"", "\"01\"", "\"1.0\"", "\"\""],
            ),
            ("Hold", "difference_minor", &["-5", "\"-5\"", "0"], &["9223372036854775808", "\"-0\"", "[]", "{}"]),
        ];
        for (message, field, good, wrong) in cases {
            for value in good {
                assert!(read(message, &format!("{{{field:?}: {value}}}")).is_ok(), "{field}: {value}");
            }
            for value in wrong {
                let refused = read(message, &format!("{{{field:?}: {value}}}")).unwrap_err();
                assert!(refused.starts_with(&format!("{field}: must be an integer")), "{value}: {refused}");
            }
        }
        assert_eq!(read("Wish", r#"{"priceMinorMax": 7}"#).unwrap()["price_minor_max"], "7");
    }

    #[test]
    fn what_is_written_is_read_again_and_the_other_way_round() {
        let hold = r#"{"show_id":"club","hold_id":"0193a5f2-7c1e-7000-8000-000000000001","buyer_id":"ada",
            "state":"HOLD_STATE_CONFIRMED","seats":[{"seat_index":6,"label":{"section":"West","row":"A","seat":"7"},
            "category":"Gold","price_minor":"9000"}],"ga":[],"total_minor":"9000","currency":"EUR","granted_at_ms":"1",
            "expires_at_ms":"2","extendable_until_ms":"3","booking":{"order_ref":"o","payment_ref":"","confirmed_at_ms":"2"},
            "tickets":{"adult":1},"orphans":[],"is_offer":false,"is_pinned":true,"refund_due":false,
            "difference_minor":"-5","refunded_minor":"0","override_reason":"","group_show_ids":[]}"#;
        assert_eq!(read("Hold", hold).unwrap(), serde_json::from_str::<Json>(hold).unwrap());
        let map = r#"{"available":"AAECAwQFBgcICQoLDA0ODw=="}"#;
        assert_eq!(read("GetSeatMapResponse", map).unwrap()["available"], "AAECAwQFBgcICQoLDA0ODw==", "no UUID");
        let newer = pool().get_message_by_name("usher.v1.Hold").unwrap();
        let mut newer = DynamicMessage::new(newer);
        newer.set_field_by_name("state", Value::EnumNumber(99));
        assert_eq!(serde_json::to_value(to_json::Message(&newer)).unwrap()["state"], 99);
    }

    #[test]
    fn no_message_has_what_is_not_read_here() {
        for message in pool().all_messages().filter(|message| message.package_name() == "usher.v1") {
            for field in message.fields() {
                if let Kind::Message(inner) = field.kind() {
                    assert_eq!(
                        inner.package_name(),
                        "usher.v1",
                        "{}: protobuf's own types have another JSON",
                        field.full_name()
                    );
                    let is_known = !field.is_map() || matches!(inner.map_entry_key_field().kind(), Kind::String);
                    assert!(is_known, "{}: keys that are no texts", field.full_name());
                }
            }
        }
    }
}
