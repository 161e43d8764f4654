//! When a look is worth a call: events tell, and the minute's tick takes care of the rest.

use std::time::Duration;

use jiff::Timestamp;

use crate::command;
use crate::decide::{all_told, bake_is_over, due, ends_at, note_told, open};
use crate::model::{Outcome, Phase, Scene, SlotPhase, TargetId, TargetKind};
use crate::stage::{Answer, Stage, target};

/// Rag and Billing settle; the wave of Carousel is closed.
fn settling() -> Stage {
    let mut stage = Stage::of(&[&["Rag", "Billing"], &["Carousel"]]);
    stage.push("b1");
    stage.work();
    let expected = [("Billing", "settling"), ("Carousel", "queued"), ("Rag", "settling")];
    assert_eq!(stage.slots(), expected);
    stage
}

fn after(stage: &Stage, seconds: u64) -> Timestamp {
    stage.now + Duration::from_secs(seconds)
}

fn names(targets: &[TargetId]) -> Vec<&str> {
    targets.iter().map(|target| target.name.as_str()).collect()
}

fn due_now(stage: &Stage) -> Vec<String> {
    due(&stage.table.scene(), stage.now).into_iter().map(|target| target.name).collect()
}

/// The scene with Rag as a schedule.
fn scheduled(stage: &Stage) -> Scene {
    let mut scene = stage.table.scene();
    let mut slot = scene.slots.remove(&target("Rag")).unwrap();
    slot.target.kind = TargetKind::Schedule;
    scene.slots.insert(slot.target.clone(), slot);
    scene
}

#[test]
fn what_ecs_tells_of_is_looked_at_when_it_told_or_should_have() {
    let mut stage = settling();
    let scene = stage.table.scene();
    assert_eq!(names(&due(&scene, after(&stage, 74))), [""; 0]);
    let all = ["Billing", "Carousel", "Rag"];
    assert_eq!(names(&due(&scene, after(&stage, 75))), all, "the next wave comes along");
    assert_eq!(names(&due(&scheduled(&stage), stage.now)), all, "a schedule is never told of");
    let now = stage.now;
    stage.slot_mut("Rag").told_at = Some(now);
    assert_eq!(due_now(&stage), all);
}

#[test]
fn a_deadline_that_comes_sooner_is_looked_at_when_it_comes() {
    let mut stage = settling();
    let (since, deadline) = (stage.now, after(&stage, 30));
    for service in ["Rag", "Billing"] {
        stage.slot_mut(service).phase = SlotPhase::Settling { since, deadline };
    }
    let scene = stage.table.scene();
    assert_eq!(due(&scene, after(&stage, 29)), []);
    assert_eq!(due(&scene, deadline).len(), 3);
    assert_eq!(ends_at(&scene), Some(deadline));
}

#[test]
fn what_goes_back_is_looked_at_once_deploy_has_answered() {
    let mut stage = settling();
    stage.answers.insert("Rag".into(), Answer::Never);
    stage.answers.insert("Billing".into(), Answer::Never);
    stage.task_stops("Rag", |_| {});
    assert_eq!(stage.phase(2), "rolling_back");
    let SlotPhase::Returning { deadline, .. } = stage.slot("Rag").phase else { panic!() };
    assert_eq!(ends_at(&stage.table.scene()), Some(deadline));
    stage.now += Duration::from_secs(120);
    assert_eq!(due_now(&stage), [""; 0]);
    stage.answers.clear();
    stage.answer("Rag");
    assert_eq!(due_now(&stage), ["Billing", "Rag"]);
}

#[test]
fn in_the_bake_only_its_end_is_looked_at() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.work();
    stage.tick();
    let Phase::Baking { until } = stage.release(2).phase else { panic!("{}", stage.phase(2)) };
    let scene = stage.table.scene();
    assert_eq!(ends_at(&scene), Some(until));
    let before = until - Duration::from_secs(1);
    assert_eq!((bake_is_over(&scene, before), due(&scene, before)), (false, vec![]));
    assert_eq!((bake_is_over(&scene, until), due(&scene, until)), (true, vec![target("Rag")]));
    assert_eq!((open(&scene, false), open(&scene, true)), (vec![], vec![target("Rag")]));
}

#[test]
fn a_release_that_stopped_for_a_person_is_not_looked_at() {
    let mut stage = settling();
    stage.now += Duration::from_secs(300);
    assert_eq!(due_now(&stage).len(), 3);
    stage.command(command::abandon).unwrap();
    assert_eq!(due_now(&stage), [""; 0]);

    let mut stage = settling();
    stage.config_mut().on_failure = crate::config::OnFailure::Freeze;
    stage.task_stops("Rag", |_| {});
    assert_eq!((stage.phase(2), stage.slot("Billing").phase.name()), ("frozen", "settling"));
    stage.now += Duration::from_secs(300);
    assert_eq!(due_now(&stage), [""; 0]);
}

#[test]
fn one_look_shows_them_all_once_the_last_was_told_of() {
    let mut stage = settling();
    assert!(!all_told(&stage.table.scene()));
    for (service, all) in [("Rag", false), ("Billing", true)] {
        let told = note_told(stage.slot(service), stage.now).unwrap();
        let (before, after) = &told.slots[0];
        assert_eq!(before.as_ref(), Some(stage.slot(service)));
        assert_eq!((after.told_at, after.step), (Some(stage.now), stage.slot(service).step + 1));
        stage.write(&told);
        assert_eq!(all_told(&stage.table.scene()), all, "{service}");
        assert_eq!(note_told(stage.slot(service), stage.now), None, "it is known");
    }
    assert_eq!(note_told(stage.slot("Carousel"), stage.now), None, "nobody waits for it");
    // Of a schedule nothing is ever told.
    stage.slot_mut("Rag").told_at = None;
    assert!(!all_told(&stage.table.scene()));
    assert!(all_told(&scheduled(&stage)));
}

#[test]
fn one_look_waits_for_those_that_deploy_is_still_at_and_those_that_go_back() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.survey();
    assert_eq!(stage.slot("Rag").phase.name(), "applying");
    assert!(!all_told(&stage.table.scene()));
    assert_eq!(note_told(stage.slot("Rag"), stage.now), None);
    stage.work();
    stage.task_stops("Rag", |_| {});
    assert!(matches!(stage.slot("Rag").done.outcome, Some(Outcome::Accepted { .. })));
    assert!(!all_told(&stage.table.scene()));
    stage.write(&note_told(stage.slot("Rag"), stage.now).unwrap());
    assert!(all_told(&stage.table.scene()));
}
