//! What a survey leaves in the table: the targets, each with its way back.

use std::time::Duration;

use crate::decide::{Finding, conclude};
use crate::stage::{Stage, arn, digest, target};

/// What was found is written down, and nothing opens yet.
fn taken(stage: &mut Stage) -> crate::model::Change {
    let found = stage.found();
    let change = conclude(&stage.table.scene(), &found, stage.now).changes.remove(0);
    stage.write(&change);
    change
}

#[test]
fn the_audit_trail_says_what_each_target_ran_and_how_it_goes_back() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    let entry = &taken(&mut stage).journal[0];
    let back = arn("Rag", 1);
    let said =
        format!("surveyed: main runs 01d000000000 (its running tasks); the way back is {back}");
    assert_eq!((entry.from.as_str(), entry.to.as_str()), ("free", "queued"));
    assert_eq!(entry.reason, said);
}

#[test]
fn a_target_counts_on_from_the_release_that_had_it_before() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.play();
    stage.slot_mut("Rag").live = [("main".to_owned(), digest("b1"))].into();
    stage.push("b2");
    let change = taken(&mut stage);
    let (Some(before), after) = &change.slots[0] else { panic!("its first slot") };
    assert_eq!((after.step, after.done.step), (before.step + 1, before.done.step + 1));
    assert_eq!(after.asked.generation, before.asked.generation);
    assert_eq!(after.done.generation, before.done.generation);
    assert_eq!(after.live, before.live, "the next baseline's last resort");
}

#[test]
fn a_survey_that_finds_the_same_in_the_way_is_answered_all_the_same() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.findings.insert("Rag".into(), Finding::Busy("ecs-svc/9".into()));
    stage.push("b1");
    stage.work();
    for nudge in 1..=2 {
        stage.now += Duration::from_secs(60);
        stage.advance();
        assert!(stage.release(2).todo.is_some(), "it is asked again");
        stage.survey();
        assert_eq!((stage.release(2).nudge, stage.release(2).todo), (nudge, None));
    }
}

#[test]
fn people_are_told_of_an_image_that_has_not_come_when_most_copies_would_have() {
    let mut stage = Stage::of(&[&["Rag"]]);
    let found = Finding::Awaited("app@b10000000000 in us-east-1".into());
    stage.findings.insert("Rag".into(), found.clone());
    stage.push("b1");
    stage.work();
    let (scene, found) = (stage.table.scene(), [(target("Rag"), found)].into());
    let told = |minutes| {
        let now = stage.now + Duration::from_mins(minutes);
        conclude(&scene, &found, now).changes.iter().any(|it| it.journal[0].notice.is_some())
    };
    assert_eq!([16, 44, 45].map(told), [false, false, true]);
}
