//! The survey: what every target of a release runs now, how to come back to it, and the
//! revision it will run. Nothing moves; what can be refused is refused here.

mod before;
mod container_service;
mod deployed;
mod protect;
mod revision;
mod running;
mod task;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tidegate_core::config::Base;
use tidegate_core::decide::Finding;
use tidegate_core::definition::{NamedImage, difference, images, takers};
use tidegate_core::guard::{Guard, stands};
use tidegate_core::marks;
use tidegate_core::model::{
    Baseline, Digest, Pin, Release, ReleaseImage, Scene, TargetId, TargetKind,
};
use tidegate_core::sighting::{RunningImage, Sighting};

use crate::ecs::{Ecs, RawTaskDefinition, Seen};
use crate::registry::{LifecyclePolicy, Listed, Registry, Repository};
use crate::{App, Error, Targets, promotion};

pub use running::Runs;

/// So many revisions back the family's own one is looked for; more releases than that without a
/// new one of the owner's mean that what runs is made from it.
const FAMILY_STEPS: u32 = 20;

/// A survey under way: reads each thing once, whatever number of targets share it.
pub struct Survey<'a> {
    app: &'a App,
    scene: &'a Scene,
    release: &'a Release,
    ecs: Ecs,
    targets: Targets,
    registry: Registry,
    /// Only looks: registers nothing, tags nothing, writes nothing.
    is_preview: bool,
    owner: String,
    deadline: Timestamp,
    runs: Runs,
    definitions: BTreeMap<String, RawTaskDefinition>,
    /// Images that were asked about, and the tags of those that are there.
    asked: BTreeSet<(Repository, Digest)>,
    shown: BTreeMap<(Repository, Digest), Listed>,
    policies: BTreeMap<Repository, LifecyclePolicy>,
    protected: BTreeMap<(Repository, Digest), Vec<String>>,
    /// Images that have their keep tag.
    kept: BTreeSet<(Repository, Digest)>,
}

/// What one target needs to be released.
struct Candidate<'a> {
    target: &'a TargetId,
    sighting: &'a Sighting,
    running: RawTaskDefinition,
    base: RawTaskDefinition,
    /// The containers that change, each with the image it gets.
    containers: Vec<(NamedImage, &'a ReleaseImage)>,
    /// What they name now, under whatever name the running revision has them.
    named: Vec<NamedImage>,
}

impl<'a> Survey<'a> {
    /// A survey of `release`, by the invocation `owner`, which ends at `deadline`.
    pub fn new(
        app: &'a App,
        scene: &'a Scene,
        release: &'a Release,
        owner: String,
        deadline: Timestamp,
    ) -> Self {
        let role = scene.config.role.as_ref();
        let targets = app.targets(&scene.config.region, role);
        let (ecs, registry) = (targets.ecs.clone(), app.registry(role));
        Self {
            app,
            scene,
            release,
            runs: Runs::new(&ecs, &registry, []),
            ecs,
            targets,
            registry,
            is_preview: false,
            owner,
            deadline,
            definitions: BTreeMap::new(),
            asked: BTreeSet::new(),
            shown: BTreeMap::new(),
            policies: BTreeMap::new(),
            protected: BTreeMap::new(),
            kept: BTreeSet::new(),
        }
    }

    /// The same without a trace: for who wants to know what a release would find. Revisions that it
    /// would register have no number yet.
    pub fn preview(app: &'a App, scene: &'a Scene, release: &'a Release) -> Self {
        let survey = Self::new(app, scene, release, String::new(), Timestamp::MAX);
        Self { is_preview: true, ..survey }
    }

    /// What was found at each target.
    ///
    /// `None` when AWS throttled for longer than this invocation lives: what was registered is
    /// written down, and the next survey goes on from there.
    pub async fn findings(mut self) -> Result<Option<BTreeMap<TargetId, Finding>>, Error> {
        if let Some(why) = promotion::withdrawn(&self.app.table, self.release).await? {
            let withdrawn = |target: &TargetId| (target.clone(), Finding::Withdrawn(why.clone()));
            return Ok(Some(self.release.targets().map(withdrawn).collect()));
        }
        let mut seen = self.targets.look(self.release.targets()).await;
        let shown = seen.values().filter_map(|seen| seen.as_ref().ok()?.as_ref());
        self.runs = Runs::new(&self.ecs, &self.registry, shown.map(|seen| &seen.sighting));
        let mut found = BTreeMap::new();
        for target in self.release.targets() {
            let seen = seen.remove(target);
            let surveyed = match (self.scene.config.task(target), seen) {
                (Some(task), _) => self.task(target, task).await,
                (None, Some(Err(refusal))) => Err(refusal.into()),
                (None, seen) => {
                    let seen = seen.and_then(Result::ok).flatten();
                    self.one(target, seen.as_ref()).await
                }
            };
            let finding = match surveyed {
                Err(Error::Refused(refusal)) if refusal.is_throttle() => return Ok(None),
                // A refusal is a finding with AWS's words, not a failure to be retried blindly.
                Err(Error::Refused(refusal)) if refusal.is_final() => {
                    Finding::Unfit(refusal.to_string())
                }
                Err(error @ Error::Definition { .. }) => Finding::Unfit(error.told()),
                other => match other? {
                    Some(finding) => finding,
                    None => return Ok(None),
                },
            };
            found.insert(target.clone(), finding);
        }
        Ok(Some(found))
    }

    async fn one(
        &mut self,
        target: &'a TargetId,
        seen: Option<&Seen>,
    ) -> Result<Option<Finding>, Error> {
        let Some(config) = self.scene.config.target(target) else {
            let why = format!("config version {} does not name it", self.release.config);
            return Ok(Some(Finding::Unfit(why)));
        };
        let Some(seen) = seen else {
            let why = match target.kind {
                TargetKind::Service => format!("cluster {} has no such service", target.within),
                kind => format!("there is no such {} in {}", kind.noun(), target.region),
            };
            return Ok(Some(Finding::Unfit(why)));
        };
        if let Some(why) = seen.sighting.reason_unfit() {
            return Ok(Some(Finding::Unfit(why.to_owned())));
        }
        if target.kind == TargetKind::Lightsail && seen.sighting.deployments.is_empty() {
            let why = "it has no active deployment: make its first one by hand, and Tidegate \
                       changes the images from then on";
            return Ok(Some(Finding::Unfit(why.to_owned())));
        }
        if let Some(what) = self.reason_busy(target, &seen.sighting).await? {
            return Ok(Some(Finding::Busy(what)));
        }
        if let Some(definition) = &seen.definition {
            return self.container_service(target, config, seen, definition).await;
        }
        let running = self.definition(&seen.task_definition).await?;
        let base = match self.scene.config.base {
            Base::Running => running.clone(),
            Base::Family => self.newest_foreign(&running).await?,
        };
        let containers = self.containers(&config.containers, &base);
        let leaving = self.containers(&config.containers, &running);
        let changes = |image: &NamedImage| {
            let mut all = containers.iter().chain(&leaving);
            all.any(|(changing, _)| changing.container == image.container)
        };
        let named = images(&running.json).into_iter().filter(changes).collect();
        let sighting = &seen.sighting;
        self.baseline(Candidate { target, sighting, running, base, containers, named }).await
    }

    /// The newest revision of the family that Tidegate did not make: what it made for a release
    /// that came back must not become the base of the next one.
    async fn newest_foreign(
        &mut self,
        running: &RawTaskDefinition,
    ) -> Result<RawTaskDefinition, Error> {
        let newest = self.newest(&running.family).await?;
        let usable = !is_ours(&newest) && newest.is_active();
        Ok(if usable { newest } else { running.clone() })
    }

    /// The newest revision of the family that Tidegate did not make and nobody withdrew, as far back as it
    /// looks; else the newest of all.
    async fn newest(&mut self, family: &str) -> Result<RawTaskDefinition, Error> {
        let newest = self.definition(family).await?;
        let mut found = newest.clone();
        for _ in 0..FAMILY_STEPS {
            if !is_ours(&found) && found.is_active() {
                return Ok(found);
            }
            let Some(before) = found.revision_before() else { break };
            found = match self.definition(&before).await {
                // Somebody cleaned up: what was before it is deleted as well, or nobody's any more.
                Err(Error::Refused(refusal)) if refusal.is_not_found() => break,
                before => before?,
            };
        }
        Ok(newest)
    }

    /// A task definition, read once.
    async fn definition(&mut self, name: &str) -> Result<RawTaskDefinition, Error> {
        if let Some(known) = self.definitions.get(name) {
            return Ok(known.clone());
        }
        let read = self.ecs.task_definition(name).await?;
        self.definitions.insert(name.to_owned(), read.clone());
        Ok(read)
    }

    /// The containers of `base` that a release image goes into: the ones the config names, or
    /// those whose image comes from the image's repository.
    fn containers(
        &self,
        named: &BTreeMap<String, String>,
        base: &RawTaskDefinition,
    ) -> Vec<(NamedImage, &'a ReleaseImage)> {
        let released = &self.release.images;
        let sources = released.iter().map(|(name, image)| (name.as_str(), image.uri()));
        let taken = takers(&base.json, named, sources).into_iter();
        taken.filter_map(|(container, name)| Some((container, released.get(name)?))).collect()
    }

    async fn baseline(&mut self, candidate: Candidate<'_>) -> Result<Option<Finding>, Error> {
        let Candidate { target, sighting, running, base, containers, named } = &candidate;
        let before = self.scene.slots.get(*target);
        let wanted = containers.iter().flat_map(|(_, image)| image.accepts.iter());
        let mut avoid = BTreeSet::new();
        avoid.extend(wanted.chain(self.scene.blocked.keys()).cloned());
        let mut images = self.runs.images(target, sighting, named, before, &avoid).await?;
        if target.kind.is_scheduled() {
            self.live_before(&mut images);
        }
        self.drop_blocked(&mut images);
        let mut notes = self.check_way_back(&mut images, containers).await?;
        if let Some(absent) = self.absent(containers).await? {
            return Ok(Some(absent));
        }
        notes.extend(self.known_before(target, sighting, running, &images));
        let base_arn = base.arn.clone();
        let seen = Baseline::of(sighting, &running.arn);
        let mut baseline = Baseline { base: base_arn, images, notes, ..seen };
        if containers.is_empty() {
            return Ok(Some(Finding::Unaffected { baseline: Box::new(baseline) }));
        }
        if baseline.has_way_back() && !pinned(named) && stands(Guard::PinnedTwin) {
            match self.twin(running, &baseline.images).await? {
                Some(twin) => baseline.revision = twin,
                None => return Ok(None),
            }
        }
        let pins: Vec<Pin> =
            containers.iter().map(|(container, image)| pin(container, image)).collect();
        let Some((revision, definition)) = self.successor(base, &pins).await? else {
            return Ok(None);
        };
        let difference = difference(&running.json, &definition);
        Ok(Some(Finding::Ready { baseline: Box::new(baseline), pins, revision, difference }))
    }

    /// Between two runs nothing shows what a schedule that names a tag would run, nor what a container
    /// service runs whose tag was pushed anew: where what was live in the pipeline before had that tag, it
    /// is what ran last.
    fn live_before(&self, images: &mut [RunningImage]) {
        let Some(live) = &self.scene.live else { return };
        for image in images.iter_mut().filter(|image| image.digest.is_none()) {
            let named = NamedImage { container: String::new(), image: image.named.clone() };
            let its = |before: &&ReleaseImage| {
                let tagged = named.tag().is_some_and(|tag| before.tags.iter().any(|it| it == tag));
                before.uri() == image.repository && tagged
            };
            if let Some(before) = live.images.values().find(its) {
                image.digest = Some(before.digest.clone());
                "live in this pipeline before".clone_into(&mut image.source);
            }
        }
    }

    /// Blocked bytes are no baseline: coming back to them would be no rescue. But an operator who
    /// goes back blocks what is left, and must not be held for it.
    fn drop_blocked(&self, images: &mut [RunningImage]) {
        let back = self.release.cause.goes_back();
        if back || !stands(Guard::BlockedBaseline) {
            return;
        }
        for image in images {
            if let Some(block) = image.digest.as_ref().and_then(|d| self.scene.blocked.get(d)) {
                image.source = format!(
                    "it runs {}, which is blocked since {}",
                    block.digest.short(),
                    block.release
                );
                image.digest = None;
            }
        }
    }
}

/// Tidegate registered it.
fn is_ours(definition: &RawTaskDefinition) -> bool {
    marks::release_of(&definition.tags).is_some()
}

fn pinned(named: &[NamedImage]) -> bool {
    named.iter().all(|image| image.digest().is_some())
}

fn pin(container: &NamedImage, image: &ReleaseImage) -> Pin {
    Pin {
        container: container.container.clone(),
        repository: container.repository().to_owned(),
        digest: image.digest.clone(),
        accepts: image.accepts.clone(),
    }
}
