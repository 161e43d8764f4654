//! Two pushes: one holds, one crashes; and what holds goes on to the pipelines that it is promoted to.
//! Each must end as it must.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use tidegate_cli::Exit;
use tidegate_core::config::PipelineConfig;
use tidegate_core::model::{Entry, Release, ReleaseId};
use tidegate_local::cloud::Cloud;
use tidegate_local::laptop::Laptop;
use tidegate_local::seed;

use super::notes;
use super::view::{Frame, View, counted};

/// How often the view looks, in the person's time: smooth, and cheap enough.
const LOOK: Duration = Duration::from_millis(150);
/// In AWS's time. A release of two waves, its bake and every deadline on the way fit easily.
const PATIENCE: SignedDuration = SignedDuration::from_mins(40);
/// What people are told of a good release, and of a bad one.
const GOOD_NOTIFICATIONS: [&str; 2] = ["started", "live"];
const BAD_NOTIFICATIONS: [&str; 3] = ["started", "rollback_started", "rolled_back"];
/// And of one that a person approves.
const APPROVED_NOTIFICATIONS: [&str; 3] = ["waiting", "started", "live"];

/// The demo's stories about one pipeline, and about those that it is promoted to.
pub(crate) struct Story<'a> {
    laptop: &'a Laptop,
    pipelines: &'a [PipelineConfig],
    pipeline: &'a PipelineConfig,
}

type Failure = Box<dyn std::error::Error>;

impl<'a> Story<'a> {
    /// About the pipeline that takes pushes and moves the most: targets, and then images.
    pub(crate) fn new(laptop: &'a Laptop, pipelines: &'a [PipelineConfig]) -> Option<Self> {
        let takes_pushes = pipelines.iter().filter(|pipeline| pipeline.promote_from.is_none());
        let moved = |it: &&PipelineConfig| (it.waves.iter().flatten().count(), it.images.len());
        let pipeline = takes_pushes.max_by_key(moved)?;
        Some(Self { laptop, pipelines, pipeline })
    }

    /// The releases and targets that it is about; their numbers have one digit.
    pub(crate) fn names(&self) -> Vec<String> {
        let promoted = |it: &&PipelineConfig| self.pipeline.promotes_to.contains(&it.name);
        let told = self.pipelines.iter().filter(promoted).chain([self.pipeline]);
        let names = told.flat_map(|pipeline| {
            let targets = pipeline.waves.iter().flatten();
            let targets = targets.map(|target| pipeline.target_id(&target.name).name);
            targets.chain([format!("{}/1", pipeline.name)])
        });
        names.collect()
    }

    /// Tells both; says whether both ended as they must.
    pub(crate) async fn tell(&self, view: &mut View, config: &Path) -> Result<bool, Failure> {
        view.title(&format!("tidegate config apply {}", config.display()));
        let file = config.display().to_string();
        let applied = self.laptop.operator.types(&["config", "apply", &file]).await?;
        view.text(applied.out.lines().filter(|line| !line.is_empty()));
        if applied.exit != Exit::Done {
            view.text(applied.talk.lines());
            return Ok(false);
        }
        let mut well = true;
        let mut last = self.newest().await?.map_or(0, |release| release.id.number);
        for (build, behaviour, title, end, kinds) in [
            (1, "healthy", "good", "live", &GOOD_NOTIFICATIONS[..]),
            (2, "crash", "crashes when it starts", "rolled_back", &BAD_NOTIFICATIONS[..]),
        ] {
            let images = self.built(build);
            let names: Vec<_> = images.iter().map(|(name, tag)| format!("{name}:{tag}")).collect();
            view.title(&format!("push {}: {title}", names.join(", ")));
            let (before, told) = (self.running(), self.told().len());
            let mut pushed = BTreeSet::new();
            for (repository, tag) in &images {
                let push =
                    |cloud: &mut Cloud, now| seed::push(cloud, repository, &[tag], behaviour, now);
                pushed.insert(self.laptop.world.with(push)?);
            }
            let Some(release) = self.follow(view, last).await? else {
                view.line("nothing came of it in forty minutes of AWS's time");
                return Ok(false);
            };
            last = release.id.number;
            let wanted = if end == "live" { pushed } else { before };
            let ran = self.running();
            let told = self.told().split_off(told);
            let ended = release.phase.name() == end && ran == wanted && self.heard(&told, kinds);
            view.verdict(ended, &summary(&release, &ran, self.targets(), &told));
            well &= ended;
            for name in self.pipeline.promotes_to.iter().filter(|_| end == "live") {
                let next = self.pipelines.iter().find(|pipeline| pipeline.name == *name);
                let next = next.map(|pipeline| Self { pipeline, ..*self });
                well &= match next {
                    Some(story) => story.approve(view, &wanted).await?,
                    None => false,
                };
            }
        }
        view.title("what people were told");
        self.laptop.world.look(|cloud| notes::show(view, cloud.sns.published()));
        Ok(well)
    }

    /// What went live upstream is offered here; a person approves it, and it goes live as well.
    async fn approve(&self, view: &mut View, wanted: &BTreeSet<String>) -> Result<bool, Failure> {
        let clock = &self.laptop.world.clock;
        let deadline = clock.now() + PATIENCE;
        let offered = loop {
            match self.newest().await? {
                Some(release) if release.approval_asked().is_some() => break release,
                _ if clock.now() >= deadline => return Ok(false),
                _ => tokio::time::sleep(LOOK).await,
            }
        };
        let id = offered.id.to_string();
        view.title(&format!("tidegate approve {id}"));
        let approved = self.laptop.operator.types(&["approve", &id, "--yes"]).await?;
        if approved.exit != Exit::Done {
            view.text(approved.talk.lines());
            return Ok(false);
        }
        let Some(release) = self.follow(view, offered.id.number - 1).await? else {
            view.line("it did not end in forty minutes of AWS's time");
            return Ok(false);
        };
        let (ran, told) = (self.running(), self.told());
        let ended =
            release.phase.name() == "live" && ran == *wanted && told == APPROVED_NOTIFICATIONS;
        view.verdict(ended, &summary(&release, &ran, self.targets(), &told));
        Ok(ended)
    }

    /// The repositories that one build pushes to, each with its tag: all of them where they are
    /// released together, else the first.
    fn built(&self, build: u32) -> Vec<(String, String)> {
        let Self { pipeline, .. } = self;
        let together = pipeline.join_on.is_some() || pipeline.promote_from.is_some();
        let images = pipeline.images.values().take(if together { usize::MAX } else { 1 });
        images.map(|image| (image.repository.clone(), seed::build_tag(image, build))).collect()
    }

    /// Shows the release after number `last` until it ends, and its last notification is out.
    async fn follow(&self, view: &mut View, last: u64) -> Result<Option<Release>, Failure> {
        let clock = &self.laptop.world.clock;
        let deadline = clock.now() + PATIENCE;
        let began = clock.now();
        let mut shown: BTreeSet<String> = BTreeSet::new();
        while clock.now() < deadline {
            tokio::time::sleep(LOOK).await;
            let Some(release) = self.newest().await?.filter(|it| it.id.number > last) else {
                view.waiting("pushed; the event is on its way");
                continue;
            };
            view.entries(&self.unseen(&release.id, &mut shown).await?, began);
            let slots = self.laptop.operator.table.rollouts(&release).await?;
            view.show(&Frame { release: &release, slots: &slots, now: clock.now(), began });
            if release.phase.is_ended() || release.phase.is_stuck() {
                self.last_words().await;
                view.entries(&self.unseen(&release.id, &mut shown).await?, began);
                view.clear();
                return Ok(Some(release));
            }
        }
        view.clear();
        Ok(None)
    }

    /// The notification of the end follows the end by the stream's delay.
    async fn last_words(&self) {
        let told = self.told().len();
        let clock = &self.laptop.world.clock;
        let patience = clock.now() + SignedDuration::from_secs(30);
        while self.told().len() == told && clock.now() < patience {
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn newest(&self) -> Result<Option<Release>, Failure> {
        let releases = self.laptop.operator.table.releases(&self.pipeline.name, 1).await?;
        Ok(releases.into_iter().next())
    }

    async fn unseen(
        &self,
        id: &ReleaseId,
        shown: &mut BTreeSet<String>,
    ) -> Result<Vec<Entry>, Failure> {
        let entries = self.laptop.operator.table.journal(id).await?;
        Ok(entries
            .into_iter()
            .filter(|it| shown.insert(format!("{:?}{}", it.subject, it.step)))
            .collect())
    }

    fn targets(&self) -> usize {
        self.pipeline.waves.iter().map(Vec::len).sum()
    }

    /// The kinds of all notifications about this pipeline so far.
    fn told(&self) -> Vec<String> {
        self.laptop.world.look(|cloud| {
            let all = cloud.sns.published().iter().map(|it| &it.attributes);
            let own = all.filter(|it| it["pipeline"] == self.pipeline.name.as_str());
            own.map(|it| it["kind"].as_str().unwrap_or_default().to_owned()).collect()
        })
    }

    /// Whether people heard these kinds, in this order. A migration that fails goes back in the moment in
    /// which it begins to: then either of the two messages may come first.
    fn heard(&self, told: &[String], kinds: &[&str]) -> bool {
        let mut swapped: Vec<_> = told.to_vec();
        if !self.pipeline.pre_deploy.is_empty() {
            swapped.sort_by_key(|kind| kinds.iter().position(|it| it == kind));
        }
        swapped == kinds
    }

    /// The digests that really run, over all targets: one when they are of one mind.
    fn running(&self) -> BTreeSet<String> {
        let built = self.built(0);
        let repositories: Vec<&str> = built.iter().map(|(repository, _)| &**repository).collect();
        self.laptop.world.with(|cloud, now| {
            let all = cloud.running(self.pipeline, &repositories, now);
            all.into_values().flatten().collect()
        })
    }
}

fn summary(
    release: &Release,
    running: &BTreeSet<String>,
    targets: usize,
    told: &[String],
) -> String {
    let digests: Vec<&str> = running.iter().map(|it| it.get(7..19).unwrap_or(it)).collect();
    format!(
        "{} is {}; {} run{} {}; {} notifications: {}",
        release.id,
        release.phase.name(),
        counted(targets, "target"),
        if targets == 1 { "s" } else { "" },
        digests.join(", "),
        told.len(),
        told.join(", "),
    )
}
