//! `Idempotency-Key`: who repeats a request with the same key asks for the same hold.
//!
//! The key is nothing that is remembered here: it is where a new hold's id comes from, and the id makes repeating safe for
//! as long as the hold is known.

use axum::http::HeaderMap;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128;

/// The header.
pub(super) const HEADER: &str = "Idempotency-Key";
/// Longest key, in characters.
pub(super) const KEY_CHARS_MAX: usize = 255;

/// The hold's id that the key stands for in a show. None where there is no key.
///
/// # Errors
/// When there are several, or it is not 1 to 255 visible characters of ASCII.
pub(super) fn hold_id(headers: &HeaderMap, show_id: &str) -> Result<Option<Uuid>, &'static str> {
    let wrong = "must be one UUID, or 1 to 255 visible characters of ASCII";
    let mut keys = headers.get_all(HEADER).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let key = key.to_str().map_err(|_| wrong)?.trim();
    // The standard in the making has a structured string, which stands in quotes.
    let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
    let is_key = (1..=KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|symbol| symbol.is_ascii_graphic());
    if keys.next().is_some() || !is_key {
        return Err(wrong);
    }
    Ok(Some(Uuid::try_parse(key).unwrap_or_else(|_| of_text(show_id, key))))
}

/// A UUID of version 8, which is free to be made of anything. Who finds two keys with the same hash gets what reusing a
/// key gets, so that it need not be hard.
fn of_text(show_id: &str, key: &str) -> Uuid {
    // No show's id has a space in it.
    Uuid::new_v8(xxh3_128(format!("{show_id} {key}").as_bytes()).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn id(show_id: &str, key: &str) -> Result<Option<Uuid>, &'static str> {
        hold_id(
            &HeaderMap::from_iter([(
                HEADER.to_ascii_lowercase().parse().unwrap(),
                HeaderValue::from_str(key).unwrap(),
            )]),
            show_id,
        )
    }

    #[test]
    fn a_uuid_is_taken_as_it_is_and_any_other_key_stands_for_one_id_a_show() {
        let uuid = "0193a5f2-7c1e-7000-8000-000000000001";
        assert_eq!(id("club", uuid).unwrap().unwrap().to_string(), uuid);
        assert_eq!(id("club", &format!("{uuid:?}")), id("hall", uuid));
        let cart = id("club", "cart-7").unwrap().unwrap();
        // Must never change: who repeats a request after an upgrade must get the same hold.
        assert_eq!(cart.to_string(), "4062865c-2162-887c-b9f2-9ac396dd6139");
        assert_eq!(id("club", "\"cart-7\""), Ok(Some(cart)));
        assert_ne!(id("hall", "cart-7"), Ok(Some(cart)));
        assert_ne!(id("club", "cart-8"), Ok(Some(cart)));
    }

    #[test]
    fn a_key_has_a_length() {
        assert_eq!(hold_id(&HeaderMap::new(), "club"), Ok(None));
        assert!(id("club", &"k".repeat(KEY_CHARS_MAX)).is_ok());
        for wrong in ["", "\"\"", "cart 7", &"k".repeat(KEY_CHARS_MAX + 1)] {
            assert!(id("club", wrong).is_err(), "{wrong:?}");
        }
    }
}
