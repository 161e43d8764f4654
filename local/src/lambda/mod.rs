//! Lambda: the functions of the template, their processes, and what feeds them.

pub mod asynchronous;
pub mod children;
pub mod in_process;
pub mod mapping;
pub mod process;
pub mod runtime_api;
