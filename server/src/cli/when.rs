//! Instants as people write and read them on the command line.

use anyhow::Context as _;
use usher_engine::time::{Clock as _, Timestamp};

use super::places::parse_length_ms;
use crate::clock::WallClock;

const DAY_MS: u64 = 86_400_000;

/// An instant, in milliseconds since the Unix epoch: `+10m` from now, `2026-12-24T18:00:00Z`, or the number itself.
pub(super) fn parse_when(text: &str) -> anyhow::Result<u64> {
    if let Some(length) = text.strip_prefix('+') {
        return WallClock.now().0.checked_add(parse_length_ms(length)?).context("is too late");
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().context("must be a number of milliseconds");
    }
    parse_utc(text)
        .context("must be +LENGTH such as +10m, UTC such as 2026-12-24T18:00:00Z, or milliseconds since 1970")
}

/// A length of time, also in days, in milliseconds.
pub(super) fn parse_age_ms(text: &str) -> anyhow::Result<u64> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u64>().ok());
    match days {
        Some(days) => days.checked_mul(DAY_MS).context("is too long"),
        None => parse_length_ms(text).context("must be a number with s, m, h or d behind it, such as 10m, 12h or 30d"),
    }
}

fn parse_utc(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers =
        |text: &str, by: char| text.split(by).map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    let (date, time) = (numbers(date, '-')?, numbers(time, ':')?);
    let (&[year, month, day], &[hour, minute, second]) = (date.as_slice(), time.as_slice()) else { return None };
    let fits = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !fits || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let ms = days_of(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1_000;
    // A day that its month does not have comes back as another.
    (utc(ms).starts_with(&text[..10])).then_some(ms)
}

/// Days from 1970-01-01 to a day. Source: Howard Hinnant, `days_from_civil`,
/// <https://howardhinnant.github.io/date_algorithms.html>.
fn days_of(year: u64, month: u64, day: u64) -> u64 {
    // Years begin in March, so that the leap day is the last one.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// In UTC, to the second.
pub(super) fn utc(ms: u64) -> String {
    Timestamp(ms).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_they_are_written() {
        for text in ["1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-12-24T18:00:00Z", "9999-12-31T12:00:00Z"] {
            assert_eq!(utc(parse_when(text).unwrap()), text);
        }
        assert_eq!(parse_when("1000000000000").unwrap(), 1_000_000_000_000);
        assert_eq!(utc(1_000_000_000_000), "2001-09-09T01:46:40Z");
        assert!(parse_when("+10m").unwrap() > WallClock.now().0);
        for wrong in ["tomorrow", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-12-24", "+10", "-1"] {
            assert!(parse_when(wrong).is_err(), "{wrong}");
        }
    }
}
