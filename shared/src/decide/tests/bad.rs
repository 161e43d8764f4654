//! A release that fails, and what comes back.

use crate::command;
use crate::config::{OnFailure, OnTimeout};
use crate::decide::blame::suspects;
use crate::model::{Action, Digest, NoticeKind as N, Pin, SlotPhase};
use crate::stage::{Answer, Behaviour, Stage, at, crash, digest};

const WAVES: &[&[&str]] = &[&["Rag"], &["Billing", "Carousel"]];

fn crashing() -> Stage {
    let mut stage = Stage::of(WAVES);
    stage.behaviours.insert(digest("bad"), Behaviour::Crashes);
    stage.push("bad");
    stage
}

#[test]
fn a_crash_brings_back_what_was_touched_and_is_told_three_times() {
    let mut stage = crashing();
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    assert_eq!(
        stage.slots(),
        [("Billing", "untouched"), ("Carousel", "untouched"), ("Rag", "returned")]
    );
    assert_eq!(stage.told(), [N::Started, N::RollbackStarted, N::RolledBack]);
    assert!(stage.services.values().all(|service| service.running_digest() == digest("01d")));
    assert_eq!(stage.cause(2), "Rag: container `main` exited with code 1 after 2 s");
}

#[test]
fn the_digest_to_blame_is_blocked() {
    let mut stage = crashing();
    stage.play();
    let block = &stage.table.blocks[&digest("bad")];
    assert_eq!(block.release.to_string(), "p/2");
    assert!(stage.table.head.freeze.is_none(), "the next push may come");
}

#[test]
fn a_crash_in_the_second_wave_brings_back_the_first_too() {
    let mut stage = Stage::of(WAVES);
    stage.push("b1");
    stage.work();
    stage.tick();
    stage.work();
    stage.task_stops("Carousel", |_| {});
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    assert_eq!(
        stage.slots(),
        [("Billing", "returned"), ("Carousel", "returned"), ("Rag", "returned")]
    );
    assert_eq!(stage.told().len(), 3);
}

#[test]
fn a_crash_in_the_bake_counts() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.work();
    stage.tick();
    assert_eq!(stage.phase(2), "baking");
    stage.task_stops("Rag", |_| {});
    assert_eq!(stage.phase(2), "rolling_back");
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
}

#[test]
fn what_aws_refuses_is_not_the_images_fault() {
    let mut stage = Stage::of(&[&["Rag", "Billing"]]);
    stage.answers.insert("Rag".into(), Answer::Refuses("AccessDenied: ecs:UpdateService"));
    stage.push("b1");
    stage.survey();
    stage.answer("Rag");
    stage.answers.clear();
    stage.advance();
    assert_eq!(stage.phase(2), "rolling_back");
    assert_eq!(stage.cause(2), "Rag: AccessDenied: ecs:UpdateService");
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    assert!(stage.table.blocks.is_empty());
}

#[test]
fn what_is_never_steady_passes_its_deadline_and_blocks_nothing() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.behaviours.insert(digest("b1"), Behaviour::Hangs);
    stage.push("b1");
    let began = stage.now;
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    assert!(stage.cause(2).starts_with("Rag: not stable in time: still waiting for ECS to"));
    assert!(stage.table.blocks.is_empty());
    let took = stage.now.duration_since(began).as_secs();
    assert!((900..900 + 240).contains(&took), "{took}");
}

#[test]
fn on_failure_freeze_touches_nothing_and_calls_a_person() {
    let mut stage = Stage::of(WAVES);
    stage.config_mut().on_failure = OnFailure::Freeze;
    stage.behaviours.insert(digest("bad"), Behaviour::Crashes);
    stage.push("bad");
    stage.play();
    assert_eq!(stage.phase(2), "frozen");
    assert_eq!(stage.slots(), [("Billing", "queued"), ("Carousel", "queued"), ("Rag", "failed")]);
    assert_eq!(stage.told(), [N::Started, N::Frozen]);
    assert!(stage.table.head.freeze.is_some());
    assert_eq!(stage.services["Rag"].running_digest(), digest("bad"));
    assert_eq!(stage.slot("Rag").asked.action, Action::Apply, "nothing else was asked");
}

#[test]
fn a_release_that_stops_withdraws_what_nobody_has_begun_and_nothing_else() {
    let mut stage = Stage::of(&[&["Rag", "Billing", "Carousel"]]);
    stage.config_mut().on_failure = OnFailure::Freeze;
    for service in ["Billing", "Carousel"] {
        stage.answers.insert(service.into(), Answer::Never);
    }
    stage.push("b1");
    stage.work();
    // A call for Carousel was sent, and nobody saw its answer.
    let now = stage.now;
    let carousel = stage.slot_mut("Carousel");
    carousel.done.called = Some(now);
    stage.task_stops("Rag", |_| {});
    assert_eq!(stage.phase(2), "frozen");
    assert_eq!(
        stage.slots(),
        [("Billing", "untouched"), ("Carousel", "applying"), ("Rag", "failed")]
    );
    assert_eq!(stage.slot("Billing").todo, None);
    // Nor is it called once a person has said that all is right as it runs.
    assert!(!stage.slot("Carousel").asks_deploy());
    stage.command(command::accept).unwrap();
    assert_eq!(stage.slots(), [("Billing", "untouched"), ("Carousel", "left"), ("Rag", "failed")]);
}

#[test]
fn silence_and_failure_have_each_their_own_switch() {
    for (on_failure, on_timeout, crashes, hangs) in [
        (OnFailure::Freeze, OnTimeout::Rollback, "frozen", "rolled_back"),
        (OnFailure::Rollback, OnTimeout::Freeze, "rolled_back", "frozen"),
    ] {
        for (behaviour, end) in [(Behaviour::Crashes, crashes), (Behaviour::Hangs, hangs)] {
            let mut stage = Stage::of(&[&["Rag"]]);
            stage.config_mut().on_failure = on_failure;
            stage.config_mut().watch.on_timeout = on_timeout;
            stage.behaviours.insert(digest("b1"), behaviour);
            stage.push("b1");
            stage.play();
            assert_eq!(stage.phase(2), end, "{behaviour:?} with {on_failure:?}, {on_timeout:?}");
        }
    }
}

#[test]
fn only_bytes_that_did_not_run_before_are_blocked() {
    let images = [("api", "api"), ("web", "web")];
    let mut stage = Stage::with(&[&["api-1", "web-1"]], &images);
    let again = stage.release(1).images["web"].clone();
    let new = crate::stage::image("api", "bad", "uapi", stage.now);
    let both = [("api".to_owned(), new), ("web".to_owned(), again)];
    stage.behaviours.insert(digest("bad"), Behaviour::Crashes);
    stage
        .command(|scene, actor, now| crate::command::start(scene, both.clone().into(), actor, now))
        .unwrap();
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    assert_eq!(stage.table.blocks.keys().collect::<Vec<_>>(), [&digest("bad")]);
    let mut told = stage.table.notices().filter(|notice| notice.kind == N::RollbackStarted);
    let said = told.next().unwrap().text.last().unwrap();
    assert!(said.starts_with("api:uapi (bad000000000) is blocked in p: "), "{said}");
}

#[test]
fn bytes_that_a_person_blocks_on_their_way_go_back() {
    let mut stage = Stage::of(WAVES);
    stage.push("b1");
    stage.work();
    stage.tick();
    let block = |scene: &_, actor: &_, now| {
        crate::command::block(scene, &digest("b1"), actor, "it leaks", now)
    };
    stage.command(block).unwrap();
    assert!(stage.cause(2).ends_with("it leaks"), "{}", stage.cause(2));
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    assert!(stage.services.values().all(|service| service.running_digest() == digest("01d")));
}

#[test]
fn the_failure_that_names_the_image_is_the_one_that_is_told() {
    let mut stage = Stage::of(&[&["Rag", "Billing"]]);
    stage.push("b1");
    stage.work();
    // Both in the same moment, before anybody decides: the refusal by name would come first.
    for service in ["Billing", "Rag"] {
        let now = stage.now;
        let slot = stage.slot_mut(service);
        let failure = crate::model::Failure {
            cause: service.to_owned(),
            remedy: String::new(),
            evidence: Vec::new(),
            blame: if service == "Rag" {
                crate::model::Blame::Image
            } else {
                crate::model::Blame::Other
            },
            at: now,
        };
        slot.phase = SlotPhase::Failed { failure };
    }
    stage.advance();
    assert_eq!(stage.cause(2), "Rag: Rag");
}

#[test]
fn of_several_new_bytes_those_of_the_container_that_fell_are_to_blame() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.survey();
    let slot = stage.slot_mut("Rag");
    let pin = |container: &str, bytes: &str| Pin {
        container: container.to_owned(),
        digest: digest(bytes),
        ..slot.wanted[0].clone()
    };
    slot.wanted = vec![pin("api", "a2"), pin("web", "e2"), pin("old", "01d")];
    let (a2, e2) = (digest("a2"), digest("e2"));
    let new = [&a2, &e2].into();
    let table: &[(&[&str], &[&Digest])] = &[
        (&["api"], &[&a2]),
        (&["web", "web"], &[&e2]),
        (&["api", "web"], &[&a2, &e2]),
        (&["sidecar"], &[]),
        (&["old"], &[]),
        // Lightsail gives up without a word about which of them it was.
        (&[], &[]),
        (&[""], &[]),
    ];
    for (fell, expected) in table {
        slot.tasks.clear();
        for (number, container) in (1..).zip(*fell) {
            let mut task = crash(number, at(0));
            task.container = (*container).to_owned();
            slot.tasks.insert(task.task.clone(), task);
        }
        let suspects: Vec<_> = suspects(slot, &new).into_iter().collect();
        assert_eq!(suspects, *expected, "{fell:?}");
    }
    slot.tasks.clear();
    slot.wanted.remove(1);
    let only = suspects(slot, &new).into_iter().collect::<Vec<_>>();
    assert_eq!(only, [&a2], "only one of them is new");
}
