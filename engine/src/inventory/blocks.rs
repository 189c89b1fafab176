//! Places that the organiser withholds: which, in what way, and why.
//!
//! A seat of the house keeps its mark while it is held or sold, and goes back to the house when it comes back. It
//! stores and finds; what may be blocked is decided in `block_places.rs`.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};

use super::seat_bitmap::SeatBitmap;
use crate::ids::{Name, SeatIndex, SectionIndex};

/// Most ways and reasons of blocks in one show.
pub const MARKS_MAX: usize = 255;

/// In what way places are withheld, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Mark {
    /// In what way.
    pub kind: BlockKind,
    /// Why: a tag such as "sponsor" or "camera".
    pub reason: Name,
}

/// In what way places are withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum BlockKind {
    /// For the house: whoever speaks for it may hold and sell them.
    House,
    /// Not to be sold by anyone, for good or until this is taken back.
    Kill,
    /// Not to be sold for the time being.
    Block,
    /// They are offered, a few at a time, to those who wait.
    Returning,
}

/// What is withheld in one show.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocks {
    /// Never shortened: a mark's position is what seats remember.
    marks: Vec<Mark>,
    /// For each seat its mark's position plus 1; empty as long as there was no block.
    seat_marks: Box<[u8]>,
    /// Seats that are blocked now: marked, and neither held nor sold.
    blocked: Option<SeatBitmap>,
    ga: BTreeMap<(SectionIndex, u8), u32>,
}

impl Blocks {
    /// What a snapshot had.
    pub(super) fn of_parts(
        marks: Vec<Mark>,
        seat_marks: Vec<u8>,
        blocked: Option<SeatBitmap>,
        ga: Vec<(SectionIndex, u8, u32)>,
    ) -> Self {
        let ga = ga.into_iter().map(|(section, mark, units)| ((section, mark), units)).collect();
        Self { marks, seat_marks: seat_marks.into(), blocked, ga }
    }

    /// Nothing is marked, and nothing ever was.
    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    pub(super) fn blocked(&self) -> Option<&SeatBitmap> {
        self.blocked.as_ref()
    }

    pub(super) fn is_blocked(&self, seat: SeatIndex) -> bool {
        self.blocked.as_ref().is_some_and(|blocked| blocked.contains(seat))
    }

    /// For each seat its mark's position plus 1; empty as long as there was no block.
    pub(super) fn seat_marks(&self) -> &[u8] {
        &self.seat_marks
    }

    /// The mark of a seat, whether it is blocked now or, as the house's may be, held or sold.
    pub(super) fn mark_of(&self, seat: SeatIndex) -> Option<&Mark> {
        let mark = *self.seat_marks.get(seat.0 as usize)?;
        self.marks.get(usize::from(mark.checked_sub(1)?))
    }

    /// Whether the house may take this seat, which is blocked.
    pub(super) fn is_house(&self, seat: SeatIndex) -> bool {
        self.is_blocked(seat) && self.mark_of(seat).is_some_and(|mark| mark.kind == BlockKind::House)
    }

    /// Marks a seat of a show with so many seats, and says that it is blocked now.
    pub(super) fn mark(&mut self, seat: SeatIndex, mark: u8, seats: u32) {
        self.make_room(seats);
        self.seat_marks[seat.0 as usize] = mark + 1;
        self.set_blocked(seat, true);
    }

    /// A seat is withheld no more.
    pub(super) fn unmark(&mut self, seat: SeatIndex) {
        if let Some(mark) = self.seat_marks.get_mut(seat.0 as usize) {
            *mark = 0;
        }
        self.set_blocked(seat, false);
    }

    /// A marked seat goes to a hold, or comes back from it.
    pub(super) fn set_blocked(&mut self, seat: SeatIndex, is_blocked: bool) {
        let Some(blocked) = &mut self.blocked else { return };
        if is_blocked { blocked.insert(seat) } else { blocked.remove(seat) }
    }

    /// Makes room for the seats of a show, which may have got more.
    pub(super) fn make_room(&mut self, seats: u32) {
        if self.seat_marks.len() < seats as usize {
            let mut marks = std::mem::take(&mut self.seat_marks).into_vec();
            marks.resize(seats as usize, 0);
            self.seat_marks = marks.into();
            self.blocked.get_or_insert_with(|| SeatBitmap::empty(seats)).grow(seats);
        }
    }

    /// The position of a mark, if it was ever used.
    pub(super) fn position(&self, mark: &Mark) -> Option<u8> {
        self.marks.iter().position(|own| own == mark).and_then(|position| u8::try_from(position).ok())
    }

    /// The position of a mark, which is new if need be. There must be room for it.
    pub(super) fn position_or_new(&mut self, mark: &Mark) -> u8 {
        self.position(mark).unwrap_or_else(|| {
            self.marks.push(mark.clone());
            u8::try_from(self.marks.len() - 1).expect("at most 255 marks")
        })
    }

    pub(super) fn is_full(&self) -> bool {
        self.marks.len() >= MARKS_MAX
    }

    /// Seats that are blocked under this mark, ascending.
    pub(super) fn seats_of(&self, mark: &Mark) -> impl Iterator<Item = SeatIndex> + '_ {
        self.marked(mark).filter(|seat| self.is_blocked(*seat))
    }

    /// Seats with this mark, blocked or, as the house's may be, held or sold. Ascending.
    pub(super) fn marked(&self, mark: &Mark) -> impl Iterator<Item = SeatIndex> + '_ {
        let position = self.position(mark).map(|position| position + 1);
        let seats = (0u32..).zip(&self.seat_marks).filter(move |(_, own)| Some(**own) == position);
        seats.map(|(seat, _)| SeatIndex(seat))
    }

    /// Units of a section that are blocked under this mark.
    pub(super) fn units_of(&self, section: SectionIndex, mark: &Mark) -> u32 {
        let position = self.position(mark);
        position.and_then(|position| self.ga.get(&(section, position)).copied()).unwrap_or(0)
    }

    /// Units by section and mark.
    pub(super) fn ga(&self) -> impl Iterator<Item = (SectionIndex, &Mark, u32)> {
        self.ga.iter().map(|(&(section, mark), &units)| (section, &self.marks[usize::from(mark)], units))
    }

    pub(super) fn add_units(&mut self, section: SectionIndex, mark: u8, units: u32) {
        *self.ga.entry((section, mark)).or_default() += units;
    }

    /// The section must have that many under this mark.
    pub(super) fn remove_units(&mut self, section: SectionIndex, mark: u8, units: u32) {
        let blocked = self.ga.entry((section, mark)).or_default();
        *blocked -= units;
        if *blocked == 0 {
            self.ga.remove(&(section, mark));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(kind: BlockKind, reason: &str) -> Mark {
        Mark { kind, reason: Name::new(reason).unwrap() }
    }

    #[test]
    fn a_seat_has_one_mark_and_the_house_keeps_its_own() {
        let (guests, camera) = (mark(BlockKind::House, "guests"), mark(BlockKind::Kill, "camera"));
        let mut blocks = Blocks::default();
        assert!(blocks.is_empty() && blocks.mark_of(SeatIndex(3)).is_none() && !blocks.is_blocked(SeatIndex(3)));
        let (house, kill) = (blocks.position_or_new(&guests), blocks.position_or_new(&camera));
        (1..=3).for_each(|seat| blocks.mark(SeatIndex(seat), house, 100));
        blocks.mark(SeatIndex(3), kill, 100);
        assert!(blocks.is_house(SeatIndex(1)) && !blocks.is_house(SeatIndex(3)) && !blocks.is_house(SeatIndex(4)));
        // Held by the house: marked, and not blocked.
        blocks.set_blocked(SeatIndex(2), false);
        assert_eq!(blocks.seats_of(&guests).collect::<Vec<_>>(), [SeatIndex(1)]);
        assert_eq!(blocks.marked(&guests).collect::<Vec<_>>(), [SeatIndex(1), SeatIndex(2)]);
        assert!(!blocks.is_house(SeatIndex(2)), "nobody may take it from the house");
        blocks.set_blocked(SeatIndex(2), true);
        blocks.unmark(SeatIndex(1));
        assert_eq!(blocks.seats_of(&guests).collect::<Vec<_>>(), [SeatIndex(2)]);
        assert_eq!(blocks.seats_of(&camera).collect::<Vec<_>>(), [SeatIndex(3)]);
    }

    #[test]
    fn units_are_counted_by_section_and_mark() {
        let (rain, fire) = (mark(BlockKind::Block, "rain"), mark(BlockKind::Kill, "fire"));
        let mut blocks = Blocks::default();
        let (first, second) = (blocks.position_or_new(&rain), blocks.position_or_new(&fire));
        blocks.add_units(SectionIndex(1), first, 5);
        blocks.add_units(SectionIndex(1), second, 2);
        blocks.add_units(SectionIndex(2), first, 1);
        blocks.remove_units(SectionIndex(1), first, 3);
        blocks.remove_units(SectionIndex(2), first, 1);
        let units: Vec<_> = blocks.ga().map(|(section, mark, units)| (section.0, mark.clone(), units)).collect();
        assert_eq!(units, [(1, rain.clone(), 2), (1, fire, 2)]);
        assert_eq!(blocks.units_of(SectionIndex(1), &rain), 2);
        assert_eq!(blocks.units_of(SectionIndex(2), &rain), 0);
        assert_eq!(blocks.units_of(SectionIndex(1), &mark(BlockKind::Kill, "rain")), 0, "another way is another mark");
    }

    #[test]
    fn marks_have_an_end_and_seats_may_be_added() {
        let mut blocks = Blocks::default();
        for number in 0..MARKS_MAX {
            assert!(!blocks.is_full());
            blocks.position_or_new(&mark(BlockKind::Block, &format!("reason {number}")));
        }
        assert!(blocks.is_full());
        let last = blocks.position(&mark(BlockKind::Block, "reason 254")).unwrap();
        blocks.mark(SeatIndex(63), last, 64);
        blocks.mark(SeatIndex(200), last, 201);
        assert_eq!(blocks.marked(&mark(BlockKind::Block, "reason 254")).count(), 2);
        assert!(blocks.is_blocked(SeatIndex(200)) && !blocks.is_blocked(SeatIndex(199)));
    }
}
