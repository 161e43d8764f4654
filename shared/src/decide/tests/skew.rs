//! Two programs decide on the same reading, and write different items: one of the two must lose.

use std::time::Duration;

use crate::command::{self, Ending};
use crate::decide::{conclude, decide, note_task};
use crate::model::{Action, Change};
use crate::stage::{Refusal, Stage, crash, names};

/// Both orders: whoever writes second is told to read again. What either leaves behind.
fn one_loses(stage: &Stage, changes: [&Change; 2]) -> [Stage; 2] {
    let [a, b] = changes;
    [[a, b], [b, a]].map(|[first, second]| {
        let mut stage = stage.clone();
        stage.write(first);
        let refused = stage.table.write(second);
        assert!(matches!(refused, Err(Refusal::Superseded(_))), "{refused:?}: {second:#?}");
        stage
    })
}

fn rolled_back(stage: &Stage) -> Change {
    let ending = Ending::Fail { include_drifted: false };
    command::rollback_moving(&stage.table.scene(), "ada", ending, stage.now).unwrap()
}

/// The simulation's seed 718: the release ended untouched, and its targets stayed taken.
#[test]
fn a_rollback_beside_the_survey_that_takes_the_targets() {
    let mut stage = Stage::of(&[&["Rag", "Bill"]]);
    stage.push("b1");
    let taken = conclude(&stage.table.scene(), &stage.found(), stage.now).changes.remove(0);
    let [surveyed, stopped] = one_loses(&stage, [&taken, &rolled_back(&stage)]);
    assert_eq!(surveyed.slots(), [("Bill", "queued"), ("Rag", "queued")]);
    assert_eq!((stopped.phase(2), stopped.slots()), ("rolled_back", Vec::new()));
    // Who lost the race reads again, and brings them back by the ordinary way.
    let mut again = surveyed;
    again.write(&rolled_back(&again));
    again.advance();
    assert_eq!(again.phase(2), "rolled_back");
    assert_eq!(again.slots(), [("Bill", "untouched"), ("Rag", "untouched")]);
}

#[test]
fn a_freeze_beside_the_survey_that_takes_the_targets() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    let taken = conclude(&stage.table.scene(), &stage.found(), stage.now).changes.remove(0);
    let freeze = command::freeze(&stage.table.scene(), "ada", "audit", stage.now).unwrap();
    let [mut begun, mut frozen] = one_loses(&stage, [&taken, &freeze]);
    begun.play();
    assert_eq!(begun.phase(2), "live", "a freeze stops nothing that has begun");
    frozen.work();
    assert_eq!((frozen.phase(2), frozen.slots()), ("surveying", Vec::new()));
}

/// Deploy writes only for the generation that it read: what is withdrawn is another one.
#[test]
fn what_is_withdrawn_is_a_generation_of_its_own() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.survey();
    let asked = stage.slot("Rag").clone();
    let withdrawn = asked.clone().asks_nothing();
    assert_eq!(asked.asked.action, Action::Apply);
    assert_eq!(withdrawn.asked.action, Action::None);
    assert_eq!(withdrawn.asked.generation, asked.asked.generation + 1);
}

#[test]
fn a_task_that_fails_beside_the_end_of_the_bake() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    while stage.phase(2) != "baking" {
        stage.tick();
    }
    stage.now += Duration::from_secs(180);
    let (scene, now) = (stage.table.scene(), stage.now);
    let live = decide(&scene, &stage.sightings(), now).changes.remove(0);
    let slot = stage.slot("Rag");
    let failed = note_task(&scene, slot, slot.ours().unwrap(), &crash(1, now), now).unwrap();
    let [live, mut failed] = one_loses(&stage, [&live, &failed]);
    assert_eq!((live.phase(2), live.slot("Rag").phase.name()), ("live", "healthy"));
    failed.advance();
    assert_eq!((failed.phase(2), failed.slot("Rag").phase.name()), ("rolling_back", "returning"));
}

#[test]
fn a_person_lets_go_beside_a_wave_that_opens_in_chunks() {
    let names = names(60);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut stage = Stage::of(&[&names]);
    stage.push("b1");
    while stage.phase(2) == "surveying" {
        let plan = conclude(&stage.table.scene(), &stage.found(), stage.now);
        stage.write(&plan.changes[0]);
    }
    let scene = stage.table.scene();
    let opened = decide(&scene, &stage.sightings(), stage.now).changes.remove(0);
    let let_go = command::abandon(&scene, "ada", stage.now).unwrap();
    one_loses(&stage, [&opened, &let_go]);
}
