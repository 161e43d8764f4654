//! What an item says about itself, and who may write it.

mod condition;
mod failure;
mod images;
mod lease;
mod names;
mod release;
mod slot;
mod targets;

use crate::model::{Asked, Slot, Todo};

/// The slot once another request is made: the decider's write, which moves nothing of deploy's.
fn asked_anew(slot: &Slot) -> Slot {
    let asked = Asked { generation: slot.asked.generation + 1, ..slot.asked.clone() };
    let next = Slot { step: slot.step + 1, asked, todo: Some(Todo::Deploy), ..slot.clone() };
    next.over(Some(slot), Some(slot))
}
