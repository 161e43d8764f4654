//! What a release says of itself.

use crate::model::{Approved, Cause, Hold, Phase, Release, ReleaseId, TargetId, TargetKind};
use crate::stage::{Stage, at, image, target};

fn release() -> Release {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.release(2).clone()
}

#[test]
fn people_count_the_waves_of_services_and_call_what_comes_before_pre_deploy() {
    let mut release = release();
    release.waves = vec![vec![target("Rag")], vec![target("Billing")]];
    assert_eq!([0, 1].map(|wave| release.stage(wave)), ["wave 1 of 2", "wave 2 of 2"]);
    let task = TargetId { kind: TargetKind::Task, ..target("migrate") };
    release.waves.insert(0, vec![task]);
    let expected = ["pre-deploy", "wave 1 of 2", "wave 2 of 2"];
    assert_eq!([0, 1, 2].map(|wave| release.stage(wave)), expected);
    assert_eq!([0, 1, 2].map(|wave| release.wave_number(wave)), [0, 1, 2]);
    let targets: Vec<_> = release.targets().map(|target| target.name.as_str()).collect();
    assert_eq!(targets, ["migrate", "Rag", "Billing"]);
}

#[test]
fn a_release_is_called_by_its_images() {
    let mut release = release();
    let mut untagged = image("web", "b2", "", at(0));
    untagged.tags.clear();
    release.images.insert("web".to_owned(), untagged);
    assert_eq!(release.label(), "app:prod-00000b1 (b10000000000), web (b20000000000)");
}

#[test]
fn an_approval_is_given_for_one_plan() {
    let plan = "0123456789abcdef".to_owned();
    let mut release = release();
    assert_eq!((release.approval_asked(), release.is_approved(&plan)), (None, false));
    let held = Hold::Approval { plan: plan.clone(), changes: Vec::new(), until: at(60) };
    assert!(held.to_string().starts_with("plan 0123456789ab waits for an approval until "));
    release.phase = Phase::Surveying { since: at(0), held: Some(held) };
    assert_eq!(release.approval_asked(), Some((plan.as_str(), at(60))));
    release.approved = Some(Approved { by: "ada".to_owned(), at: at(1), plan: plan.clone() });
    assert_eq!((release.is_approved(&plan), release.is_approved("another")), (true, false));
}

#[test]
fn what_made_a_release_says_how_far_it_goes() {
    let promoted = Cause::Promoted { from: ReleaseId::new("q", 3) };
    // It goes back, it runs tasks alone, nobody asked for it.
    for (cause, expected) in [
        (Cause::Push, [false, false, true]),
        (Cause::Adopted, [false, false, false]),
        (Cause::Rollback { to: 1 }, [true, false, false]),
        (Cause::Start, [false, false, false]),
        (Cause::Undo { of: 1 }, [true, true, false]),
        (promoted, [false, false, true]),
    ] {
        let says = [cause.goes_back(), cause.undoes(), cause.is_by_itself()];
        assert_eq!(says, expected, "{cause:?}");
    }
}

#[test]
fn each_phase_is_named_as_it_is_written_and_says_who_must_act() {
    let at = at(0);
    let (by, why) = (String::new(), String::new());
    let live = Phase::Live { at, unproven: false, accepted: false };
    for (phase, who) in [
        (Phase::Waiting { since: at }, "nobody yet"),
        (Phase::Surveying { since: at, held: None }, "tidegate"),
        (Phase::Rolling { wave: 0, since: at }, "tidegate"),
        (Phase::Baking { until: at }, "tidegate"),
        (Phase::RollingBack { since: at }, "tidegate"),
        (live, "nobody any more"),
        (Phase::RolledBack { at }, "nobody any more"),
        (Phase::Frozen { at }, "a person"),
        (Phase::RollbackFailed { at }, "a person"),
        (Phase::Drifted { at }, "a person"),
        (Phase::Abandoned { at }, "nobody any more"),
        (Phase::Superseded { at, by: 3 }, "nobody any more"),
        (Phase::Expired { at }, "nobody any more"),
        (Phase::Rejected { at, by, why: why.clone() }, "nobody any more"),
        (Phase::Refused { at, why }, "nobody any more"),
    ] {
        assert_eq!(serde_json::to_value(&phase).unwrap()["name"], phase.name());
        let expected = ["tidegate", "a person", "nobody any more"].map(|it| it == who);
        let says = [phase.is_moving(), phase.is_stuck(), phase.is_ended()];
        assert_eq!(says, expected, "{phase:?}");
    }
}

#[test]
fn a_hold_names_its_targets_and_says_whether_it_ends_by_itself() {
    let targets = || vec!["Rag: why".to_owned(), "Billing: why".to_owned()];
    let (since, told) = (None, false);
    for (hold, says, by_itself) in [
        (Hold::NoWayBack { targets: targets() }, "no way back is known for", false),
        (
            Hold::Busy { targets: targets(), since, told },
            "another deployment is in flight on",
            true,
        ),
        (
            Hold::Awaited { targets: targets(), since, told },
            "images have not arrived yet for",
            true,
        ),
        (Hold::Unfit { targets: targets() }, "these targets cannot be released", false),
    ] {
        assert_eq!(hold.to_string(), format!("{says}: Rag: why; Billing: why"));
        assert_eq!(hold.ends_by_itself(), by_itself, "{hold:?}");
    }
}
