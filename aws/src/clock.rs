//! The one clock: what the programs, the SDK's signatures, timeouts and retries all go by.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Where time comes from, and how long a wait takes.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone, Copy)]
enum Source {
    /// The wall clock, never a monotonic one: Lambda freezes those between invocations.
    System,
    /// The wall clock, moved and sped up: how the local AWS runs whole processes faster.
    Scaled { origin: Timestamp, real: Timestamp, speed: f64 },
    /// Tokio's clock, counted from `origin`: virtual when tokio's time is paused.
    Tokio { origin: Timestamp, start: Instant },
}

/// Why `TIDEGATE_CLOCK` was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "TIDEGATE_CLOCK is `{found}`, expected `VIRTUAL_MS,REAL_MS,SPEED` with a speed above 0; \
     leave it empty for the system's clock"
)]
pub struct InvalidClock {
    /// The text as it came.
    pub found: String,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The clock that `TIDEGATE_CLOCK` describes: empty is the system's; `VIRTUAL_MS,REAL_MS,SPEED`
    /// showed `VIRTUAL_MS` when the system's clock showed `REAL_MS`, and runs `SPEED` times as fast.
    pub fn parse(text: &str) -> Result<Self, InvalidClock> {
        if text.is_empty() {
            return Ok(Self::system());
        }
        scaled(text).map(Self).ok_or_else(|| InvalidClock { found: text.to_owned() })
    }

    /// Tokio's clock, showing `origin` now.
    pub fn virtual_from(origin: Timestamp) -> Self {
        Self(Source::Tokio { origin, start: Instant::now() })
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        match self.0 {
            Source::System => Timestamp::now(),
            Source::Scaled { origin, real, speed } => {
                let passed = Timestamp::now().duration_since(real).as_secs_f64() * speed;
                later(origin, SignedDuration::try_from_secs_f64(passed).unwrap_or_default())
            }
            Source::Tokio { origin, start } => {
                later(origin, SignedDuration::try_from(start.elapsed()).unwrap_or_default())
            }
        }
    }

    /// Waits until `duration` has passed on this clock.
    pub async fn sleep(&self, duration: Duration) {
        let real = match self.0 {
            Source::Scaled { speed, .. } => duration.div_f64(speed),
            Source::System | Source::Tokio { .. } => duration,
        };
        tokio::time::sleep(real).await;
    }
}

fn scaled(text: &str) -> Option<Source> {
    let (origin, rest) = text.split_once(',')?;
    let (real, speed) = rest.split_once(',')?;
    let moment = |text: &str| Timestamp::from_millisecond(text.parse().ok()?).ok();
    let speed = speed.parse().ok().filter(|speed: &f64| speed.is_normal() && *speed > 0.0)?;
    Some(Source::Scaled { origin: moment(origin)?, real: moment(real)?, speed })
}

/// Past the end of time (the year 9999) the clock stands still.
fn later(origin: Timestamp, passed: SignedDuration) -> Timestamp {
    origin.checked_add(passed).unwrap_or(Timestamp::MAX)
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Source::System => f.write_str("Clock(system)"),
            Source::Scaled { speed, .. } => write!(f, "Clock({}, {speed}x)", self.now()),
            Source::Tokio { .. } => write!(f, "Clock({}, tokio)", self.now()),
        }
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        Clock::now(self).into()
    }
}

impl AsyncSleep for Clock {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.clone();
        Sleep::new(async move { Clock::sleep(&clock, duration).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_system_clock_is_the_wall_clock() {
        let before = Timestamp::now();
        let now = Clock::parse("").unwrap().now();
        assert!(before <= now && now <= Timestamp::now());
    }

    #[test]
    fn a_scaled_clock_starts_where_it_is_told_and_runs_faster() {
        let virtual_start = at("2026-01-01T00:00:00Z");
        let real = Timestamp::now() - MINUTE;
        let text = format!("{},{},10", virtual_start.as_millisecond(), real.as_millisecond());
        let passed = Clock::parse(&text).unwrap().now().duration_since(virtual_start);
        // A minute passed for the machine, so ten here; the slack is a slow machine's.
        assert!(passed >= SignedDuration::from_mins(10), "{passed}");
        assert!(passed < SignedDuration::from_mins(12), "{passed}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_scaled_clock_waits_less() {
        let start = Instant::now();
        Clock::parse("0,0,10").unwrap().sleep(MINUTE).await;
        assert_eq!(start.elapsed(), MINUTE / 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_virtual_clock_moves_with_tokio() {
        let origin = at("2026-01-01T00:00:00Z");
        let clock = Clock::virtual_from(origin);
        assert_eq!(clock.now(), origin);
        AsyncSleep::sleep(&clock, MINUTE).await;
        assert_eq!(clock.now(), origin + MINUTE);
        assert_eq!(TimeSource::now(&clock), SystemTime::from(origin + MINUTE));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["1", "1,2", "1,2,0", "1,2,-1", "1,2,nan", "1,2,inf", "x,2,1", "1,x,1", "1,2,3,4"]
        {
            assert!(Clock::parse(text).is_err(), "{text}");
        }
    }
}
