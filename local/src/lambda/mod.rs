//! Lambda: the functions of the template, their processes, and what feeds them.

pub mod asynchronous;
pub mod mapping;
pub mod process;
