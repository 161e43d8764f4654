//! What is live in one pipeline is offered to the next, once, and never an older one.

use std::time::Duration;

use crate::config::Approval;
use crate::model::{Cause, Phase, Release, ReleaseId};
use crate::push::{Answer, answer, offered};
use crate::stage::{Stage, at, digest, image};

/// A pipeline that is promoted from `staging`.
fn production() -> Stage {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.config_mut().promote_from = Some("staging".to_owned());
    let approval = Approval { expires: Duration::from_hours(1), unless_tag: None };
    stage.config_mut().approval = Some(approval);
    stage
}

/// Release `number` of `staging`, live with bytes that were first pushed so many seconds in.
fn staged(stage: &Stage, number: u64, bytes: &str, seconds: i64) -> Release {
    let mut live = stage.release(1).clone();
    live.id = ReleaseId::new("staging", number);
    live.cause = Cause::Push;
    live.images = [("app".to_owned(), image("app", bytes, "prod-0000001", at(seconds)))].into();
    live
}

fn is_offered(stage: &mut Stage, live: &Release) -> bool {
    let candidate = offered(live, &stage.table.config).expect("a candidate");
    match answer(&stage.table.scene(), &candidate, stage.now) {
        Answer::Record(change) => {
            stage.write(&change);
            stage.work();
            true
        }
        _ => false,
    }
}

#[test]
fn a_live_release_is_offered_once_and_a_newer_one_in_its_place() {
    let mut stage = production();
    let (first, second) = (staged(&stage, 7, "b1", 1), staged(&stage, 8, "b2", 2));
    assert!(is_offered(&mut stage, &first));
    let from = ReleaseId::new("staging", 7);
    assert_eq!(stage.release(2).cause, Cause::Promoted { from });
    assert!(stage.release(2).approval_asked().is_some());
    assert!(!is_offered(&mut stage, &first), "the sweep offers it again, in vain");
    assert!(is_offered(&mut stage, &second));
    assert_eq!((stage.phase(2), stage.phase(3)), ("superseded", "surveying"));
    assert!(!is_offered(&mut stage, &first), "an older one");
    assert_eq!(stage.release(3).images["app"].digest, digest("b2"));
    assert!(stage.table.pushes.is_empty(), "a level writes no line each time");
}

#[test]
fn only_what_held_there_is_offered_and_only_where_a_person_is_asked() {
    let mut stage = production();
    let live = staged(&stage, 7, "b1", 1);
    let is_offered = |stage: &Stage, live: &Release| offered(live, &stage.table.config).is_some();
    assert!(is_offered(&stage, &live));
    for cause in [Cause::Adopted, Cause::Rollback { to: 1 }] {
        assert!(!is_offered(&stage, &Release { cause, ..live.clone() }));
    }
    let accepted = Phase::Live { at: at(0), unproven: false, accepted: true };
    assert!(!is_offered(&stage, &Release { phase: accepted, ..live.clone() }));
    let elsewhere = ReleaseId::new("another", 7);
    assert!(!is_offered(&stage, &Release { id: elsewhere, ..live.clone() }));
    stage.config_mut().approval = None;
    assert!(!is_offered(&stage, &live), "without an approval only `start` brings it");
}
