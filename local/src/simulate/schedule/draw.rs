//! From a seed to a schedule.

use std::time::Duration;

use fastrand::Rng;

use super::chance::{chance, pick};
use super::{
    Extras, Image, Open, Pipeline, Schedule, Service, Strategy, Tags, Weather, deeds, extras,
    knots, retired, taken_back, troubles,
};
use crate::ecs::{RollbackShape, ShownDigest};

/// Makes the seeds of schedules other numbers than those of the models.
const SALT: u64 = 0x7469_6465_6761_7465;

impl Schedule {
    /// What `seed` chooses in this weather.
    pub fn draw(seed: u64, weather: Weather) -> Self {
        let mut dice = Rng::with_seed(seed ^ SALT);
        let mut pipelines = Vec::new();
        for number in 1..=pick(&mut dice, &[(16, 1_u32), (3, 2), (1, 3)]) {
            pipelines.push(pipeline(&mut dice, number));
        }
        let mut extras = extras::dice(seed, weather);
        if let Some(extras) = &mut extras {
            extras.widen(&mut pipelines);
        }
        let open = open(&mut dice);
        let mut deeds = deeds::draw(&mut dice, weather, &pipelines);
        let mut troubles = troubles::draw(&mut dice, weather);
        if let Some(mut extras) = extras {
            deeds.extend(extras.deeds(&pipelines));
            troubles.extend(extras.troubles());
        }
        let (more, trouble) = knots::draw(seed, weather, &pipelines);
        deeds.extend(more);
        deeds.extend(retired::draw(seed, &pipelines));
        deeds.extend(taken_back::draw(seed, &pipelines));
        deeds.sort_by_key(|(at, _)| *at);
        troubles.extend(trouble);
        let last = deeds.iter().map(|(at, _)| *at).max().unwrap_or_default();
        let until = last + Duration::from_secs(dice.u64(60..240));
        Self { seed, pipelines, open, deeds, troubles, until }
    }
}

fn pipeline(dice: &mut Rng, number: u32) -> Pipeline {
    let tags = |dice: &mut Rng| {
        pick(dice, &[(4, Tags::Literal), (4, Tags::Pattern), (2, Tags::Both), (1, Tags::Any)])
    };
    let images: Vec<Image> = (1..=pick(dice, &[(5, 1_u32), (1, 2)]))
        .map(|image| {
            // Every sixth repository feeds all pipelines.
            let owner = if chance(dice, 16) { 0 } else { number };
            Image { repository: format!("r{owner}-{image}"), tags: tags(dice) }
        })
        .collect();
    // Small ones tell most for their cost; large ones are there.
    let services = pick(dice, &[(24, 1), (24, 2), (12, 3), (3, 5), (1, 12)]);
    let mut waves: Vec<Vec<Service>> = vec![Vec::new()];
    for service in 1..=services {
        let wave = waves.len() - 1;
        if !waves[wave].is_empty() && chance(dice, 40) {
            waves.push(Vec::new());
        }
        let name = format!("s{number}-{service}");
        let next = self::service(dice, name, images.len());
        if let Some(wave) = waves.last_mut() {
            wave.push(next);
        }
    }
    Pipeline {
        name: format!("p{number}"),
        images,
        waves,
        timeout: dice.u64(2..=6),
        bake: dice.u64(0..=60),
        failed_tasks: pick(dice, &[(1, 1), (4, 2), (1, 4)]),
        freezes: chance(dice, 10),
        freezes_on_timeout: chance(dice, 15),
        extras: Extras::default(),
    }
}

fn service(dice: &mut Rng, name: String, images: usize) -> Service {
    let strategy = match dice.u32(..10) {
        0..4 => Strategy::Plain,
        4..9 => Strategy::Breaker { rollback: chance(dice, 70), count: dice.u32(1..=3) },
        _ => Strategy::BlueGreen,
    };
    let native = strategy == Strategy::BlueGreen;
    Service {
        name,
        desired: pick(dice, &[(1, 0), (16, 1), (8, 2), (3, 3)]),
        strategy,
        balanced: native || chance(dice, 20),
        consistent: !chance(dice, 25),
        before_revisions: chance(dice, 10),
        images: if images > 1 && chance(dice, 50) { vec![dice.usize(..images)] } else { vec![] },
    }
}

fn open(dice: &mut Rng) -> Open {
    Open {
        image_digest: if dice.bool() { ShownDigest::Index } else { ShownDigest::Platform },
        rollback: if dice.bool() { RollbackShape::NewId } else { RollbackShape::OldId },
        retag_moves_push_time: dice.bool(),
        ecs_lag: Duration::from_secs(pick(dice, &[(1, 0), (2, 2), (4, 5)])),
        table_lag: Duration::from_millis(pick(dice, &[(2, 0), (1, 500), (1, 3_000)])),
    }
}
