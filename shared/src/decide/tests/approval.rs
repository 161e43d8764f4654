//! A person's word between the survey and the first wave: bound to what was shown.

use std::time::Duration;

use crate::command::{self, Refused, RollbackOptions};
use crate::config::Approval;
use crate::decide::{Finding, conclude};
use crate::model::{Change, Hold, NoticeKind as N, Release, Scene};
use crate::stage::{OPERATOR, Stage, arn, digest, image, target};

const DAY: Duration = Duration::from_hours(24);

/// A pipeline that asks for a person's word, for a day.
fn careful() -> Stage {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.config_mut().approval = Some(Approval { expires: DAY, unless_tag: None });
    stage
}

/// Release 2 waits for an approval.
fn asked() -> Stage {
    let mut stage = careful();
    stage.push("b1");
    stage.work();
    assert_eq!(stage.told(), [N::Waiting]);
    stage
}

fn moving(stage: &Stage) -> Release {
    stage.table.scene().moving.expect("a release that moves")
}

fn plan(stage: &Stage) -> String {
    moving(stage).approval_asked().expect("an approval that is asked for").0.to_owned()
}

fn approve(stage: &mut Stage, number: u64, plan: &str) -> Result<(), Refused> {
    let wanted = stage.release(number).clone();
    stage.command(|scene, actor, now| {
        command::approve(scene, &wanted, plan, (actor, "ada approved it"), now)
    })
}

fn reject(stage: &mut Stage, number: u64) -> Result<(), Refused> {
    let wanted = stage.release(number).clone();
    stage.command(|scene, actor, now| command::reject(scene, &wanted, actor, "not today", now))
}

/// From now on the survey finds that one more member would change.
fn finds(stage: &mut Stage, difference: &str) {
    let baseline = Box::new(stage.services.get_mut("Rag").unwrap().baseline(stage.now));
    let (pins, revision) = (Vec::new(), "api:8".to_owned());
    let difference = vec![difference.to_owned()];
    let finding = Finding::Ready { baseline, pins, revision, difference };
    stage.findings.insert("Rag".into(), finding);
}

/// From now on a new revision is made from another one than runs.
fn made_from(stage: &mut Stage, base: &str) {
    let mut baseline = Box::new(stage.services.get_mut("Rag").unwrap().baseline(stage.now));
    base.clone_into(&mut baseline.base);
    let (pins, revision, difference) = (Vec::new(), "api:8".to_owned(), Vec::new());
    let finding = Finding::Ready { baseline, pins, revision, difference };
    stage.findings.insert("Rag".into(), finding);
}

fn start(stage: &mut Stage, bytes: &str) {
    let bytes = image("app", bytes, "prod-0000001", stage.now);
    let start = |scene: &Scene, actor: &str, now| -> Result<Change, Refused> {
        command::start(scene, [("app".to_owned(), bytes.clone())].into(), actor, now)
    };
    stage.command(start).unwrap();
    stage.work();
}

#[test]
fn nothing_moves_before_a_person_said_so() {
    let mut stage = asked();
    for _ in 0..10 {
        stage.tick();
    }
    assert_eq!((stage.phase(2), stage.table.slots.len()), ("surveying", 0));
    let waits = stage.advance();
    assert_eq!(waits, ["an approval of p/2"]);
    let plan = plan(&stage);
    approve(&mut stage, 2, &plan).unwrap();
    let given = stage.release(2).approved.clone().unwrap();
    assert_eq!((given.by.as_str(), given.plan), (OPERATOR, plan));
    let why = &stage.table.journal.last().unwrap().reason;
    assert_eq!(*why, format!("approved by {OPERATOR}: surveyed again, then it moves"));
    assert_eq!(stage.release(2).nudge, 1, "deploy is asked once more");
    stage.play();
    assert_eq!(stage.phase(2), "live");
    assert_eq!(stage.told(), [N::Waiting, N::Started, N::Live]);
}

#[test]
fn an_approval_holds_for_what_was_shown_and_nothing_else() {
    let mut stage = asked();
    let shown = plan(&stage);
    approve(&mut stage, 2, &shown).unwrap();
    // Somebody changes the service before deploy surveys it again.
    finds(&mut stage, "cpu: 256 → 1024");
    stage.work();
    assert_eq!(stage.phase(2), "surveying");
    assert_eq!(stage.told(), [N::Waiting, N::Waiting], "people are asked again");
    let last = stage.table.notices().last().unwrap();
    assert!(last.text[1].contains("is not what was approved"), "{:?}", last.text);
    assert!(last.targets[0].ends_with(": cpu: 256 → 1024"), "{:?}", last.targets);
    assert_eq!(stage.release(2).approved, None);
    let refused = approve(&mut stage, 2, &shown).unwrap_err().to_string();
    assert!(refused.contains("is not what was shown any more"), "{refused}");
}

#[test]
fn what_does_not_wait_for_an_approval_is_refused_by_name() {
    let mut stage = asked();
    let shown = plan(&stage);
    let refused = approve(&mut stage, 1, &shown).unwrap_err().to_string();
    assert!(refused.starts_with("p/1 is live and does not wait for an approval"), "{refused}");
    stage.command(|scene, actor, now| command::freeze(scene, actor, "audit", now)).unwrap();
    approve(&mut stage, 2, &shown).unwrap();
    let refused = approve(&mut stage, 2, &shown).unwrap_err().to_string();
    assert!(refused.contains("p/2 was approved by"), "{refused}");

    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.work();
    for refused in [approve(&mut stage, 2, ""), reject(&mut stage, 2)] {
        let refused = refused.unwrap_err().to_string();
        assert!(refused.starts_with("p/2 is rolling and does not wait"), "{refused}");
    }
}

#[test]
fn a_freeze_after_the_approval_keeps_it_and_asks_for_no_second_word() {
    let mut stage = asked();
    let shown = plan(&stage);
    approve(&mut stage, 2, &shown).unwrap();
    stage.command(|scene, actor, now| command::freeze(scene, actor, "audit", now)).unwrap();
    for _ in 0..5 {
        stage.tick();
    }
    assert_eq!((stage.phase(2), stage.table.slots.len()), ("surveying", 0));
    stage.command(|scene, actor, now| command::unfreeze(scene, actor, "done", now)).unwrap();
    stage.play();
    assert_eq!((stage.phase(2), stage.told()), ("live", vec![N::Waiting, N::Started, N::Live]));
}

#[test]
fn an_approval_in_a_frozen_pipeline_waits_for_unfreeze() {
    let mut stage = asked();
    stage.command(|scene, actor, now| command::freeze(scene, actor, "audit", now)).unwrap();
    let shown = plan(&stage);
    approve(&mut stage, 2, &shown).unwrap();
    stage.tick();
    assert_eq!(stage.phase(2), "surveying");
    stage.now += DAY;
    stage.advance();
    assert_eq!(stage.phase(2), "surveying", "what was approved does not expire");
    stage.command(|scene, actor, now| command::unfreeze(scene, actor, "done", now)).unwrap();
    stage.play();
    assert_eq!(stage.phase(2), "live");
}

#[test]
fn what_nobody_answers_expires_and_the_next_push_is_asked_about() {
    let mut stage = asked();
    let until = moving(&stage).approval_asked().unwrap().1;
    stage.now = until - Duration::from_secs(1);
    stage.advance();
    assert_eq!(stage.phase(2), "surveying");
    stage.now = until;
    stage.advance();
    assert_eq!((stage.phase(2), stage.table.head.moving), ("expired", None));
    assert_eq!(stage.told(), [N::Waiting, N::Expired]);
    stage.push("b2");
    stage.work();
    assert_eq!(stage.told(), [N::Waiting, N::Expired, N::Waiting]);
}

#[test]
fn a_newer_push_takes_the_place_of_what_waits() {
    let mut stage = asked();
    let old = plan(&stage);
    stage.push("b2");
    stage.work();
    assert_eq!((stage.phase(2), stage.phase(3)), ("superseded", "surveying"));
    assert_ne!(plan(&stage), old);
    let refused = approve(&mut stage, 2, &old).unwrap_err().to_string();
    assert!(refused.starts_with("p/2 is superseded"), "{refused}");
}

#[test]
fn a_rejected_set_comes_again_by_start_alone() {
    let mut stage = asked();
    reject(&mut stage, 2).unwrap();
    assert_eq!((stage.phase(2), stage.table.head.moving), ("rejected", None));
    assert_eq!(stage.told(), [N::Waiting, N::Rejected]);
    // Another push in between, and the tag goes back to what was rejected.
    for bytes in ["b2", "b1"] {
        stage.now += Duration::from_secs(1);
        stage.push_as("app", "uapi", image("app", bytes, "uapi", stage.now));
        stage.work();
    }
    // It joined nothing: what waits for an approval is b2, and it stays.
    assert_eq!(moving(&stage).images["app"].digest, digest("b2"));
    let why = &stage.table.pushes.last().unwrap().why;
    assert!(why.contains("rejected these images as p/2: not today"), "{why}");
    assert!(why.contains("`tidegate start p/2`"), "{why}");
    start(&mut stage, "b1");
    assert_eq!(moving(&stage).images["app"].digest, digest("b1"));
    assert!(moving(&stage).approval_asked().is_some(), "a start is asked about like a push");
}

#[test]
fn a_set_that_is_rejected_while_it_waits_its_turn_does_not_start() {
    let mut stage = asked();
    reject(&mut stage, 2).unwrap();
    stage.push("b2");
    stage.work();
    let shown = plan(&stage);
    approve(&mut stage, 3, &shown).unwrap();
    stage.work();
    // While release 3 moves, other bytes and then the rejected ones come to wait.
    for bytes in ["b3", "b1"] {
        stage.now += Duration::from_secs(1);
        stage.push_as("app", "uapi", image("app", bytes, "uapi", stage.now));
    }
    assert_eq!(stage.phase(4), "waiting");
    stage.play();
    assert_eq!((stage.phase(3), stage.phase(4)), ("live", "refused"));
}

#[test]
fn a_rollback_waits_for_nobody() {
    let mut stage = careful();
    stage.push("b1");
    stage.work();
    let shown = plan(&stage);
    approve(&mut stage, 2, &shown).unwrap();
    stage.play();
    let to = stage.release(1).clone();
    let options = RollbackOptions { block: true, freeze: true };
    stage
        .command(|scene, actor, now| command::rollback_to(scene, &to, actor, options, now))
        .unwrap();
    stage.play();
    assert_eq!(stage.phase(3), "live");
}

#[test]
fn a_plan_is_the_bytes_the_targets_and_what_would_change() {
    let name = |change: fn(&mut Stage)| {
        let mut stage = careful();
        change(&mut stage);
        stage.push("b1");
        stage.work();
        plan(&stage)
    };
    assert_eq!(name(|_| {}), name(|_| {}));
    assert_ne!(name(|_| {}), {
        let mut stage = careful();
        stage.push("b2");
        stage.work();
        plan(&stage)
    });
    assert_ne!(name(|_| {}), name(|stage| finds(stage, "cpu: 256 → 1024")));
    // What a revision is made from may hold secrets that no difference shows.
    assert_eq!(name(|_| {}), name(|stage| made_from(stage, &arn("Rag", 1))));
    assert_ne!(name(|_| {}), name(|stage| made_from(stage, &arn("Rag", 2))));
}

#[test]
fn a_survey_that_comes_twice_asks_once_unless_it_finds_something_else() {
    let mut stage = careful();
    stage.push("b1");
    let first = stage.found();
    stage.survey();
    let shown = plan(&stage);
    stage.now += Duration::from_hours(1);
    assert!(conclude(&stage.table.scene(), &first, stage.now).changes.is_empty());
    let mut second = first;
    let Some(Finding::Ready { difference, .. }) = second.get_mut(&target("Rag")) else { panic!() };
    difference.push("cpu: 256 → 1024".to_owned());
    let asked_anew = conclude(&stage.table.scene(), &second, stage.now);
    stage.write(&asked_anew.changes[0]);
    assert_ne!(plan(&stage), shown);
    let until = moving(&stage).approval_asked().unwrap().1;
    assert_eq!(until, stage.now + DAY, "there is as much time for it as for the first");
}

#[test]
fn the_moment_of_an_expiry_is_told_to_the_second() {
    let until = "2026-11-22T03:01:00.15072998Z".parse().unwrap();
    let hold = Hold::Approval { plan: "0".repeat(64), changes: Vec::new(), until };
    let said = hold.to_string();
    assert!(said.ends_with("waits for an approval until 2026-11-22T03:01:00Z"), "{said}");
}
