//! Places, holds and lengths of time as people write them on the command line.

use std::str::FromStr;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use usher_proto::v1;
use uuid::Uuid;

/// Which places.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct PlacesArgs {
    /// Seat by its label; may stand several times
    #[arg(long = "seat", value_name = "SECTION/ROW/SEAT", value_parser = parse_label)]
    seats: Vec<v1::SeatLabel>,
    /// Seat by its number, from 0; may stand several times
    #[arg(long = "index", value_name = "N")]
    indexes: Vec<u32>,
    /// Units of a general-admission section; may stand several times
    #[arg(long = "ga", value_name = "SECTION=QUANTITY", value_parser = parse_ga)]
    ga: Vec<v1::GaQuantity>,
}

impl PlacesArgs {
    /// `None` if no place is named.
    pub(super) fn into_places(self) -> Option<v1::Places> {
        let places = v1::Places { seat_indexes: self.indexes, seats: self.seats, ga: self.ga };
        (places != v1::Places::default()).then_some(places)
    }
}

/// The row and the seat are the last two parts, so that a section's name may have slashes.
pub(super) fn parse_label(text: &str) -> anyhow::Result<v1::SeatLabel> {
    let mut parts = text.rsplitn(3, '/').map(str::to_owned);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(seat), Some(row), Some(section)) => Ok(v1::SeatLabel { section, row, seat }),
        _ => bail!("must be SECTION/ROW/SEAT, such as West/12/7"),
    }
}

pub(super) fn parse_ga(text: &str) -> anyhow::Result<v1::GaQuantity> {
    let (section, quantity) = text.rsplit_once('=').context("must be SECTION=QUANTITY, such as Floor=2")?;
    let quantity = quantity.parse().with_context(|| format!("the quantity {quantity:?} must be a number"))?;
    Ok(v1::GaQuantity { section: section.to_owned(), quantity })
}

/// A hold's id, as a UUID.
#[derive(Clone, Copy, Debug)]
pub(super) struct HoldIdArg(pub(super) Uuid);

impl FromStr for HoldIdArg {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        Uuid::parse_str(text).map(Self).map_err(|error| anyhow!("must be a UUID: {error}"))
    }
}

impl HoldIdArg {
    pub(super) fn bytes(self) -> prost::bytes::Bytes {
        self.0.as_bytes().to_vec().into()
    }
}

/// A length such as `90s`, `10m` or `2h`, in milliseconds.
pub(super) fn parse_length_ms(text: &str) -> anyhow::Result<u64> {
    let split = text.find(|symbol: char| !symbol.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => bail!("must be a number with ms, s, m or h behind it, such as 90s or 10m"),
    };
    let number: u64 = number.parse().context("must begin with a number")?;
    number.checked_mul(factor).context("is too long")
}

/// Money in minor units with its currency, with the two decimals that most currencies have.
pub(super) fn money(minor: u64, currency: &str) -> String {
    format!("{}.{:02} {currency}", minor / 100, minor % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_may_have_slashes_in_its_name() {
        let label = parse_label("East/Upper/12/7a").unwrap();
        assert_eq!((label.section.as_str(), label.row.as_str(), label.seat.as_str()), ("East/Upper", "12", "7a"));
        assert!(parse_label("12/7").is_err());
    }

    #[test]
    fn lengths_need_a_unit() {
        assert_eq!(parse_length_ms("90s").unwrap(), 90_000);
        assert_eq!(parse_length_ms("2h").unwrap(), 7_200_000);
        assert!(parse_length_ms("90").is_err());
        assert!(parse_length_ms("99999999999999999h").is_err());
    }
}
