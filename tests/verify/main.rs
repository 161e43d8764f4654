//! `tidegate verify`: all green where all is well, and each fault is exactly its line.

#![expect(clippy::expect_used, reason = "a story whose stage breaks has failed")]

mod environment;
mod installation;
mod permissions;
mod services;
