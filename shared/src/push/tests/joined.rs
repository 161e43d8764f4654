//! `join_on`: images that hold the same value are answered as one, whatever comes first.

use std::collections::BTreeMap;

use crate::command;
use crate::config::Placeholder;
use crate::model::Push;
use crate::push::{Answer, Candidate, Missing, SWEEP, answer};
use crate::stage::{Behaviour, Stage, at, candidate, digest, image};

const IMAGES: [&str; 3] = ["api", "gateway", "web"];

/// A pipeline of three images, and what the registry holds: bytes by image and sha, and when they
/// were first pushed.
struct Joined {
    stage: Stage,
    holds: BTreeMap<(&'static str, &'static str), (String, i64)>,
}

impl Joined {
    fn new() -> Self {
        let images = IMAGES.map(|name| (name, name));
        let mut stage = Stage::with(&[&["api-1", "gateway-1", "web-1"]], &images);
        stage.config_mut().join_on = Some(Placeholder::Sha);
        Self { stage, holds: BTreeMap::new() }
    }

    /// Bytes are pushed, so many seconds in, and nothing hears of it.
    fn silent(&mut self, name: &'static str, sha: &'static str, seconds: i64) {
        let bytes = format!("{sha:.2}{}", IMAGES.iter().position(|it| *it == name).unwrap());
        self.holds.insert((name, sha), (bytes, seconds));
    }

    fn pushed(&mut self, name: &'static str, sha: &'static str, seconds: i64) -> String {
        self.silent(name, sha, seconds);
        self.hears(name, sha, "ecr")
    }

    /// What becomes of a push, as promote completes it.
    fn hears(&mut self, name: &str, sha: &str, by: &str) -> String {
        let shown = |name: &str| {
            let (bytes, seconds) = self.holds.get(&(name, sha))?;
            let tag = format!("prod-{sha}");
            Some(candidate(name, &tag, image(name, bytes, &tag, at(*seconds)), by))
        };
        let mut set: Candidate = shown(name).unwrap();
        let others = IMAGES.into_iter().filter(|other| *other != name);
        let (there, absent): (Vec<_>, Vec<_>) = others.partition(|other| shown(other).is_some());
        set.others = there.iter().map(|it| ((*it).to_owned(), shown(it).unwrap().pushed)).collect();
        let images: Vec<_> = absent.into_iter().map(str::to_owned).collect();
        set.missing = (!images.is_empty()).then(|| Missing { value: sha.to_owned(), images });
        let answered = answer(&self.stage.table.scene(), &set, self.stage.now);
        let said = match answered {
            Answer::Known(why) => return format!("known: {why}"),
            Answer::Outdated => panic!("no tag here is literal"),
            Answer::Record(change) => {
                self.stage.write(&change);
                match (change.releases.first(), change.pushes.first()) {
                    (Some(release), _) => format!("release {}", release.id.number),
                    (None, Some(push)) => push.why.clone(),
                    (None, None) => "remembered".to_owned(),
                }
            }
        };
        self.stage.advance();
        said
    }

    /// The sha that each image of a release came under.
    fn brings(&self, number: u64) -> Vec<String> {
        let images = self.stage.release(number).images.values();
        images.map(|image| image.tags[0].trim_start_matches("prod-").to_owned()).collect()
    }
}

const A: &str = "aaaaaaa";
const B: &str = "bbbbbbb";

#[test]
fn the_last_of_a_set_makes_one_release_in_any_order() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let mut joined = Joined::new();
        let [first, second, last] = order.map(|at| IMAGES[at]);
        let said = joined.pushed(first, A, 1);
        assert!(said.starts_with("it waits for ") && said.contains(last), "{said}");
        let said = joined.pushed(second, A, 2);
        assert_eq!(said, format!("it waits for {last}: it holds no `{A}` yet"));
        assert_eq!(joined.pushed(last, A, 3), "release 2");
        assert_eq!(joined.brings(2), [A, A, A]);
        for name in IMAGES {
            assert!(joined.hears(name, A, "ecr").starts_with("known: "), "{name} comes again");
        }
        joined.stage.play();
        assert_eq!((joined.stage.phase(2), joined.stage.table.head.next), ("live", 3));
    }
}

#[test]
fn what_is_waited_for_is_written_once_and_names_all_that_miss_it() {
    let mut joined = Joined::new();
    let said = joined.pushed("api", A, 1);
    assert_eq!(said, format!("it waits for gateway and web: they hold no `{A}` yet"));
    let Push { missing, .. } = joined.stage.table.pushes.last().unwrap();
    assert_eq!(missing[..], ["gateway", "web"]);
    assert!(joined.hears("api", A, SWEEP).starts_with("known: it waits for gateway and web"));
    assert_eq!(joined.stage.table.pushes.len(), 1);
    assert_eq!(joined.stage.table.head.answered["api"].digest, digest("01d"), "not answered yet");
}

#[test]
fn lost_events_are_made_up_for_by_any_push_and_by_the_sweep() {
    let mut joined = Joined::new();
    joined.silent("api", A, 1);
    joined.silent("web", A, 2);
    assert_eq!(joined.pushed("gateway", A, 3), "release 2");

    let mut joined = Joined::new();
    for (at, name) in (1..).zip(IMAGES) {
        joined.silent(name, A, at);
    }
    assert_eq!(joined.hears("api", A, SWEEP), "release 2");
    assert!(joined.hears("web", A, SWEEP).starts_with("known: "));
}

#[test]
fn an_older_set_that_completes_late_never_overtakes() {
    let mut joined = Joined::new();
    joined.pushed("api", A, 1);
    joined.pushed("web", A, 2);
    for (at, name) in (3..).zip(IMAGES) {
        joined.pushed(name, B, at);
    }
    assert_eq!(joined.brings(2), [B, B, B]);
    // The older commit's slowest build.
    let said = joined.pushed("gateway", A, 9);
    assert!(said.starts_with("late: api:prod-aaaaaaa"), "{said}");
    assert!(joined.hears("gateway", A, SWEEP).starts_with("known: late: "));
    assert!(joined.stage.table.pushes.last().unwrap().missing.is_empty(), "it waits for nothing");
    joined.stage.play();
    assert_eq!(joined.stage.table.head.next, 3);
}

#[test]
fn interleaved_sets_come_one_after_the_other() {
    let mut joined = Joined::new();
    for (at, (name, sha)) in (1..).zip([("api", A), ("api", B), ("web", A), ("web", B)]) {
        assert!(joined.pushed(name, sha, at).starts_with("it waits for gateway"), "{name} {sha}");
    }
    assert_eq!(joined.pushed("gateway", A, 5), "release 2");
    assert_eq!(joined.pushed("gateway", B, 6), "release 3");
    assert_eq!(
        (joined.brings(2), joined.brings(3)),
        (vec![A.to_owned(); 3], vec![B.to_owned(); 3])
    );
}

#[test]
fn a_newer_set_replaces_the_whole_set_that_waits() {
    const C: &str = "ccccccc";
    let mut joined = Joined::new();
    for (at, sha) in [(1, A), (11, B), (21, C)] {
        for (more, name) in (0..).zip(IMAGES) {
            joined.pushed(name, sha, at + more);
        }
    }
    assert_eq!(joined.brings(3), [C, C, C], "it waited for release 2, with B at first");
    let pushes = joined.stage.table.pushes.iter();
    let gone: Vec<_> = pushes.filter(|push| push.instead == Some(3)).map(|p| &p.tag).collect();
    assert_eq!(gone, ["prod-bbbbbbb"; 3], "whoever waits for them is told where it went on");
}

#[test]
fn an_image_that_did_not_change_joins_under_the_new_sha() {
    let mut joined = Joined::new();
    for (at, name) in (1..).zip(IMAGES) {
        joined.pushed(name, A, at);
    }
    joined.stage.play();
    // The gateway's build came to the same bytes: one more tag on them.
    let same = joined.holds[&("gateway", A)].clone();
    joined.holds.insert(("gateway", B), same);
    let said = joined.hears("gateway", B, "ecr");
    assert_eq!(said, format!("it waits for api and web: they hold no `{B}` yet"));
    joined.pushed("web", B, 500);
    assert_eq!(joined.pushed("api", B, 501), "release 3");
    assert_eq!(joined.brings(3), [B, B, B]);
    // And a commit that changed nothing at all is no release.
    for name in IMAGES {
        let same = joined.holds[&(name, B)].clone();
        joined.holds.insert((name, "ddddddd"), same);
    }
    assert!(joined.hears("api", "ddddddd", "ecr").starts_with("known: "));
}

#[test]
fn live_bytes_join_under_a_new_sha_after_newer_ones_were_unblocked() {
    let mut joined = Joined::new();
    joined.stage.behaviours.insert(digest("bb1"), Behaviour::Crashes);
    for (at, sha) in [(1, A), (11, B)] {
        for (more, name) in (0..).zip(IMAGES) {
            joined.pushed(name, sha, at + more);
        }
        joined.stage.play();
    }
    assert_eq!(joined.stage.phase(3), "rolled_back");
    let bad: Vec<_> = joined.stage.table.scene().blocked.keys().cloned().collect();
    for bad in bad {
        let unblock = |scene: &_, actor: &_, now| command::unblock(scene, &bad, actor, now);
        joined.stage.command(unblock).unwrap();
    }
    let same = joined.holds[&("gateway", A)].clone();
    joined.holds.insert(("gateway", "ddddddd"), same);
    joined.silent("web", "ddddddd", 501);
    assert_eq!(joined.pushed("api", "ddddddd", 502), "release 4");
}

#[test]
fn one_blocked_image_keeps_the_whole_set_out() {
    let mut joined = Joined::new();
    joined.silent("web", A, 2);
    joined.silent("gateway", A, 3);
    let bad = digest("aa2");
    joined
        .stage
        .command(|scene, actor, now| command::block(scene, &bad, actor, "it leaks", now))
        .unwrap();
    let said = joined.pushed("api", A, 1);
    assert!(said.contains("web:prod-aaaaaaa") && said.contains("it leaks"), "{said}");
    assert!(joined.hears("gateway", A, "ecr").starts_with("known: "), "people are told once");

    // Blocked while it waits: nothing of it goes alone.
    let mut joined = Joined::new();
    for (at, sha) in [(1, A), (11, B)] {
        for (more, name) in (0..).zip(IMAGES) {
            joined.pushed(name, sha, at + more);
        }
    }
    let bad = digest("bb2");
    joined
        .stage
        .command(|scene, actor, now| command::block(scene, &bad, actor, "it leaks", now))
        .unwrap();
    joined.stage.play();
    assert_eq!((joined.stage.phase(2), joined.stage.phase(3)), ("live", "refused"));
}
