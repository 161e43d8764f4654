//! The local AWS as its callers see it: the real template, the real SDK clients, virtual time.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod flow;
mod server;
mod story;
mod wire;
mod world;
