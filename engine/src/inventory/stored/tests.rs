//! Snapshots of shows that are not what was stored. That whatever can be stored comes back the same, every scenario shows.

use super::*;
use crate::inventory::scenario::run;

fn stored() -> Vec<u8> {
    let mut inventory = run("row A 4 in West
         00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
         00:01  confirm h1 for o1 by bob             -> confirmed A1 A2 2000 for o1 by bob
         00:02  block A4 house:guests                -> 1 changed
         00:03  join 2 together in West as h2 by cyd -> waiting, 1 in all");
    inventory.freeze(ShowNumber(0)).store()
}

#[test]
fn no_flipped_bit_goes_unseen() {
    let bytes = stored();
    assert!(Show::load(&bytes).is_ok());
    for position in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut damaged = bytes.clone();
            damaged[position] ^= bit;
            let loaded = Show::load(&damaged);
            assert!(loaded.is_err(), "bit {bit:#04x} of byte {position}");
        }
    }
}

#[test]
fn what_is_cut_or_longer_is_refused() {
    let bytes = stored();
    for length in 0..bytes.len() {
        assert!(Show::load(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
    }
    assert!(matches!(Show::load(&[&bytes[..], &[0]].concat()), Err(CodecError::Stored { what: "there is more" })));
}

#[test]
fn an_unknown_version_is_named() {
    let mut bytes = stored();
    bytes[0] = 9;
    assert!(matches!(Show::load(&bytes), Err(CodecError::UnknownVersion { found: 9 })));
}

#[test]
fn a_show_is_there_once() {
    let (bytes, mut inventory) = (stored(), Inventory::default());
    assert_eq!(inventory.load(&bytes, Timestamp(0)).unwrap(), ShowNumber(0));
    assert!(matches!(inventory.load(&bytes, Timestamp(0)), Err(CodecError::Stored { .. })));
}
