//! Deploy: does what it is asked, and answers under its lease.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Stage, build, target};
use crate::decide::{self, Finding, Seen};
use crate::model::{Outcome, Phase, Release, TargetId, Todo};
use crate::turn::{self, Known, Next};

/// How deploy answers at a service.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Accepts,
    Refuses(&'static str),
    Throttles(Duration),
    FindsDrift,
    Never,
}

impl Stage {
    /// Deploy does what it is asked, and what is asked meanwhile: surveys and targets.
    pub(crate) fn work(&mut self) {
        self.survey();
        loop {
            let silent = |service: &str| matches!(self.answers.get(service), Some(Answer::Never));
            let asked = self.table.slots.values().filter(|slot| slot.todo == Some(Todo::Deploy));
            let asked = asked.map(|slot| slot.target.name.clone());
            let asked: Vec<_> = asked.filter(|service| !silent(service)).collect();
            for service in &asked {
                self.answer(service);
            }
            self.advance();
            if asked.is_empty() {
                return;
            }
        }
    }

    /// The survey, if one is asked for.
    pub(crate) fn survey(&mut self) {
        let found = self.found();
        if found.is_empty() {
            return;
        }
        let now = self.now;
        let _ = self.carry_out(|table| decide::conclude(&table.scene(), &found, now));
    }

    /// What a survey finds, if one is asked for.
    pub(crate) fn found(&mut self) -> BTreeMap<TargetId, Finding> {
        let asked = self.table.scene().moving;
        let asked =
            asked.filter(|r| r.todo.is_some() && matches!(r.phase, Phase::Surveying { .. }));
        let Some(release) = asked else { return BTreeMap::new() };
        release.targets().map(|t| (t.clone(), self.finding(&release, &t.name))).collect()
    }

    fn finding(&mut self, release: &Release, service: &str) -> Finding {
        if let Some(finding) = self.findings.get(service) {
            return finding.clone();
        }
        let service = self.services.get_mut(service).unwrap();
        let baseline = Box::new(service.baseline(self.now));
        match release.images.get(&service.image) {
            None => Finding::Unaffected { baseline },
            Some(image) => {
                let revision = service.register(release.id.number, &image.digest);
                let (pins, difference) = (vec![build::pin(image)], Vec::new());
                Finding::Ready { baseline, pins, revision, difference }
            }
        }
    }

    /// Deploy answers for one service, under its lease.
    pub(crate) fn answer(&mut self, service: &str) {
        let (now, target) = (self.now, target(service));
        let claim = self.table.slots[&target].claim("deploy", now).unwrap();
        self.table.note(&target, claim);
        let outcome = match self.answers.get(service).copied().unwrap_or(Answer::Accepts) {
            Answer::Never => panic!("a deploy that never answers was waited for"),
            Answer::Refuses(why) => Outcome::Refused { why: why.to_owned(), at: now },
            Answer::Throttles(wait) => Outcome::Throttled { until: now + wait },
            Answer::FindsDrift => Outcome::Drifted { seen: "another one".to_owned(), at: now },
            Answer::Accepts => self.act(&target),
        };
        let slot = &self.table.slots[&target];
        let done = slot.done.clone().answered(outcome);
        let finished = slot.finish(done);
        self.table.note(&target, finished);
    }

    /// What is asked, as far as it needs a call.
    fn act(&mut self, target: &TargetId) -> Outcome {
        let (now, slot) = (self.now, &self.table.slots[target]);
        let service = self.services.get_mut(&target.name).unwrap();
        let seen = Some(Seen::Service(Box::new(service.sighting(now))));
        match turn::next(slot, &Known { named: true, seen, same_bytes: None }, now) {
            Next::Answer(outcome) => outcome,
            Next::Update(revision) => {
                let intent = slot.intend(revision.clone(), now).unwrap();
                self.table.note(target, intent);
                Outcome::Accepted { deployment: service.update(&revision, now), at: now }
            }
            other => panic!("a pinned service that ECS rolls needs no {other:?}"),
        }
    }
}
