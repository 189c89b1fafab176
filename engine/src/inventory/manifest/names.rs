//! What the seats of a run are called: a rule where there is one, a list where there is none.
//!
//! It does not check names; `check.rs` does.

use bincode::{Decode, Encode};

use super::{ManifestParts, SectionKind};

/// The names of seats side by side.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum SeatNames {
    /// `first`, `first + step`, ... in decimal; all of them fit into 32 bits.
    Numbered {
        /// The first seat's number.
        first: u32,
        /// From one seat to the next; not 0.
        step: i32,
        /// How many, 1 or more.
        count: u32,
    },
    /// Each its own, 1 to 32 bytes.
    Named(Vec<String>),
}

impl SeatNames {
    /// How many seats.
    #[must_use]
    pub fn len(&self) -> u32 {
        match self {
            Self::Numbered { count, .. } => *count,
            Self::Named(names) => u32::try_from(names.len()).unwrap_or(u32::MAX),
        }
    }

    /// No seat at all, which a checked manifest does not have.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of the seat at `position`, which must be within the run.
    #[must_use]
    pub fn name(&self, position: u32) -> String {
        match self {
            Self::Numbered { first, step, .. } => number(*first, *step, position).to_string(),
            Self::Named(names) => names[position as usize].clone(),
        }
    }

    /// Where the seat of this name is.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<u32> {
        match self {
            Self::Numbered { first, step, count } => {
                let wanted = plain_number(name)?;
                let distance = i64::from(wanted) - i64::from(*first);
                let position = distance.checked_div(i64::from(*step))?;
                let exact = position * i64::from(*step) == distance && (0..i64::from(*count)).contains(&position);
                if exact { u32::try_from(position).ok() } else { None }
            }
            Self::Named(names) => names.iter().position(|own| own == name).and_then(|found| u32::try_from(found).ok()),
        }
    }

    /// The names of `count` seats from `from` on, which must be within the run.
    #[must_use]
    pub fn slice(&self, from: u32, count: u32) -> Self {
        match self {
            Self::Numbered { first, step, .. } => {
                let first = u32::try_from(number(*first, *step, from)).expect("a number within the run");
                Self::Numbered { first, step: if count == 1 { 1 } else { *step }, count }
            }
            Self::Named(names) => Self::Named(names[from as usize..(from + count) as usize].to_vec()),
        }
    }

    /// The last seat's number, as long as it is a number that a seat can have.
    pub(super) fn last_number(&self) -> Option<u32> {
        match self {
            Self::Numbered { first, step, count } => u32::try_from(number(*first, *step, count.checked_sub(1)?)).ok(),
            Self::Named(_) => None,
        }
    }
}

fn number(first: u32, step: i32, position: u32) -> i64 {
    i64::from(first) + i64::from(step) * i64::from(position)
}

/// Decimal digits without leading zeros, as [`SeatNames::name`] writes them.
fn plain_number(name: &str) -> Option<u32> {
    let plain = name == "0" || (!name.starts_with('0') && name.bytes().all(|byte| byte.is_ascii_digit()));
    if plain { name.parse().ok() } else { None }
}

/// Turns lists that follow a rule into the rule, so that two descriptions of the same seats are equal and small.
pub(super) fn normalise(parts: &mut ManifestParts) {
    for section in &mut parts.sections {
        let SectionKind::Reserved(rows) = &mut section.kind else { continue };
        for run in rows.iter_mut().flat_map(|row| &mut row.runs) {
            if let SeatNames::Named(names) = &run.names
                && let Some(rule) = rule_of(names)
            {
                run.names = rule;
            }
            // A single seat has no step of its own.
            if let SeatNames::Numbered { step, count: 1, .. } = &mut run.names
                && *step != 0
            {
                *step = 1;
            }
        }
    }
}

fn rule_of(names: &[String]) -> Option<SeatNames> {
    let first = plain_number(names.first()?)?;
    let second = names.get(1).map(|name| plain_number(name));
    let step = match second {
        Some(second) => i32::try_from(i64::from(second?) - i64::from(first)).ok()?,
        None => 1,
    };
    let follows =
        |(position, name): (u32, &String)| plain_number(name).map(i64::from) == Some(number(first, step, position));
    let count = u32::try_from(names.len()).ok()?;
    (step != 0 && (0u32..).zip(names).all(follows)).then_some(SeatNames::Numbered { first, step, count })
}
