//! Pushes come twice, late, out of order and under several names; each is answered once.

mod joined;
mod promoted;

use std::time::Duration;

use super::{Answer, SWEEP, answer};
use crate::command;
use crate::config::{ImageConfig, Registry};
use crate::model::{Change, Memory, NoticeKind as N, Scene};
use crate::stage::{Behaviour, Stage, at, candidate, digest, image};

/// `tag` of the image `app` was put on bytes that were first pushed so many seconds in.
struct Pushed {
    bytes: &'static str,
    tag: &'static str,
    first_seen: i64,
    by: &'static str,
    /// The other tags that the registry shows for the bytes.
    also: &'static [&'static str],
}

#[test]
fn what_a_person_started_is_remembered_unless_its_version_is_older() {
    let config = ImageConfig {
        registry: Registry { account: "123456789012".to_owned(), region: "us-west-2".to_owned() },
        repository: "app".to_owned(),
        tags: vec!["v{semver}".parse().unwrap()],
    };
    let of = |tag: &'static str, bytes, seconds| image("app", bytes, tag, at(seconds));
    let answered = Memory::of(&of("v2.0.0", "b2", 60));
    let after = |started| super::started(Some(&config), &started, Some(&answered)).digest;
    assert_eq!(after(of("v1.9.0", "b1", 90)), digest("b2"), "the sweep would bring 2.0.0 again");
    assert_eq!(after(of("v2.0.1", "b3", 30)), digest("b3"));
    assert_eq!(after(of("other", "b1", 90)), digest("b1"), "it has no version: time decides");
    assert_eq!(after(of("other", "b1", 30)), digest("b2"));
    let again = super::started(Some(&config), &of("other", "b2", 60), Some(&answered));
    assert_eq!(again, answered.and_shown_by(&["other".to_owned()]));
}

fn pushed(bytes: &'static str, tag: &'static str, first_seen: i64) -> Pushed {
    Pushed { bytes, tag, first_seen, by: "ecr", also: &[] }
}

fn swept(bytes: &'static str, tag: &'static str, first_seen: i64) -> Pushed {
    Pushed { by: SWEEP, ..pushed(bytes, tag, first_seen) }
}

/// What became of a push, in a word.
#[derive(Debug, PartialEq, Eq)]
enum Became {
    /// The next release brings it.
    Brought,
    Known,
    Remembered,
    Late,
    Refused,
}

fn hears(stage: &mut Stage, push: &Pushed) -> Became {
    let Pushed { bytes, tag, first_seen, by, also } = push;
    let mut bytes = image("app", bytes, tag, at(*first_seen));
    bytes.tags.extend(also.iter().map(|&tag| tag.to_owned()));
    let mut candidate = candidate("app", tag, bytes, by);
    candidate.pushed.answered = stage.table.head.answered.get("app").cloned();
    let change = match answer(&stage.table.scene(), &candidate, stage.now) {
        Answer::Outdated => panic!("nothing was answered in between"),
        Answer::Known(why) => {
            assert!(!why.is_empty());
            return Became::Known;
        }
        Answer::Record(change) => change,
    };
    stage.write(&change);
    stage.advance();
    let Change { releases, mut pushes, journal, .. } = *change;
    match (releases.first(), pushes.pop(), journal.first()) {
        (Some(brings), None, Some(_)) => {
            assert!(!brings.images.is_empty());
            Became::Brought
        }
        // It takes the place of what waited; whoever waits for that is told where it went.
        (Some(brings), Some(old), Some(_)) => {
            assert_eq!(old.instead, Some(brings.id.number));
            assert_ne!(brings.images["app"].digest, old.digest);
            Became::Brought
        }
        (None, Some(_), Some(refusal)) => {
            assert_eq!(refusal.notice.as_ref().map(|notice| notice.kind), Some(N::Refused));
            Became::Refused
        }
        (None, Some(late), None) => {
            assert!(late.why.starts_with("late: "), "{}", late.why);
            Became::Late
        }
        (None, None, None) => Became::Remembered,
        other => panic!("{other:?}"),
    }
}

/// One pipeline hears pushes one after the other; what became of each.
fn story(pushes: &[Pushed]) -> Vec<Became> {
    let mut stage = Stage::of(&[&["Rag"]]);
    pushes.iter().map(|push| hears(&mut stage, push)).collect()
}

use Became::{Brought, Known, Late, Refused, Remembered};

#[test]
fn a_redelivered_event_is_known() {
    let pushes = [pushed("b1", "prod-0000001", 9), pushed("b1", "prod-0000001", 9)];
    assert_eq!(story(&pushes), [Brought, Known]);
}

#[test]
fn three_tags_on_one_digest_are_one_release() {
    let pushes =
        [pushed("b1", "prod-0000001", 9), pushed("b1", "uapi", 9), pushed("b1", "prod-0000002", 9)];
    assert_eq!(story(&pushes), [Brought, Remembered, Known]);
}

#[test]
fn what_is_live_already_is_known() {
    assert_eq!(story(&[pushed("01d", "prod-0000001", 0)]), [Known]);
}

#[test]
fn an_event_that_comes_after_a_newer_one_is_late() {
    let pushes = [pushed("b2", "prod-0000002", 9), pushed("b1", "prod-0000001", 8)];
    assert_eq!(story(&pushes), [Brought, Late]);
}

#[test]
fn an_old_digest_with_a_new_tag_is_late() {
    let pushes = [
        pushed("b1", "prod-0000001", 8),
        pushed("b2", "prod-0000002", 9),
        pushed("b1", "prod-0000003", 8),
    ];
    assert_eq!(story(&pushes), [Brought, Brought, Late]);
}

#[test]
fn pushes_of_one_second_are_ordered_by_digest_whatever_comes_first() {
    let (a, b) = (|| pushed("aa", "prod-0000001", 9), || pushed("bb", "prod-0000002", 9));
    assert_eq!(story(&[a(), b()]), [Brought, Brought]);
    assert_eq!(story(&[b(), a()]), [Brought, Late]);
}

#[test]
fn versions_are_ordered_by_version_and_not_by_time() {
    let pushes = [
        pushed("b1", "v1.10.0", 8),
        pushed("b2", "v1.9.0", 9),
        pushed("b3", "v1.10.1", 7),
        pushed("b4", "v1.10.1", 6),
        pushed("b5", "v1.10.1", 9),
    ];
    let expected = [Brought, Late, Brought, Late, Brought];
    assert_eq!(story(&pushes), expected, "one version twice is ordered by time");
}

#[test]
fn a_literal_tag_that_was_moved_back_on_purpose_is_followed() {
    let pushes = [pushed("b1", "uapi", 8), pushed("b2", "uapi", 9), pushed("b1", "uapi", 8)];
    assert_eq!(story(&pushes), [Brought, Brought, Brought]);
}

#[test]
fn moving_a_literal_tag_back_is_not_undone_by_the_tag_beside_it() {
    for both in [["uapi", "prod-0000002"], ["prod-0000002", "uapi"]] {
        let mut stage = Stage::of(&[&["Rag"]]);
        for tag in both {
            hears(&mut stage, &pushed("b2", tag, 9));
        }
        assert_eq!(hears(&mut stage, &pushed("b1", "uapi", 8)), Brought, "{both:?}");
        assert_eq!(hears(&mut stage, &swept("b2", "prod-0000002", 9)), Known);
        assert_eq!(stage.table.head.answered["app"].digest, digest("b1"));
        assert_eq!(hears(&mut stage, &pushed("b3", "prod-0000003", 10)), Brought, "{both:?}");
    }
}

/// The simulation's seed 3540: what was heard of the two names decided.
#[test]
fn a_literal_tag_is_followed_back_whichever_of_its_names_was_heard_of() {
    let heard = [("uapi", &["prod-0000002"]), ("prod-0000002", &["uapi"])];
    for (tag, also) in heard {
        let both = Pushed { also, ..pushed("b2", tag, 9) };
        let pushes = [pushed("b1", "uapi", 8), both, pushed("b1", "uapi", 8)];
        assert_eq!(story(&pushes), [Brought, Brought, Brought], "{tag}");
    }
}

#[test]
fn a_literal_tag_that_no_event_told_of_is_noticed_by_the_sweep_once() {
    let pushes = [
        pushed("b1", "uapi", 8),
        pushed("b2", "prod-0000002", 9),
        swept("b2", "uapi", 9),
        swept("b2", "uapi", 9),
        pushed("b1", "uapi", 8),
        swept("b2", "prod-0000002", 9),
    ];
    assert_eq!(story(&pushes), [Brought, Brought, Remembered, Known, Brought, Known]);
}

#[test]
fn a_version_counts_whichever_of_its_names_was_heard_of() {
    for (tag, also) in [("uapi", &["v1.10.0"]), ("v1.10.0", &["uapi"])] {
        let both = Pushed { also, ..pushed("b1", tag, 8) };
        assert_eq!(story(&[both, pushed("b2", "v1.9.0", 9)]), [Brought, Late], "{tag}");
    }
}

#[test]
fn a_literal_tag_that_stayed_behind_is_not_followed_back() {
    let pushes = [
        pushed("b1", "uapi", 8),
        pushed("b2", "prod-0000002", 9),
        swept("b1", "uapi", 8),
        pushed("b1", "uapi", 8),
    ];
    assert_eq!(story(&pushes), [Brought, Brought, Known, Late]);
}

#[test]
fn the_sweep_finds_what_no_event_told_of() {
    assert_eq!(story(&[swept("b1", "uapi", 9), pushed("b1", "uapi", 9)]), [Brought, Known]);
}

#[test]
fn the_sweep_writes_nothing_about_what_is_known() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.behaviours.insert(digest("bad"), Behaviour::Crashes);
    stage.push("b1");
    stage.play();
    stage.push("bad");
    stage.play();
    assert_eq!(stage.phase(3), "rolled_back");
    let before = stage.clone();
    for push in
        [swept("bad", "prod-0000bad", 400), swept("b1", "prod-00000b1", 1), swept("01d", "uapi", 0)]
    {
        assert_eq!(hears(&mut stage, &push), Known, "{}", push.bytes);
    }
    assert_eq!(stage.table.head, before.table.head);
}

/// Release 2 failed with `bad`, which is blocked.
fn blocked() -> Stage {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.behaviours.insert(digest("bad"), Behaviour::Crashes);
    stage.push("bad");
    stage.play();
    stage
}

#[test]
fn blocked_bytes_under_another_tag_are_refused_with_the_release_named() {
    let mut stage = blocked();
    assert_eq!(hears(&mut stage, &pushed("bad", "uapi", 1)), Refused);
    let why = &stage.table.pushes[0].why;
    assert!(why.contains("is blocked since p/2: "), "{why}");
    assert_eq!(hears(&mut stage, &swept("bad", "uapi", 1)), Known, "and the sweep says no more");
    assert_eq!(hears(&mut stage, &pushed("bad", "prod-0000bad", 1)), Known, "nor its first tag");
    assert_eq!(stage.table.head.next, 3);
}

#[test]
fn the_same_push_told_again_after_its_failure_is_no_news() {
    let mut stage = blocked();
    assert_eq!(hears(&mut stage, &pushed("bad", "prod-0000bad", 1)), Known);
}

#[test]
fn a_late_push_of_blocked_bytes_does_not_become_the_newest_answer() {
    let mut stage = blocked();
    stage.push("b2");
    stage.play();
    let before = stage.table.head.answered.clone();
    assert_eq!(hears(&mut stage, &pushed("bad", "prod-0000009", 1)), Refused);
    assert_eq!(stage.table.head.answered, before);
    assert_eq!(hears(&mut stage, &swept("bad", "prod-0000009", 1)), Known);
}

#[test]
fn unblocked_bytes_may_come_again_and_nothing_older_does() {
    let mut stage = blocked();
    stage.command(|scene, actor, now| command::unblock(scene, &digest("bad"), actor, now)).unwrap();
    assert_eq!(hears(&mut stage, &swept("00", "prod-0000000", -5)), Known, "older than live");
    let failed = stage.release(2).images["app"].pushed_at.as_second() - at(0).as_second();
    assert_eq!(
        hears(&mut stage, &swept("b0", "prod-00000b0", failed - 1)),
        Known,
        "older than bad"
    );
    assert_eq!(hears(&mut stage, &swept("bad", "prod-0000bad", 1)), Brought);
}

#[test]
fn a_tag_that_moves_after_an_unblock_is_the_later_word() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.behaviours.insert(digest("bad"), Behaviour::Crashes);
    hears(&mut stage, &Pushed { also: &["prod-0000bad"], ..pushed("bad", "uapi", 9) });
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    stage.command(|scene, actor, now| command::unblock(scene, &digest("bad"), actor, now)).unwrap();
    assert_eq!(hears(&mut stage, &pushed("b0", "uapi", 5)), Brought);
    assert_eq!(hears(&mut stage, &swept("bad", "prod-0000bad", 9)), Known);
}

#[test]
fn a_push_is_recorded_with_its_time_as_first_seen() {
    let mut stage = Stage::of(&[&["Rag"]]);
    hears(&mut stage, &pushed("b2", "prod-0000002", 9));
    hears(&mut stage, &pushed("b1", "prod-0000001", 8));
    let seen = |bytes: &str| stage.table.seen.get(&digest(bytes)).copied();
    assert_eq!((seen("b2"), seen("b1")), (Some(at(9)), Some(at(8))));
}

#[test]
fn two_pushes_answered_at_once_are_answered_one_after_the_other() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.now += Duration::from_secs(10);
    let scene: Scene = stage.table.scene();
    let answers = ["b1", "b2"].map(|bytes| {
        let bytes = image("app", bytes, "uapi", at(9));
        let mut candidate = candidate("app", "uapi", bytes, "ecr");
        candidate.pushed.answered = scene.head.answered.get("app").cloned();
        match answer(&scene, &candidate, stage.now) {
            Answer::Record(change) => (candidate, change),
            other => panic!("{other:?}"),
        }
    });
    stage.write(&answers[0].1);
    assert!(stage.table.write(&answers[1].1).is_err(), "the head has moved");
    // Whoever reads again does not take what the tag showed by then for a tag that moved back.
    let again = answer(&stage.table.scene(), &answers[1].0, stage.now);
    assert_eq!(again, Answer::Outdated);
    assert_eq!(hears(&mut stage, &pushed("b2", "uapi", 9)), Brought);
    assert_eq!(stage.release(3).images["app"].digest, digest("b2"));
}
