//! Records that keep their slot while they live, in chunks: growing never moves more than the first chunk and never
//! leaves half the memory unused, as doubling would.

/// Records of a chunk.
const CHUNK: usize = 1_024;

/// Records by slot. A slot is reused after its record was removed, the last one freed first.
#[derive(Debug)]
pub(super) struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Makes room for so many records, at most a chunk of them. Only for an empty slab.
    pub(super) fn expect(&mut self, records: usize) {
        self.chunks = vec![Vec::with_capacity(records.min(CHUNK))];
    }

    /// Stores a record and tells its slot.
    pub(super) fn insert(&mut self, record: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            *self.place(slot) = Some(record);
            return slot;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            // Where no rush is expected, the first chunk grows from nothing: most shows have few records of most kinds.
            let room = if self.chunks.is_empty() { 0 } else { CHUNK };
            self.chunks.push(Vec::with_capacity(room));
        }
        let full_chunks = self.chunks.len() - 1;
        let chunk = &mut self.chunks[full_chunks];
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
        self.chunks.get(slot as usize / CHUNK)?.get(slot as usize % CHUNK)?.as_ref()
    }

    /// The record in a slot that must be in use.
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut T {
        self.place(slot).as_mut().expect("a slot in use")
    }

    /// Every record with its slot.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0u32..).zip(self.chunks.iter().flatten()).filter_map(|(slot, place)| Some((slot, place.as_ref()?)))
    }

    fn place(&mut self, slot: u32) -> &mut Option<T> {
        &mut self.chunks[slot as usize / CHUNK][slot as usize % CHUNK]
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
        assert!(slab.chunks[0].capacity() <= 8);
        for _ in 0..CHUNK {
            slab.insert([0; 100]);
        }
        assert_eq!(slab.chunks.iter().map(Vec::capacity).collect::<Vec<_>>(), [CHUNK, CHUNK]);
    }
}
