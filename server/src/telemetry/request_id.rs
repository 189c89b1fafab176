//! What a request is known by, in log lines, in its trace and to its caller: `x-request-id`, the caller's own or one that is
//! made for him.

use std::{
    cell::Cell,
    hash::{BuildHasher as _, RandomState},
};

use tonic::codegen::http::{HeaderMap, HeaderValue};

/// The header, of the request and of its answer.
pub(crate) const HEADER: &str = "x-request-id";
/// Longest that a caller may give.
const BYTES_MAX: usize = 64;

thread_local! {
    /// What this thread has made so far: a random beginning, and one more with each.
    static LAST: Cell<u64> = Cell::new(RandomState::new().hash_one(0));
}

/// The id of a request with these headers, which has it from now on.
pub(crate) fn ensure(headers: &mut HeaderMap) -> HeaderValue {
    if let Some(given) = headers.get(HEADER).filter(|value| is_sane(value.as_bytes())) {
        return given.clone();
    }
    let made = make();
    headers.insert(HEADER, made.clone());
    made
}

/// What may stand in a log line as it is.
fn is_sane(id: &[u8]) -> bool {
    let is_sane = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    (1..=BYTES_MAX).contains(&id.len()) && id.iter().all(is_sane)
}

fn make() -> HeaderValue {
    let number = LAST.get().wrapping_add(1);
    LAST.set(number);
    let digits: [u8; 16] = std::array::from_fn(|place| {
        let digit = (number >> (60 - 4 * place)) & 0xf;
        b"0123456789abcdef"[usize::try_from(digit).unwrap_or_default()]
    });
    HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_kept_and_others_are_replaced_by_one_that_nobody_else_has() {
        let of = |given: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_static(given));
            let id = ensure(&mut headers);
            assert_eq!(headers.get(HEADER), Some(&id));
            id
        };
        assert_eq!(of("order-7/a.b:c"), "order-7/a.b:c");
        let made = of("two words");
        assert!(made.len() == 16 && made != of("\"") && of(&"x".repeat(65).leak()[..]).len() == 16);
    }
}
