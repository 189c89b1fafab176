//! What is told apart: whole, torn and damaged WALs, laid out as RocksDB lays them out.

use super::*;

/// A WAL with records of these lengths, and where each begins.
fn wal(lengths: &[usize]) -> (Vec<u8>, Vec<usize>) {
    let (mut wal, mut begins) = (Vec::new(), Vec::new());
    for (number, length) in (1_u8..).zip(lengths) {
        let mut left = *length;
        loop {
            let room = BLOCK_BYTES - wal.len() % BLOCK_BYTES;
            if room < HEADER_BYTES {
                wal.resize(wal.len() + room, 0);
                continue;
            }
            let fits = left.min(room - HEADER_BYTES);
            let kind = match (left == *length, fits == left) {
                (true, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
                (false, true) => 4,
            };
            if kind < 3 {
                begins.push(wal.len());
            }
            let content = vec![number; fits];
            wal.extend(masked(crc32c_append(crc32c(&[kind]), &content)).to_le_bytes());
            wal.extend(u16::try_from(fits).unwrap().to_le_bytes());
            wal.push(kind);
            wal.extend(content);
            left -= fits;
            if left == 0 {
                break;
            }
        }
    }
    (wal, begins)
}

fn reading(wal: &[u8]) -> Reading {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), wal).unwrap();
    read(file.path()).unwrap()
}

#[test]
fn a_record_that_is_the_last_may_be_torn_anywhere() {
    let (whole, begins) = wal(&[100, 40_000, 200, 100_000]);
    assert_eq!(reading(&whole), Reading::Whole);
    let last = *begins.last().unwrap();
    for at in (last..whole.len()).step_by(512) {
        let mut torn = whole.clone();
        let sector = at..(at + 512).min(whole.len());
        torn[sector.clone()].fill(0);
        let Reading::Torn { at_byte, .. } = reading(&torn) else { panic!("zeros at {sector:?}") };
        assert!((last as u64..=at as u64).contains(&at_byte), "{at_byte} for {sector:?}");
        let cut = reading(&whole[..at]);
        assert!(cut == Reading::Whole || matches!(cut, Reading::Torn { .. }), "cut at {at}: {cut:?}");
    }
}

#[test]
fn whatever_has_a_whole_record_behind_it_is_damaged() {
    let (whole, begins) = wal(&[100, 40_000, 200, 300, 400, 50_000, 60_000]);
    for at in (0..*begins.last().unwrap()).step_by(97) {
        let mut rotten = whole.clone();
        rotten[at] ^= 0x10;
        let is_padding = whole[at] == 0 && reading(&rotten) == Reading::Whole;
        assert!(
            matches!(reading(&rotten), Reading::Damaged { .. }) || is_padding,
            "flipped at {at}: {:?}",
            reading(&rotten)
        );
    }
}

/// RocksDB would never come to an end with it, so it must not see it, wherever it is.
#[test]
fn a_type_of_recycled_files_is_damage() {
    let (whole, begins) = wal(&[100, 200, 60_000]);
    for begin in begins {
        for kind in RECYCLED_TYPES {
            let mut rotten = whole.clone();
            rotten[begin + HEADER_BYTES - 1] = kind;
            assert_eq!(reading(&rotten), Reading::Damaged { at_byte: begin as u64 });
        }
    }
}

#[test]
fn zeros_behind_the_last_record_are_its_end() {
    let (mut wal, _) = wal(&[100, 200]);
    wal.resize(100_000, 0);
    assert_eq!(reading(&wal), Reading::Whole);
    assert_eq!(reading(&[]), Reading::Whole);
}
