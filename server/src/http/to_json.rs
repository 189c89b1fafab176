//! Messages to JSON: protobuf's own mapping, with the names of the `.proto` files in their order, every field that has a
//! value even if it is 0 or empty, and UUIDs for ids.

use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage as _, Value};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use super::ids;

/// A message as JSON.
pub(super) struct Message<'a>(pub(super) &'a DynamicMessage);

impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in self.0.descriptor().fields() {
            if field.supports_presence() && !self.0.has_field(&field) {
                continue;
            }
            map.serialize_entry(field.name(), &Field(&field, &self.0.get_field(&field)))?;
        }
        map.end()
    }
}

/// A value and the field that it is of.
struct Field<'a>(&'a FieldDescriptor, &'a Value);

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(field, value) = self;
        match value {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::I32(value) => serializer.serialize_i32(*value),
            Value::U32(value) => serializer.serialize_u32(*value),
            // Numbers that JavaScript would round.
            Value::I64(value) => serializer.collect_str(value),
            Value::U64(value) => serializer.collect_str(value),
            Value::F32(value) => serializer.serialize_f32(*value),
            Value::F64(value) => serializer.serialize_f64(*value),
            Value::String(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => serializer.serialize_str(&ids::write(field, bytes)),
            Value::EnumNumber(number) => match field.kind().as_enum().and_then(|values| values.get_value(*number)) {
                Some(value) => serializer.serialize_str(value.name()),
                // Of a newer release.
                None => serializer.serialize_i32(*number),
            },
            Value::Message(message) => Message(message).serialize(serializer),
            Value::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(&Self(field, value))?;
                }
                list.end()
            }
            Value::Map(entries) => self.map(entries.iter().collect(), serializer),
        }
    }
}

impl Field<'_> {
    /// By key: the same message is always the same text.
    fn map<S: Serializer>(&self, entries: BTreeMap<&MapKey, &Value>, serializer: S) -> Result<S::Ok, S::Error> {
        let Kind::Message(entry) = self.0.kind() else { return serializer.serialize_unit() };
        let of = entry.map_entry_value_field();
        let mut map = serializer.serialize_map(Some(entries.len()))?;
        for (key, value) in entries {
            let Some(key) = key.as_str() else { continue };
            map.serialize_entry(key, &Field(&of, value))?;
        }
        map.end()
    }
}
