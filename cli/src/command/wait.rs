//! `tidegate wait`: the last step of a build.

use std::time::Duration;

use jiff::Timestamp;
use tidegate_aws::Table;
use tidegate_aws::table::TableError;
use tidegate_core::config::{ImageConfig, Period};
use tidegate_core::messages::retired;
use tidegate_core::model::{Digest, Phase, Push, Release, ReleaseImage};

use super::follow::{PAUSE, awaits_a_person};
use crate::output::Desk;
use crate::pushes::Pushes;
use crate::reference::pipeline_name;
use crate::view::ReleaseView;
use crate::{Error, Exit, Reference, Session, Which};

/// Wait until a push is live, or is not: for the end of a build
///
/// Without a choice, for what moves or waits now. The push need not be recorded yet. Ends when the
/// release ends, when a person must decide, or after `--timeout`; exits with the release's state.
#[derive(Debug, Clone, clap::Args)]
pub struct Wait {
    /// The pipeline
    #[arg(value_parser = pipeline_name)]
    pub pipeline: String,
    /// The release that brings this digest
    #[arg(long, group = "choice", value_name = "sha256:…")]
    pub digest: Option<Digest>,
    /// The release that brings what this tag shows now
    #[arg(long, group = "choice")]
    pub tag: Option<String>,
    /// The release with this number
    #[arg(long, group = "choice", value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub release: Option<u64>,
    /// Give up after so long
    #[arg(long, value_name = "TIME", default_value = "30m")]
    pub timeout: Period,
}

/// What is waited for.
enum Wanted {
    /// The release itself.
    Release(Reference),
    /// Whatever release brings these bytes, pushed before now.
    Bytes(Digest),
}

/// What one look shows.
enum Look {
    Nothing,
    /// Nothing, and why nothing will come.
    Never(String),
    NoRelease(Push),
    Release(Box<Release>),
}

impl Wait {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let (table, clock) = (session.table().await?, session.clock()?);
        let until = clock.now() + self.timeout.get();
        let mut wanted = self.wanted(session, desk).await?;
        let mut told = None;
        loop {
            let look = wanted.look(table, &self.pipeline).await?;
            if let Look::Release(release) = &look {
                let state = (release.id.clone(), release.phase.name());
                if told.as_ref() != Some(&state) {
                    desk.talk(&ReleaseView::new(release).line());
                    told = Some(state);
                }
            }
            let late = clock.now() >= until;
            match look {
                Look::Release(release) => match &release.phase {
                    Phase::Superseded { by, .. } => {
                        wanted = self.release(*by);
                        continue;
                    }
                    phase if phase.is_ended() || phase.is_stuck() || late => {
                        desk.say(&ReleaseView::new(&release))?;
                        return Ok(Exit::of(&release));
                    }
                    Phase::Waiting { .. } | Phase::Surveying { held: Some(_), .. } => {
                        let scene = table.scene(&self.pipeline).await?;
                        if awaits_a_person(&scene, &release) {
                            let pipeline = &self.pipeline;
                            desk.talk(&format!(
                                "a person must decide: `tidegate status {pipeline}` says what"
                            ));
                            desk.say(&ReleaseView::new(&release))?;
                            return Ok(Exit::of(&release));
                        }
                    }
                    _ => {}
                },
                // Newer bytes took its place while it waited.
                Look::NoRelease(Push { instead: Some(number), .. }) => {
                    wanted = self.release(number);
                    continue;
                }
                Look::NoRelease(push) => {
                    return Err(Error::NotNow(format!(
                        "{}:{} made no release: {}",
                        push.repository, push.tag, push.why
                    )));
                }
                Look::Never(why) => return Err(Error::NotNow(why)),
                Look::Nothing if late => {
                    desk.talk(&self.nothing_came());
                    return Ok(Exit::Held);
                }
                Look::Nothing => {}
            }
            clock.sleep(PAUSE.min(remaining(until, clock.now()))).await;
        }
    }

    async fn wanted(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Wanted, Error> {
        let pipeline = &self.pipeline;
        let table = session.table().await?;
        let Some(head) = table.head_of(pipeline).await? else {
            return Err(TableError::NoSuchPipeline(pipeline.clone()).into());
        };
        if let Some(digest) = &self.digest {
            return Ok(Wanted::Bytes(digest.clone()));
        }
        let Some(tag) = &self.tag else {
            if let Some(why) = retired(&head) {
                desk.talk(&why);
            }
            let which = self.release.map_or(Which::Current, Which::Number);
            // The one that is meant now: another may be there by the next look.
            let reference = Reference { pipeline: pipeline.clone(), which };
            return Ok(Wanted::Release(Reference::to(&reference.find(table).await?.id)));
        };
        // A tag can be pushed again: its bytes now are what this build made.
        let config = table.config(pipeline, head.config).await?;
        let pushes = Pushes::of(session, &config).await?;
        for image in config.images.values() {
            // What is retired may have lost the right to ask: that nothing starts there says more than that.
            let found = pushes.tagged(image, tag).await;
            let found = found.map_err(|error| retired(&head).map_or(error, Error::NotNow))?;
            if let Some(found) = found {
                if let Some(hint) = self.makes_no_release(image, &found) {
                    desk.talk(&hint);
                }
                return Ok(Wanted::Bytes(found.digest));
            }
        }
        Err(Error::NotNow(retired(&head).unwrap_or_else(|| {
            let repositories: Vec<_> =
                config.images.values().map(|i| i.repository.as_str()).collect();
            format!("no image of {} has the tag `{tag}`", repositories.join(", "))
        })))
    }

    /// What would be waited for in vain, unless a tag comes later.
    fn makes_no_release(&self, image: &ImageConfig, found: &ReleaseImage) -> Option<String> {
        let selected = |tag: &String| image.tags.iter().any(|it| it.matches(tag).is_some());
        // What is promoted comes by no tag.
        if image.tags.is_empty() || found.tags.iter().any(selected) {
            return None;
        }
        let patterns: Vec<_> = image.tags.iter().map(|it| format!("`{it}`")).collect();
        Some(format!(
            "{} has no tag that {} takes ({}): unless it gets one, no release will bring it",
            found.label(),
            self.pipeline,
            patterns.join(", ")
        ))
    }

    fn release(&self, number: u64) -> Wanted {
        let (pipeline, which) = (self.pipeline.clone(), Which::Number(number));
        Wanted::Release(Reference { pipeline, which })
    }

    fn nothing_came(&self) -> String {
        let pipeline = &self.pipeline;
        format!(
            "nothing came to {pipeline} in {}; lost events are found within five minutes, and \
             `tidegate history {pipeline}` shows what was not released",
            self.timeout
        )
    }
}

impl Wanted {
    async fn look(&self, table: &Table, pipeline: &str) -> Result<Look, Error> {
        /// A push that is waited for is among the newest; so many come in no half hour.
        const NEWEST: usize = 50;
        let digest = match self {
            Self::Release(reference) => {
                return Ok(Look::Release(Box::new(reference.find(table).await?)));
            }
            Self::Bytes(digest) => digest,
        };
        // Read before the releases: once it is retired, none is added.
        let head = table.head_of(pipeline).await?;
        let brings = |r: &Release| r.images.values().any(|i| i.accepts.contains(digest));
        let releases = table.releases(pipeline, NEWEST).await?;
        if let Some(release) = releases.into_iter().find(brings) {
            return Ok(Look::Release(Box::new(release)));
        }
        let pushes = table.pushes(pipeline, NEWEST).await?;
        // One that waits for other images may become a release yet.
        let done = |push: &Push| push.digest == *digest && push.missing.is_empty();
        let push = pushes.into_iter().find(done);
        Ok(match (push, head.as_ref().and_then(retired)) {
            (Some(push), _) => Look::NoRelease(push),
            (None, Some(why)) => Look::Never(why),
            (None, None) => Look::Nothing,
        })
    }
}

fn remaining(until: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or_default()
}
