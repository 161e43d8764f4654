//! Which extras a seed has.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;

use super::super::chance::{chance, pick};
use super::super::{Deed, FaultRule, Image, Pipeline, Tags, Weather};
use super::{Approval, Elsewhere, Extras, Promoted, Target, TargetKind, Task, deeds, troubles};

/// Makes these dice other ones than those of the rest of the schedule.
const SALT: u64 = 0x6d6f_7265_2d6f_6e65;

/// One kind of extra.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extra {
    /// One-off tasks before the first wave.
    Tasks,
    /// Schedules and rules.
    Scheduled,
    /// A container service.
    Lightsail,
    /// Images that are released together.
    Joined,
    /// A person's word before anything moves.
    Approval,
    /// A pipeline that takes what is live in the first one.
    Promoted,
    /// A URL, an alarm, or both.
    Checks,
    /// A cluster in another region or account.
    Elsewhere,
}

impl Extra {
    const ALL: [Self; 8] = [
        Self::Tasks,
        Self::Scheduled,
        Self::Lightsail,
        Self::Joined,
        Self::Approval,
        Self::Promoted,
        Self::Checks,
        Self::Elsewhere,
    ];

    /// A role, and so another place, reaches ECS alone: the local AWS plays the others at home.
    fn is_at_home(self) -> bool {
        matches!(self, Self::Scheduled | Self::Lightsail)
    }

    fn goes_with(self, other: Self) -> bool {
        let apart = |one: Self, two: Self| one == Self::Elsewhere && two.is_at_home();
        self != other && !apart(self, other) && !apart(other, self)
    }
}

/// The extras of a seed, and the dice that they are drawn with.
pub(in super::super) struct Dice {
    dice: Rng,
    weather: Weather,
    extras: Vec<Extra>,
}

/// The dice of the seeds that have extras.
pub(in super::super) fn dice(seed: u64, weather: Weather) -> Option<Dice> {
    let mut dice = Rng::with_seed(seed ^ SALT);
    if !chance(&mut dice, weather.extras) {
        return None;
    }
    let one = |dice: &mut Rng| Extra::ALL[dice.usize(..Extra::ALL.len())];
    let mut extras = vec![one(&mut dice)];
    // Some break only together.
    if chance(&mut dice, weather.second_extra) {
        let another = one(&mut dice);
        extras.extend(Some(another).filter(|another| another.goes_with(extras[0])));
    }
    Some(Dice { dice, weather, extras })
}

impl Dice {
    /// Gives the first pipeline what this seed has more.
    pub(in super::super) fn widen(&mut self, pipelines: &mut Vec<Pipeline>) {
        let dice = &mut self.dice;
        for extra in &self.extras {
            let number = pipelines.len() + 1;
            let Some(first) = pipelines.first_mut() else { return };
            match extra {
                Extra::Tasks => tasks(dice, first),
                Extra::Scheduled => scheduled(dice, first),
                Extra::Lightsail => add(dice, first, TargetKind::Lightsail, "l1-1"),
                Extra::Joined => join(first),
                Extra::Approval => first.extras.approval = Some(approval(dice, &mut first.images)),
                Extra::Promoted => {
                    let next = promoted(dice, first, number);
                    pipelines.push(next);
                }
                Extra::Checks => checks(dice, first),
                Extra::Elsewhere => {
                    first.extras.elsewhere = Some(Elsewhere { by_role: dice.bool() });
                }
            }
        }
        // A mark that some pipeline takes for a push is refused.
        let images = pipelines.iter().flat_map(|it| &it.images).filter(|it| it.tags == Tags::Any);
        let any: BTreeSet<String> = images.map(|it| it.repository.clone()).collect();
        for pipeline in &mut pipelines[..] {
            pipeline.extras.marks &= !pipeline.images.iter().any(|it| any.contains(&it.repository));
        }
        // One tag of a repository is one pipeline's.
        if let [first, others @ ..] = &mut pipelines[..]
            && others.iter().any(|other| other.extras.marks)
        {
            first.extras.marks = false;
        }
    }

    /// What people and builds do besides.
    pub(in super::super) fn deeds(&mut self, pipelines: &[Pipeline]) -> Vec<(Duration, Deed)> {
        deeds::draw(&mut self.dice, &self.extras, pipelines)
    }

    /// What goes wrong besides.
    pub(in super::super) fn troubles(&mut self) -> Vec<FaultRule> {
        troubles::draw(&mut self.dice, self.weather, &self.extras)
    }
}

fn tasks(dice: &mut Rng, pipeline: &mut Pipeline) {
    for number in 1..=pick(dice, &[(3, 1), (1, 2)]) {
        let name = format!("t1-{number}");
        let task = Task { name, timeout: dice.u64(1..=4), undone: chance(dice, 60) };
        pipeline.extras.tasks.push(task);
    }
}

fn scheduled(dice: &mut Rng, pipeline: &mut Pipeline) {
    for number in 1..=pick(dice, &[(2, 1), (1, 2)]) {
        let kind = if dice.bool() { TargetKind::Schedule } else { TargetKind::Rule };
        add(dice, pipeline, kind, &format!("j1-{number}"));
    }
}

fn add(dice: &mut Rng, pipeline: &mut Pipeline, kind: TargetKind, name: &str) {
    let (name, wave) = (name.to_owned(), dice.usize(..pipeline.waves.len()));
    pipeline.extras.targets.push(Target { kind, name, wave });
}

/// At least two images, each under the commit that it was built from.
fn join(pipeline: &mut Pipeline) {
    if pipeline.images.len() < 2 {
        let image = Image { repository: "r1-2".to_owned(), tags: Tags::Pattern };
        pipeline.images.push(image);
    }
    for image in &mut pipeline.images {
        image.tags = Tags::Pattern;
    }
    pipeline.extras.joined = true;
}

/// No tag both starts a release and approves it.
fn approval(dice: &mut Rng, images: &mut [Image]) -> Approval {
    let by_tag = chance(dice, 40);
    for image in images.iter_mut().filter(|image| by_tag && image.tags == Tags::Any) {
        image.tags = Tags::Pattern;
    }
    // The last one is nobody's whole story: it is a wait at the end.
    Approval { expires: pick(dice, &[(2, 5), (2, 20), (1, 24 * 60)]), by_tag }
}

/// The next environment: the same images on services of its own.
fn promoted(dice: &mut Rng, first: &mut Pipeline, number: usize) -> Pipeline {
    // Neither of the two tags that it puts and takes may start anything before it.
    for image in first.images.iter_mut().filter(|image| image.tags == Tags::Any) {
        image.tags = Tags::Pattern;
    }
    let mut waves = first.waves.clone();
    for (wave, services) in waves.iter_mut().enumerate() {
        services.truncate(2);
        for (service, one) in services.iter_mut().enumerate() {
            one.name = format!("s{number}-{wave}-{service}");
        }
    }
    let mut approval = approval(dice, &mut []);
    let copies = chance(dice, 35);
    // No event tells of a tag on copies, and the config says so.
    approval.by_tag &= !copies;
    let extras = Extras {
        approval: Some(approval).filter(|_| chance(dice, 85)),
        promoted: Some(Promoted { from: first.name.clone(), copies }),
        marks: chance(dice, 60),
        ..Extras::default()
    };
    Pipeline { name: format!("p{number}"), waves, extras, ..first.clone() }
}

fn checks(dice: &mut Rng, pipeline: &mut Pipeline) {
    let (url, alarm) = pick(dice, &[(3, (true, false)), (2, (false, true)), (1, (true, true))]);
    pipeline.extras.url = url.then(|| dice.u32(1..=4));
    pipeline.extras.alarm = alarm;
    pipeline.extras.marks =
        chance(dice, 20) && pipeline.images.iter().all(|it| it.tags != Tags::Any);
}
