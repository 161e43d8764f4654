//! The config as a whole: a file's text in, what is wrong with it or what is stored of it out.

#![expect(clippy::unwrap_used, reason = "a test stops where it is surprised")]

mod bytes;
mod init;
mod live;
mod mistakes;
mod schema;
mod stored;

use tidegate_core::config::Config;

/// `examples/someli.yaml`, the file that most tests change in one place.
const SOMELI: &str = include_str!("../../../examples/someli.yaml");

#[track_caller]
fn config(text: &str) -> Config {
    Config::parse("tidegate.yaml", text).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

/// What is wrong with a text, one line for each problem.
#[track_caller]
fn problems(text: &str) -> String {
    Config::parse("tidegate.yaml", text).unwrap_err().to_string()
}

/// The text with one place of it changed.
#[track_caller]
fn with(text: &str, place: &str, instead: &str) -> String {
    assert_eq!(text.matches(place).count(), 1, "`{place}` must stand in the text once");
    text.replace(place, instead)
}
