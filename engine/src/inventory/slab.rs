//! Records that keep their slot while they live, in chunks: growing never moves more than the first chunk and never
//! leaves half the memory unused, as doubling would. A chunk may be shared with a copy that stays as it is; it is copied
//! when it is written to while the copy lives.

use std::sync::Arc;

/// Records of a chunk.
const CHUNK: usize = 1_024;

/// Records by slot. A slot is reused after its record was removed, the last one freed first.
#[derive(Debug)]
pub(super) struct Slab<T> {
    chunks: Vec<Chunk<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
enum Chunk<T> {
    Own(Vec<Option<T>>),
    /// There is, or was, a copy that must not see what is written from now on.
    Shared(Arc<Vec<Option<T>>>),
}

impl<T> Chunk<T> {
    fn slots(&self) -> &Vec<Option<T>> {
        match self {
            Self::Own(slots) => slots,
            Self::Shared(slots) => slots,
        }
    }
}

impl<T: Clone> Chunk<T> {
    fn share(&mut self) -> Self {
        let shared = match self {
            Self::Own(slots) => Arc::new(std::mem::take(slots)),
            Self::Shared(slots) => Arc::clone(slots),
        };
        *self = Self::Shared(Arc::clone(&shared));
        Self::Shared(shared)
    }

    #[inline]
    fn slots_mut(&mut self) -> &mut Vec<Option<T>> {
        if matches!(self, Self::Shared(_)) {
            self.own_again();
        }
        match self {
            Self::Own(slots) => slots,
            Self::Shared(_) => unreachable!("it is its own again"),
        }
    }

    #[cold]
    fn own_again(&mut self) {
        if let Self::Shared(shared) = self {
            let own = Arc::try_unwrap(std::mem::take(shared)).unwrap_or_else(|shared| {
                let mut own = Vec::with_capacity(shared.capacity());
                own.extend_from_slice(&shared);
                own
            });
            *self = Self::Own(own);
        }
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new() }
    }
}

impl<T: Clone> Slab<T> {
    /// A copy that stays as it is now. It takes no record.
    pub(super) fn frozen(&mut self) -> Self {
        Self { chunks: self.chunks.iter_mut().map(Chunk::share).collect(), free: Vec::new() }
    }

    /// With these slots, in use or free.
    pub(super) fn of_slots(mut slots: impl Iterator<Item = Option<T>>) -> Self {
        let mut chunks = Vec::new();
        loop {
            let mut chunk = Vec::with_capacity(slots.size_hint().1.unwrap_or(CHUNK).min(CHUNK));
            chunk.extend(slots.by_ref().take(CHUNK));
            if chunk.is_empty() {
                break;
            }
            chunks.push(Chunk::Own(chunk));
        }
        let slots = (0u32..).zip(chunks.iter().flat_map(Chunk::slots));
        let free = slots.filter(|(_, place)| place.is_none()).map(|(slot, _)| slot).collect();
        Self { chunks, free }
    }

    /// Makes room for so many records, at most a chunk of them. Only for an empty slab.
    pub(super) fn expect(&mut self, records: usize) {
        self.chunks = vec![Chunk::Own(Vec::with_capacity(records.min(CHUNK)))];
    }

    /// Stores a record and tells its slot.
    pub(super) fn insert(&mut self, record: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            *self.place(slot) = Some(record);
            return slot;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.slots().len() == CHUNK) {
            // Where no rush is expected, the first chunk grows from nothing: most shows have few records of most kinds.
            let room = if self.chunks.is_empty() { 0 } else { CHUNK };
            self.chunks.push(Chunk::Own(Vec::with_capacity(room)));
        }
        let full_chunks = self.chunks.len() - 1;
        let chunk = self.chunks[full_chunks].slots_mut();
        // From here on in one step: what is doubled is moved once more each time.
        if chunk.len() == chunk.capacity() && chunk.len() >= CHUNK / 8 {
            chunk.reserve_exact(CHUNK - chunk.len());
        }
        chunk.push(Some(record));
        u32::try_from(full_chunks * CHUNK + chunk.len() - 1).expect("fewer than 2^32 records")
    }

    /// Takes a record out. The slot must be in use.
    pub(super) fn remove(&mut self, slot: u32) -> T {
        self.free.push(slot);
        self.place(slot).take().expect("a slot in use")
    }

    /// The record in a slot that must be in use.
    pub(super) fn get(&self, slot: u32) -> &T {
        self.find(slot).expect("a slot in use")
    }

    /// The record in a slot, if it is in use.
    pub(super) fn find(&self, slot: u32) -> Option<&T> {
        self.chunks.get(slot as usize / CHUNK)?.slots().get(slot as usize % CHUNK)?.as_ref()
    }

    /// The record in a slot that must be in use.
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut T {
        self.place(slot).as_mut().expect("a slot in use")
    }

    /// Every record with its slot.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.slots().filter_map(|(slot, place)| Some((slot, place?)))
    }

    /// Every slot, in use or free.
    pub(super) fn slots(&self) -> impl Iterator<Item = (u32, Option<&T>)> {
        (0u32..).zip(self.chunks.iter().flat_map(Chunk::slots).map(Option::as_ref))
    }

    fn place(&mut self, slot: u32) -> &mut Option<T> {
        &mut self.chunks[slot as usize / CHUNK].slots_mut()[slot as usize % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_kept_and_reused() {
        let mut slab = Slab::default();
        let slots: Vec<u32> = (0..3_000).map(|record| slab.insert(record)).collect();
        assert_eq!(slots, (0..3_000).collect::<Vec<_>>());
        assert_eq!(slab.remove(1_500), 1_500);
        assert!(slab.find(1_500).is_none());
        assert_eq!(slab.insert(9), 1_500);
        *slab.get_mut(0) += 7;
        assert_eq!(*slab.get(0), 7);
        assert_eq!(slab.iter().count(), 3_000);
    }

    #[test]
    fn a_few_records_take_little_room() {
        let mut slab = Slab::default();
        for record in 0..5 {
            slab.insert([record; 100]);
        }
        assert!(slab.chunks[0].slots().capacity() <= 8);
        for _ in 0..CHUNK {
            slab.insert([0; 100]);
        }
        assert_eq!(slab.chunks.iter().map(|chunk| chunk.slots().capacity()).collect::<Vec<_>>(), [CHUNK, CHUNK]);
    }

    #[test]
    fn a_frozen_copy_stays_as_it_was() {
        let mut slab = Slab::default();
        assert_eq!((0..1_500).map(|record| slab.insert(record)).last(), Some(1_499));
        slab.remove(3);
        let frozen = slab.frozen();
        slab.remove(5);
        *slab.get_mut(1_400) = 0;
        assert_eq!(slab.insert(7), 5);
        assert_eq!(slab.insert(8), 3);
        assert_eq!(slab.insert(9), 1_500);
        assert_eq!((frozen.find(3), frozen.find(5), frozen.get(1_400)), (None, Some(&5), &1_400));
        assert_eq!(frozen.iter().count(), 1_499);
        drop(frozen);
        assert_eq!(slab.iter().count(), 1_501);
        let mut same = Slab::of_slots(slab.frozen().slots().map(|(_, place)| place.copied()));
        assert!(same.slots().eq(slab.slots()));
        same.remove(9);
        assert_eq!(same.insert(1), 9);
    }
}
