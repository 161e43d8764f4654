//! Stories: what follows from what was seen, told by the shipped decisions on a [`crate::stage`].

mod alarms;
mod answers;
mod approval;
mod back;
mod bad;
mod chance;
mod checks;
mod drift;
mod ecs_first;
mod good;
mod hold;
mod kinds;
mod looks;
mod many;
mod one_off;
mod order;
mod pre_deploy;
mod retag;
mod skew;
mod start;
mod survey;
mod tasks;
mod told;
mod way_back;
