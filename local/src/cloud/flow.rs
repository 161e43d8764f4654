//! What happens by itself: events find their rules, schedules fire, lanes are served, tries run out.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{Cloud, Due, Ended, Invocation, Source};
use crate::api::BusEvent;
use crate::call::Instance;
use crate::faults::{Fault, Occasion};
use crate::lambda::asynchronous::{Event, Next};
use crate::lambda::mapping::{GivenUp, LaneId};
use crate::lambda::process::Outcome;

/// EventBridge delivers "near real time": half a second at least, and events overtake each other.
const DELIVERY: Duration = Duration::from_millis(500);
const DELIVERY_SPREAD_MS: u64 = 700;
/// A schedule fires within a minute of its time; each one keeps its own delay, give or take.
const SCHEDULE_DELAY_MS: u64 = 58_000;
const SCHEDULE_SPREAD_MS: u64 = 2_000;

impl Cloud {
    /// When something happens next without a call.
    pub fn next_due(&self) -> Option<Timestamp> {
        let models = [
            self.agenda.next_due(),
            self.ecs.next_due(),
            self.ecr.next_due(),
            self.scheduled.next_due(),
            self.lightsail.next_due(),
        ];
        let others = self.elsewhere.iter().map(|other| other.ecs.next_due());
        models.into_iter().chain(others).flatten().min()
    }

    /// Lets everything up to `now` happen, each thing at its own time; returns what must start.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Invocation> {
        let mut started = Vec::new();
        while let Some(at) = self.next_due().filter(|at| *at <= now) {
            self.lightsail.advance(at, &self.ecr);
            for run in self.scheduled.fire(at) {
                // A task that cannot start is told by nobody: the next time is another try.
                let _ = self.ecs.call("RunTask", &run, at, &self.ecr);
            }
            let mut events = self.ecr.advance(at);
            events.extend(self.ecs.advance(at, &self.ecr));
            for other in &mut self.elsewhere {
                events.extend(other.ecs.advance(at, &self.ecr));
            }
            events.retain(|event| self.reaches_home(&event.body));
            for event in events {
                self.publish(&event);
            }
            while let Some((_, due)) = self.agenda.take(at) {
                self.happen(due, now, &mut started);
            }
        }
        started
    }

    /// An invocation that somebody asks for and waits for.
    pub fn invoke(&mut self, program: &str, event: Value) -> Invocation {
        self.invocation(program, event, Source::Nobody)
    }

    /// An asynchronous invocation that somebody asks for.
    pub fn invoke_later(&mut self, program: &str, event: Value, now: Timestamp) {
        let event = Event::new(event, now);
        self.agenda.add(now, Due::Event { program: program.to_owned(), event });
    }

    /// An invocation that `instance` served since `began` has ended; whoever waits for it hears how.
    pub fn finish(
        &mut self,
        invocation: Invocation,
        (instance, began): (Instance, Timestamp),
        outcome: Outcome,
        now: Timestamp,
    ) {
        let Invocation { program, event, source, .. } = invocation;
        match (source, &outcome) {
            (Source::Asynchronous(event), Err(error)) => {
                let function = &self.functions[&program];
                match event.failed(function, error, now) {
                    Next::Retry(at, event) => {
                        self.agenda.add(at, Due::Event { program, event });
                    }
                    Next::GiveUp(given_up) => self.park(given_up),
                }
            }
            (Source::Lane { feed, lane }, outcome) => {
                if let Some(given_up) = self.feeds[feed].finish(lane, outcome, now) {
                    self.park(given_up);
                }
                self.wake_lane(feed, lane);
            }
            _ => {}
        }
        self.ended.push(Ended { began, at: now, instance, event, outcome });
    }

    pub(super) fn set_schedules(&mut self, now: Timestamp) {
        let schedules = self.functions.values().flat_map(|function| {
            (0..function.schedules.len()).map(|index| (function.program.clone(), index))
        });
        for (program, index) in schedules.collect::<Vec<_>>() {
            // The delay that this schedule keeps is part of its nominal time.
            let nominal = now + Duration::from_millis(self.dice.u64(..SCHEDULE_DELAY_MS));
            self.agenda.add(nominal, Due::Schedule { program, index, nominal });
        }
    }

    pub(super) fn wake_lane(&mut self, feed: usize, lane: LaneId) {
        if let Some(at) = self.feeds[feed].next_due(lane) {
            self.agenda.add(at, Due::Lane { feed, lane });
        }
    }

    fn happen(&mut self, due: Due, now: Timestamp, started: &mut Vec<Invocation>) {
        match due {
            Due::Event { program, event } => {
                let body = event.body.clone();
                started.push(self.invocation(&program, body, Source::Asynchronous(event)));
            }
            Due::Schedule { program, index, nominal } => {
                let schedule = self.functions[&program].schedules[index].clone();
                let event = Event::new(schedule.input, now);
                let next = nominal + schedule.every;
                let at = next + Duration::from_millis(self.dice.u64(..SCHEDULE_SPREAD_MS));
                let again = Due::Schedule { program: program.clone(), index, nominal: next };
                self.agenda.add(at, again);
                if schedule.enabled {
                    self.happen(Due::Event { program, event }, now, started);
                }
            }
            Due::Lane { feed, lane } => {
                let Some(event) = self.feeds[feed].start(lane, now) else { return };
                let program = self.feeds[feed].program.clone();
                let occasion = Occasion { caller: &program, service: "lambda", action: "Invoke" };
                if self.faults.strike(occasion, |fault| fault == Fault::Duplicate).is_some() {
                    started.push(self.invocation(&program, event.clone(), Source::Nobody));
                }
                started.push(self.invocation(&program, event, Source::Lane { feed, lane }));
            }
            Due::Landing(call, fault) => {
                self.land(call, Some(fault), now);
            }
        }
    }

    /// Each rule that matches gets the event, later.
    fn publish(&mut self, event: &BusEvent) {
        let source = event.body["source"].as_str().unwrap_or_default();
        let service = source.strip_prefix("aws.").unwrap_or(source).to_owned();
        let kind = event.body["detail-type"].as_str().unwrap_or_default();
        let matching = self.functions.values().flat_map(|function| {
            let rules = function
                .rules
                .iter()
                .filter(|rule| rule.enabled && rule.pattern.matches(&event.body));
            rules.map(|_| function.program.clone())
        });
        for program in matching.collect::<Vec<_>>() {
            let occasion = Occasion { caller: "bus", service: &service, action: kind };
            // ECS's events are durable: only ECR's can be lost before EventBridge sees them.
            let possible =
                |fault: Fault| fault.is_of_events() && (fault != Fault::Lose || service == "ecr");
            let fault = self.faults.strike(occasion, possible);
            let copies = match fault {
                Some(Fault::Lose) => 0,
                Some(Fault::Duplicate) => 2,
                _ => 1,
            };
            for _ in 0..copies {
                let delay = DELIVERY + Duration::from_millis(self.dice.u64(..DELIVERY_SPREAD_MS));
                let at = event.at + delay + fault.map(Fault::delay).unwrap_or_default();
                let (program, event) = (program.clone(), Event::new(event.body.clone(), at));
                self.agenda.add(at, Due::Event { program, event });
            }
        }
    }

    fn invocation(&mut self, program: &str, event: Value, source: Source) -> Invocation {
        self.invocations += 1;
        Invocation { number: self.invocations, program: program.to_owned(), event, source }
    }

    fn park(&mut self, given_up: GivenUp) {
        // A function without a queue loses what it fails on, as in AWS; here it can still be seen.
        let queue = given_up.queue.as_deref().unwrap_or("lost");
        self.queues.send(queue, given_up.message);
    }
}
