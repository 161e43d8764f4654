//! How a story must end, and how it ended: in the table, at AWS, and for people.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::model::Slot;

use crate::Stage;

/// How a story ended, as targets, people and operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Each release: its phase, and what its audit trail wants people to know, in order.
    pub releases: BTreeMap<String, (String, Vec<String>)>,
    /// Where each target of the newest releases stands: its phase, and whether somebody still has to
    /// do something.
    pub targets: BTreeMap<String, String>,
    /// What each target runs: the pushed bytes, or others.
    pub runs: BTreeMap<String, BTreeSet<&'static str>>,
    /// How often each one-off task ran.
    pub one_offs: BTreeMap<String, usize>,
    /// What the tag that marks the live bytes means in each repository that has it.
    pub retagged: BTreeMap<String, &'static str>,
    /// What people were told, each kind once however often it was said.
    pub told: BTreeSet<String>,
    /// The pipelines: what moves, waits, is frozen or blocked.
    pub pipelines: BTreeMap<String, String>,
    /// What was given up, by queue.
    pub parked: BTreeMap<String, usize>,
}

/// The end of one target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) name: &'static str,
    /// Where the newest release left it; empty where it is none of its targets.
    pub(super) phase: &'static str,
    /// `pushed` or `other`; empty of what runs once.
    pub(super) runs: &'static str,
}

/// The end of everything but the targets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// Releases, their phases, and what people have to know of them.
    pub(super) releases: &'static [(&'static str, &'static str, &'static [&'static str])],
    pub(super) one_offs: &'static [(&'static str, usize)],
    pub(super) retagged: &'static [(&'static str, &'static str)],
    pub(super) pipelines: &'static [(&'static str, &'static str)],
}

impl Ends {
    /// What a story has no word about.
    pub(super) const NOTHING: Self =
        Self { releases: &[], one_offs: &[], retagged: &[], pipelines: &[] };

    /// The whole end.
    pub(super) fn of(self, targets: &[Target]) -> Ending {
        let released = targets.iter().filter(|target| !target.phase.is_empty());
        let running = targets.iter().filter(|target| !target.runs.is_empty());
        let owned = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect();
        let releases = self.releases.iter();
        let notices = self.releases.iter().flat_map(|(_, _, notices)| *notices);
        Ending {
            releases: releases
                .map(|(id, phase, notices)| ((*id).into(), ((*phase).into(), owned(notices))))
                .collect(),
            targets: released.map(|it| (it.name.to_owned(), it.phase.to_owned())).collect(),
            runs: running.map(|it| (it.name.to_owned(), [it.runs].into())).collect(),
            one_offs: self.one_offs.iter().map(|(name, ran)| ((*name).into(), *ran)).collect(),
            retagged: self.retagged.iter().map(|(name, of)| ((*name).into(), *of)).collect(),
            told: notices.map(|it| (*it).to_owned()).collect(),
            pipelines: self
                .pipelines
                .iter()
                .map(|(name, it)| ((*name).into(), (*it).into()))
                .collect(),
            parked: BTreeMap::new(),
        }
    }
}

impl Ending {
    /// How it ended; `pushed` are the newest bytes of each repository.
    pub(super) async fn seen(stage: &Stage, pushed: &BTreeSet<&str>) -> Self {
        let whose = |digest: &str| if pushed.contains(digest) { "pushed" } else { "other" };
        let (mut releases, mut targets) = (BTreeMap::new(), BTreeMap::new());
        let (mut pipelines, mut retagged) = (BTreeMap::new(), BTreeMap::new());
        for pipeline in &stage.pipelines {
            let all = stage.table.releases(&pipeline.name, usize::MAX).await;
            let all = all.expect("readable releases");
            for release in &all {
                let id = release.id.to_string();
                let notices = stage.notices(&id).await;
                let notices = notices.iter().map(|it| it.kind.name().to_owned()).collect();
                releases.insert(id, (release.phase.name().to_owned(), notices));
            }
            if let Some(newest) = all.first() {
                let slots = stage.table.rollouts(newest).await.expect("readable slots");
                targets.extend(slots.iter().map(|it| (it.target.name.clone(), standing(it))));
            }
            let scene = stage.scene(&pipeline.name).await;
            let head = &scene.head;
            let head = format!(
                "moving {:?}, waiting {:?}, live {:?}, frozen {}, blocked {:?}",
                head.moving,
                head.waiting,
                head.live,
                head.freeze.is_some(),
                scene.blocked.keys().map(|it| whose(it.as_str())).collect::<Vec<_>>(),
            );
            pipelines.insert(pipeline.name.clone(), head);
            if let Some(tag) = &pipeline.retag {
                let repositories = pipeline.images.values().map(|image| &image.repository);
                let shown = repositories.filter_map(|it| Some((it.clone(), stage.shown(it, tag)?)));
                retagged.extend(shown.map(|(repository, digest)| (repository, whose(&digest))));
            }
        }
        let bytes = |digests: BTreeSet<String>| digests.iter().map(|it| whose(it)).collect();
        Self {
            releases,
            targets,
            runs: stage.running().into_iter().map(|(target, it)| (target, bytes(it))).collect(),
            one_offs: stage.one_offs(),
            retagged,
            told: stage.kinds_published().into_iter().collect(),
            pipelines,
            parked: stage.twin.world.look(|cloud| {
                cloud.queues.parked().iter().map(|(queue, it)| (queue.clone(), it.len())).collect()
            }),
        }
    }
}

fn standing(slot: &Slot) -> String {
    let open = match (&slot.todo, &slot.lease) {
        (None, None) => String::new(),
        open => format!(", {open:?}"),
    };
    format!("{}{open}", slot.phase.name())
}
