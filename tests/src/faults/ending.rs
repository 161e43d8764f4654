//! How a story must end, and how it ended: in the table, at ECS, and for people.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::repeat;

use tidegate_core::model::Slot;

use super::story::{PIPELINE, Plot, Story};
use crate::Stage;

/// How a story ended, as services, people and operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The releases' phases, by number.
    pub releases: Vec<String>,
    /// Where each target stands: its phase, and whether somebody still has to do something.
    pub targets: BTreeMap<String, String>,
    /// What the running tasks of each service run: the pushed bytes, or others.
    pub runs: BTreeMap<String, BTreeSet<&'static str>>,
    /// What the audit trail wants people to know, in order.
    pub notices: Vec<String>,
    /// What people were told, each kind once however often it was said.
    pub told: BTreeSet<String>,
    /// The pipeline: what moves, waits, is frozen or blocked.
    pub pipeline: String,
    /// What was given up, by queue.
    pub parked: BTreeMap<String, usize>,
}

impl Story {
    /// How it ends when nothing goes wrong, and when something does.
    pub fn ending(self) -> Ending {
        // Of Rag, which is the first wave, and of the others.
        let (targets, runs) = match self.plot {
            Plot::Good => (["healthy"; 2], ["pushed"; 2]),
            Plot::Bad => (["returned", "untouched"], ["other"; 2]),
            Plot::Adoption => ([""; 2], ["other"; 2]),
            Plot::Drift => (["drifted", "healthy"], ["other", "pushed"]),
            Plot::Rollback => (["healthy"; 2], ["other"; 2]),
        };
        let (phases, notices, pipeline) = match self.plot {
            Plot::Good => (
                &["live"][..],
                &["started", "live"][..],
                "moving None, waiting None, live Some(1), frozen false, blocked []",
            ),
            Plot::Bad => (
                &["rolled_back"][..],
                &["started", "rollback_started", "rolled_back"][..],
                "moving None, waiting None, live None, frozen false, blocked [\"pushed\"]",
            ),
            Plot::Adoption => (
                &["live"][..],
                &[][..],
                "moving None, waiting None, live Some(1), frozen false, blocked []",
            ),
            Plot::Drift => (
                &["drifted"][..],
                &["started", "drifted"][..],
                "moving Some(1), waiting None, live None, frozen true, blocked []",
            ),
            Plot::Rollback => (
                &["live", "live", "live"][..],
                &["started", "live"][..],
                "moving None, waiting None, live Some(3), frozen true, blocked [\"pushed\"]",
            ),
        };
        let services = self.services.iter().map(|service| (*service).to_owned());
        let of = |what: [&'static str; 2]| what.into_iter().chain(repeat(what[1]));
        let targets = services.clone().zip(of(targets).map(str::to_owned));
        Ending {
            releases: (1..).zip(phases).map(|(n, it)| format!("{PIPELINE}/{n} {it}")).collect(),
            targets: targets.filter(|(_, target)| !target.is_empty()).collect(),
            runs: services.zip(of(runs)).map(|(service, runs)| (service, [runs].into())).collect(),
            notices: notices.iter().map(|it| (*it).to_owned()).collect(),
            told: notices.iter().map(|it| (*it).to_owned()).collect(),
            pipeline: pipeline.to_owned(),
            parked: BTreeMap::new(),
        }
    }
}

/// How it ended for the release of this id, and for the image that was pushed last.
pub(super) async fn ending(stage: &Stage, release: &str, pushed: &str) -> Ending {
    let scene = stage.scene(PIPELINE).await;
    let releases = stage.table.releases(PIPELINE, usize::MAX).await.expect("readable releases");
    let newest = releases.first().expect("a release");
    let slots = stage.table.rollouts(newest).await.expect("readable slots");
    let head = &scene.head;
    let pipeline = format!(
        "moving {:?}, waiting {:?}, live {:?}, frozen {}, blocked {:?}",
        head.moving,
        head.waiting,
        head.live,
        head.freeze.is_some(),
        scene.blocked.keys().map(|it| whose(it.as_str(), pushed)).collect::<Vec<_>>(),
    );
    let bytes = |digests: BTreeSet<String>| digests.iter().map(|it| whose(it, pushed)).collect();
    let notices = stage.notices(release).await;
    Ending {
        releases: releases
            .iter()
            .rev()
            .map(|it| format!("{} {}", it.id, it.phase.name()))
            .collect(),
        targets: slots.iter().map(|slot| (slot.target.name.clone(), standing(slot))).collect(),
        runs: stage.running().into_iter().map(|(service, it)| (service, bytes(it))).collect(),
        notices: notices.iter().map(|notice| notice.kind.name().to_owned()).collect(),
        told: stage.kinds_published().into_iter().collect(),
        pipeline,
        parked: stage.twin.world.look(|cloud| {
            cloud.queues.parked().iter().map(|(queue, it)| (queue.clone(), it.len())).collect()
        }),
    }
}

fn whose(digest: &str, pushed: &str) -> &'static str {
    if digest == pushed { "pushed" } else { "other" }
}

fn standing(slot: &Slot) -> String {
    let open = match (&slot.todo, &slot.lease) {
        (None, None) => String::new(),
        open => format!(", {open:?}"),
    };
    format!("{}{open}", slot.phase.name())
}
