//! Time as a value: UTC with microseconds, and lengths in seconds.

use crate::text::through_text;
use crate::{ParseError, TextValue};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use std::fmt;
use std::time::Duration;

/// A moment: microseconds since 1970 in UTC. Text: RFC 3339 with six fraction digits and `Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

/// 9999-12-30T22:00:00Z, the last moment that prints: jiff leaves room for every offset before the year 10000.
const LAST: u64 = 253_402_207_200_000_000;

impl Time {
    /// From microseconds since 1970; later than 9999-12-30T22:00:00Z becomes that moment.
    pub const fn from_micros(micros: u64) -> Self {
        Self(if micros > LAST { LAST } else { micros })
    }

    /// From whole seconds since 1970.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self::from_micros(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> u64 {
        self.0 / 1_000_000
    }

    /// This moment and `ttl` after it.
    #[must_use]
    pub const fn after(self, ttl: Ttl) -> Self {
        Self::from_micros(self.0.saturating_add(ttl.0.saturating_mul(1_000_000)))
    }

    /// How long after `earlier` this is; zero if it isn't.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = i64::try_from(self.0).map_err(|_| fmt::Error)?;
        let timestamp = Timestamp::from_microsecond(micros).map_err(|_| fmt::Error)?;
        let mut text = String::new();
        DateTimePrinter::new().precision(Some(6)).print_timestamp(&timestamp, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl TextValue for Time {
    const WANTED: &'static str = "a time";
    fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new(text, Self::WANTED, "it is like `2026-11-22T10:00:00.000001Z`");
        let timestamp: Timestamp = text.parse().map_err(|_| wrong())?;
        let time = u64::try_from(timestamp.as_microsecond()).map(Self::from_micros).map_err(|_| wrong())?;
        // One textual form only: what does not print back the same was not in it.
        if time.to_string() == text { Ok(time) } else { Err(wrong()) }
    }
}

/// A length of time in whole seconds. Text: a count and `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(u64);

impl Ttl {
    /// From seconds; more than a hundred years becomes a hundred years.
    pub const fn from_seconds(seconds: u64) -> Self {
        const CENTURY: u64 = 100 * 365 * 86_400;
        Self(if seconds > CENTURY { CENTURY } else { seconds })
    }

    /// Whole seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            s if s > 0 && s % 86_400 == 0 => write!(f, "{}d", s / 86_400),
            s if s > 0 && s % 3_600 == 0 => write!(f, "{}h", s / 3_600),
            s if s > 0 && s % 60 == 0 => write!(f, "{}m", s / 60),
            s => write!(f, "{s}s"),
        }
    }
}

impl TextValue for Ttl {
    const WANTED: &'static str = "a length of time";
    fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = |why: &str| ParseError::new(text, Self::WANTED, why);
        let unit = match text.as_bytes().last() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3_600,
            Some(b'd') => 86_400,
            _ => return Err(wrong("it is a count and `s`, `m`, `h` or `d`, like `30m`")),
        };
        let digits = text.get(..text.len() - 1).unwrap_or_default();
        if digits.is_empty() || digits.len() > 10 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong("it is a count and `s`, `m`, `h` or `d`, like `30m`"));
        }
        let count: u64 = digits.parse().map_err(|_| wrong("the count is too large"))?;
        let seconds = count * unit;
        if Self::from_seconds(seconds).0 == seconds { Ok(Self(seconds)) } else { Err(wrong("it is more than a hundred years")) }
    }
}

through_text!(Time, Ttl);

/// One reading of both clocks. The boot clock never steps; the wall clock may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The wall clock.
    pub wall: Time,
    /// Time since an arbitrary start that never jumps (`CLOCK_BOOTTIME`).
    pub boot: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_six_digits_and_reads_nothing_else() {
        let time = Time::from_micros(1_795_341_600_000_001);
        assert_eq!(time.to_string(), "2026-11-22T10:00:00.000001Z");
        assert_eq!(Time::parse("2026-11-22T10:00:00.000001Z"), Ok(time));
        for other in ["2026-11-22T10:00:00Z", "2026-11-22T11:00:00.000001+01:00", "2026-11-22t10:00:00.000001Z", "now", ""] {
            assert!(Time::parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn every_time_prints() {
        for micros in [0, LAST - 1, LAST, LAST + 1, u64::MAX] {
            let time = Time::from_micros(micros);
            assert_eq!(Time::parse(&time.to_string()), Ok(time));
        }
    }

    #[test]
    fn lengths_round_trip_in_their_largest_unit() {
        for text in ["90d", "1h", "30m", "59s", "0s"] {
            assert_eq!(Ttl::parse(text).unwrap().to_string(), text);
        }
        for other in ["", "h", "-1h", "1w", "99999999999s", "1000000000d", "1 h"] {
            assert!(Ttl::parse(other).is_err(), "{other}");
        }
    }
}
