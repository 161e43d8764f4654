//! What is asked of ECS, byte for byte, and how its answers are read.

mod changes;
mod looks;
mod one_offs;

use super::Ecs;
use crate::Clock;
use crate::fake::{Fake, config};

const TASK_DEFINITION: &str = "arn:aws:ecs:us-west-2:123456789012:task-definition/rag";

fn ecs(fake: &Fake) -> Ecs {
    Ecs::new(&config(fake), &Clock::system())
}

fn digest(letter: &str) -> String {
    format!("sha256:{}", letter.repeat(64))
}
