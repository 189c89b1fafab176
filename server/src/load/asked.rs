//! What buyers ask of an inventory and what they are told: the same words for Usher and for whatever it is compared with.
//!
//! A command is a few plain numbers, so that asking for millions of them allocates nothing.

use std::time::Instant;

/// Longest text of [`Name`].
const NAME_BYTES: usize = 32;

/// A command of a buyer.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The show, by its number.
    pub show: u32,
    /// What he wants.
    pub wants: Wants,
    /// The seats that he chose.
    pub seats: Seats,
    /// The hold that it is about.
    pub hold_id: [u8; 16],
    /// Who he is, by his number.
    pub buyer: u64,
    /// When he meant to ask: latency counts from here.
    pub came: Instant,
}

/// Seats side by side, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    /// The first one.
    pub first: u32,
    /// How many; 0 where the buyer chose none.
    pub count: u8,
}

impl Seats {
    /// Each of them.
    pub fn each(self) -> impl Iterator<Item = u32> + Clone {
        self.first..self.first + u32::from(self.count)
    }
}

/// What a buyer wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// The seats that he chose, all or none.
    Hold,
    /// The best seats side by side.
    Best {
        /// How many.
        count: u8,
    },
    /// The seats that he chose in place of those of a hold.
    Replace {
        /// The hold that ends with it.
        former: [u8; 16],
    },
    /// To pay.
    Confirm,
    /// To give back.
    Release,
    /// More time.
    Extend,
    /// To wait for a place.
    Join,
    /// To know how it stands.
    Look,
    /// To wait no more.
    Leave,
}

impl Wants {
    /// Whether it asks for places that the buyer does not have yet.
    #[must_use]
    pub fn is_attempt(self) -> bool {
        matches!(self, Self::Hold | Self::Best { .. } | Self::Replace { .. })
    }
}

/// What a buyer was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The places are his, for a time.
    Held,
    /// Somebody else has one of them.
    Taken,
    /// He has bought them.
    Sold,
    /// They are given back, or he waits no more.
    Released,
    /// He has more time.
    Extended,
    /// He waits.
    Waiting,
    /// What it was about is over: its time was up, or he has left.
    Over,
    /// To come again: there is too much to do, or nobody knows what became of it. The id makes that safe.
    Later,
    /// What nobody expects.
    Wrong(Box<str>),
}

impl Told {
    /// Whether it can be an answer to that. `may_end` says whether holds may end by time.
    #[must_use]
    pub fn answers(&self, wants: Wants, may_end: bool) -> bool {
        match (wants, self) {
            (_, Self::Later) => true,
            (_, Self::Wrong(_)) => false,
            (_, Self::Over) => may_end,
            (wants, Self::Held | Self::Taken) if wants.is_attempt() => true,
            (Wants::Join | Wants::Look, told) => {
                may_end && matches!(told, Self::Waiting | Self::Held | Self::Sold | Self::Taken)
            }
            (Wants::Confirm, told) => *told == Self::Sold,
            (Wants::Release | Wants::Leave, told) => *told == Self::Released,
            (Wants::Extend, told) => *told == Self::Extended,
            _ => false,
        }
    }
}

/// A name made of a word and a number, written without allocating.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    text: [u8; NAME_BYTES],
    starts: usize,
}

impl Name {
    /// `word` and `number`, as `buyer-17`; the word has at most 12 letters of ASCII.
    #[must_use]
    pub fn new(word: &str, number: u64) -> Self {
        let (mut text, mut starts, mut rest) = ([0; NAME_BYTES], NAME_BYTES, number);
        loop {
            starts -= 1;
            text[starts] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let before = starts - word.len();
        text[before..starts].copy_from_slice(word.as_bytes());
        Self { text, starts: before }
    }

    /// Of a buyer.
    #[must_use]
    pub fn of_buyer(number: u64) -> Self {
        Self::new("buyer-", number)
    }

    /// Of his order.
    #[must_use]
    pub fn of_order(number: u64) -> Self {
        Self::new("order-", number)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[self.starts..]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_with_numbers() {
        assert_eq!(Name::of_buyer(0).as_str(), "buyer-0");
        assert_eq!(Name::of_order(u64::MAX).as_str(), "order-18446744073709551615");
    }

    #[test]
    fn a_refused_payment_is_no_answer_where_time_stands() {
        assert!(!Told::Over.answers(Wants::Confirm, false));
        assert!(Told::Over.answers(Wants::Confirm, true));
        assert!(!Told::Taken.answers(Wants::Confirm, true));
        assert!(Told::Taken.answers(Wants::Best { count: 2 }, false));
        assert!(!Told::Sold.answers(Wants::Hold, false));
    }
}
