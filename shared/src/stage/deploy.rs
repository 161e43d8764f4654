//! Deploy: does what it is asked, and answers under its lease.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Stage, build, target};
use crate::decide::{self, Finding};
use crate::model::{Action, Outcome, Phase, Release, TargetId, Todo};

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
            let asked = asked.map(|slot| slot.target.service.clone());
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
        release.targets().map(|t| (t.clone(), self.finding(&release, &t.service))).collect()
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
                Finding::Ready { baseline, pins: vec![build::pin(image)], revision }
            }
        }
    }

    /// Deploy answers for one service, under its lease.
    pub(crate) fn answer(&mut self, service: &str) {
        let (now, how) = (self.now, self.answers.get(service).copied());
        let slot = self.table.slots.get_mut(&target(service)).unwrap();
        let ecs = self.services.get_mut(service).unwrap();
        let outcome = match how.unwrap_or(Answer::Accepts) {
            Answer::Never => panic!("a deploy that never answers was waited for"),
            Answer::Refuses(why) => Outcome::Refused { why: why.to_owned(), at: now },
            Answer::Throttles(wait) => Outcome::Throttled { until: now + wait },
            Answer::FindsDrift => Outcome::Drifted { seen: "another one".to_owned(), at: now },
            Answer::Accepts => {
                let revision = match slot.asked.action {
                    Action::None => panic!("deploy was asked for nothing"),
                    Action::Apply => slot.ours().unwrap().to_owned(),
                    Action::RollBack => slot.baseline.revision.clone(),
                };
                slot.done.called = Some(now);
                match ecs.update(&revision, now) {
                    Some(id) => Outcome::Accepted { deployment: Some(id), at: now },
                    None => Outcome::Already { at: now },
                }
            }
        };
        slot.done.step += 1;
        slot.done.generation = slot.asked.generation;
        slot.done.outcome = Some(outcome);
        slot.todo = None;
    }
}
