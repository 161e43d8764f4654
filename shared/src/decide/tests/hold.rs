//! What a survey finds in the way of the first wave.

use std::time::Duration;

use crate::command;
use crate::decide::{Finding, Sightings, decide};
use crate::model::{Hold, NoticeKind as N, Phase};
use crate::stage::{Stage, at, digest, image};

const MINUTE: Duration = Duration::from_secs(60);

fn found(finding: Finding) -> Stage {
    let mut stage = Stage::of(&[&["Rag", "Billing"]]);
    stage.findings.insert("Rag".into(), finding);
    stage.push("b1");
    stage.work();
    stage
}

fn stranded() -> Stage {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.services.get_mut("Rag").unwrap().unknown = true;
    stage.push("b1");
    stage.work();
    stage
}

fn held(stage: &Stage) -> &Hold {
    match &stage.release(stage.table.head.moving.unwrap()).phase {
        Phase::Surveying { held: Some(hold), .. } => hold,
        other => panic!("{other:?}"),
    }
}

#[test]
fn somebody_elses_deployment_is_waited_for_and_looked_at_again() {
    let mut stage = found(Finding::Busy("ecs-svc/9 brings in api:7".into()));
    let waits = stage.advance();
    assert_eq!(waits, ["another deployment is in flight on: Rag: ecs-svc/9 brings in api:7"]);
    let entries = stage.table.journal.len();
    for _ in 0..5 {
        stage.tick();
    }
    assert_eq!(stage.table.journal.len(), entries, "the same wait is no news");
    assert!(stage.told().is_empty());
    assert!(stage.release(2).nudge >= 2, "surveyed again and again");
    stage.findings.clear();
    stage.play();
    assert_eq!(stage.phase(2), "live");
}

#[test]
fn what_holds_it_is_said_too_when_it_is_to_be_looked_at_again() {
    let mut stage = found(Finding::Busy("ecs-svc/9 brings in api:7".into()));
    stage.now += MINUTE;
    let plan = decide(&stage.table.scene(), &Sightings::new(), stage.now);
    assert!(!plan.changes.is_empty(), "it is asked again");
    let said: Vec<_> = plan.waiting_on.iter().map(|on| on.what.as_str()).collect();
    assert_eq!(said, ["another deployment is in flight on: Rag: ecs-svc/9 brings in api:7"]);
}

#[test]
fn a_lost_survey_is_asked_for_again_when_deploy_must_have_ended() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.now += Duration::from_secs(99);
    assert_eq!(stage.advance(), ["the survey of its targets"]);
    assert_eq!(stage.release(2).nudge, 0);
    stage.now += Duration::from_secs(1);
    stage.advance();
    assert_eq!(stage.release(2).nudge, 1);
}

#[test]
fn without_a_way_back_a_person_is_asked() {
    let mut stage = stranded();
    let hold = Hold::NoWayBack {
        targets: vec!["Rag: main runs repository:uapi: its running tasks".into()],
    };
    assert_eq!(*held(&stage), hold);
    assert_eq!(stage.told(), [N::Waiting]);
    for _ in 0..5 {
        stage.tick();
    }
    assert_eq!(stage.release(2).nudge, 0, "it does not change by itself");
    let go = |scene: &_, actor: &_, now| command::start_without_way_back(scene, actor, now);
    stage.command(go).unwrap();
    stage.play();
    assert_eq!(stage.phase(2), "live");
    assert_eq!(stage.told(), [N::Waiting, N::Started, N::Live]);
}

#[test]
fn an_unfit_target_is_told_and_the_worst_reason_comes_first() {
    let mut stage = Stage::of(&[&["Rag", "Billing", "Carousel"]]);
    stage.findings.insert("Billing".into(), Finding::Unfit("CodeDeploy deploys it".into()));
    stage.findings.insert("Carousel".into(), Finding::Busy("ecs-svc/9".into()));
    stage.services.get_mut("Rag").unwrap().unknown = true;
    stage.push("b1");
    stage.work();
    let unfit = Hold::Unfit { targets: vec!["Billing: CodeDeploy deploys it".into()] };
    assert_eq!(*held(&stage), unfit);
    assert_eq!(stage.told(), [N::Waiting]);
    assert!(stage.table.slots.is_empty(), "nothing is taken before nothing is in the way");
}

#[test]
fn a_newer_push_takes_the_place_of_a_held_release_with_all_its_images() {
    let mut stage = Stage::with(&[&["api-1", "web-1"]], &[("api", "api"), ("web", "web")]);
    stage.services.get_mut("api-1").unwrap().unknown = true;
    stage.push_as("api", "uapi", image("api", "a1", "uapi", stage.now));
    stage.work();
    assert_eq!(held(&stage).to_string().split(':').next(), Some("no way back is known for"));
    stage.services.get_mut("api-1").unwrap().unknown = false;
    stage.now += MINUTE;
    stage.push_as("web", "uapi", image("web", "e1", "uapi", stage.now));
    assert_eq!((stage.phase(2), stage.phase(3)), ("superseded", "surveying"));
    let images: Vec<_> = stage.release(3).images.values().map(|i| &i.digest).collect();
    assert_eq!(images, [&digest("a1"), &digest("e1")]);
    stage.play();
    assert_eq!(stage.phase(3), "live");
}

#[test]
fn a_tag_that_goes_back_to_what_is_live_takes_a_held_release_back() {
    let mut stage = Stage::with(&[&["api-1", "web-1"]], &[("api", "api"), ("web", "web")]);
    let push = |stage: &mut Stage, name: &str, bytes: &str, seconds: i64| {
        stage.push_as(name, "uapi", image(name, bytes, "uapi", at(seconds)));
        stage.work();
    };
    push(&mut stage, "api", "a1", 1);
    stage.play();
    assert_eq!(stage.phase(2), "live");
    stage.services.get_mut("api-1").unwrap().unknown = true;
    push(&mut stage, "api", "a2", 2);
    assert!(matches!(held(&stage), Hold::NoWayBack { .. }));
    push(&mut stage, "api", "a1", 1);
    assert_eq!((stage.phase(3), stage.phase(4)), ("superseded", "refused"));
    let head = &stage.table.head;
    assert_eq!((head.moving, head.waiting, head.live), (None, None, Some(2)));
    // What came beside it is released all the same.
    push(&mut stage, "api", "a3", 3);
    push(&mut stage, "web", "e1", 4);
    assert_eq!((stage.phase(5), stage.phase(6)), ("superseded", "surveying"));
    push(&mut stage, "api", "a1", 1);
    assert_eq!((stage.phase(6), stage.phase(7)), ("superseded", "surveying"));
    let images: Vec<_> = stage.release(7).images.values().map(|i| &i.digest).collect();
    assert_eq!(images, [&digest("a1"), &digest("e1")]);
}

#[test]
fn a_held_release_whose_bytes_are_blocked_is_refused() {
    let mut stage = Stage::with(&[&["api-1", "web-1"]], &[("api", "api"), ("web", "web")]);
    stage.services.get_mut("api-1").unwrap().unknown = true;
    stage.push_as("api", "uapi", image("api", "a1", "uapi", stage.now));
    stage.work();
    let block =
        |scene: &_, actor: &_, now| command::block(scene, &digest("a1"), actor, "it leaks", now);
    stage.command(block).unwrap();
    assert_eq!(stage.phase(2), "refused");
    stage.push_as("web", "uapi", image("web", "e1", "uapi", stage.now));
    let images: Vec<_> = stage.release(3).images.keys().collect();
    assert_eq!(images, ["web"]);
}

#[test]
fn in_a_frozen_pipeline_nothing_takes_a_held_releases_place() {
    let mut stage = stranded();
    freeze(&mut stage);
    stage.push("b2");
    assert_eq!((stage.phase(2), stage.phase(3)), ("surveying", "waiting"));
    unfreeze(&mut stage);
    assert_eq!((stage.phase(2), stage.phase(3)), ("superseded", "surveying"));
}

#[test]
fn a_freeze_keeps_what_is_held_or_surveyed_and_never_a_person_who_goes_back() {
    let mut stage = found(Finding::Busy("ecs-svc/9".into()));
    freeze(&mut stage);
    stage.findings.clear();
    stage.tick();
    assert!(stage.advance()[0].ends_with("`tidegate unfreeze p` lets p/2 start"));
    assert_eq!(stage.release(2).nudge, 0);

    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    freeze(&mut stage);
    stage.now += Duration::from_secs(100);
    stage.advance();
    assert_eq!(stage.release(2).nudge, 1, "its survey was lost");
    stage.work();
    assert_eq!((held(&stage), &stage.told()[..]), (&Hold::Frozen, &[][..]), "who froze it knows");
    let said = stage.advance();
    assert!(said[0].ends_with("`tidegate unfreeze p` lets p/2 start"), "{said:?}");
    unfreeze(&mut stage);
    assert_eq!(stage.release(2).nudge, 2, "at once");
    assert_eq!(stage.advance(), ["the survey of its targets"]);
    stage.play();
    stage.findings.insert("Rag".into(), Finding::Busy("ecs-svc/9".into()));
    let to = stage.release(1).clone();
    let back = |scene: &_, actor: &_, now| {
        command::rollback_to(scene, &to, actor, super::back::PLAIN, now)
    };
    stage.command(back).unwrap();
    stage.work();
    stage.findings.clear();
    stage.play();
    assert_eq!((stage.phase(2), stage.phase(3)), ("live", "live"));
}

fn freeze(stage: &mut Stage) {
    stage.command(|scene, actor, now| command::freeze(scene, actor, "audit", now)).unwrap();
}

fn unfreeze(stage: &mut Stage) {
    stage.command(|scene, actor, now| command::unfreeze(scene, actor, "done", now)).unwrap();
}

/// Whatever is surveyed in a frozen pipeline, release 2 moves after `unfreeze` only.
fn moves_after_unfreeze_only(mut stage: Stage) -> Stage {
    for _ in 0..5 {
        stage.tick();
    }
    assert_eq!((stage.phase(2), stage.table.slots.len()), ("surveying", 0), "frozen");
    unfreeze(&mut stage);
    stage.play();
    assert_eq!(stage.phase(2), "live");
    stage
}

#[test]
fn blocked_bytes_that_are_left_out_of_a_held_release_do_not_start_it_in_a_frozen_pipeline() {
    let mut stage = Stage::with(&[&["api-1", "web-1"]], &[("api", "api"), ("web", "web")]);
    freeze(&mut stage);
    stage.push_as("api", "uapi", image("api", "a1", "uapi", stage.now));
    stage.push_as("web", "uapi", image("web", "e1", "uapi", stage.now));
    unfreeze(&mut stage);
    stage.findings.insert("web-1".into(), Finding::Busy("ecs-svc/9".into()));
    stage.work();
    assert!(matches!(held(&stage), Hold::Busy { .. }));
    freeze(&mut stage);
    let block =
        |scene: &_, actor: &_, now| command::block(scene, &digest("a1"), actor, "it leaks", now);
    stage.command(block).unwrap();
    assert!(matches!(held(&stage), Hold::Busy { .. }), "that may be so still");
    stage.findings.clear();
    let stage = moves_after_unfreeze_only(stage);
    let live = &stage.release(2).images;
    assert_eq!((&live["web"].digest, live["api"].digest == digest("a1")), (&digest("e1"), false));
}

#[test]
fn a_person_who_lets_it_start_without_a_way_back_does_not_lift_the_freeze() {
    let mut stage = stranded();
    freeze(&mut stage);
    stage.command(command::start_without_way_back).unwrap();
    moves_after_unfreeze_only(stage);
}

#[test]
fn a_survey_that_was_asked_for_before_the_freeze_does_not_start_what_was_held() {
    let mut stage = found(Finding::Busy("ecs-svc/9".into()));
    stage.findings.clear();
    stage.now += MINUTE;
    let plan = decide(&stage.table.scene(), &Sightings::new(), stage.now);
    plan.changes.iter().for_each(|change| stage.write(change));
    assert_eq!(stage.release(2).nudge, 1, "deploy is asked again, and has not answered");
    freeze(&mut stage);
    stage.now += MINUTE;
    stage.advance();
    assert_eq!(stage.release(2).nudge, 2, "what was asked is answered, though it is frozen");
    moves_after_unfreeze_only(stage);
}

#[test]
fn an_operators_rollback_does_not_give_way_to_a_push() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.play();
    stage.findings.insert("Rag".into(), Finding::Busy("ecs-svc/9".into()));
    let options = command::RollbackOptions { block: true, freeze: false };
    let to = stage.release(1).clone();
    let back = |scene: &_, actor: &_, now| command::rollback_to(scene, &to, actor, options, now);
    stage.command(back).unwrap();
    stage.work();
    stage.push("b2");
    assert_eq!((stage.phase(3), stage.phase(4)), ("surveying", "waiting"));
}

#[test]
fn a_held_rollback_is_surveyed_again_when_a_person_starts_it() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.play();
    stage.findings.insert("Rag".into(), Finding::Unfit("its image is gone".into()));
    let to = stage.release(1).clone();
    let back = |scene: &_, actor: &_, now| {
        command::rollback_to(scene, &to, actor, super::back::PLAIN, now)
    };
    assert!(stage.command(command::survey_again).is_err(), "nothing moves");
    stage.command(back).unwrap();
    stage.tick();
    stage.findings.clear();
    stage.tick();
    assert!(matches!(stage.release(3).phase, Phase::Surveying { held: Some(_), .. }));
    stage.command(command::survey_again).unwrap();
    stage.play();
    assert_eq!((stage.phase(3), stage.table.head.live), ("live", Some(3)));
}

#[test]
fn what_waits_is_refused_rather_than_put_in_a_held_releases_place_when_it_is_blocked() {
    let mut stage = stranded();
    freeze(&mut stage);
    stage.push("b2");
    let block =
        |scene: &_, actor: &_, now| command::block(scene, &digest("b2"), actor, "it leaks", now);
    stage.command(block).unwrap();
    unfreeze(&mut stage);
    assert_eq!((stage.phase(2), stage.phase(3)), ("surveying", "refused"));
}

#[test]
fn what_waits_starts_without_the_images_that_the_config_names_no_more() {
    let mut stage = Stage::with(&[&["api-1", "web-1"]], &[("api", "api"), ("web", "web")]);
    freeze(&mut stage);
    stage.push_as("api", "uapi", image("api", "a1", "uapi", at(1)));
    stage.push_as("web", "uapi", image("web", "e1", "uapi", at(2)));
    stage.config_mut().images.remove("api");
    unfreeze(&mut stage);
    assert_eq!(stage.phase(2), "surveying");
    assert_eq!(stage.release(2).images.keys().collect::<Vec<_>>(), ["web"]);

    let mut stage = Stage::with(&[&["api-1", "web-1"]], &[("api", "api"), ("web", "web")]);
    freeze(&mut stage);
    stage.push_as("api", "uapi", image("api", "a1", "uapi", at(1)));
    stage.config_mut().images.remove("api");
    unfreeze(&mut stage);
    assert_eq!(stage.phase(2), "refused");
    let why = &stage.table.journal.last().unwrap().reason;
    assert_eq!(why, "the config in force names none of its images any more");
}

#[test]
fn a_release_that_no_target_runs_is_refused() {
    let mut stage = Stage::with(&[&["api-1"]], &[("api", "api"), ("web", "web")]);
    stage.push_as("web", "uapi", image("web", "e1", "uapi", stage.now));
    stage.work();
    assert_eq!(stage.phase(2), "refused");
    assert_eq!(stage.told(), [N::Refused]);
    assert_eq!(stage.table.head.moving, None);
    let why = &stage.table.journal.last().unwrap().reason;
    let said = "no container of the pipeline's targets runs web:uapi (e10000000000); `containers`";
    assert!(why.starts_with(said), "{why}");
}

#[test]
fn a_held_release_can_be_stopped_or_let_go() {
    let mut stage = stranded();
    let back =
        |scene: &_, actor: &_, now| command::rollback_moving(scene, actor, super::back::FAIL, now);
    stage.command(back).unwrap();
    assert_eq!(stage.phase(2), "rolled_back");

    let mut stage = stranded();
    stage.command(command::abandon).unwrap();
    assert_eq!((stage.phase(2), stage.table.head.moving), ("abandoned", None));
}

#[test]
fn a_deployment_that_does_not_end_is_told_once_and_still_waited_for() {
    let mut stage = found(Finding::Busy("ecs-svc/9 brings in api:7".into()));
    for minute in 0..40 {
        // What is seen of it changes; it is one wait all the same.
        let seen = Finding::Busy(format!("ecs-svc/9 brings in api:7 ({minute} of 50 tasks)"));
        stage.findings.insert("Rag".into(), seen);
        stage.tick();
        let patience = stage.table.config.watch.timeout;
        let due = stage.now.duration_since(stage.release(2).at).unsigned_abs() > patience + MINUTE;
        assert!(!due || stage.told() == [N::Waiting], "minute {minute}: {:?}", stage.told());
    }
    assert_eq!(stage.told(), [N::Waiting]);
    stage.findings.clear();
    stage.play();
    assert_eq!(stage.phase(2), "live");
}

#[test]
fn bytes_that_are_blocked_while_it_is_held_do_not_take_the_others_along() {
    let mut stage = Stage::with(&[&["api-1", "web-1"]], &[("api", "api"), ("web", "web")]);
    stage.findings.insert("api-1".into(), Finding::Busy("ecs-svc/9".into()));
    stage.push_as("api", "uapi", image("api", "a1", "uapi", stage.now));
    stage.work();
    stage.now += MINUTE;
    stage.push_as("web", "uapi", image("web", "e1", "uapi", stage.now));
    stage.work();
    let bad = digest("a1");
    stage.command(|scene, actor, now| command::block(scene, &bad, actor, "it leaks", now)).unwrap();
    assert_eq!(stage.release(3).nudge, 1, "deploy is asked once more");
    stage.findings.clear();
    stage.play();
    assert_eq!(stage.phase(3), "live");
    let live = &stage.release(3).images;
    assert_eq!((&live["web"].digest, live["api"].digest == bad), (&digest("e1"), false));
    let left =
        stage.table.journal.iter().any(|entry| entry.reason.contains("without blocked bytes"));
    assert!(left, "the audit trail says what stayed behind");
}
