//! AWS on a laptop, and the digital twin of the tests.
//!
//! In reading order: the models of single services, what arrives at them (calls, over a wire, under
//! a policy), what goes on between them (streams, events, invocations), and the engine that runs it
//! all, either for a person or, in virtual time, for the tests.

pub mod api;

pub mod ecr;
pub mod ecs;
pub mod elb;

pub mod cloudformation;
pub mod cloudwatch;
pub mod dynamodb;
pub mod eventbridge;
pub mod lightsail;
pub mod logs;
pub mod parameters;
pub mod queues;
pub mod scheduled;
pub mod secrets;
pub mod sns;

pub mod call;
pub mod wire;

pub mod pattern;
pub mod template;

pub mod faults;
pub mod iam;
pub mod lambda;
pub mod streams;

pub mod agenda;
pub mod cloud;
pub mod connector;
pub mod engine;
pub mod laptop;
pub mod operator;
pub mod places;
pub mod seed;
pub mod server;
pub mod simulate;
pub mod twin;
