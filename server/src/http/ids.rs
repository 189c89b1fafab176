//! Fields of bytes in JSON: ids are UUIDs there, all others base64.

use base64::{
    Engine as _,
    alphabet::STANDARD as STANDARD_ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use prost_reflect::FieldDescriptor;
use uuid::Uuid;

/// The fields of bytes that are ids, by name. Seat maps and plans are not: 16 bytes of them are no UUID.
pub(super) const IDS: [&str; 4] = ["group_id", "hold_id", "replaces", "keep_rest_as"];
/// What an id may look like, as a regular expression: a UUID, or its bytes in either kind of base64.
pub(super) const ID_PATTERN: &str =
    "^([0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[A-Za-z0-9+/_-]{21}[AQgw](==)?)$";
const UUID_CHARS: usize = 36;
const ID_BYTES: usize = 16;

/// Padded or not, as protobuf's JSON has it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD_ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn is_id(field: &FieldDescriptor) -> bool {
    IDS.contains(&field.name())
}

/// Reads an id.
pub(super) fn read_id(text: &str) -> Option<Vec<u8>> {
    if text.len() == UUID_CHARS {
        return Uuid::try_parse(text).ok().map(|id| id.as_bytes().to_vec());
    }
    read_base64(text).filter(|bytes| bytes.len() == ID_BYTES)
}

/// Reads base64 of either alphabet.
pub(super) fn read_base64(text: &str) -> Option<Vec<u8>> {
    if text.contains(['-', '_']) {
        return LENIENT.decode(text.replace('-', "+").replace('_', "/")).ok();
    }
    LENIENT.decode(text).ok()
}

/// Writes the bytes of a field.
pub(super) fn write(field: &FieldDescriptor, bytes: &[u8]) -> String {
    match Uuid::from_slice(bytes) {
        Ok(id) if is_id(field) => id.to_string(),
        _ => STANDARD.encode(bytes),
    }
}

#[cfg(test)]
mod tests {
    use prost_reflect::{DescriptorPool, Kind};

    use super::*;

    #[test]
    fn an_id_is_a_uuid_or_sixteen_bytes_in_base64() {
        let id = read_id("0193a5f2-7c1e-7000-8000-000000000001").unwrap();
        for same in ["AZOl8nwecACAAAAAAAAAAQ==", "AZOl8nwecACAAAAAAAAAAQ", "0193A5F2-7C1E-7000-8000-000000000001"] {
            assert_eq!(read_id(same).as_ref(), Some(&id), "{same}");
        }
        for wrong in ["", "AZOl", "0193a5f27c1e70008000000000000001", "0193a5f2-7c1e-7000-8000-00000000000x"] {
            assert_eq!(read_id(wrong), None, "{wrong}");
        }
        assert_eq!(read_base64("-_8"), read_base64("+/8="));
    }

    #[test]
    fn it_is_known_of_every_field_of_bytes_whether_it_is_an_id() {
        let pool = DescriptorPool::decode(usher_proto::FILE_DESCRIPTOR_SET).unwrap();
        let messages = pool.all_messages().filter(|message| message.package_name() == "usher.v1");
        let fields = messages.flat_map(|message| message.fields().collect::<Vec<_>>());
        let mut others: Vec<_> = fields.filter(|field| matches!(field.kind(), Kind::Bytes) && !is_id(field)).collect();
        others.sort_unstable_by(|a, b| a.name().cmp(b.name()));
        let others: Vec<_> = others.iter().map(FieldDescriptor::name).collect();
        let of_maps = ["available", "blocked", "held", "plan", "retired", "sold"];
        let of_columns = ["buyer_ids", "codes", "hold_ids", "kinds", "references", "seat_counts"];
        let mut known = [of_maps, of_columns].concat();
        known.sort_unstable();
        assert_eq!(others, known, "in `IDS` if it is an id");
    }
}
