//! The verbs, one file each: what can be typed, what it does, what it says.

pub mod init;
pub mod config;
pub mod start;
pub mod status;
pub mod history;
pub mod show;
pub mod follow;
pub mod wait;
pub mod rollback;
pub mod accept;
pub mod abandon;
pub mod freeze;
pub mod unfreeze;
pub mod block;
pub mod unblock;
