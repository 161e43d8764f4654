//! Deploy at a target: claim, look, intend, send, record, read again.

use super::program::{At, Hand, How, Task};
use super::world::{Call, State};
use super::{EveryOrder, promise};
use crate::decide::Seen;
use crate::model::{Outcome, Slot};
use crate::stage::part::Part;
use crate::turn::{self, Known, Next};

impl EveryOrder {
    pub(super) fn deploys(
        &self,
        state: &mut State,
        mut hand: Hand,
        at: At,
        how: How,
    ) -> Option<Hand> {
        let Task::Target(index) = hand.task else { unreachable!() };
        let (now, target) = (state.now(), &self.targets[index]);
        match at {
            At::Asked { again } => {
                match state.table.slots.get(target).filter(|slot| slot.asks_deploy()) {
                    Some(slot) => hand.goes(At::Claiming(Part::new(Slot::clone(slot)))),
                    None if again => hand.advances(State::nothing_seen()),
                    None => None,
                }
            }
            At::Claiming(slot) => match (self.guards.claim)(&slot, hand.owner, now) {
                Ok(note) => {
                    let held = self.write(state, &slot, note);
                    // What needs no look is one step with the claim: nobody can tell them apart.
                    hand.goes(held.map_or(At::Asked { again: true }, |slot| {
                        let known = Known { named: true, ..Known::default() };
                        At::after(turn::next(&slot, &known, now), slot)
                    }))
                }
                Err(_) if hand.waited => hand.advances(State::nothing_seen()),
                Err(until) => {
                    self.note("another's lease was waited for");
                    hand.waited = true;
                    hand.goes(At::Sleeping { until })
                }
            },
            At::Holding(slot) => {
                let seen = state.sighting(index, how == How::Lagging);
                let seen = Some(Seen::Service(Box::new(seen)));
                let known = Known { named: true, seen, ..Known::default() };
                hand.goes(At::after(turn::next(&slot, &known, now), slot))
            }
            At::Intending(slot, revision) => {
                let note = (self.guards.intend)(&slot, revision.clone(), now).unwrap();
                hand.goes(match self.write(state, &slot, note) {
                    Some(slot) => At::Sending(slot, revision),
                    None => At::Asked { again: true },
                })
            }
            At::Sending(slot, revision) => self.sends(state, hand, slot, &revision, how),
            At::Recording(slot, outcome) => {
                let done = slot.done.clone().answered(outcome);
                if self.write(state, &slot, slot.finish(done.clone())).is_some() {
                    return hand.advances(State::nothing_seen());
                }
                if self.write(state, &slot, slot.keep(done)).is_some() {
                    self.note("something newer was asked meanwhile");
                }
                hand.goes(At::Asked { again: true })
            }
            // The lease has run out by now.
            _ => hand.goes(At::Asked { again: true }),
        }
    }

    fn sends(
        &self,
        state: &mut State,
        hand: Hand,
        slot: Part<Slot>,
        revision: &str,
        how: How,
    ) -> Option<Hand> {
        let Task::Target(index) = hand.task else { unreachable!() };
        state.keep(promise::may_be_sent(&state.table, &slot));
        match how {
            How::Well | How::Lagging => {
                let outcome = Outcome::Accepted {
                    deployment: state.update(index, revision),
                    at: state.now(),
                };
                return hand.goes(At::Recording(slot, outcome));
            }
            How::AnswerLost => {
                self.note("an answer was lost");
                state.left.lost -= 1;
                state.left.fault();
                let _ = state.update(index, revision);
            }
            How::NeverSent => {
                self.note("a call was never sent");
                state.left.lost -= 1;
                state.left.fault();
            }
            How::Late => {
                self.note("a call is late");
                state.left.late -= 1;
                state.left.fault();
                state.calls.push(Call {
                    target: index,
                    revision: revision.to_owned(),
                    sent: state.seconds,
                });
            }
        }
        // The invocation fails, and the stream brings the record again.
        state.comes_back(hand.task);
        None
    }
}

impl At {
    /// Where the next step of a turn leads.
    fn after(next: Next, slot: Part<Slot>) -> Self {
        match next {
            Next::Look => Self::Holding(slot),
            Next::Update(revision) => Self::Intending(slot, revision),
            Next::Answer(outcome) => Self::Recording(slot, outcome),
            other => panic!("a pinned service that ECS rolls needs no {other:?}"),
        }
    }
}
