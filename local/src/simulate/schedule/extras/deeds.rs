//! What people, builds and others do where there is more than services.

use std::time::Duration;

use fastrand::Rng;

use super::super::chance::{chance, pick};
use super::super::deeds::{SPAN, push_of, sha};
use super::super::{Act, Deed, Pipeline, Verb};
use super::{Extra, TargetKind, WORD};

/// Deeds, each at so many seconds.
type Deeds = Vec<(u64, Deed)>;

pub(super) fn draw(
    dice: &mut Rng,
    extras: &[Extra],
    pipelines: &[Pipeline],
) -> Vec<(Duration, Deed)> {
    let mut deeds = Deeds::new();
    let (Some(first), Some(last)) = (pipelines.first(), pipelines.last()) else {
        return Vec::new();
    };
    for extra in extras {
        match extra {
            Extra::Tasks => tasks(dice, first, &mut deeds),
            Extra::Scheduled | Extra::Lightsail => targets(dice, first, &mut deeds),
            Extra::Joined => builds(dice, first, &mut deeds),
            Extra::Approval => words(dice, first, SPAN, &mut deeds),
            // What is offered was live before, so its story is longer.
            Extra::Promoted => {
                words(dice, last, 4 * SPAN, &mut deeds);
                second_thoughts(dice, first, last, &mut deeds);
                copies(dice, last, &mut deeds);
            }
            Extra::Checks => answers(dice, first, &mut deeds),
            Extra::Elsewhere => {}
        }
    }
    let mut at = |at: u64| Duration::from_millis(at * 1000 + dice.u64(..1000));
    deeds.into_iter().map(|(seconds, deed)| (at(seconds), deed)).collect()
}

/// A build whose task fails, or takes long; and an operator who undoes what a task did.
fn tasks(dice: &mut Rng, pipeline: &Pipeline, deeds: &mut Deeds) {
    let behaviour = pick(dice, &[(2, "exit=3"), (2, "slow=90s"), (1, "slow=400s"), (2, "healthy")]);
    deeds.push((dice.u64(..SPAN), push_of(dice, pipeline, behaviour)));
    if chance(dice, 40) {
        deeds.push((dice.u64(SPAN / 2..2 * SPAN), typed(pipeline, Verb::Undo)));
    }
}

fn typed(pipeline: &Pipeline, verb: Verb) -> Deed {
    Deed::Command { pipeline: pipeline.name.clone(), verb }
}

/// Somebody else changes what is no service.
fn targets(dice: &mut Rng, pipeline: &Pipeline, deeds: &mut Deeds) {
    for _ in 0..pick(dice, &[(2, 0), (3, 1), (1, 2)]) {
        let target = &pipeline.extras.targets[dice.usize(..pipeline.extras.targets.len())];
        let act = match target.kind {
            TargetKind::Lightsail => Act::Deploys { newest: false },
            TargetKind::Schedule if dice.bool() => Act::Disables,
            _ => Act::Deploys { newest: chance(dice, 30) },
        };
        deeds.push((dice.u64(..SPAN), Deed::Other { service: target.name.clone(), act }));
    }
}

/// Commits that are built into every image, the images in any order and some time apart; now and then
/// one of them never.
fn builds(dice: &mut Rng, pipeline: &Pipeline, deeds: &mut Deeds) {
    for _ in 0..pick(dice, &[(1, 1), (2, 2), (1, 3)]) {
        let (at, tag) = (dice.u64(..SPAN), sha(dice));
        let without = chance(dice, 20).then(|| dice.usize(..pipeline.images.len()));
        let behaviour = pick(dice, &[(4, "healthy"), (1, "crash")]);
        for (number, image) in pipeline.images.iter().enumerate() {
            let most = pick(dice, &[(1, 1), (3, 40), (1, SPAN)]);
            let later = dice.u64(..most);
            if without == Some(number) {
                continue;
            }
            let push = Deed::Push {
                repository: image.repository.clone(),
                tags: vec![tag.clone()],
                behaviour: behaviour.to_owned(),
                answers: None,
                index: chance(dice, 15),
            };
            deeds.push((at + later, push));
        }
    }
}

/// People and tags that approve, and people who do not.
fn words(dice: &mut Rng, pipeline: &Pipeline, span: u64, deeds: &mut Deeds) {
    for _ in 0..pick(dice, &[(1, 1), (2, 3), (2, 5)]) {
        let verb = pick(dice, &[(8, Verb::Approve), (1, Verb::Reject), (1, Verb::Start)]);
        deeds.push((dice.u64(20..span), typed(pipeline, verb)));
    }
    // What was shown is not what it would change any more, and somebody approves that.
    if chance(dice, 50) {
        let at = dice.u64(30..span / 2);
        let services: Vec<_> = pipeline.waves.iter().flatten().collect();
        let service = services[dice.usize(..services.len())].name.clone();
        let act = Act::Deploys { newest: false };
        deeds.push((at, Deed::Other { service, act }));
        deeds.push((at + dice.u64(20..200), typed(pipeline, Verb::Approve)));
    }
    if pipeline.extras.approval.is_some_and(|approval| approval.by_tag) {
        for number in 0..dice.u32(1..=2) {
            let (pipeline, tag) = (pipeline.name.clone(), format!("{WORD}1.{number}.0"));
            deeds.push((dice.u64(20..span), Deed::Stamp { pipeline, tag }));
        }
    }
}

/// What is live, and so was offered, is gone back from; and somebody approves what was offered.
fn second_thoughts(dice: &mut Rng, first: &Pipeline, next: &Pipeline, deeds: &mut Deeds) {
    if chance(dice, 50) {
        let at = dice.u64(SPAN / 2..3 * SPAN);
        let back = Verb::Rollback { no_block: false, no_freeze: true, include_drifted: false };
        deeds.push((at, typed(first, back)));
        deeds.push((at + dice.u64(1..100), typed(next, Verb::Approve)));
    }
}

/// Copies arrive at once or late, some of them never.
fn copies(dice: &mut Rng, pipeline: &Pipeline, deeds: &mut Deeds) {
    for image in pipeline.images.iter().filter(|_| pipeline.extras.reads_copies()) {
        for _ in 0..pick(dice, &[(1, 0), (1, 1), (2, 3), (2, 8)]) {
            let repository = image.repository.clone();
            deeds.push((dice.u64(..5 * SPAN), Deed::Copies { repository }));
        }
    }
}

/// Images that answer wrongly, for a while or for ever, and an alarm that rings.
fn answers(dice: &mut Rng, pipeline: &Pipeline, deeds: &mut Deeds) {
    if pipeline.extras.url.is_some() {
        for _ in 0..dice.u32(1..=2) {
            let texts = [(2, "/health=503 for 40s"), (2, "/health=503"), (1, "500 for 100s")];
            let answer = pick(dice, &texts).to_owned();
            let mut push = push_of(dice, pipeline, "healthy");
            if let Deed::Push { answers, .. } = &mut push {
                *answers = Some(answer);
            }
            deeds.push((dice.u64(..SPAN), push));
        }
    }
    if pipeline.extras.alarm {
        for _ in 0..dice.u32(1..=3) {
            let state = pick(dice, &[(3, "ALARM"), (2, "OK"), (1, "INSUFFICIENT_DATA")]).to_owned();
            let pipeline = pipeline.name.clone();
            deeds.push((dice.u64(..SPAN), Deed::Alarm { pipeline, state }));
        }
    }
}
