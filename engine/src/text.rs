//! Short opaque text as it is kept and stored: who buys, an order, a payment.
//!
//! Millions of them lie in memory and in the log, and nearly all are UUIDs or short words without spaces. A UUID is its 16
//! bytes; what has no other characters than base64url's (RFC 4648 §5: `A-Z a-z 0-9 - _`) takes six bits for each, so that up
//! to 29 of them need no allocation. The same text has always the same form, so that equal forms are equal texts.
//!
//! ```text
//! | head u64 | bytes |      head = 0 to 128: so many bytes as they are
//!                                  129:      a UUID in lower case, 16 bytes
//!                                  131 + n:  1 + n characters of six bits, the last bits 0
//! ```

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use bincode::{
    BorrowDecode, Decode, Encode,
    de::{BorrowDecoder, Decoder, read::Reader as _},
    enc::{Encoder, write::Writer as _},
    error::{DecodeError, EncodeError},
};
use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

/// Longest text, in bytes.
pub const TEXT_BYTES_MAX: usize = 128;
/// Bytes that need no allocation.
const INLINE: usize = 22;
/// Characters of six bits that fit into as many.
const SEXTETS_MAX: usize = INLINE * 8 / 6;
const UUID: u8 = 129;
const SEXTETS: u8 = 130;
const UUID_CHARS: usize = 36;
const DASHES: [usize; 4] = [8, 13, 18, 23];
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// What no character stands for.
const NONE: u8 = u8::MAX;
const SEXTET_OF: [u8; 256] = table(ALPHABET);
const NIBBLE_OF: [u8; 256] = table(b"0123456789abcdef");

/// At most 128 opaque bytes, in 24.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    /// Zeros behind what the head says.
    Inline {
        head: u8,
        bytes: [u8; INLINE],
    },
    Long(Box<[u8]>),
}

impl Text {
    /// These bytes, at most [`TEXT_BYTES_MAX`].
    ///
    /// # Panics
    /// When they are more.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        assert!(text.len() <= TEXT_BYTES_MAX, "whoever names a text checks its length");
        Self(uuid(text).or_else(|| sextets(text)).unwrap_or_else(|| plain(text)))
    }

    /// The bytes of it.
    #[must_use]
    pub fn bytes(&self) -> SmallVec<[u8; 40]> {
        match &self.0 {
            Form::Inline { head: UUID, bytes } => uuid_text(bytes),
            Form::Inline { head, bytes } if *head > SEXTETS => {
                (0..usize::from(head - SEXTETS)).map(|position| ALPHABET[sextet(bytes, position)]).collect()
            }
            Form::Inline { head, bytes } => SmallVec::from_slice(&bytes[..usize::from(*head)]),
            Form::Long(bytes) => SmallVec::from_slice(bytes),
        }
    }

    /// Whether it is UTF-8.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        match &self.0 {
            Form::Inline { head, .. } if usize::from(*head) > TEXT_BYTES_MAX => true,
            _ => std::str::from_utf8(&self.bytes()).is_ok(),
        }
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Inline { head: UUID, .. } => UUID_CHARS,
            Form::Inline { head, .. } => usize::from(if *head > SEXTETS { head - SEXTETS } else { *head }),
            Form::Long(bytes) => bytes.len(),
        }
    }

    /// None at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Of its form: equal texts have equal hashes. Callers are the operator's own frontends: this is no defence against
    /// crafted texts.
    #[must_use]
    #[inline]
    pub fn hash(&self) -> u64 {
        match &self.0 {
            Form::Inline { head, bytes } => {
                let word = |at: usize| {
                    let eight: [u8; 8] = bytes[at..at + 8].try_into().unwrap_or_default();
                    u64::from_le_bytes(eight)
                };
                // All 22 bytes; a UUID has nothing in the last ones that is not in the others.
                let last = word(INLINE - 8) ^ u64::from(*head);
                fold(
                    fold(word(0) ^ 0x243f_6a88_85a3_08d3, word(8) ^ 0x1319_8a2e_0370_7344) ^ last,
                    0xa409_3822_299f_31d1,
                )
            }
            Form::Long(bytes) => xxh3_64(bytes),
        }
    }
}

/// Its form, in one piece: for hashes with a secret, which nobody can craft texts for.
impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Form::Inline { head, bytes } => {
                let mut form = [0; INLINE + 2];
                form[0] = *head;
                form[1..=INLINE].copy_from_slice(bytes);
                state.write(&form);
            }
            // The last byte of the other form is 0.
            Form::Long(bytes) => {
                state.write(bytes);
                state.write_u8(u8::MAX);
            }
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.bytes()), f)
    }
}

/// Both halves of the product: each bit of it depends on most bits of both. The constants above are of the fractional part
/// of pi, as folded-multiply hashes use them.
#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    let [low, high] = [product & u128::from(u64::MAX), product >> 64];
    u64::try_from(low ^ high).unwrap_or_default()
}

/// How many bytes the form of this head has.
fn stored_bytes(head: u8) -> usize {
    match head {
        UUID => 16,
        SEXTETS.. => (usize::from(head - SEXTETS) * 6).div_ceil(8),
        _ => usize::from(head),
    }
}

fn plain(text: &[u8]) -> Form {
    match u8::try_from(text.len()) {
        Ok(head) if text.len() <= INLINE => {
            let mut bytes = [0; INLINE];
            bytes[..text.len()].copy_from_slice(text);
            Form::Inline { head, bytes }
        }
        _ => Form::Long(text.into()),
    }
}

fn uuid(text: &[u8]) -> Option<Form> {
    if text.len() != UUID_CHARS || DASHES.iter().any(|&dash| text[dash] != b'-') {
        return None;
    }
    let (mut bytes, mut wrong) = ([0; INLINE], 0);
    for (byte, at) in bytes[..16].iter_mut().zip(digits()) {
        let [high, low] = [text[at], text[at + 1]].map(|digit| NIBBLE_OF[usize::from(digit)]);
        wrong |= high | low;
        *byte = high << 4 | low & 0xf;
    }
    (wrong < 16).then_some(Form::Inline { head: UUID, bytes })
}

fn uuid_text(bytes: &[u8; INLINE]) -> SmallVec<[u8; 40]> {
    let mut text = SmallVec::from_elem(b'-', UUID_CHARS);
    for (byte, at) in bytes[..16].iter().zip(digits()) {
        let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        (text[at], text[at + 1]) = (digit(byte >> 4), digit(byte & 0xf));
    }
    text
}

/// Where the two digits of each byte of a UUID stand in its text.
fn digits() -> impl Iterator<Item = usize> {
    (0..16).map(|byte| {
        byte * 2 + usize::from(byte > 3) + usize::from(byte > 5) + usize::from(byte > 7) + usize::from(byte > 9)
    })
}

fn sextets(text: &[u8]) -> Option<Form> {
    let length = u8::try_from(text.len()).ok().filter(|length| (1..=SEXTETS_MAX).contains(&usize::from(*length)))?;
    // Four by four, which are three bytes; the last four are filled up with what stands for zeros.
    let (mut four_by_four, mut bytes, mut wrong) = ([ALPHABET[0]; 32], [0; 24], 0);
    four_by_four[..text.len()].copy_from_slice(text);
    let fours = four_by_four.as_chunks::<4>().0.iter().take(text.len().div_ceil(4));
    for (three, four) in bytes.as_chunks_mut::<3>().0.iter_mut().zip(fours) {
        let values = four.map(|character| SEXTET_OF[usize::from(character)]);
        wrong |= values[0] | values[1] | values[2] | values[3];
        let [a, b, c, d] = values.map(u32::from);
        let [_, bits @ ..] = ((a << 18 | b << 12 | c << 6 | d) & 0xff_ffff).to_be_bytes();
        *three = bits;
    }
    let bytes = *bytes.first_chunk()?;
    (wrong < 64).then_some(Form::Inline { head: SEXTETS + length, bytes })
}

fn sextet(bytes: &[u8; INLINE], position: usize) -> usize {
    let (byte, shift) = (position * 6 / 8, position * 6 % 8);
    let pair = u16::from_be_bytes([bytes[byte], bytes.get(byte + 1).copied().unwrap_or_default()]);
    usize::from(pair >> (10 - shift) & 63)
}

const fn table(alphabet: &[u8]) -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut value = 0;
    while value < alphabet.len() {
        #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
        {
            table[alphabet[value] as usize] = value as u8;
        }
        value += 1;
    }
    table
}

impl Encode for Text {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        match &self.0 {
            Form::Inline { head, bytes } => {
                u64::from(*head).encode(encoder)?;
                encoder.writer().write(&bytes[..stored_bytes(*head)])
            }
            Form::Long(bytes) => {
                (bytes.len() as u64).encode(encoder)?;
                encoder.writer().write(bytes)
            }
        }
    }
}

impl<Context> Decode<Context> for Text {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        const WRONG: DecodeError = DecodeError::Other("a text of a form that is not known");
        let head = u8::try_from(u64::decode(decoder)?).map_err(|_| WRONG)?;
        let length = stored_bytes(head);
        decoder.claim_bytes_read(length)?;
        if usize::from(head) <= TEXT_BYTES_MAX {
            // Also what was stored before there were other forms.
            let mut bytes = [0; TEXT_BYTES_MAX];
            decoder.reader().read(&mut bytes[..length])?;
            return Ok(Self::new(&bytes[..length]));
        }
        let mut bytes = [0; INLINE];
        let stored = bytes.get_mut(..length).filter(|stored| !stored.is_empty()).ok_or(WRONG)?;
        decoder.reader().read(stored)?;
        // Bits behind the last character would make one text two.
        let behind = if head == UUID { 0 } else { length * 8 - usize::from(head - SEXTETS) * 6 };
        if bytes[length - 1].trailing_zeros() < u32::try_from(behind).unwrap_or(u32::MAX) {
            return Err(WRONG);
        }
        Ok(Self(Form::Inline { head, bytes }))
    }
}

impl<'de, Context> BorrowDecode<'de, Context> for Text {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &[u8]) -> Vec<u8> {
        bincode::encode_to_vec(Text::new(text), bincode::config::standard()).unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Text, DecodeError> {
        bincode::decode_from_slice(bytes, bincode::config::standard()).map(|(text, _)| text)
    }

    const SOME_UUID: &[u8] = b"0198c5f0-7c1e-7abc-8def-0123456789ab";

    #[test]
    fn every_text_comes_back() {
        for length in 0..=TEXT_BYTES_MAX {
            for characters in [b"A", b"_", b"7", b" ", b"\xff", b"-"] {
                let text = characters.repeat(length);
                let packed = Text::new(&text);
                assert_eq!((&*packed.bytes(), packed.len()), (&*text, length));
                assert_eq!(read(&stored(&text)).unwrap(), packed);
            }
        }
        let all = Text::new(&ALPHABET[..29]);
        assert_eq!(&*all.bytes(), &ALPHABET[..29]);
        assert_eq!(&*Text::new(&ALPHABET[35..]).bytes(), &ALPHABET[35..]);
        assert_eq!(&*Text::new(SOME_UUID).bytes(), SOME_UUID);
    }

    #[test]
    fn what_is_usual_is_short() {
        for (text, length) in [
            (SOME_UUID, 17),
            (b"order-12345678", 12),
            (b"pi_3MtwBwLkdIwHu7ix28a3tqPa", 22),
            (b"two words", 10),
            (b"", 1),
            // In capitals it is another text.
            (b"0198C5F0-7C1E-7ABC-8DEF-0123456789AB", 37),
        ] {
            assert_eq!(stored(text).len(), length, "{}", text.escape_ascii());
        }
        assert_eq!(size_of::<Option<Text>>(), 24);
    }

    #[test]
    fn what_was_stored_plainly_is_the_same_text() {
        let plainly = |text: &[u8]| [&[u8::try_from(text.len()).unwrap()], text].concat();
        for text in [SOME_UUID, b"ada", b"two words"] {
            assert_eq!(read(&plainly(text)).unwrap(), Text::new(text));
        }
    }

    #[test]
    fn forms_that_nobody_writes_are_errors() {
        // One character and bits behind it; no character; more than there is room for; no such head.
        for wrong in
            [&[SEXTETS + 1, 0b0000_0101][..], &[SEXTETS], &[SEXTETS + 30; 40], &[250; 40], &[253; 40], &[UUID; 5]]
        {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn other_texts_are_others() {
        let texts: Vec<Vec<u8>> = (0..=80).flat_map(|length| [b"A".repeat(length), b" ".repeat(length)]).collect();
        for (position, text) in texts.iter().enumerate().skip(1) {
            for other in &texts[..position] {
                assert_eq!(text == other, Text::new(text) == Text::new(other));
            }
        }
    }
}
