//! How long a caller waits: `Request-Timeout` in seconds, or gRPC's own `grpc-timeout`.

use std::time::Duration;

use axum::http::HeaderMap;

/// The header.
pub(super) const HEADER: &str = "Request-Timeout";
/// What of it is meant.
pub(super) const EXPECTED: &str = "must be in seconds, 1 to 3600, such as 2 or 2.5";
/// Who waits for less ends the request himself; a longer wait is none.
pub(super) const SECONDS: [f64; 2] = [1.0, 3_600.0];
/// gRPC's header is obeyed around this, too, with an answer that is gRPC's: this one has to come first.
const EARLIER: Duration = Duration::from_millis(5);

/// The time that a caller gives, if he does; none at all is over already.
///
/// # Errors
/// What is wrong with the header.
pub(super) fn of(headers: &HeaderMap) -> Result<Option<Duration>, &'static str> {
    let own = headers.get(HEADER).map(|value| {
        let seconds = value.to_str().ok().and_then(|text| text.parse::<f64>().ok());
        let seconds = seconds.filter(|seconds| (SECONDS[0]..=SECONDS[1]).contains(seconds));
        seconds.map(Duration::from_secs_f64).ok_or(EXPECTED)
    });
    let grpc = of_headers(headers).map(|wait| wait.saturating_sub(EARLIER));
    Ok([own.transpose()?, grpc].into_iter().flatten().min())
}

/// What gRPC's own header says.
pub(crate) fn of_headers(headers: &HeaderMap) -> Option<Duration> {
    headers.get("grpc-timeout").and_then(|value| of_grpc(value.to_str().ok()?))
}

/// At most eight digits and a unit. Others mean nothing, as around this.
fn of_grpc(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3_600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn check(header: &'static str, value: &'static str, expected: Result<Option<Duration>, &'static str>) {
        let header = HeaderName::from_static(header);
        assert_eq!(of(&HeaderMap::from_iter([(header, HeaderValue::from_static(value))])), expected, "{value}");
    }

    #[test]
    fn either_header_sets_it_and_nonsense_is_refused() {
        assert_eq!(of(&HeaderMap::new()), Ok(None));
        check("request-timeout", "2.5", Ok(Some(Duration::from_millis(2_500))));
        for wrong in ["0.9", "-1", "NaN", "inf", "1s", "", "3601"] {
            check("request-timeout", wrong, Err(EXPECTED));
        }
        check("grpc-timeout", "1S", Ok(Some(Duration::from_millis(995))));
        check("grpc-timeout", "1u", Ok(Some(Duration::ZERO)));
        check("grpc-timeout", "100000000S", Ok(None));
    }
}
