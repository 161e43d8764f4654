//! The people and things of the messages' tests: release 42 of someli-production.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;
use tidegate_core::model::{
    Blame, Cause, Digest, Entry, Failure, Notice, Phase, Release, ReleaseId, ReleaseImage, Slot,
    SlotPhase, Subject, TargetId,
};

pub(crate) const OPERATOR: &str = "arn:aws:iam::123456789012:user/ada";

/// `seconds` after the push.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_230_000 + seconds).unwrap()
}

fn digest(start: &str) -> Digest {
    format!("sha256:{start:0<64}").parse().unwrap()
}

fn target(service: &str) -> TargetId {
    format!("ecs/123456789012/us-west-2/live-crons/{service}").parse().unwrap()
}

const WAVES: [&[&str]; 2] = [
    &["Rag"],
    &[
        "AI_CONTENT",
        "Billing-Payments",
        "Carousel",
        "Content_Media",
        "Dynamic_Post",
        "Post_Schedule",
        "Social_Media_Connection",
        "User_Specific_Content",
    ],
];

pub(crate) fn a_release(phase: Phase) -> Release {
    let image = ReleaseImage {
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
        repository: "live_crons".to_owned(),
        digest: digest("9e1f0a2b3c4d"),
        accepts: BTreeSet::from([digest("9e1f0a2b3c4d")]),
        tags: vec!["prod-1a2b3c4".to_owned()],
        pushed_at: at(0),
    };
    let id = ReleaseId::new("someli-production", 42);
    Release {
        step: 4,
        config: 3,
        images: BTreeMap::from([("crons".to_owned(), image)]),
        waves: WAVES.iter().map(|wave| wave.iter().map(|name| target(name)).collect()).collect(),
        ..Release::recorded(id, Cause::Push, "ecr", at(0), phase)
    }
}

/// The nine services, each in the phase of its wave.
pub(crate) fn nine(phase: impl Fn(usize) -> SlotPhase) -> Vec<Slot> {
    let waves = WAVES.iter().enumerate();
    waves
        .flat_map(|(n, wave)| wave.iter().map(move |name| (n, *name)))
        .map(|(wave, name)| a_slot(name, wave, phase(wave)))
        .collect()
}

pub(crate) fn a_slot(service: &str, wave: usize, phase: SlotPhase) -> Slot {
    let revision = format!("arn:aws:ecs:us-west-2:123456789012:task-definition/{service}:7");
    let repository = "123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons";
    // From JSON, as the table would give it: fields that come later have their defaults.
    let slot: Result<Slot, _> = serde_json::from_value(json!({
        "target": target(service),
        "step": 2,
        "release": "someli-production/42",
        "config": 3,
        "wave": wave,
        "phase": { "name": "queued" },
        "seen_at": at(20),
        "wanted": [],
        "baseline": {
            "at": at(5),
            "running": revision,
            "revision": revision,
            "base": revision,
            "images": [{
                "container": "crons",
                "repository": repository,
                "named": format!("{repository}:uapi"),
                "digest": digest("4b1d"),
                "source": "its running tasks",
            }],
            "desired": 1,
            "ran": 1,
            "strategy": "rolling",
        },
        "asked": { "generation": 1, "action": "apply", "at": at(20) },
    }));
    Slot { phase, ..slot.unwrap() }
}

pub(crate) fn failure(cause: &str, remedy: &str, evidence: &[&str]) -> Failure {
    Failure {
        cause: cause.to_owned(),
        remedy: remedy.to_owned(),
        evidence: evidence.iter().map(|line| (*line).to_owned()).collect(),
        blame: Blame::Image,
        at: at(58),
    }
}

/// Rag's container falls at its start.
pub(crate) fn crash() -> Failure {
    failure(
        "Rag: container `crons` exited with code 1 after 2 s",
        "At the start this is usually a missing variable or secret: read the first lines of the \
         container's log",
        &["task 0f9de17a6465404e8b1b2356dc13c2f8: container crons exited 1, \
           EssentialContainerExited, Essential container in task exited"],
    )
}

pub(crate) fn failed() -> SlotPhase {
    let mut failure = crash();
    failure.cause = failure.cause.trim_start_matches("Rag: ").to_owned();
    SlotPhase::Failed { failure }
}

pub(crate) fn entry(from: &str, to: &str, notice: Notice) -> Entry {
    Entry {
        release: ReleaseId::new("someli-production", 42),
        subject: Subject::Release,
        step: 5,
        at: at(60),
        actor: "tidegate".to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        reason: notice.title.clone(),
        evidence: Vec::new(),
        notice: Some(notice),
    }
}
