//! someli-production at several moments, as the table would hold it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;
use tidegate_core::config::Config;
use tidegate_core::model::{
    Blame, Cause, Digest, Entry, Failure, Freeze, Head, Memory, Phase, Release, ReleaseId,
    ReleaseImage, Scene, Slot, SlotPhase, Subject, TargetId, TaskFailure,
};

pub(crate) const PIPELINE: &str = "someli-production";
pub(crate) const OPERATOR: &str = "arn:aws:iam::123456789012:user/ada";

/// `seconds` after the push of release 42.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_230_000 + seconds).unwrap()
}

pub(crate) fn digest(start: &str) -> Digest {
    format!("sha256:{start:0<64}").parse().unwrap()
}

fn target(service: &str) -> TargetId {
    format!("ecs/123456789012/us-west-2/live-crons/{service}").parse().unwrap()
}

const FILE: &str = r#"
version: 1
pipelines:
  someli-production:
    images: { crons: { repository: live_crons, tag: [uapi, "prod-{sha}"] } }
    cluster: live-crons
    waves: [[Rag], [AI_CONTENT, Billing-Payments]]
"#;

pub(crate) fn image(tag: &str, start: &str, seconds: i64) -> ReleaseImage {
    ReleaseImage {
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
        repository: "live_crons".to_owned(),
        digest: digest(start),
        accepts: BTreeSet::from([digest(start)]),
        tags: vec![tag.to_owned()],
        pushed_at: at(seconds),
    }
}

pub(crate) fn release(number: u64, cause: Cause, image: ReleaseImage, phase: Phase) -> Release {
    let waves: [&[&str]; 2] = [&["Rag"], &["AI_CONTENT", "Billing-Payments"]];
    let pushed_at = image.pushed_at;
    let (id, by) =
        (ReleaseId::new(PIPELINE, number), if cause == Cause::Push { "ecr" } else { OPERATOR });
    Release {
        step: 4,
        config: 3,
        images: BTreeMap::from([("crons".to_owned(), image)]),
        waves: waves.map(|wave| wave.iter().map(|name| target(name)).collect()).to_vec(),
        ..Release::recorded(id, cause, by, pushed_at, phase)
    }
}

/// Release 41, which is live.
pub(crate) fn live() -> Release {
    let phase = Phase::Live { at: at(-80_000), unproven: false, accepted: false };
    release(41, Cause::Push, image("prod-4b1d7e2", "4b1d7e2", -86_400), phase)
}

/// Release 42, in this phase.
pub(crate) fn newest(phase: Phase) -> Release {
    release(42, Cause::Push, image("prod-9e1f0a2", "9e1f0a2b3c4d", 0), phase)
}

pub(crate) fn slot(service: &str, wave: usize, phase: &SlotPhase) -> Slot {
    let revision =
        |number| format!("arn:aws:ecs:us-west-2:123456789012:task-definition/{service}:{number}");
    let repository = "123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons";
    let done = if phase.was_touched() { json!({"revision": revision(9)}) } else { json!({}) };
    let slot = json!({
        "target": target(service),
        "step": 2,
        "seen_at": at(5),
        "release": "someli-production/42",
        "config": 3,
        "wave": wave,
        "phase": phase,
        "wanted": [],
        "baseline": {
            "at": at(5),
            "running": revision(7),
            "revision": revision(8),
            "base": revision(7),
            "images": [{
                "container": "crons",
                "repository": repository,
                "named": format!("{repository}:uapi"),
                "digest": digest("4b1d7e2"),
                "source": "shown by its running tasks",
            }],
            "desired": 1,
            "ran": 1,
            "strategy": "rolling",
        },
        "asked": {"generation": 1, "action": "apply", "at": at(20)},
        "done": done,
    });
    serde_json::from_value(slot).unwrap()
}

pub(crate) fn crash() -> Failure {
    Failure {
        cause: "Rag: container `crons` exited with code 1 after 2 s".to_owned(),
        remedy: "At the start this is usually a missing variable or secret".to_owned(),
        evidence: vec![task().to_string()],
        blame: Blame::Image,
        at: at(58),
    }
}

pub(crate) fn task() -> TaskFailure {
    TaskFailure {
        task: "0f9de17a6465404e8b1b2356dc13c2f8".to_owned(),
        stop_code: "EssentialContainerExited".to_owned(),
        reason: "Essential container in task exited".to_owned(),
        container: "crons".to_owned(),
        exit_code: Some(1),
        detail: String::new(),
        ran_seconds: Some(2),
        at: at(57),
    }
}

/// What the table holds: release 41 is live, `moving` moves, `waiting` waits.
pub(crate) fn scene(moving: Option<Release>, slots: Vec<Slot>, waiting: Option<Release>) -> Scene {
    let config = Config::parse("tidegate.yaml", FILE).unwrap();
    let config = config.resolve("123456789012", "us-west-2").unwrap().remove(0);
    let memory = Memory {
        digest: digest("9e1f0a2b3c4d"),
        pushed_at: at(0),
        tag: "uapi".into(),
        also: BTreeSet::new(),
    };
    Scene {
        head: Head {
            pipeline: PIPELINE.to_owned(),
            step: 90,
            next: 44,
            moving: moving.as_ref().map(|release| release.id.number),
            waiting: waiting.as_ref().map(|release| release.id.number),
            live: Some(41),
            answered: BTreeMap::from([("crons".to_owned(), memory)]),
            freeze: None,
            retired: None,
            back_since: None,
            config: 3,
        },
        config,
        moving,
        waiting,
        live: Some(live()),
        slots: slots.into_iter().map(|slot| (slot.target.clone(), slot)).collect(),
        blocked: BTreeMap::new(),
        rejected: BTreeMap::new(),
    }
}

pub(crate) fn frozen(mut scene: Scene, by: &str, why: &str) -> Scene {
    scene.head.freeze = Some(Freeze { by: by.to_owned(), why: why.to_owned(), at: at(300) });
    scene
}

/// The second wave is open: one service is healthy, two are on their way.
pub(crate) fn rolling() -> Scene {
    let deadline = at(1000);
    let slots = vec![
        slot("Rag", 0, &SlotPhase::Healthy { at: at(90), unproven: false }),
        slot("AI_CONTENT", 1, &SlotPhase::Settling { since: at(95), deadline }),
        slot("Billing-Payments", 1, &SlotPhase::Applying { since: at(91) }),
    ];
    scene(Some(newest(Phase::Rolling { wave: 1, since: at(91) })), slots, None)
}

/// Release 42 after its first service fell and came back.
pub(crate) fn rolled_back() -> (Release, Vec<Slot>) {
    let mut release = newest(Phase::RolledBack { at: at(120) });
    release.failure = Some(crash());
    let mut rag = slot("Rag", 0, &SlotPhase::Returned { at: at(119) });
    rag.tasks.insert(task().task, task());
    rag.baseline.notes.push("4b1d7e200000: lifecycle rule 10 deletes it".to_owned());
    let untouched = ["AI_CONTENT", "Billing-Payments"];
    let slots = untouched.map(|name| slot(name, 1, &SlotPhase::Untouched));
    (release, std::iter::once(rag).chain(slots).collect())
}

pub(crate) fn entry(subject: Option<&str>, step: u64, from: &str, to: &str, reason: &str) -> Entry {
    Entry {
        release: ReleaseId::new(PIPELINE, 42),
        subject: match subject {
            None => Subject::Release,
            Some(service) => Subject::Target { target: target(service) },
        },
        step,
        at: at(10 * i64::try_from(step).unwrap()),
        actor: "tidegate".to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        reason: reason.to_owned(),
        evidence: Vec::new(),
        notice: None,
    }
}
