//! Frames as bytes: one golden frame, every damaged bit, and any frame there and back.

use proptest::prelude::*;

use super::*;

const SAMPLE: Frame<'static> =
    Frame { shard: ShardId(3), epoch: ShardEpoch(7), lsn: Lsn(42), clock_ms: 1_700_000_000_123, payload: b"two seats" };

fn encoded(frame: &Frame<'_>, previous: FrameHash) -> Vec<u8> {
    let mut buffer = Vec::new();
    encode(frame, previous, &mut buffer).unwrap();
    buffer
}

fn sample() -> Vec<u8> {
    encoded(&SAMPLE, FrameHash([0xab; 16]))
}

/// The layout is a promise to every data directory there is: these bytes may never change.
#[test]
fn a_frame_has_exactly_these_bytes() {
    let golden = [
        "55534846",
        "0100",
        "0000",
        "03000000",
        "09000000", // magic, version, reserved, shard, length
        "0700000000000000",
        "2a00000000000000",
        "7b68e5cf8b010000",                 // epoch, LSN, clock
        "abababababababababababababababab", // the previous frame's hash
        "74776f207365617473",               // payload
        "6eff3f44",                         // the checksum
    ];
    assert_eq!(hex(&sample()), golden.concat());
    assert_eq!(FrameHash::of(&sample()).to_string(), "1701374ad165fb9d31d1400d4c7176ef");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_flipped_bit_is_refused() {
    let whole = sample();
    for bit in 0..whole.len() * 8 {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(decode(&damaged).is_err(), "bit {bit} was flipped and not noticed");
    }
}

#[test]
fn every_shortened_and_lengthened_frame_is_refused() {
    let whole = sample();
    for length in 0..whole.len() {
        assert!(decode(&whole[..length]).is_err(), "cut to {length} bytes and not noticed");
    }
    assert!(matches!(decode(&[whole, vec![0]].concat()), Err(FrameError::LengthMismatch { stated: 9, found: 10 })));
}

#[test]
fn what_is_wrong_is_said() {
    let with = |at: usize, byte: u8| {
        let mut bytes = sample();
        bytes[at] = byte;
        decode(&bytes).unwrap_err()
    };
    assert_eq!(with(0, b'X'), FrameError::BadMagic { found: *b"XSHF" });
    assert_eq!(with(4, 2), FrameError::UnknownVersion { found: 2, supported: 1 });
    assert_eq!(with(12, 8), FrameError::LengthMismatch { stated: 8, found: 9 });
    assert!(matches!(with(6, 1), FrameError::BadChecksum { .. }));
    assert!(matches!(with(60, b'T'), FrameError::BadChecksum { .. }));
    assert_eq!(decode(&[]), Err(FrameError::TooShort { bytes: 0 }));
}

#[test]
fn the_longest_payload_fits_and_one_byte_more_does_not() {
    let payload = vec![1; PAYLOAD_BYTES_MAX + 1];
    let fits = encoded(&Frame { payload: &payload[1..], ..SAMPLE }, FrameHash::ZERO);
    assert_eq!(decode(&fits).unwrap().0.payload.len(), PAYLOAD_BYTES_MAX);
    let refused = encode(&Frame { payload: &payload, ..SAMPLE }, FrameHash::ZERO, &mut Vec::new());
    assert!(matches!(refused, Err(LogError::PayloadTooLarge { shard: ShardId(3), .. })));
}

proptest! {
    #[test]
    fn any_frame_comes_back(
        (shard, epoch, lsn, clock_ms) in any::<(u32, u64, u64, u64)>(),
        payload in proptest::collection::vec(any::<u8>(), 0..200),
        previous in any::<[u8; 16]>(),
    ) {
        let (shard, epoch, lsn) = (ShardId(shard), ShardEpoch(epoch), Lsn(lsn));
        let frame = Frame { shard, epoch, lsn, clock_ms, payload: &payload };
        let bytes = encoded(&frame, FrameHash(previous));
        prop_assert_eq!(decode(&bytes), Ok((frame, FrameHash(previous))));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes).is_err());
    }
}
