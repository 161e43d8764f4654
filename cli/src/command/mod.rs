//! The verbs, one file each: what can be typed, what it does, what it says.

pub mod abandon;
pub mod accept;
pub mod approve;
pub mod block;
pub mod config;
pub mod follow;
pub mod freeze;
pub mod history;
pub mod init;
pub mod plan;
pub mod reject;
pub mod rollback;
pub mod show;
pub mod start;
pub mod status;
pub mod unblock;
pub mod unfreeze;
pub mod verify;
pub mod wait;
