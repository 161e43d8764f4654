//! A good release, from the push to live.

use crate::decide::Seen;
use crate::model::{NoticeKind as N, Phase, SlotPhase};
use crate::stage::{Stage, at, crash, digest, target};

const WAVES: &[&[&str]] = &[&["Rag"], &["Billing", "Carousel"]];

#[test]
fn a_push_goes_wave_by_wave_and_is_told_twice() {
    let mut stage = Stage::of(WAVES);
    stage.push("b1");
    assert_eq!(stage.phase(2), "surveying");
    stage.survey();
    assert_eq!(stage.phase(2), "rolling");
    assert_eq!(stage.slots(), [("Billing", "queued"), ("Carousel", "queued"), ("Rag", "applying")]);
    stage.tick();
    assert_eq!(
        stage.slots(),
        [("Billing", "applying"), ("Carousel", "applying"), ("Rag", "healthy")]
    );
    stage.tick();
    assert_eq!(stage.phase(2), "baking");
    stage.play();
    assert_eq!(stage.phase(2), "live");
    assert_eq!(stage.told(), [N::Started, N::Live]);
    for service in stage.services.values() {
        assert_eq!(service.running_digest(), digest("b1"));
    }
    assert_eq!((stage.table.head.moving, stage.table.head.live), (None, Some(2)));
}

#[test]
fn nothing_is_touched_before_every_baseline_is_in_the_table() {
    let mut stage = Stage::of(WAVES);
    stage.push("b1");
    stage.survey();
    for service in ["Rag", "Billing", "Carousel"] {
        let baseline = &stage.slot(service).baseline;
        assert_eq!(baseline.images[0].digest, Some(digest("01d")), "{service}");
        assert_eq!(stage.services[service].running_digest(), digest("01d"), "{service}");
    }
}

#[test]
fn the_baseline_of_the_next_release_is_what_this_one_left() {
    let mut stage = Stage::of(WAVES);
    stage.push("b1");
    stage.play();
    stage.push("b2");
    stage.play();
    let slot = stage.slot("Rag");
    assert_eq!(slot.baseline.images[0].digest, Some(digest("b1")));
    assert_eq!(slot.release.number, 3);
    assert_eq!(stage.table.past.len(), 3, "the slots of release 2 are kept");
    assert!(stage.table.past.iter().all(|past| past.release.number == 2));
}

#[test]
fn a_release_is_not_live_before_its_bake_nor_without_a_last_look() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.work();
    stage.tick();
    let Phase::Baking { until } = stage.release(2).phase else { panic!("{}", stage.phase(2)) };
    assert_eq!(until, stage.now + std::time::Duration::from_secs(120));
    assert_eq!(stage.advance(), ["the bake"], "no look is waited for before it ends");
    stage.now = until;
    let waits = stage.advance();
    assert_eq!(waits, ["a last look"]);
    stage.look();
    assert_eq!(stage.phase(2), "live");
}

#[test]
fn what_lacks_tasks_at_the_last_look_is_waited_for_and_then_did_not_hold() {
    for (minutes, end) in [(14, "baking"), (16, "rolling_back")] {
        let mut stage = Stage::of(&[&["Rag", "Billing"]]);
        stage.push("b1");
        stage.work();
        stage.tick();
        for _ in 0..2 + minutes {
            stage.pass(60);
            let mut sightings = stage.sightings();
            let Some(Seen::Service(rag)) = sightings.get_mut(&target("Rag")) else { panic!() };
            rag.deployments[0].running = 0;
            stage.settle(&sightings);
        }
        assert_eq!(stage.phase(2), end);
    }
}

#[test]
fn a_failure_beside_a_target_that_still_waits_at_the_last_look_is_acted_on_at_once() {
    let mut stage = Stage::of(&[&["Rag", "Billing"]]);
    stage.push("b1");
    stage.work();
    stage.tick();
    stage.pass(120);
    let mut sightings = stage.sightings();
    for (service, crashed) in [("Rag", false), ("Billing", true)] {
        let Some(Seen::Service(seen)) = sightings.get_mut(&target(service)) else { panic!() };
        seen.deployments[0].running = 0;
        seen.failures = if crashed { vec![crash(1, stage.now)] } else { Vec::new() };
    }
    stage.settle(&sightings);
    assert_eq!(stage.phase(2), "rolling_back");
}

#[test]
fn a_release_that_nobody_can_look_at_is_not_live_but_does_not_hang() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.work();
    stage.tick();
    stage.pass(120 + 900 + 299);
    assert_eq!(stage.phase(2), "baking");
    stage.pass(1);
    assert_eq!(stage.phase(2), "rolling_back");
}

#[test]
fn targets_that_run_no_image_of_the_release_stay_as_they_are() {
    let images = [("api", "api"), ("web", "web")];
    let mut stage = Stage::with(&[&["api-1"], &["web-1"]], &images);
    stage.push_as("web", "uapi", crate::stage::image("web", "b1", "uapi", at(5)));
    stage.play();
    assert_eq!(stage.slots(), [("api-1", "unaffected"), ("web-1", "healthy")]);
    assert_eq!(stage.phase(2), "live");
    assert_eq!(stage.services["api-1"].running_digest(), digest("01d"));
}

#[test]
fn what_is_live_names_the_images_that_the_release_did_not_bring() {
    let images = [("api", "api"), ("web", "web")];
    let mut stage = Stage::with(&[&["api-1", "web-1"]], &images);
    stage.push_as("web", "uapi", crate::stage::image("web", "b1", "uapi", at(5)));
    stage.play();
    let live = &stage.release(2).images;
    assert_eq!((&live["api"].digest, &live["web"].digest), (&digest("01d"), &digest("b1")));
}

#[test]
fn a_service_without_tasks_proves_nothing_and_the_release_says_so() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.services.get_mut("Rag").unwrap().desired = 0;
    stage.push("b1");
    stage.play();
    assert!(matches!(stage.release(2).phase, Phase::Live { unproven: true, .. }));
    let why = &stage.table.journal.last().unwrap().reason;
    assert_eq!(why, "it held, but no task ran that could prove it (desired count 0)");
    assert!(matches!(stage.slot("Rag").phase, SlotPhase::Healthy { unproven: true, .. }));
}

#[test]
fn one_service_with_tasks_proves_the_release() {
    let mut stage = Stage::of(&[&["Rag", "Billing"]]);
    stage.services.get_mut("Rag").unwrap().desired = 0;
    stage.push("b1");
    stage.play();
    assert!(matches!(stage.release(2).phase, Phase::Live { unproven: false, .. }));
}

#[test]
fn a_new_deployment_on_our_revision_is_ours() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.work();
    stage.pass(20);
    stage.look_and_see("Rag", |sighting| sighting.deployments[0].id = "ecs-svc/forced".into());
    assert_eq!(stage.slot("Rag").phase.name(), "healthy");
    assert_eq!(stage.slot("Rag").target, target("Rag"));
}
