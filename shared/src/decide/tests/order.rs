//! One release moves at a time; freezes; what is asked when a release would start.

use std::sync::Arc;

use crate::command::{self, Ending};
use crate::model::NoticeKind as N;
use crate::stage::{Behaviour, Stage, digest, image};

fn freeze(stage: &mut Stage) {
    stage.command(|scene, actor, now| command::freeze(scene, actor, "audit", now)).unwrap();
}

fn unfreeze(stage: &mut Stage) {
    stage.command(|scene, actor, now| command::unfreeze(scene, actor, "done", now)).unwrap();
}

#[test]
fn a_push_during_a_release_waits_and_never_cancels_it() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.work();
    stage.push("b2");
    assert_eq!((stage.phase(2), stage.phase(3)), ("rolling", "waiting"));
    stage.play();
    assert_eq!((stage.phase(2), stage.phase(3)), ("live", "live"));
    assert_eq!(stage.services["Rag"].running_digest(), digest("b2"));
}

#[test]
fn three_images_pushed_during_a_release_are_all_in_the_next_one() {
    let images = [("api", "api"), ("web", "web"), ("worker", "worker")];
    let mut stage = Stage::with(&[&["api-1", "web-1", "worker-1"]], &images);
    let push = |stage: &mut Stage, name: &str, bytes: &str| {
        stage.now += std::time::Duration::from_secs(1);
        stage.push_as(name, "uapi", image(name, bytes, "uapi", stage.now));
    };
    push(&mut stage, "api", "a1");
    stage.work();
    for (name, bytes) in [("api", "a2"), ("web", "b2"), ("worker", "c1"), ("worker", "c2")] {
        push(&mut stage, name, bytes);
    }
    stage.play();
    assert_eq!((stage.phase(2), stage.phase(3)), ("live", "live"));
    assert_eq!(stage.table.head.next, 4, "one release for all of them");
    let runs = |name: &str| stage.services[name].running_digest();
    assert_eq!(runs("api-1"), digest("a2"));
    assert_eq!(runs("web-1"), digest("b2"));
    assert_eq!(runs("worker-1"), digest("c2"), "the newest of each");
}

#[test]
fn a_freeze_keeps_a_push_waiting() {
    let mut stage = Stage::of(&[&["Rag"]]);
    freeze(&mut stage);
    stage.push("b1");
    assert_eq!(stage.phase(2), "waiting");
    let waits = stage.advance();
    assert!(waits[0].contains("`tidegate unfreeze p` lets p/2 start"), "{waits:?}");
    unfreeze(&mut stage);
    assert_eq!(stage.phase(2), "surveying");
}

#[test]
fn a_freeze_never_stops_what_moves() {
    for (bytes, end) in [("b1", "live"), ("bad", "rolled_back")] {
        let mut stage = Stage::of(&[&["Rag"], &["Billing"]]);
        stage.behaviours.insert(digest("bad"), Behaviour::Crashes);
        stage.push(bytes);
        stage.survey();
        freeze(&mut stage);
        stage.play();
        assert_eq!(stage.phase(2), end);
    }
}

#[test]
fn a_freeze_never_stops_an_operators_rollback() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.play();
    freeze(&mut stage);
    stage.push("b2");
    let to = stage.release(1).clone();
    let back = |scene: &_, actor: &_, now| {
        command::rollback_to(scene, &to, actor, super::back::PLAIN, now)
    };
    stage.command(back).unwrap();
    assert_eq!((stage.phase(3), stage.phase(4)), ("waiting", "surveying"));
    stage.play();
    assert_eq!((stage.phase(3), stage.phase(4)), ("waiting", "live"));
    assert_eq!(stage.services["Rag"].running_digest(), digest("01d"));
    assert!(stage.table.blocks.contains_key(&digest("b1")));
}

#[test]
fn after_a_rollback_the_next_push_comes() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.behaviours.insert(digest("bad"), Behaviour::Crashes);
    stage.push("bad");
    stage.work();
    stage.push("b2");
    stage.play();
    assert_eq!((stage.phase(2), stage.phase(3)), ("rolled_back", "live"));
}

#[test]
fn after_a_failed_rollback_the_next_push_waits() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.work();
    stage.push("b2");
    stage.answers.insert("Rag".into(), crate::stage::Answer::Refuses("AccessDenied"));
    stage.task_stops("Rag", |_| {});
    stage.work();
    assert_eq!((stage.phase(2), stage.phase(3)), ("rollback_failed", "waiting"));
    let waits = stage.advance();
    assert!(waits[0].contains("`tidegate rollback p` or `tidegate accept p`"), "{waits:?}");
}

#[test]
fn an_operators_rollback_that_fails_causes_no_other() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.play();
    let to = stage.release(1).clone();
    stage
        .command(|scene, actor, now| {
            command::rollback_to(scene, &to, actor, super::back::PLAIN, now)
        })
        .unwrap();
    stage.work();
    stage.task_stops("Rag", |_| {});
    assert_eq!(stage.phase(3), "rollback_failed");
    let told = stage.table.notices().last().unwrap();
    assert!(told.title.starts_with("p/3 FAILED to go back to 1: Rag: "), "{}", told.title);
    assert!(!told.commands.iter().any(|line| line.starts_with("tidegate rollback p  #")));
    // Whoever reads that and types `rollback` means "again", and not the bytes that it leaves.
    let say = |ending| {
        move |scene: &_, actor: &_, now| command::rollback_moving(scene, actor, ending, now)
    };
    let refused = stage.command(say(super::back::FAIL)).unwrap_err().to_string();
    assert!(
        refused.contains("`tidegate rollback p --to live` returns to what it left"),
        "{refused}"
    );
    assert!(refused.contains("then `tidegate start p/3`"), "{refused}");
    stage.command(say(Ending::CallOff { include_drifted: false })).unwrap();
    stage.play();
    assert_eq!(stage.phase(3), "rolled_back");
    assert_eq!(stage.services["Rag"].running_digest(), digest("b1"));
}

#[test]
fn blocked_bytes_do_not_take_the_others_of_the_set_along() {
    let mut stage = Stage::with(&[&["api-1", "web-1"]], &[("api", "api"), ("web", "web")]);
    freeze(&mut stage);
    for (name, bytes) in [("api", "a1"), ("web", "b1")] {
        stage.now += std::time::Duration::from_secs(1);
        stage.push_as(name, "uapi", image(name, bytes, "uapi", stage.now));
    }
    stage
        .command(|scene, actor, now| command::block(scene, &digest("b1"), actor, "it leaks", now))
        .unwrap();
    unfreeze(&mut stage);
    assert_eq!(stage.release(2).images.keys().collect::<Vec<_>>(), ["api"]);
    stage.play();
    assert_eq!(stage.phase(2), "live");
}

#[test]
fn what_was_blocked_while_it_waited_is_refused_when_it_would_start() {
    let mut stage = Stage::of(&[&["Rag"]]);
    freeze(&mut stage);
    stage.push("b1");
    stage
        .command(|scene, actor, now| command::block(scene, &digest("b1"), actor, "it leaks", now))
        .unwrap();
    unfreeze(&mut stage);
    assert_eq!(stage.phase(2), "refused");
    assert_eq!(stage.told(), [N::Refused]);
    assert_eq!(stage.table.head.waiting, None);
}

#[test]
fn what_became_live_while_it_waited_is_refused_when_it_would_start() {
    let mut stage = Stage::of(&[&["Rag"]]);
    freeze(&mut stage);
    stage.push("b1");
    let b1 = stage.release(2).images.clone();
    Arc::make_mut(stage.table.releases.get_mut(&1).unwrap()).images = b1;
    unfreeze(&mut stage);
    assert_eq!(stage.phase(2), "refused");
}
