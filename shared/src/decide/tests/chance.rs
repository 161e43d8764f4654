//! Stories that nobody thought of: whatever happens in whatever order, the invariants hold after
//! every write (the stage checks them), and every release comes to an end or to a person.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::command::{self, Ending, RollbackOptions};
use crate::decide::{Finding, Sightings, decide};
use crate::model::{Cause, Phase, TaskFailure};
use crate::stage::{Answer, Behaviour, Chance, Stage, arn, digest, target};

const SERVICES: [&str; 4] = ["Rag", "Billing", "Carousel", "Chat"];

/// As many stories as a few seconds pay for; each is known by its seed.
const STORIES: u64 = 200;

#[test]
fn whatever_happens_everything_ends_whole_or_back_or_with_a_person() {
    let mut ends = BTreeMap::new();
    for seed in 0..STORIES {
        let mut story = Story::new(seed);
        for _ in 0..60 {
            story.something_happens();
        }
        story.all_is_well_again();
        story.check();
        for release in story.stage.table.releases.values() {
            *ends.entry(release.phase.name()).or_insert(0) += 1;
        }
    }
    // A generator that never reaches a state proves nothing about it.
    for end in ["live", "rolled_back", "abandoned", "superseded", "refused"] {
        assert!(ends.get(end).is_some_and(|count| *count > 5), "{end} in {ends:?}");
    }
}

struct Story {
    seed: u64,
    chance: Chance,
    stage: Stage,
    pushes: u32,
    rollbacks_asked: usize,
    /// Somebody else, or a person who takes the world as it is, had a hand in it.
    meddled: bool,
}

impl Story {
    fn new(seed: u64) -> Self {
        let mut stage = Stage::of(&[&SERVICES[..1], &SERVICES[1..]]);
        stage.config_mut().watch.bake = Duration::from_secs(60);
        Self {
            seed,
            chance: Chance::new(seed),
            stage,
            pushes: 0,
            rollbacks_asked: 0,
            meddled: false,
        }
    }

    fn something_happens(&mut self) {
        let service = *self.chance.pick(&SERVICES);
        match self.chance.below(40) {
            0..4 => self.push(),
            4 => self.push_again(),
            5..22 => self.stage.tick(),
            22..26 => self.stage.pass(self.chance.below(90) + 1),
            26 | 27 => self.crash_between_two_writes(),
            28 => self.deploy_answers_otherwise(service),
            29 | 30 => self.what_was_in_the_way_is_gone(),
            31 => self.a_task_stops(service),
            32 => self.ecs_rolls_back(service),
            33 => self.somebody_updates(service),
            34 => self.a_call_lands_late(service),
            35 => self.freeze_or_unfreeze(),
            36 => self.the_survey_finds_otherwise(service),
            37 => self.an_operator_blocks_what_came_last(),
            _ => self.an_operator_decides(),
        }
    }

    fn push(&mut self) {
        self.pushes += 1;
        let bytes = format!("{:04x}", self.pushes);
        let behaves =
            [Behaviour::Healthy, Behaviour::Healthy, Behaviour::Crashes, Behaviour::Hangs];
        self.stage.behaviours.insert(digest(&bytes), *self.chance.pick(&behaves));
        self.stage.push(&bytes);
    }

    fn push_again(&mut self) {
        let earlier = format!("{:04x}", self.chance.below(u64::from(self.pushes) + 1));
        let first_seen = self.stage.table.seen.get(&digest(&earlier)).copied();
        let Some(first_seen) = first_seen else { return };
        let tag = format!("prod-{earlier:0>8}");
        let bytes = crate::stage::image("app", &earlier, &tag, first_seen);
        self.stage.push_as("app", &tag, bytes);
    }

    /// Only the first of what should be written is; the next wake-up finds the rest.
    fn crash_between_two_writes(&mut self) {
        let now = self.stage.now + Duration::from_secs(1);
        self.stage.now = now;
        let seen =
            if self.chance.below(2) == 0 { Sightings::new() } else { self.stage.sightings() };
        let plan = decide(&self.stage.table.scene(), &seen, now);
        if let Some(change) = plan.changes.first() {
            self.stage.write(change);
        }
    }

    fn deploy_answers_otherwise(&mut self, service: &str) {
        let answers = [
            Answer::Refuses("AccessDenied"),
            Answer::Throttles(Duration::from_secs(20)),
            Answer::Throttles(Duration::from_secs(45)),
            Answer::FindsDrift,
            Answer::Never,
        ];
        let answer = *self.chance.pick(&answers);
        self.stage.answers.insert(service.to_owned(), answer);
    }

    fn what_was_in_the_way_is_gone(&mut self) {
        self.stage.answers.clear();
        self.stage.findings.clear();
        self.stage.services.values_mut().for_each(|service| service.unknown = false);
    }

    fn the_survey_finds_otherwise(&mut self, service: &str) {
        let finding = match self.chance.below(3) {
            0 => Finding::Busy("ecs-svc/9".to_owned()),
            1 => Finding::Unfit("CodeDeploy deploys it".to_owned()),
            _ => {
                self.stage.services.get_mut(service).unwrap().unknown = true;
                return;
            }
        };
        self.stage.findings.insert(service.to_owned(), finding);
    }

    fn an_operator_blocks_what_came_last(&mut self) {
        let last = digest(&format!("{:04x}", self.pushes));
        let block = |scene: &_, actor: &_, now| command::block(scene, &last, actor, "leaks", now);
        let _ = self.stage.command(block);
    }

    fn a_task_stops(&mut self, service: &str) {
        let reasons: [fn(&mut TaskFailure); 3] = [
            |_| {},
            |task| task.stop_code = "SpotInterruption".to_owned(),
            |task| task.reason = "CannotPullContainerError: manifest unknown".to_owned(),
        ];
        let how = *self.chance.pick(&reasons);
        self.stage.task_stops(service, how);
    }

    fn ecs_rolls_back(&mut self, service: &str) {
        let (now, same_id) = (self.stage.now, self.chance.below(2) == 0);
        let service = self.stage.services.get_mut(service).unwrap();
        if service.deployments.len() > 1 {
            service.roll_back_by_itself(same_id, now);
        }
    }

    fn somebody_updates(&mut self, service: &str) {
        // Every other story is without: there it must come out right by itself.
        if self.seed.is_multiple_of(2) {
            return;
        }
        self.meddled = true;
        let now = self.stage.now;
        self.stage.services.get_mut(service).unwrap().update(&arn(service, 99), now);
    }

    /// A call that deploy sent and nobody saw answered lands now.
    fn a_call_lands_late(&mut self, service: &str) {
        let now = self.stage.now;
        let Some(slot) = self.stage.table.slots.get_mut(&target(service)) else { return };
        let slot = Arc::make_mut(slot);
        if slot.phase.name() != "returning" || slot.answer().is_none() {
            return;
        }
        let ours = slot.ours().unwrap().to_owned();
        slot.done.lost = Some(now);
        slot.done.step += 1;
        self.stage.services.get_mut(service).unwrap().update(&ours, now);
    }

    fn freeze_or_unfreeze(&mut self) {
        let freeze = self.stage.table.head.freeze.is_none();
        // Refused where a person must decide first: that is an answer too.
        let _ = self.stage.command(|scene, actor, now| {
            if freeze {
                command::freeze(scene, actor, "audit", now)
            } else {
                command::unfreeze(scene, actor, "done", now)
            }
        });
    }

    fn an_operator_decides(&mut self) {
        self.stage.now += Duration::from_secs(1);
        let ending = Ending::Fail { include_drifted: self.chance.below(2) == 0 };
        let options = RollbackOptions { block: true, freeze: false };
        let earlier = self.stage.table.releases.values();
        let earlier: Vec<_> = earlier
            .filter(|release| matches!(release.phase, Phase::Live { .. }))
            .cloned()
            .collect();
        let to = self.chance.pick(&earlier).clone();
        let word = self.chance.below(6);
        if self.seed.is_multiple_of(2) && matches!(word, 2 | 3) {
            return;
        }
        self.meddled |= matches!(word, 2 | 3);
        let said = self.stage.command(|scene, actor, now| match word {
            0 | 1 => command::rollback_moving(scene, actor, ending, now),
            2 => command::accept(scene, actor, now),
            3 => command::abandon(scene, actor, now),
            4 => command::rollback_to(scene, &to, actor, options, now),
            _ => command::start(scene, to.images.clone(), actor, now),
        });
        self.rollbacks_asked += usize::from(word < 2 && said.is_ok());
    }

    /// Whatever was broken is mended, and a person decides what only a person can.
    fn all_is_well_again(&mut self) {
        self.what_was_in_the_way_is_gone();
        for behaviour in self.stage.behaviours.values_mut() {
            *behaviour = Behaviour::Healthy;
        }
        while self.stage.table.head.moving.or(self.stage.table.head.waiting).is_some() {
            self.stage.now += Duration::from_secs(1);
            let held = self.stage.table.scene().moving.is_some_and(|release| {
                matches!(release.phase, Phase::Surveying { held: Some(_), .. })
            });
            let accepted =
                self.stage.command(if held { command::abandon } else { command::accept });
            self.meddled |= accepted.is_ok() && !held;
            let _ = self
                .stage
                .command(|scene, actor, now| command::unfreeze(scene, actor, "done", now));
            if self.stage.table.head.moving.is_some() {
                self.stage.play();
            }
        }
    }

    fn check(&self) {
        let (seed, table) = (self.seed, &self.stage.table);
        for release in table.releases.values() {
            assert!(release.phase.is_ended(), "seed {seed}: {} {:?}", release.id, release.phase);
        }
        let begun = table.journal.iter().filter(|entry| entry.to == "rolling_back").count();
        let failed = table.releases.values().filter(|release| release.failure.is_some()).count();
        assert!(
            begun <= failed + self.rollbacks_asked,
            "seed {seed}: rollback_does_not_loop: {begun} rollbacks of {failed} failed releases"
        );
        let live = &table.releases[&table.head.live.unwrap()].images["app"].digest;
        for (name, service) in self.stage.services.iter().filter(|_| !self.meddled) {
            assert_eq!(service.running_digest(), *live, "seed {seed}: whole_or_back: {name}");
        }
        let mut newest = None;
        let pushed = table.releases.values().filter(|release| release.cause == Cause::Push);
        for release in pushed {
            let pushed_at = Some(release.images["app"].pushed_at);
            assert!(pushed_at >= newest, "seed {seed}: never_backwards: {}", release.id);
            newest = pushed_at;
        }
    }
}
