//! What an operator may say when, and what a refusal tells them to type.

mod retire;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{self as command, Ending, Refused, RollbackOptions};
use crate::config::{OnFailure, TargetName, TaskConfig};
use crate::model::{Cause, Change, Memory, Phase, Release, Scene};
use crate::stage::{Behaviour, OPERATOR, Stage, at, digest, image};

const PLAIN: RollbackOptions = RollbackOptions { block: true, freeze: true };

type Before = fn() -> Stage;
type Say = fn(&Scene, &str, Timestamp) -> Result<Change, Refused>;

fn rollback(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    command::rollback_moving(scene, actor, Ending::Fail { include_drifted: false }, now)
}

fn freeze(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    command::freeze(scene, actor, "audit", now)
}

fn unfreeze(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    command::unfreeze(scene, actor, "done", now)
}

fn block(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    command::block(scene, &digest("bad"), actor, "it leaks", now)
}

fn unblock(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    command::unblock(scene, &digest("bad"), actor, now)
}

fn start_bad(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    command::start(scene, bytes("bad", now), actor, now)
}

fn configure(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    let nothing = (BTreeMap::new(), BTreeMap::new());
    command::apply_config(Some(scene), &scene.config, nothing.0, nothing.1, actor, now)
}

fn bytes(bytes: &str, pushed_at: Timestamp) -> BTreeMap<String, crate::model::ReleaseImage> {
    [("app".to_owned(), image("app", bytes, "uapi", pushed_at))].into()
}

fn rollback_to(stage: &mut Stage, to: u64, options: RollbackOptions) -> Result<(), Refused> {
    let to: Release = stage.release(to).clone();
    stage.command(|scene, actor, now| command::rollback_to(scene, &to, actor, options, now))
}

/// Nothing moves.
fn settled() -> Stage {
    Stage::of(&[&["Rag"]])
}

/// Release 2 is in mid-wave.
fn moving() -> Stage {
    let mut stage = settled();
    stage.push("b1");
    stage.work();
    stage
}

/// Release 2 failed, and the config says to touch nothing.
fn stuck() -> Stage {
    let mut stage = moving();
    stage.config_mut().on_failure = OnFailure::Freeze;
    stage.task_stops("Rag", |_| {});
    stage
}

/// Release 2 goes back.
fn going_back() -> Stage {
    let mut stage = moving();
    stage.task_stops("Rag", |_| {});
    stage
}

/// Release 2 went back, and its bytes are blocked.
fn blocked() -> Stage {
    let mut stage = settled();
    stage.behaviours.insert(digest("bad"), Behaviour::Crashes);
    stage.push("bad");
    stage.play();
    stage
}

#[test]
fn a_refusal_says_what_is_so_and_what_to_type() {
    let status = "nothing moves in p; `tidegate status p` shows where it stands";
    let decide = "p/2 is frozen: first `tidegate rollback p` or `tidegate accept p`";
    let held = "p/2 is rolling: nothing holds it";
    let blocked_hint = "`tidegate unblock p sha256:bad";
    let table: &[(&str, Before, Say, &str)] = &[
        ("rollback of nothing", settled, rollback, status),
        ("abandon of nothing", settled, command::abandon, status),
        ("accept of nothing", settled, command::accept, status),
        ("accept of what moves", moving, command::accept, "p/2 is rolling: `accept` is for"),
        ("rollback twice", going_back, rollback, "p/2 is rolling back already; `tidegate follow"),
        ("start of what nothing holds", moving, command::start_without_way_back, held),
        ("unfreeze of what is not", settled, unfreeze, "p is not frozen"),
        ("unfreeze before a decision", stuck, unfreeze, decide),
        ("freeze twice", stuck, freeze, "frozen already, by tidegate at"),
        ("unblock of what is not", settled, unblock, "is not blocked in p"),
        ("block twice", blocked, block, "is blocked since p/2: "),
        ("start of blocked bytes", blocked, start_bad, blocked_hint),
        ("config in mid-release", moving, configure, "p/2 is rolling and owns its targets"),
    ];
    for (what, stage, say, expected) in table {
        let stage = stage();
        let Err(refused) = say(&stage.table.scene(), OPERATOR, stage.now) else {
            panic!("{what} was allowed")
        };
        assert!(refused.to_string().contains(expected), "{what}: {refused}");
    }
}

#[test]
fn going_back_to_an_earlier_release_is_a_new_release_under_a_freeze() {
    let mut stage = settled();
    stage.push("b1");
    stage.play();
    rollback_to(&mut stage, 1, PLAIN).unwrap();
    assert_eq!(stage.release(3).cause, Cause::Rollback { to: 1 });
    stage.play();
    assert_eq!(stage.phase(3), "live");
    assert_eq!(stage.services["Rag"].running_digest(), digest("01d"));
    let block = &stage.table.blocks[&digest("b1")];
    assert_eq!(block.release.number, 2, "the release that was left");
    assert!(block.why.contains("user/ada goes back to p/1"), "{}", block.why);
    assert!(stage.table.head.freeze.is_some());
}

#[test]
fn who_goes_back_beside_another_person_does_not_bring_the_bad_bytes_again() {
    fn call_off(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
        command::rollback_moving(scene, actor, Ending::CallOff { include_drifted: false }, now)
    }
    let mut stage = settled();
    stage.push("b1");
    stage.play();
    rollback_to(&mut stage, 1, PLAIN).unwrap();
    stage.work();
    let refused = stage.command(rollback).unwrap_err().to_string();
    assert!(refused.contains("p/3 goes back to 1 already, because"), "{refused}");
    assert!(refused.contains("`tidegate rollback p --to live` calls that off"), "{refused}");
    let refused = rollback_to(&mut stage, 1, PLAIN).unwrap_err().to_string();
    assert!(refused.contains("`tidegate rollback p --to live` brings it back first"), "{refused}");
    stage.command(call_off).unwrap();
    stage.play();
    assert_eq!((stage.phase(2), stage.phase(3)), ("live", "rolled_back"));
    assert_eq!(stage.services["Rag"].running_digest(), digest("b1"), "what is live stays");
    assert!(stage.command(call_off).is_err(), "nothing moves");
    let refused = moving().command(call_off).unwrap_err().to_string();
    assert!(refused.contains("p/2 is no rollback that could be called off"), "{refused}");
}

#[test]
fn what_comes_once_more_is_read_from_where_the_config_says_now() {
    let mut stage = settled();
    stage.push("b1");
    stage.play();
    for image in stage.config_mut().images.values_mut() {
        "eu-west-1".clone_into(&mut image.registry.region);
    }
    rollback_to(&mut stage, 1, PLAIN).unwrap();
    let back = stage.table.scene().moving.unwrap();
    assert!(back.images.values().all(|image| image.region == "eu-west-1"), "{back:#?}");
}

#[test]
fn neither_block_nor_freeze_is_made_where_they_are_not_wanted() {
    let mut stage = settled();
    stage.push("b1");
    stage.play();
    let options = RollbackOptions { block: false, freeze: false };
    rollback_to(&mut stage, 1, options).unwrap();
    stage.play();
    assert!(stage.table.blocks.is_empty() && stage.table.head.freeze.is_none());
}

#[test]
fn going_back_brings_only_what_differs_and_blocks_only_what_it_leaves() {
    let mut stage = Stage::with(&[&["api-1", "web-1"]], &[("api", "api"), ("web", "web")]);
    for (name, bytes) in [("api", "a1"), ("web", "b1")] {
        stage.now += Duration::from_secs(1);
        stage.push_as(name, "uapi", image(name, bytes, "uapi", stage.now));
        stage.play();
    }
    // Release 2 had api's new bytes and web's old ones.
    rollback_to(&mut stage, 2, PLAIN).unwrap();
    assert_eq!(stage.release(4).images.keys().collect::<Vec<_>>(), ["web"]);
    assert_eq!(stage.table.blocks.keys().collect::<Vec<_>>(), [&digest("b1")]);
    stage.play();
    let runs = |name: &str| stage.services[name].running_digest();
    assert_eq!((runs("api-1"), runs("web-1")), (digest("a1"), digest("01d")));
    assert_eq!(stage.release(4).images["api"].digest, digest("a1"), "and all of it is live");
}

#[test]
fn there_is_no_going_back_to_what_never_was_or_is_already() {
    let mut stage = blocked();
    let refused = rollback_to(&mut stage, 2, PLAIN).unwrap_err().to_string();
    assert!(refused.contains("p/2 was never live (it is rolled_back); `tidegate history p`"));
    let refused = rollback_to(&mut stage, 1, PLAIN).unwrap_err().to_string();
    assert!(refused.contains("the images of p/1 are what is live already"), "{refused}");

    let mut stage = moving();
    let refused = rollback_to(&mut stage, 1, PLAIN).unwrap_err().to_string();
    assert!(refused.contains("p/2 is rolling: `tidegate rollback p`"), "{refused}");
}

#[test]
fn there_is_no_going_back_to_blocked_bytes() {
    let mut stage = settled();
    stage.push("bad");
    stage.play();
    stage.push("b2");
    stage.play();
    stage.command(block).unwrap();
    let refused = rollback_to(&mut stage, 2, PLAIN).unwrap_err().to_string();
    assert!(refused.contains("`tidegate unblock p sha256:bad"), "{refused}");
}

#[test]
fn a_start_is_a_push_by_hand() {
    let mut stage = settled();
    stage.command(|scene, actor, now| command::start(scene, bytes("b1", now), actor, now)).unwrap();
    assert_eq!((stage.phase(2), &stage.release(2).cause), ("surveying", &Cause::Start));
    assert_eq!(stage.table.head.answered["app"].digest, digest("b1"), "the sweep knows");
    stage.command(|scene, actor, now| command::start(scene, bytes("b2", now), actor, now)).unwrap();
    stage.command(|scene, actor, now| command::start(scene, bytes("b3", now), actor, now)).unwrap();
    assert_eq!(stage.release(3).images["app"].digest, digest("b3"), "merged into what waits");
}

#[test]
fn what_a_start_takes_the_place_of_can_be_found() {
    let mut stage = moving();
    stage.push("b2");
    stage.command(|scene, actor, now| command::start(scene, bytes("b3", now), actor, now)).unwrap();
    let gone = stage.table.pushes.last().unwrap();
    assert_eq!((&gone.digest, gone.instead), (&digest("b2"), Some(3)));
    let said = &stage.table.journal.last().unwrap().reason;
    assert!(said.ends_with("started it, in the place of app:prod-00000b2"), "{said}");
}

#[test]
fn a_word_about_one_release_is_not_taken_for_the_next() {
    let mut stage = moving();
    let shown = stage.release(2).id.clone();
    assert!(command::check_moves(&stage.table.scene(), &shown).is_ok());
    stage.push("b2");
    stage.task_stops("Rag", |_| {});
    stage.tick();
    let scene = stage.table.scene();
    assert_eq!(scene.moving.as_ref().unwrap().id.number, 3);
    let refused = command::check_moves(&scene, &shown).unwrap_err().to_string();
    assert!(refused.starts_with("p/2 has ended, and p/3 is "), "{refused}");
}

#[test]
fn going_back_runs_no_migration_and_so_brings_no_bytes_that_need_one() {
    let mut stage = settled();
    stage.push("b1");
    stage.play();
    stage.config_mut().pre_deploy = vec![TaskConfig {
        name: "migrate".to_owned(),
        task_definition: "migrate".to_owned(),
        container: "app".to_owned(),
        command: vec!["migrate".to_owned()],
        network_from: "Rag".to_owned(),
        timeout: Duration::from_secs(60),
        down: None,
    }];
    let options = RollbackOptions { block: false, freeze: false };
    rollback_to(&mut stage, 1, options).unwrap();
    stage.play();
    assert_eq!(stage.table.head.live, Some(3));
    // By its number 2 is older than 3; its bytes are not.
    let refused = rollback_to(&mut stage, 2, options).unwrap_err().to_string();
    assert!(refused.contains("p/2 is newer than what is live"), "{refused}");
}

#[test]
fn what_went_back_and_fell_goes_back_once_more() {
    let mut stage = settled();
    stage.push("b1");
    stage.play();
    rollback_to(&mut stage, 1, PLAIN).unwrap();
    stage.work();
    let back = stage.release(3).clone();
    let again = |scene: &Scene, actor: &str, now| command::go_back_again(scene, &back, actor, now);
    let refused = stage.command(again).unwrap_err().to_string();
    assert!(
        refused.contains("p/3 is rolling: `tidegate rollback p --to live` brings"),
        "{refused}"
    );
    stage.task_stops("Rag", |_| {});
    let refused = stage.command(again).unwrap_err().to_string();
    assert!(refused.contains("p/3 is rollback_failed: first `tidegate rollback p --to live` or"));
    stage.command(command::accept).unwrap();
    // In the frozen pipeline, as every rollback.
    stage.command(again).unwrap();
    stage.play();
    let (before, after) = (stage.release(3).clone(), stage.release(4));
    assert_eq!(
        (after.phase.name(), &after.cause, &after.images),
        ("live", &before.cause, &before.images)
    );
}

#[test]
fn live_bytes_that_are_unblocked_stay_remembered() {
    let mut stage = settled();
    stage.push("bad");
    stage.play();
    stage.command(block).unwrap();
    stage.command(unblock).unwrap();
    assert_eq!(stage.table.head.answered["app"].digest, digest("bad"));
}

#[test]
fn a_start_of_older_bytes_does_not_make_the_sweep_bring_the_newer_ones() {
    let mut stage = settled();
    stage.push("b2");
    stage.play();
    stage
        .command(|scene, actor, now| command::start(scene, bytes("b1", at(-9)), actor, now))
        .unwrap();
    assert_eq!(stage.table.head.answered["app"].digest, digest("b2"));
    stage.play();
    assert_eq!(stage.services["Rag"].running_digest(), digest("b1"));
}

#[test]
fn a_start_of_bytes_of_the_same_second_is_remembered_as_the_registry_orders_them() {
    for (pushed, started) in [("b1", "b2"), ("b2", "b1")] {
        let mut stage = settled();
        stage.push(pushed);
        stage.play();
        let second = stage.table.head.answered["app"].pushed_at;
        stage
            .command(|scene, actor, now| command::start(scene, bytes(started, second), actor, now))
            .unwrap();
        assert_eq!(stage.table.head.answered["app"].digest, digest("b2"));
    }
}

#[test]
fn every_stuck_state_has_its_ways_out() {
    for say in [rollback as Say, command::accept, command::abandon] {
        let mut stage = stuck();
        stage.command(say).unwrap();
        if stage.table.head.moving.is_some() {
            stage.play();
        }
        assert!(stage.release(2).phase.is_ended());
        stage.command(unfreeze).unwrap();
        stage.push("b2");
        stage.play();
        assert_eq!(stage.phase(3), "live");
    }
}

#[test]
fn a_block_by_hand_names_who_and_why() {
    let mut stage = settled();
    stage.command(block).unwrap();
    let said = stage.table.blocks[&digest("bad")].to_string();
    assert_eq!(said, format!("bad000000000 is blocked since p/1: {OPERATOR}: it leaks"));
}

#[test]
fn adoption_moves_nothing_and_counts_the_newest_push_as_answered() {
    let mut stage = settled();
    assert_eq!(stage.release(1).cause, Cause::Adopted);
    assert!(matches!(stage.release(1).phase, Phase::Live { .. }));
    assert!(stage.advance().is_empty() && stage.table.slots.is_empty());
    assert_eq!(stage.table.head.answered["app"].digest, digest("01d"));
}

#[test]
fn applying_the_same_again_makes_no_release_and_forgets_no_push() {
    let mut stage = settled();
    stage.push("b1");
    stage.play();
    let old = Memory::of(&bytes("01d", at(0))["app"]);
    let answered = BTreeMap::from([("app".to_owned(), old)]);
    stage
        .command(|scene, actor, now| {
            let runs = bytes("b1", at(1));
            command::apply_config(Some(scene), &scene.config, runs, answered.clone(), actor, now)
        })
        .unwrap();
    assert_eq!((stage.table.head.next, stage.table.head.config), (3, 2));
    assert_eq!(stage.table.head.answered["app"].digest, digest("b1"));
}

#[test]
fn another_target_is_adopted_and_the_rest_stays_live() {
    let mut stage = settled();
    stage.push("b1");
    stage.play();
    let apply = |scene: &Scene, actor: &str, now| {
        let mut config = scene.config.clone();
        let mut more = config.waves[0][0].clone();
        more.name = TargetName::Service("another".to_owned());
        config.waves.push(vec![more]);
        command::apply_config(
            Some(scene),
            &config,
            bytes("01d", at(0)),
            BTreeMap::new(),
            actor,
            now,
        )
    };
    stage.command(apply).unwrap();
    let adopted = stage.release(3);
    assert_eq!((&adopted.cause, adopted.phase.name()), (&Cause::Adopted, "live"));
    assert_eq!(adopted.images["app"].digest, digest("b1"), "what was live before");
    assert_eq!(adopted.targets().last().unwrap().name, "another");
}
