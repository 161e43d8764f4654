//! What follows from the answers: they are written down, they hold the release, they fail it.

use jiff::Timestamp;

use super::answer::{Heard, Meaning, meaning};
use super::{counting, due_at, gate, is_green, state};
use crate::config::Check;
use crate::decide::step::{BLIND, TIDEGATE, release_entry};
use crate::model::{Blame, Change, Checked, Failure, Phase, Red, Release, Scene, WaitingOn};

/// Writes down what checks answered when they were asked at `at`; `None` where that is no news, or
/// nobody waits for it any more.
pub fn hear(scene: &Scene, heard: &[(usize, Heard)], at: Timestamp) -> Option<Change> {
    let release = scene.moving.as_ref()?;
    if !matches!(release.phase, Phase::Rolling { .. } | Phase::Baking { .. }) {
        return None;
    }
    let mut next = release.becomes(release.phase.clone());
    next.checks.resize(scene.config.checks.len(), Checked::default());
    let (mut news, mut rang) = (false, Vec::new());
    for (index, heard) in heard {
        let Some(check) = scene.config.checks.get(*index) else { continue };
        let before = &next.checks[*index];
        let Some(after) = follows(scene, release, check, before, heard, at) else { continue };
        if after.rang_before && !before.rang_before {
            rang.push(format!(
                "{check} rang before the release; it is not held against it while it goes on"
            ));
        }
        news |= after != *before;
        next.checks[*index] = after;
    }
    let journal = if rang.is_empty() {
        Vec::new()
    } else {
        vec![release_entry(release, &next, TIDEGATE, rang.join("; "), None, at)]
    };
    news.then(|| Change { releases: vec![next], journal, ..Change::default() })
}

/// What is known of a check after this answer.
fn follows(
    scene: &Scene,
    release: &Release,
    check: &Check,
    before: &Checked,
    heard: &Heard,
    at: Timestamp,
) -> Option<Checked> {
    let gate = gate(scene, release);
    if let Check::Http(check) = check {
        // Two ticks may have asked: what came too soon after the last answer is not counted.
        let due =
            gate.is_some_and(|gate| !is_green(before, gate) && due_at(check, before, gate) <= at);
        if !due {
            return None;
        }
    }
    let surveyed = scene.owned().map(|slot| slot.baseline.at).max().unwrap_or(release.at);
    let mut after = before.clone();
    after.rang_before = false;
    after.red = None;
    match meaning(check, heard, surveyed) {
        Meaning::Green => {}
        Meaning::RangBefore => after.rang_before = true,
        Meaning::Unknown(said) => after.red = Some(Red::Unknown { said }),
        Meaning::Wrong(said) => {
            let (times, since) = match &before.red {
                Some(Red::Wrong { times, since, .. }) => (times + 1, *since),
                _ => (1, at),
            };
            after.red = Some(Red::Wrong { times, since, said });
        }
    }
    let http = matches!(check, Check::Http(_));
    let wanted = gate.is_some_and(|gate| at >= gate && !is_green(before, gate));
    // An alarm is asked every minute: a time that nothing hangs on is not worth a write.
    if http || wanted || after != *before {
        after.asked_at = Some(at);
        after.green_at = if after.red.is_none() { Some(at) } else { before.green_at };
    }
    Some(after)
}

/// The checks that are waited for, each with the time when that ends by itself; before the bake's end
/// those that are not as they should be.
pub(in crate::decide) fn unmet(scene: &Scene, release: &Release, now: Timestamp) -> Vec<WaitingOn> {
    let Some(gate) = gate(scene, release) else { return Vec::new() };
    let until = Some(gate + scene.config.watch.timeout);
    all(scene, release)
        .filter(|(_, state)| !is_green(state, gate) && (now >= gate || state.red.is_some()))
        .map(|(check, state)| WaitingOn { target: None, what: words(check, &state), until })
        .collect()
}

/// What the checks have against the release: wrong answers, or none in time.
///
/// They see it from outside, through a name, a certificate, a network, and beside what else it
/// depends on; and of several images they name none. So they fail a release and block no bytes.
pub(in crate::decide) fn failure(
    scene: &Scene,
    release: &Release,
    now: Timestamp,
) -> Option<Failure> {
    all(scene, release)
        .find_map(|(check, state)| wrong(check, &state, now))
        .or_else(|| late(scene, release, now))
}

fn wrong(check: &Check, state: &Checked, now: Timestamp) -> Option<Failure> {
    let Some(Red::Wrong { times, since, said }) = &state.red else { return None };
    if *times < attempts(check) {
        return None;
    }
    let (cause, remedy, asked) = match check {
        Check::Http(http) => (
            format!("{check} answered wrongly {times} times in a row: {said}"),
            "Ask the URL yourself, and read the new tasks' log. A check blocks no bytes: if the \
             image is to blame, `tidegate block` keeps it out",
            format!(
                "{check}: expected {}, asked every {} s from {since} to {}",
                statuses(&http.expect),
                http.every.as_secs(),
                state.asked_at.unwrap_or(*since),
            ),
        ),
        Check::Alarm { .. } => (
            format!("{check} began to ring"),
            "Look at the alarm in CloudWatch. A check blocks no bytes: if the image is to blame, \
             `tidegate block` keeps it out",
            format!("{check}: in ALARM, seen {since}"),
        ),
    };
    let evidence = vec![asked, format!("{check}: {said}")];
    Some(Failure { cause, remedy: remedy.to_owned(), evidence, blame: Blame::Other, at: now })
}

/// Not green when the time was up. Wrong answers are evidence; without one it is silence.
fn late(scene: &Scene, release: &Release, now: Timestamp) -> Option<Failure> {
    let gate = gate(scene, release)?;
    let deadline = gate + scene.config.watch.timeout;
    // What was answered since the gate is red or else green: where it is neither, nobody asked.
    let over = |state: &Checked| {
        let end = if state.red.is_some() { deadline } else { deadline + BLIND };
        !is_green(state, gate) && now >= end
    };
    let (check, state) = all(scene, release).find(|(_, state)| over(state))?;
    let blame = match state.red {
        Some(Red::Wrong { .. }) => Blame::Other,
        _ => Blame::Silence,
    };
    let words = words(check, &state);
    Some(Failure {
        cause: format!("not green in time: {words}"),
        remedy: "Mend the check or what it asks; `watch.timeout` in the config gives it longer"
            .to_owned(),
        evidence: vec![words],
        blame,
        at: now,
    })
}

fn all<'s>(scene: &'s Scene, release: &'s Release) -> impl Iterator<Item = (&'s Check, Checked)> {
    counting(scene, release).map(|(at, check)| (check, state(release, at)))
}

/// `check GET https://… : 2 of 10 tries answered 503`
fn words(check: &Check, state: &Checked) -> String {
    match &state.red {
        None => format!("check {check} to be green"),
        Some(Red::Unknown { said }) => format!("check {check}: {said}"),
        Some(Red::Wrong { times, said, .. }) => {
            format!("check {check}: {times} of {} tries answered {said}", attempts(check))
        }
    }
}

/// So many wrong answers in a row fail the release; an alarm rings once.
fn attempts(check: &Check) -> u32 {
    match check {
        Check::Http(check) => check.attempts,
        Check::Alarm { .. } => 1,
    }
}

fn statuses(expect: &[u16]) -> String {
    expect.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}
