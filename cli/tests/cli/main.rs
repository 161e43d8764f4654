//! The command line from outside: what is understood, what is said, how it ends.

mod story;

mod exit;
mod golden;
mod parse;
mod run;
