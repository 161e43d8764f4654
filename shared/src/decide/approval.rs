//! Where the config asks for it, a person's word stands between the survey and the first wave.
//!
//! The word is given for a plan: these bytes, these targets, these differences. What is surveyed
//! when it was given must be the same plan, or it is asked for again.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::finding::Finding;
use super::step::{TIDEGATE, release_entry};
use super::{does, start, waits};
use crate::config::PipelineConfig;
use crate::drift::revision_name;
use crate::fingerprint::fingerprint;
use crate::guard::{Guard, stands};
use crate::messages;
use crate::model::{Change, Hold, Phase, Plan, Release, Scene, TargetId, short_image};

/// What is asked for before `release` may move; `None` where nothing is, or it was given.
pub fn due(
    scene: &Scene,
    release: &Release,
    found: &BTreeMap<TargetId, Finding>,
    now: Timestamp,
) -> Option<Hold> {
    let asked = scene.config.approval.as_ref()?;
    // Whoever goes back must not wait for anybody.
    if release.cause.goes_back() {
        return None;
    }
    let changes = changes(&scene.config, release, found);
    let plan = plan(release, found, &changes);
    let approved = release.is_approved(&plan);
    if approved || (release.approved.is_some() && !stands(Guard::ApprovedPlan)) {
        return None;
    }
    let until = match release.approval_asked() {
        Some((before, until)) if before == plan => until,
        _ => now + asked.expires,
    };
    Some(Hold::Approval { plan, changes, until })
}

/// What would change, a line each, in the order in which it would:
/// `scr-api (scr-api:41): containerDefinitions[api].image: …`.
fn changes(
    config: &PipelineConfig,
    release: &Release,
    found: &BTreeMap<TargetId, Finding>,
) -> Vec<String> {
    let mut changes = Vec::new();
    for target in release.targets() {
        let Some(Finding::Ready { baseline, difference, .. }) = found.get(target) else { continue };
        let revision = revision_name(&baseline.running);
        let mut say = |what: &str| {
            changes.push(format!("{} ({revision}): {}", target.name, short_image(what)));
        };
        if let Some(task) = config.task(target) {
            // The first word: the others may hold what nobody wants in a channel.
            let program = task.command.first().map_or("its own command", String::as_str);
            say(&format!("runs once: {program}, in {}", task.container));
        }
        match &difference[..] {
            [] => say("the same once more"),
            lines => lines.iter().for_each(|what| say(what)),
        }
    }
    changes
}

/// The name of a plan: the bytes, the targets in their waves, what each is made from, and what would
/// change. What is made from is named by its revision, for the changes tell no secret values.
fn plan(release: &Release, found: &BTreeMap<TargetId, Finding>, changes: &[String]) -> String {
    let images = release.images.iter().map(|(name, image)| format!("{name} {}", image.digest));
    let waves = release.waves.iter().enumerate();
    let targets =
        waves.flat_map(|(wave, targets)| targets.iter().map(move |it| format!("{wave} {it}")));
    let bases = found.values().filter_map(|finding| match finding {
        Finding::Ready { baseline, .. } => Some(baseline.base.clone()),
        _ => None,
    });
    let lines: Vec<String> =
        images.chain(targets).chain(bases).chain(changes.iter().cloned()).collect();
    fingerprint(&lines.join("\n"))
}

/// A release that people were asked about: it goes on, it expires, or it waits.
pub(super) fn pending(scene: &Scene, release: &Release, until: Timestamp, now: Timestamp) -> Plan {
    let approved = release.approval_given();
    if approved.is_none() && now >= until {
        return does(expire(scene, release, now));
    }
    if let Some(freeze) = &scene.head.freeze {
        let frozen = start::frozen(&scene.head.pipeline, freeze, release);
        return match approved {
            Some(given) => waits(format!("{frozen}, for {} approved it", given.by), None),
            None => waits(format!("{frozen}, once it is approved as well"), Some(until)),
        };
    }
    let Some(given) = approved else {
        return waits(format!("an approval of {}", release.id), Some(until));
    };
    let next = release.surveyed_again(None, now);
    let reason = format!("approved by {}: surveyed again, then it moves", given.by);
    let entry = release_entry(release, &next, TIDEGATE, reason, None, now);
    does(Change { releases: vec![next], journal: vec![entry], ..Change::default() })
}

fn expire(scene: &Scene, release: &Release, now: Timestamp) -> Change {
    let next = release.becomes(Phase::Expired { at: now });
    let notice = messages::expired(&next);
    let reason = "nobody approved it in time".to_owned();
    let entry = release_entry(release, &next, TIDEGATE, reason, Some(notice), now);
    let mut head = scene.head.stepped();
    head.moving = None;
    Change { head: Some(head), releases: vec![next], journal: vec![entry], ..Change::default() }
}
