//! UUIDs in the JSON of a request: protobuf's JSON knows bytes as base64 only, and would take a UUID for that.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost_reflect::{Kind, MessageDescriptor};
use serde_json::Value;
use uuid::Uuid;

/// Writes the UUIDs in fields of bytes, of a message and of those in it, as base64.
pub(super) fn to_base64(json: &mut Value, message: &MessageDescriptor) {
    let Value::Object(fields) = json else { return };
    for (name, value) in fields {
        let field = message.get_field_by_name(name).or_else(|| message.get_field_by_json_name(name));
        let Some(field) = field.filter(|field| !field.is_map()) else { continue };
        match (field.kind(), value) {
            (Kind::Bytes, Value::String(text)) => replace(text),
            (Kind::Message(inner), Value::Array(list)) => list.iter_mut().for_each(|one| to_base64(one, &inner)),
            (Kind::Message(inner), one) => to_base64(one, &inner),
            _ => {}
        }
    }
}

/// Only the form with hyphens, 36 characters: the others may be base64.
fn replace(text: &mut String) {
    if let (36, Ok(id)) = (text.len(), Uuid::parse_str(text)) {
        *text = STANDARD.encode(id.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_become_base64_and_nothing_else_does() {
        let mut id = "0193a5f2-7c1e-7000-8000-000000000001".to_owned();
        replace(&mut id);
        assert_eq!(id, "AZOl8nwecACAAAAAAAAAAQ==");
        for other in ["AZOl8nwecACAAAAAAAAAAQ==", "0193a5f27c1e70008000000000000001", ""] {
            let mut text = other.to_owned();
            replace(&mut text);
            assert_eq!(text, other);
        }
        // Source: RFC 4648, section 10.
        for (plain, coded) in [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(STANDARD.encode(plain), coded);
        }
    }
}
