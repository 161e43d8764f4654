//! The local AWS as its callers see it: the real template, the real SDK clients, virtual time.

mod flow;
mod server;
mod story;
mod wire;
mod world;
