//! Reading fixed-size fields off the front of a slice. What a field means is its caller's business.

/// Takes the next `N` bytes and moves `rest` past them; `None`, and `rest` unmoved, when there are fewer.
pub(crate) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (field, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*field)
}

/// The next four bytes as a little-endian number.
pub(crate) fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    take(rest).map(u32::from_le_bytes)
}

/// The next eight bytes as a little-endian number.
pub(crate) fn take_u64(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_le_bytes)
}
