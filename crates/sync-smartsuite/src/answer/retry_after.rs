//! `Retry-After`, which the service is not known to send but a gateway may.

use std::time::Duration;

use http::{HeaderMap, header};
use jiff::{Timestamp, fmt::rfc2822};

/// A longer pause is asked for again after this time: it would stop every sync on the word of one header, and the gate
/// keeps no longer ones. A 429 that survives two pauses stops the sync anyhow.
const PAUSE_MAX: Duration = Duration::from_mins(9);

/// Seconds, or a date, which counts from the answer's own `Date`: our clock may differ from theirs.
pub(super) fn read(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = if let Ok(seconds) = text.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let now = date(headers.get(header::DATE)?.to_str().ok()?)?;
        Duration::try_from(date(text)?.duration_since(now)).ok()?
    };
    Some(pause.min(PAUSE_MAX))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn pause(after: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_str(after).unwrap());
        if let Some(date) = date {
            headers.insert(header::DATE, HeaderValue::from_str(date).unwrap());
        }
        read(&headers).map(|pause| pause.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        assert_eq!(pause("30", None), Some(30));
        let (now, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:37 GMT");
        assert_eq!(pause(later, Some(now)), Some(60));
        assert_eq!(pause(later, None), None);
        assert_eq!(pause(now, Some(later)), None);
    }

    #[test]
    fn nonsense_is_no_pause_and_no_pause_exceeds_nine_minutes() {
        for text in ["", "soon", "-5", "1.5", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(pause(text, Some("Sun, 06 Nov 1994 08:49:37 GMT")), None, "{text}");
        }
        assert_eq!(pause(&u64::MAX.to_string(), None), Some(540));
    }
}
