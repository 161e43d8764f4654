//! The functions' log: Lambda's own controls decide its form and its level.

use tracing::Level;
use tracing_subscriber::fmt;

/// Starts logging as `AWS_LAMBDA_LOG_FORMAT` and `AWS_LAMBDA_LOG_LEVEL` say: template.yaml's
/// `LoggingConfig` sets both. An unknown level is INFO.
///
/// Lambda filters by the `level` and the `timestamp` of each line, so both are in it.
pub fn start() {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let level = variable("AWS_LAMBDA_LOG_LEVEL").parse().unwrap_or(Level::INFO);
    let log = fmt().with_max_level(level).with_ansi(false);
    if variable("AWS_LAMBDA_LOG_FORMAT").eq_ignore_ascii_case("json") {
        log.json().flatten_event(true).init();
    } else {
        log.init();
    }
}
