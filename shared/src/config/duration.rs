//! Durations as people write them: `30s`, `15m`, `2h`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A year is beyond every wait there is; the bound only keeps arithmetic on deadlines safe.
const LONGEST: u64 = 366 * 24 * 60 * 60;

/// The units, from the longest to the shortest: a text names each at most once, in this order.
const UNITS: [(char, u64); 4] = [('d', 24 * 60 * 60), ('h', 60 * 60), ('m', 60), ('s', 1)];

/// A duration in whole seconds, written `30s`, `15m`, `2h`, `1h30m`, `1d`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String", extend("format" = "period"))]
pub struct Period(Duration);

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a duration: {reason}; write `30s`, `15m`, `2h` or `1h30m`")]
pub struct InvalidPeriod {
    /// The text as it came.
    pub found: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Period {
    /// The duration itself.
    pub fn get(self) -> Duration {
        self.0
    }
}

impl From<Duration> for Period {
    /// Parts of a second are dropped, and what is longer than a year is a year.
    fn from(duration: Duration) -> Self {
        Self(Duration::from_secs(duration.as_secs().min(LONGEST)))
    }
}

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        seconds(text)
            .map(|seconds| Self(Duration::from_secs(seconds)))
            .map_err(|reason| InvalidPeriod { found: text.to_owned(), reason })
    }
}

fn seconds(text: &str) -> Result<u64, &'static str> {
    let mut units = UNITS.iter();
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or("a unit is missing")?;
        let amount = &rest[..end];
        let unit = rest[end..].chars().next().ok_or("a unit is missing")?;
        if amount.is_empty() {
            return Err("a number is missing");
        }
        if amount.len() > 1 && amount.starts_with('0') {
            return Err("a number begins with 0");
        }
        let (_, length) = units
            .find(|(name, _)| *name == unit)
            .ok_or("units are d, h, m and s, each once, the longest first")?;
        total = amount
            .parse::<u64>()
            .ok()
            .and_then(|amount| amount.checked_mul(*length))
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= LONGEST)
            .ok_or("it is longer than a year")?;
        rest = &rest[end + unit.len_utf8()..];
    }
    if text.is_empty() { Err("it is empty") } else { Ok(total) }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_secs();
        if rest == 0 {
            return f.write_str("0s");
        }
        for (name, length) in UNITS {
            if rest >= length {
                write!(f, "{}{name}", rest / length)?;
                rest %= length;
            }
        }
        Ok(())
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl TryFrom<String> for Period {
    type Error = InvalidPeriod;

    fn try_from(text: String) -> Result<Self, InvalidPeriod> {
        text.parse()
    }
}

/// Durations in stored JSON are whole seconds: `#[serde(with = "seconds")]`.
pub(crate) mod as_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(value.as_secs())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }

    /// The same for a duration that may be absent.
    pub(crate) mod optional {
        use std::time::Duration;

        use serde::{Deserialize, Deserializer, Serializer};

        #[expect(clippy::ref_option, reason = "serde's signature")]
        pub(crate) fn serialize<S: Serializer>(
            value: &Option<Duration>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => to.serialize_some(&value.as_secs()),
                None => to.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Duration>, D::Error> {
            Ok(Option::<u64>::deserialize(from)?.map(Duration::from_secs))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in
            [("0s", 0), ("30s", 30), ("15m", 900), ("2h", 7_200), ("1h30m", 5_400), ("1d", 86_400)]
        {
            assert_eq!(text.parse::<Period>().unwrap().get().as_secs(), seconds, "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", "it is empty"),
            ("15", "a unit is missing"),
            ("m", "a number is missing"),
            ("15min", "a number is missing"),
            ("1.5h", "units are d, h, m and s, each once, the longest first"),
            ("30m1h", "units are d, h, m and s, each once, the longest first"),
            ("5m5m", "units are d, h, m and s, each once, the longest first"),
            ("15 m", "units are d, h, m and s, each once, the longest first"),
            ("-5m", "a number is missing"),
            ("05m", "a number begins with 0"),
            ("367d", "it is longer than a year"),
            ("99999999999999999999s", "it is longer than a year"),
            ("5µ", "units are d, h, m and s, each once, the longest first"),
        ] {
            assert_eq!(text.parse::<Period>().unwrap_err().reason, reason, "{text}");
        }
    }

    #[test]
    fn what_is_printed_is_parsed_back() {
        for seconds in (0..4_000).chain((4_000..LONGEST).step_by(12_347)).chain([LONGEST]) {
            let period = Period::from(Duration::from_secs(seconds));
            assert_eq!(period.to_string().parse(), Ok(period), "{period}");
        }
    }
}
