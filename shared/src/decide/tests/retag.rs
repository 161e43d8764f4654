//! The tag of what is live: asked for once, answered once, and no part of the release's fate.

use std::time::Duration;

use crate::decide::{retag_again, retagged};
use crate::model::{NoticeKind as N, Todo};
use crate::stage::Stage;

/// Release 2 is live, in a pipeline that marks what is.
fn live() -> Stage {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.config_mut().retag = Some("production-latest".to_owned());
    stage.push("b1");
    stage.play();
    assert_eq!((stage.phase(2), stage.release(2).todo), ("live", Some(Todo::Deploy)));
    stage
}

#[test]
fn what_nobody_marked_is_asked_for_again_until_somebody_answers() {
    let mut stage = live();
    let again = |stage: &Stage| retag_again(&stage.table.scene(), stage.now);
    assert_eq!(again(&stage), None, "deploy may be at it");
    stage.now += Duration::from_secs(100);
    let change = again(&stage).expect("a request");
    stage.write(&change);
    assert_eq!((stage.phase(2), stage.release(2).nudge), ("live", 1));
    let change = retagged(stage.release(2), "production-latest", &[], stage.now);
    stage.write(&change);
    assert_eq!((stage.phase(2), stage.release(2).todo), ("live", None));
    assert_eq!(again(&stage), None);
    assert_eq!(stage.told(), [N::Started, N::Live], "a tag in its place is no news");
}

#[test]
fn a_tag_that_was_refused_is_told_and_the_release_stays_live() {
    let mut stage = live();
    let refused = ["app: the tag is immutable".to_owned()];
    let change = retagged(stage.release(2), "production-latest", &refused, stage.now);
    stage.write(&change);
    assert_eq!(stage.told().last(), Some(&N::RetagFailed));
    assert_eq!((stage.phase(2), stage.table.head.freeze.is_none()), ("live", true));
    assert_eq!(retag_again(&stage.table.scene(), stage.now + Duration::from_hours(1)), None);
}
