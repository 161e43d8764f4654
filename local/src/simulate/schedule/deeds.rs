//! What people, builds and chance do.

use std::time::Duration;

use fastrand::Rng;

use super::chance::{chance, pick};
use super::{Act, Deed, LITERAL, PATTERN, Pipeline, Service, Tags, Verb, Weather};

/// Most deeds fall into the first minutes: the time in which a release moves.
pub(super) const SPAN: u64 = 6 * 60;

pub(super) fn draw(
    dice: &mut Rng,
    weather: Weather,
    pipelines: &[Pipeline],
) -> Vec<(Duration, Deed)> {
    let mut deeds = Vec::new();
    for pipeline in pipelines {
        for number in 0..pick(dice, weather.pushes) {
            // The first push comes at once: without one nothing happens at all.
            let at = if number == 0 { dice.u64(1..30) } else { dice.u64(..SPAN) };
            deeds.push((at, push(dice, pipeline)));
        }
        for _ in 0..pick(dice, &[(3, 0), (1, 1), (1, 2)]) {
            deeds.push((dice.u64(..SPAN), tag(dice, pipeline)));
        }
        for _ in 0..pick(dice, weather.commands) {
            let (pipeline, verb) = (pipeline.name.clone(), verb(dice));
            deeds.push((dice.u64(..2 * SPAN), Deed::Command { pipeline, verb }));
        }
        for _ in 0..pick(dice, weather.others) {
            deeds.push((dice.u64(..SPAN), other(dice, pipeline)));
        }
        if chance(dice, weather.coincidences) {
            deeds.extend(coincidence(dice, pipeline));
        }
    }
    deeds.sort_by_key(|(at, _)| *at);
    // Within a second of each other as well as minutes apart.
    let millis = |at: u64, dice: &mut Rng| Duration::from_millis(at * 1000 + dice.u64(..1000));
    let mut deeds: Vec<_> = deeds.into_iter().map(|(at, deed)| (millis(at, dice), deed)).collect();
    deeds.sort_by_key(|(at, _)| *at);
    deeds
}

pub(super) fn sha(dice: &mut Rng) -> String {
    format!("{PATTERN}{:08x}", dice.u32(..))
}

fn push(dice: &mut Rng, pipeline: &Pipeline) -> Deed {
    let image = &pipeline.images[dice.usize(..pipeline.images.len())];
    let mut tags = match image.tags {
        Tags::Literal => vec![LITERAL.to_owned()],
        Tags::Both if dice.bool() => vec![LITERAL.to_owned()],
        Tags::Pattern | Tags::Both | Tags::Any => vec![sha(dice)],
    };
    if chance(dice, 30) {
        let more = [LITERAL.to_owned(), sha(dice), "latest".to_owned()];
        let more = more[dice.usize(..more.len())].clone();
        if !tags.contains(&more) {
            tags.push(more);
        }
    }
    Deed::Push {
        repository: image.repository.clone(),
        tags,
        behaviour: behaviour(dice),
        answers: None,
        index: chance(dice, 15),
    }
}

/// A build of one of the pipeline's images that behaves so.
pub(super) fn push_of(dice: &mut Rng, pipeline: &Pipeline, behaves: &str) -> Deed {
    let mut push = push(dice, pipeline);
    if let Deed::Push { behaviour, .. } = &mut push {
        behaves.clone_into(behaviour);
    }
    push
}

/// Two things within seconds of each other that meet by themselves once in thousands of stories: a
/// release, or its way back, and a target that it goes wrong at.
fn coincidence(dice: &mut Rng, pipeline: &Pipeline) -> [(u64, Deed); 2] {
    let at = dice.u64(..SPAN);
    let first = if dice.u32(..3) == 0 {
        push(dice, pipeline)
    } else {
        let verb = Verb::Rollback { no_block: false, no_freeze: false, include_drifted: false };
        Deed::Command { pipeline: pipeline.name.clone(), verb }
    };
    let act = match dice.u32(..3) {
        0 => Act::FindsNoPlace(3),
        1 => Act::Exits(1),
        _ => Act::Deploys { newest: false },
    };
    let service = service(dice, pipeline).name.clone();
    [(at, first), (at + dice.u64(..30), Deed::Other { service, act })]
}

fn behaviour(dice: &mut Rng) -> String {
    let texts = [
        (10, "healthy"),
        (5, "crash"),
        (1, "crash-after=20s"),
        (1, "crash-after=100s"),
        (2, "unhealthy"),
        (1, "slow=90s"),
        (1, "exit-loop"),
        (1, "no-pull"),
        (1, "exit=0"),
    ];
    pick(dice, &texts).to_owned()
}

fn tag(dice: &mut Rng, pipeline: &Pipeline) -> Deed {
    let image = &pipeline.images[dice.usize(..pipeline.images.len())];
    let own = sha(dice);
    let tag = pick(dice, &[(3, LITERAL), (2, own.as_str()), (1, "other")]).to_owned();
    Deed::Tag { repository: image.repository.clone(), push: dice.usize(..4), tag }
}

fn verb(dice: &mut Rng) -> Verb {
    let flag = |dice: &mut Rng| dice.bool();
    match dice.u32(..20) {
        0..5 => Verb::Rollback {
            no_block: flag(dice),
            no_freeze: flag(dice),
            include_drifted: chance(dice, 30),
        },
        5 | 6 => Verb::RollbackTo { number: dice.u64(1..=2) },
        7 | 8 => Verb::Accept,
        9 => Verb::Abandon,
        10 | 11 => Verb::Freeze,
        12 | 13 => Verb::Unfreeze,
        14 => Verb::Block { push: dice.usize(..3) },
        15 => Verb::Unblock { push: dice.usize(..3) },
        16 => Verb::Start,
        17 => Verb::StartImage { push: dice.usize(..3) },
        18 => Verb::StartWithoutWayBack,
        _ => Verb::Apply { bake: dice.u64(0..=40) },
    }
}

fn other(dice: &mut Rng, pipeline: &Pipeline) -> Deed {
    let service = service(dice, pipeline).name.clone();
    let act = match dice.u32(..12) {
        0..3 => Act::Deploys { newest: chance(dice, 30) },
        3 => Act::Forces,
        4 => Act::Scales(dice.u32(0..=3)),
        5 => Act::TakesSpot,
        6 => Act::StopsTask,
        7..10 => Act::FindsNoPlace(dice.u32(1..=3)),
        10 => Act::Exits(1),
        _ => Act::Deregisters,
    };
    Deed::Other { service, act }
}

fn service<'a>(dice: &mut Rng, pipeline: &'a Pipeline) -> &'a Service {
    let services: Vec<_> = pipeline.waves.iter().flatten().collect();
    services[dice.usize(..services.len())]
}
