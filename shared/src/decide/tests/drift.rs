//! Somebody else changes a target: it is left alone, and a person decides.

use std::time::Duration;

use crate::command::{self, Ending};
use crate::model::{Action, NoticeKind as N};
use crate::stage::{Stage, arn, digest};

fn foreign_update(stage: &mut Stage, service: &str) {
    let now = stage.now;
    let service_now = stage.services.get_mut(service).unwrap();
    service_now.update(&arn(service, 99), now);
    service_now.complete();
}

fn is_foreign(stage: &Stage, service: &str) -> bool {
    stage.services[service].primary().revision == arn(service, 99)
}

/// Rag is healthy, Billing settles, Carousel's wave is closed.
fn in_the_middle() -> Stage {
    let mut stage = Stage::of(&[&["Rag"], &["Billing"], &["Carousel"]]);
    stage.push("b1");
    stage.work();
    stage.tick();
    stage.work();
    let expected = [("Billing", "settling"), ("Carousel", "queued"), ("Rag", "healthy")];
    assert_eq!(stage.slots(), expected);
    stage
}

fn include_drifted(stage: &mut Stage, include_drifted: bool) {
    let ending = Ending::Fail { include_drifted };
    stage.now += Duration::from_secs(1);
    let say = |scene: &_, actor: &_, now| command::rollback_moving(scene, actor, ending, now);
    stage.command(say).unwrap();
}

#[test]
fn drift_before_in_and_after_its_wave_stops_the_release() {
    for service in ["Rag", "Billing", "Carousel"] {
        let mut stage = in_the_middle();
        foreign_update(&mut stage, service);
        stage.look();
        assert_eq!(stage.phase(2), "drifted", "{service}");
        assert_eq!(stage.slot(service).phase.name(), "drifted");
        assert_eq!(stage.told(), [N::Started, N::Drifted]);
        assert!(stage.table.head.freeze.is_some());
        for _ in 0..5 {
            stage.tick();
        }
        assert!(is_foreign(&stage, service), "left alone");
        assert_ne!(stage.services["Carousel"].running_digest(), digest("b1"));
    }
}

#[test]
fn a_revision_of_somebody_else_with_the_releases_own_bytes_is_adopted() {
    for (bytes, end) in [("b1", "healthy"), ("f00", "drifted")] {
        let mut stage = in_the_middle();
        foreign_update(&mut stage, "Billing");
        stage.look_and_see("Billing", |sighting| {
            sighting.resolved = [("main".to_owned(), digest(bytes))].into();
        });
        assert_eq!(stage.slot("Billing").phase.name(), end, "{bytes}");
    }
}

#[test]
fn a_rollback_leaves_the_drifted_target_and_says_so() {
    let mut stage = in_the_middle();
    foreign_update(&mut stage, "Rag");
    stage.look();
    include_drifted(&mut stage, false);
    assert_eq!(
        stage.slots(),
        [("Billing", "returning"), ("Carousel", "untouched"), ("Rag", "drifted")]
    );
    stage.play();
    assert_eq!(stage.phase(2), "drifted", "a person still decides on Rag");
    assert!(is_foreign(&stage, "Rag"));
    assert_eq!(stage.services["Billing"].running_digest(), digest("01d"));
}

#[test]
fn with_include_drifted_it_goes_back_too() {
    let mut stage = in_the_middle();
    foreign_update(&mut stage, "Rag");
    stage.look();
    include_drifted(&mut stage, true);
    let asked = &stage.slot("Rag").asked;
    assert_eq!((asked.action, asked.over_drift), (Action::RollBack, true));
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    assert_eq!(stage.services["Rag"].running_digest(), digest("01d"));
}

#[test]
fn going_back_over_drift_survives_throttling_and_lag() {
    let mut stage = in_the_middle();
    foreign_update(&mut stage, "Rag");
    stage.look();
    let throttles = crate::stage::Answer::Throttles(Duration::from_secs(5));
    stage.answers.insert("Rag".into(), throttles);
    include_drifted(&mut stage, true);
    stage.work();
    stage.now += Duration::from_secs(5);
    stage.advance();
    assert!(stage.slot("Rag").asked.over_drift);
    stage.answers.clear();
    stage.work();
    // DescribeServices still shows what was there.
    stage.look_and_see("Rag", |sighting| {
        sighting.deployments.remove(0);
        sighting.deployments[0].primary = true;
    });
    assert_eq!(stage.slot("Rag").phase.name(), "returning");
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
}

#[test]
fn what_is_still_there_a_minute_after_going_back_over_it_is_drift_again() {
    let mut stage = in_the_middle();
    foreign_update(&mut stage, "Rag");
    stage.look();
    include_drifted(&mut stage, true);
    stage.work();
    let see_it = |stage: &mut Stage| {
        stage.look_and_see("Rag", |sighting| {
            sighting.deployments.remove(0);
            sighting.deployments[0].primary = true;
        })
    };
    stage.now += Duration::from_secs(59);
    let said = see_it(&mut stage);
    assert!(said.contains(&"ECS to leave ecs-svc/3".to_owned()), "{said:?}");
    stage.now += Duration::from_secs(1);
    see_it(&mut stage);
    assert_eq!(stage.slot("Rag").phase.name(), "drifted");
}

#[test]
fn drift_in_a_rollback_is_left_alone_too() {
    let mut stage = in_the_middle();
    stage.task_stops("Billing", |_| {});
    stage.work();
    foreign_update(&mut stage, "Rag");
    stage.look();
    assert_eq!(stage.slot("Rag").phase.name(), "drifted");
    stage.play();
    assert_eq!(stage.phase(2), "drifted");
    assert_eq!(stage.services["Billing"].running_digest(), digest("01d"));
    assert_eq!(stage.told(), [N::Started, N::RollbackStarted, N::Drifted]);
}

#[test]
fn drift_can_be_accepted() {
    let mut stage = in_the_middle();
    foreign_update(&mut stage, "Rag");
    stage.look();
    stage.command(command::accept).unwrap();
    assert_eq!((stage.phase(2), stage.table.head.moving), ("live", None));
    assert!(stage.table.head.freeze.is_some());
    stage.command(|scene, actor, now| command::unfreeze(scene, actor, "seen", now)).unwrap();
    assert!(stage.table.head.freeze.is_none());
}

#[test]
fn drift_outweighs_a_failure_in_the_same_moment() {
    let mut stage = in_the_middle();
    foreign_update(&mut stage, "Rag");
    let mut sightings = stage.sightings();
    let billing = sightings.get_mut(&crate::stage::target("Billing")).unwrap();
    let crate::decide::Seen::Service(sighting) = billing else { panic!() };
    sighting.failures = vec![crate::stage::crash(1, stage.now)];
    stage.settle(&sightings);
    assert_eq!(stage.slot("Billing").phase.name(), "failed");
    assert_eq!(stage.phase(2), "drifted");
}
