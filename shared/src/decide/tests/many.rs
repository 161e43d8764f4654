//! A hundred services in one wave: every transaction fits, and a crash between two is continued.

use std::time::Duration;

use super::back::FAIL;
use crate::command::{self, Ending};
use crate::decide::{Sightings, conclude, decide};
use crate::model::{Change, NoticeKind as N, Scene};
use crate::stage::{Behaviour, Refusal, Stage, arn, digest, names};

const SERVICES: usize = 100;

fn hundred() -> Stage {
    let names = names(SERVICES);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    Stage::of(&[&names])
}

fn count(stage: &Stage, phase: &str) -> usize {
    stage.table.slots.values().filter(|slot| slot.phase.name() == phase).count()
}

#[test]
fn a_hundred_services_go_live_twice() {
    let mut stage = hundred();
    for (bytes, number) in [("b1", 2), ("b2", 3)] {
        stage.push(bytes);
        stage.play();
        assert_eq!(stage.phase(number), "live");
    }
    // The second release has their past copies to write as well.
    assert_eq!(stage.table.past.len(), SERVICES);
}

#[test]
fn a_hundred_services_come_back() {
    let mut stage = hundred();
    stage.behaviours.insert(digest("bad"), Behaviour::Crashes);
    stage.push("bad");
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    assert_eq!(stage.told(), [N::Started, N::RollbackStarted, N::RolledBack]);
    assert!(stage.services.values().all(|service| service.running_digest() == digest("01d")));
}

#[test]
fn a_survey_that_died_between_two_chunks_goes_on() {
    let mut stage = hundred();
    stage.push("b1");
    let found = stage.found();
    for taken in [30, 60] {
        let plan = conclude(&stage.table.scene(), &found, stage.now);
        stage.write(&plan.changes[0]);
        assert_eq!((stage.phase(2), count(&stage, "queued")), ("surveying", taken));
    }
    stage.play();
    assert_eq!(stage.phase(2), "live");
}

/// Everything is surveyed, and the first chunk of the wave is asked.
fn opened_in_part() -> Stage {
    let mut stage = hundred();
    stage.push("b1");
    let (found, now) = (stage.found(), stage.now);
    while stage.phase(2) == "surveying" {
        let plan = conclude(&stage.table.scene(), &found, now);
        stage.write(&plan.changes[0]);
    }
    stage
}

#[test]
fn a_wave_that_opened_in_part_opens_whole_with_the_next_wake_up() {
    let mut stage = opened_in_part();
    assert_eq!((count(&stage, "applying"), count(&stage, "queued")), (30, 70));
    stage.advance();
    assert_eq!(count(&stage, "applying"), SERVICES);
    let opened = stage.table.journal.iter().filter(|entry| entry.to == "rolling").count();
    assert_eq!(opened, 1, "one change, one entry");
}

#[test]
fn a_wave_does_not_open_further_beside_a_person_who_stops_the_release() {
    let mut stage = opened_in_part();
    let scene = stage.table.scene();
    let (further, now) = (decide(&scene, &Sightings::new(), stage.now), stage.now);
    let back = command::rollback_moving(&scene, "ada", FAIL, now).unwrap();
    stage.write(&back);
    // The two have no target in common: what goes back first is what was asked already.
    let late = stage.table.write(&further.changes[0]);
    assert!(matches!(late, Err(Refusal::Superseded(_))), "{late:?}");
}

#[test]
fn a_rollback_that_was_asked_in_part_is_asked_whole_with_the_next_wake_up() {
    let mut stage = hundred();
    stage.push("b1");
    stage.work();
    let change = command::rollback_moving(&stage.table.scene(), "ada", FAIL, stage.now);
    stage.write(&change.unwrap());
    assert_eq!((count(&stage, "returning"), count(&stage, "settling")), (30, 70));
    let plan = decide(&stage.table.scene(), &Sightings::new(), stage.now);
    stage.write(&plan.changes[0]);
    assert_eq!(count(&stage, "returning"), 60);
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    let began = stage.table.journal.iter().filter(|entry| entry.to == "rolling_back").count();
    assert_eq!(began, 1, "one change, one entry");
}

#[test]
fn a_hundred_failed_rollbacks_are_tried_again() {
    let mut stage = hundred();
    stage.push("b1");
    stage.work();
    stage.answers = stage
        .services
        .keys()
        .map(|name| (name.clone(), crate::stage::Answer::Refuses("AccessDenied")))
        .collect();
    let back = |scene: &Scene, actor: &str, now| command::rollback_moving(scene, actor, FAIL, now);
    stage.command(back).unwrap();
    stage.work();
    assert_eq!((stage.phase(2), count(&stage, "return_failed")), ("rollback_failed", SERVICES));
    stage.answers.clear();
    stage.now += Duration::from_secs(1);
    stage.command(back).unwrap();
    assert_eq!(count(&stage, "returning"), SERVICES);
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
}

#[test]
fn what_drifted_in_masses_goes_back_in_as_many_commands_as_it_takes() {
    let mut stage = hundred();
    stage.push("b1");
    stage.work();
    let now = stage.now;
    for (name, service) in &mut stage.services {
        service.update(&arn(name, 99), now);
        service.complete();
    }
    stage.look();
    assert_eq!(count(&stage, "drifted"), SERVICES);
    for _ in 0..4 {
        assert_eq!(stage.phase(2), "drifted");
        stage.now += Duration::from_secs(1);
        let ending = Ending::Fail { include_drifted: true };
        let back =
            |scene: &Scene, actor: &str, now| command::rollback_moving(scene, actor, ending, now);
        stage.command(back).unwrap();
        stage.play();
    }
    assert_eq!(stage.phase(2), "rolled_back");
}

#[test]
fn a_hundred_services_are_let_go_in_chunks() {
    let mut stage = hundred();
    stage.push("b1");
    stage.work();
    let change = command::abandon(&stage.table.scene(), "ada", stage.now).unwrap();
    stage.write(&change);
    assert_eq!((count(&stage, "left"), stage.table.head.moving), (30, Some(2)));
    assert!(stage.table.head.freeze.is_some(), "nothing new starts meanwhile");
    let again = |scene: &Scene, actor: &str, now| -> Result<Change, _> {
        command::abandon(scene, actor, now)
    };
    assert!(again(&stage.table.scene(), "ada", stage.now).is_err(), "once is enough");
    stage.advance();
    assert_eq!((count(&stage, "left"), stage.table.head.moving), (SERVICES, None));
    assert!(stage.table.slots.values().all(|slot| slot.todo.is_none()));
    assert_eq!(stage.told(), [N::Started, N::Abandoned]);
}

#[test]
fn a_hundred_services_are_accepted_in_one_write() {
    let mut stage = hundred();
    stage.config_mut().on_failure = crate::config::OnFailure::Freeze;
    stage.push("b1");
    stage.work();
    stage.task_stops("s000", |_| {});
    assert_eq!(stage.phase(2), "frozen");
    stage.command(command::accept).unwrap();
    assert_eq!(stage.phase(2), "live");
}
