//! AWS on a laptop, and the digital twin of the tests.

pub mod api;
pub mod call;
pub mod ecr;
pub mod iam;
pub mod pattern;
pub mod template;
pub mod wire;
pub mod agenda;
pub mod dynamodb;
pub mod faults;
pub mod lambda;
pub mod streams;
