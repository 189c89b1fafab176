//! Texts that fit where they travel: an error's message and details are HTTP/2 headers, and a client that gets more than
//! 16 KiB of them (h2's default) drops the answer or the whole connection. Callers' own names are in these texts.
//!
//! What a message of 600 bytes and details of 8,000 take on the wire, percent-encoded and in base64, is below that.

/// Longest message, in bytes; a byte may take three when it is percent-encoded.
pub(super) const MESSAGE_BYTES_MAX: usize = 600;
/// Longest name of the caller's that is repeated, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 96;
/// Longest description of what is wrong with a field, in bytes.
pub(super) const DESCRIPTION_BYTES_MAX: usize = 400;
/// Most fields that are named.
pub(super) const VIOLATIONS_MAX: usize = 10;
/// General-admission sections that the details name.
pub(super) const NAMED_SECTIONS_MAX: usize = 8;
/// Most bytes of seat numbers in the details: a thousand of six digits.
const INDEXES_BYTES_MAX: usize = 7_000;
/// Places that a message names.
const NAMED_PLACES_MAX: usize = 5;

/// At most `bytes_max` bytes of a text, with dots where it was cut.
pub(super) fn clip(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let mut end = bytes_max.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

/// The first few of `count` names.
pub(super) fn list(names: impl Iterator<Item = String>, count: usize) -> String {
    let named: Vec<String> = names.take(NAMED_PLACES_MAX).map(|name| clip(&name, NAME_BYTES_MAX)).collect();
    let more = count.saturating_sub(named.len());
    if more == 0 { named.join(", ") } else { format!("{} and {more} more", named.join(", ")) }
}

/// Seat numbers with commas, and how many of them did not fit.
pub(super) fn join_indexes(seats: &[u32]) -> (String, usize) {
    let mut text = String::new();
    for (position, seat) in seats.iter().enumerate() {
        let next = if position == 0 { seat.to_string() } else { format!(",{seat}") };
        if text.len() + next.len() > INDEXES_BYTES_MAX {
            return (text, seats.len() - position);
        }
        text.push_str(&next);
    }
    (text, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(clip("short", 5), "short");
        assert_eq!(clip("ééééé", 8), "éé…");
        assert_eq!(clip(&"x".repeat(1_000), 100).len(), 100);
    }

    #[test]
    fn a_thousand_seats_of_a_real_show_fit_and_no_more_than_fit_are_named() {
        let seats: Vec<u32> = (999_000..1_000_000).collect();
        assert_eq!(join_indexes(&seats).1, 0);
        let (text, more) = join_indexes(&vec![u32::MAX; 1_000]);
        assert!(text.len() <= 7_000 && more > 0 && text.split(',').count() + more == 1_000);
    }
}
