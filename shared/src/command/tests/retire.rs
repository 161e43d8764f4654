//! A pipeline that nobody wants starts nothing, until a config that has it is applied.

use super::*;
use crate::config::{Approval, Placeholder};
use crate::model::{Hold, Retired};
use crate::push::{Answer, Candidate, answer};
use crate::stage::candidate;

fn retire(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    command::retire(scene, actor, "it moved", now)
}

fn retired() -> Stage {
    let mut stage = settled();
    stage.push("b1");
    stage.play();
    stage.command(retire).unwrap();
    stage
}

/// Release 2 waits for a person's word.
fn held() -> Stage {
    let mut stage = settled();
    let approval = Approval { expires: Duration::from_hours(1), unless_tag: None };
    stage.config_mut().approval = Some(approval);
    stage.push("b1");
    stage.work();
    assert!(matches!(stage.release(2).held(), Some(Hold::Approval { .. })));
    stage
}

/// Release 2 waits behind a freeze.
fn waiting() -> Stage {
    let mut stage = settled();
    stage.command(freeze).unwrap();
    stage.push("b1");
    assert_eq!(stage.phase(2), "waiting");
    stage
}

/// What waits there may not be released any more.
fn waiting_in_vain() -> Stage {
    let mut stage = waiting();
    let block_b1 = |scene: &Scene, actor: &str, now| {
        command::block(scene, &digest("b1"), actor, "it leaks", now)
    };
    stage.command(block_b1).unwrap();
    stage
}

#[test]
fn what_has_not_ended_is_named_with_what_ends_it() {
    let back =
        "p/2 is rolling_back and owns its targets; retire p when it has ended: `tidegate follow";
    let moves = "p/2 is rolling and owns its targets; retire p when it has ended: `tidegate follow p` \
                 shows when";
    let stopped = "p/2 is frozen and owns its targets; retire p when it has ended: a person decides, \
                   `tidegate rollback p` or `tidegate accept p`";
    let asked = "retire p when it has ended: `tidegate status p` says what it waits for";
    let waits = "p/2 waits; retire p when it has ended: `tidegate unfreeze p` lets it start, and after \
                 `tidegate block p sha256:b1";
    let in_vain = "`tidegate unfreeze p` has it refused, for its bytes are blocked";
    let again = "p is retired, by arn:aws:iam::123456789012:user/ada at ";
    let table: &[(Before, &str)] = &[
        (moving, moves),
        (stuck, stopped),
        (going_back, back),
        (held, asked),
        (waiting, waits),
        (waiting_in_vain, in_vain),
        (retired, again),
    ];
    for (stage, expected) in table {
        let refused = stage().command(retire).unwrap_err().to_string();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
    // The way that is named is one.
    let mut stage = waiting_in_vain();
    stage.command(unfreeze).unwrap();
    assert_eq!(stage.phase(2), "refused");
    stage.command(retire).unwrap();
}

/// Two images, whose live bytes are `01d`, behind a freeze.
fn frozen_pair(joined: bool) -> Stage {
    let mut stage = Stage::with(&[&["Rag", "Web"]], &[("app", "R"), ("web", "W")]);
    stage.config_mut().join_on = joined.then_some(Placeholder::Sha);
    stage.command(freeze).unwrap();
    stage
}

/// A set of both images waits, `by_itself` or because a person started it.
fn waits_with(stage: &mut Stage, app: &str, web: &str, by_itself: bool) {
    stage.now += Duration::from_secs(1);
    let (now, tag) = (stage.now, "prod-1a2b3c4");
    let [app, web] = [("app", app), ("web", web)].map(|(name, it)| image(name, it, tag, now));
    if by_itself {
        let web = candidate("web", tag, web, "q/7").pushed;
        let set = Candidate {
            others: BTreeMap::from([("web".to_owned(), web)]),
            promoted: Some("q/7".parse().unwrap()),
            ..candidate("app", tag, app, "q/7")
        };
        let Answer::Record(change) = answer(&stage.table.scene(), &set, now) else {
            panic!("what is live there was not offered")
        };
        stage.write(&change);
    } else {
        let images = BTreeMap::from([("app".to_owned(), app), ("web".to_owned(), web)]);
        let start =
            |scene: &Scene, actor: &str, now| command::start(scene, images.clone(), actor, now);
        stage.command(start).unwrap();
    }
    assert_eq!(stage.phase(2), "waiting");
}

#[test]
fn what_waits_ends_by_the_words_that_are_named_and_what_is_live_is_not_blocked_for_it() {
    let block = |bytes| format!("`tidegate block p {}`", digest(bytes));
    let after = "`tidegate unfreeze p` lets it start, and after ";
    let new = format!("{after}{} and {} has it refused", block("b1"), block("b2"));
    let one = format!("{after}{} has it refused", block("b1"));
    let rest = format!("{after}{} with nothing but what is live", block("b1"));
    let live = "`tidegate unfreeze p` ends it soon, for its bytes are live".to_owned();
    for (joined, by_itself, web, expected, ends) in [
        (false, false, "b2", &new, "refused"),
        (true, false, "b2", &one, "refused"),
        (true, false, "01d", &one, "refused"),
        (false, true, "01d", &one, "refused"),
        (false, false, "01d", &rest, "live"),
    ] {
        let mut stage = frozen_pair(joined);
        waits_with(&mut stage, "b1", web, by_itself);
        let refused = stage.command(retire).unwrap_err().to_string();
        assert!(refused.ends_with(expected), "{refused}");
        for bytes in ["b1", "b2"] {
            if expected.contains(&block(bytes)) {
                let bytes = digest(bytes);
                let say = |scene: &Scene, actor: &str, now| {
                    command::block(scene, &bytes, actor, "it goes", now)
                };
                stage.command(say).unwrap();
            }
        }
        stage.command(unfreeze).unwrap();
        stage.play();
        assert_eq!(stage.phase(2), ends, "{expected}");
        stage.command(retire).unwrap();
    }
    let mut stage = frozen_pair(false);
    waits_with(&mut stage, "01d", "01d", false);
    let refused = stage.command(retire).unwrap_err().to_string();
    assert!(refused.ends_with(&live), "{refused}");
    stage.command(unfreeze).unwrap();
    stage.play();
    stage.command(retire).unwrap();
}

#[test]
fn what_an_older_program_let_into_a_retired_pipeline_goes_back() {
    let mut stage = moving();
    let (by, why) = ("ada".to_owned(), "it moved".to_owned());
    stage.table.head.retired = Some(Retired { by, why, at: stage.now });
    let refused = rollback_to(&mut stage, 1, PLAIN).unwrap_err().to_string();
    assert_eq!(refused, "p/2 is rolling: `tidegate rollback p` brings it back first");
    stage.command(rollback).unwrap();
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    let refused = rollback_to(&mut stage, 1, PLAIN).unwrap_err().to_string();
    assert!(refused.starts_with("p is retired, by ada at "), "{refused}");
}

#[test]
fn a_config_over_what_has_not_ended_is_refused_with_what_ends_it() {
    for (stage, expected) in [
        (
            moving as Before,
            "p/2 is rolling and owns its targets; apply the config when it has ended: \
                            `tidegate follow p` shows when",
        ),
        (
            stuck,
            "when it has ended: a person decides, `tidegate rollback p` or `tidegate accept p`",
        ),
        (held, "when it has ended: `tidegate status p` says what it waits for"),
    ] {
        let refused = stage().command(configure).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn it_is_written_down_like_a_freeze_by_hand() {
    let stage = retired();
    let entry = stage.table.journal.last().unwrap();
    assert_eq!((entry.release.number, entry.to.as_str()), (0, "retired"));
    assert_eq!((entry.actor.as_str(), entry.reason.as_str()), (OPERATOR, "it moved"));
    assert_eq!(entry.notice, None);
    let marker = stage.table.head.retired.as_ref().unwrap();
    assert_eq!((marker.by.as_str(), marker.why.as_str()), (OPERATOR, "it moved"));
}

#[test]
fn nothing_starts_in_it() {
    let mut stage = retired();
    let why = "p is retired, by arn:aws:iam::123456789012:user/ada at ";
    let before = stage.table.clone();
    // Whoever read it among those that look at the repository before it was retired.
    let pushed = image("app", "b2", "prod-00000b2", stage.now);
    let push = candidate("app", "prod-00000b2", pushed, "ecr");
    let Answer::Known(said) = answer(&stage.table.scene(), &push, stage.now) else {
        panic!("a push of a retired pipeline was recorded")
    };
    assert!(said.contains(why) && said.contains("`tidegate config apply`"), "{said}");

    let start =
        |scene: &Scene, actor: &str, now| command::start(scene, bytes("b2", now), actor, now);
    assert!(stage.command(start).unwrap_err().to_string().contains(why));
    assert!(rollback_to(&mut stage, 1, PLAIN).unwrap_err().to_string().contains(why));
    let again = stage.release(2).clone();
    let again = |scene: &Scene, actor: &str, now| command::go_back_again(scene, &again, actor, now);
    assert!(stage.command(again).unwrap_err().to_string().contains(why));
    let last = stage.release(2).clone();
    let down = |scene: &Scene, actor: &str, now| {
        command::undo(scene, &[], &last, scene.head.step, actor, now)
    };
    assert!(stage.command(down).unwrap_err().to_string().contains(why));
    assert_eq!(stage.table, before);
}

#[test]
fn what_is_brought_back_is_adopted_as_it_runs_and_as_if_nothing_had_been_pushed_meanwhile() {
    let mut stage = retired();
    let pushed = Memory::of(&bytes("b3", stage.now)["app"]);
    let answered = BTreeMap::from([("app".to_owned(), pushed)]);
    // Another pipeline had the targets.
    let runs = bytes("b2", stage.now);
    let apply = |scene: &Scene, actor: &str, now| {
        let (runs, answered) = (runs.clone(), answered.clone());
        command::apply_config(Some(scene), &scene.config, runs, answered, actor, now)
    };
    stage.command(apply).unwrap();
    let head = &stage.table.head;
    assert_eq!((&head.retired, head.live, head.config), (&None, Some(3), 2));
    assert_eq!(head.answered["app"].digest, digest("b3"));
    let adopted = stage.release(3);
    assert_eq!((&adopted.cause, &adopted.images["app"].digest), (&Cause::Adopted, &digest("b2")));
    let said = &stage.table.journal.last().unwrap().reason;
    assert!(said.ends_with("user/ada, which brings it back"), "{said}");
    assert!(head.is_before_it_came_back(2) && !head.is_before_it_came_back(3));
    // What ran since may need what a migration of then did.
    let then = stage.release(2).clone();
    let down = |scene: &Scene, actor: &str, now| {
        command::undo(scene, &[], &then, scene.head.step, actor, now)
    };
    let refused = stage.command(down).unwrap_err().to_string();
    assert!(refused.starts_with("p/2 is from before p was retired, and others may"), "{refused}");
    stage.push("b4");
    stage.play();
    assert_eq!(stage.phase(4), "live");
}

#[test]
fn what_shows_no_bytes_when_it_is_brought_back_has_nothing_live() {
    let mut stage = retired();
    stage.command(configure).unwrap();
    let head = &stage.table.head;
    assert_eq!((&head.retired, head.live, head.next), (&None, None, 3));
    assert_eq!(stage.table.journal.last().unwrap().to, "configured");
}
