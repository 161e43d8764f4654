//! The functions' log: Lambda's own controls decide its form and its level.

use tracing::Level;
use tracing_subscriber::fmt;

/// Starts logging as `AWS_LAMBDA_LOG_FORMAT` and `AWS_LAMBDA_LOG_LEVEL` say: template.yaml's
/// `LoggingConfig` sets both. An unknown level is INFO, and TRACE is DEBUG: there the SDK writes down whole
/// requests and answers, and with them credentials and the environments of task definitions.
///
/// Lambda filters by the `level` and the `timestamp` of each line, so both are in it.
pub fn start() {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let level = level(&variable("AWS_LAMBDA_LOG_LEVEL"));
    let log = fmt().with_max_level(level).with_ansi(false);
    if variable("AWS_LAMBDA_LOG_FORMAT").eq_ignore_ascii_case("json") {
        log.json().flatten_event(true).init();
    } else {
        log.init();
    }
}

fn level(name: &str) -> Level {
    name.parse().unwrap_or(Level::INFO).min(Level::DEBUG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_level_shows_what_the_sdk_sends() {
        let levels = ["TRACE", "DEBUG", "warn", "loud"].map(level);
        assert_eq!(levels, [Level::DEBUG, Level::DEBUG, Level::WARN, Level::INFO]);
    }
}
