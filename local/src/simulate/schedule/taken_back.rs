//! A literal tag that is moved back to what is live while its push waits for somebody else's deployment: the
//! usual way to take a push back, and the only one here that a pipeline may not go live past.

use std::time::Duration;

use fastrand::Rng;

use super::chance::chance;
use super::deeds::{SPAN, push_of};
use super::{Act, Deed, LITERAL, Pipeline, Tags};

/// Makes these dice other ones than those of the rest of the schedule.
const SALT: u64 = 0x7461_6b65_6e21_6261;

/// In so many seeds of a hundred one is.
const SHARE: u32 = 4;

pub(super) fn draw(seed: u64, pipelines: &[Pipeline]) -> Vec<(Duration, Deed)> {
    let mut dice = Rng::with_seed(seed ^ SALT);
    let literal = |pipeline: &&Pipeline| {
        let own = pipeline.images.len() == 1 && pipeline.images[0].tags == Tags::Literal;
        own && pipeline.extras.promoted.is_none()
    };
    let Some(pipeline) = pipelines.iter().find(literal) else { return Vec::new() };
    let service = pipeline.waves.iter().flatten().next();
    let Some(service) = service.filter(|_| chance(&mut dice, SHARE)) else { return Vec::new() };
    let repository = pipeline.images[0].repository.clone();
    // The first push of all is live by then, if nothing else happens.
    let held = SPAN * 1000 + dice.u64(..300_000);
    let pushed = held + dice.u64(..3_000);
    let back = pushed + dice.u64(1_000..60_000);
    let deploys =
        Deed::Other { service: service.name.clone(), act: Act::Deploys { newest: false } };
    let deeds = [
        (dice.u64(..1_000), push_of(&mut dice, pipeline, "healthy")),
        (held, deploys),
        (pushed, push_of(&mut dice, pipeline, "healthy")),
        (back, Deed::Tag { repository, push: 0, tag: LITERAL.to_owned() }),
    ];
    deeds.map(|(at, deed)| (Duration::from_millis(at), deed)).into()
}
