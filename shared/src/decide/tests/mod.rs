//! Stories: what follows from what was seen, told by the shipped decisions on a [`crate::stage`].



mod ecs_first;

mod good;
mod bad;




mod tasks;
