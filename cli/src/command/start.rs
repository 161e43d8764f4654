//! `tidegate start`: a release by hand.

use std::collections::BTreeMap;
use std::str::FromStr;

use tidegate_core::command;
use tidegate_core::config::PipelineConfig;
use tidegate_core::model::{Digest, Phase, ReleaseImage};

use crate::consent::Consent;
use crate::decision::carry_out;
use crate::output::Desk;
use crate::pushes::Pushes;
use crate::{Error, Exit, Reference, Session, Which};

/// Start a release by hand, or let one go on that is held
///
/// A pipeline alone starts what its tags show now, or with `promote_from` what is live there. A release, `someli-production/42`, starts its
/// images again: if it is held because a target could not be released, the new one takes its place.
/// Blocked digests stay out.
#[derive(Debug, Clone, clap::Args)]
pub struct Start {
    /// someli-production, or someli-production/42
    pub release: Reference,
    /// This image instead of what the tags show: its name in the config, and a tag or a digest
    #[arg(long = "image", value_name = "NAME=TAG|DIGEST")]
    pub images: Vec<Choice>,
    /// Let a release go on that is held because no way back is known: nothing could be brought back
    #[arg(long, conflicts_with = "images")]
    pub without_way_back: bool,
    /// Whether it may.
    #[command(flatten)]
    pub consent: Consent,
}

/// An image that the operator names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    image: String,
    bytes: String,
}

impl FromStr for Choice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((image, bytes)) if !image.is_empty() && !bytes.is_empty() => {
                Ok(Self { image: image.to_owned(), bytes: bytes.to_owned() })
            }
            _ => Err("expected `NAME=TAG` or `NAME=sha256:…`, with the image's name in the config"),
        }
    }
}

impl Start {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { release, images: _, without_way_back, consent } = self;
        let pipeline = &release.pipeline;
        let outcome = if *without_way_back {
            self.check_is_held(session).await?;
            let what = format!("lets a release of {pipeline} move that could not be brought back");
            consent.ask(session, desk, pipeline, &what)?;
            carry_out(session, pipeline, consent.dry_run, |moment| {
                command::start_without_way_back(moment.scene, moment.actor, moment.now)
            })
            .await?
        } else {
            // Like a push, which nobody asks for the pipeline's name either.
            let images = self.chosen(session).await?;
            carry_out(session, pipeline, consent.dry_run, |moment| {
                command::start(moment.scene, images.clone(), moment.actor, moment.now)
            })
            .await?
        };
        desk.say(&outcome)?;
        Ok(Exit::Done)
    }

    /// Who names a release means that one, not whatever is held by now.
    async fn check_is_held(&self, session: &Session) -> Result<(), Error> {
        let release = self.release.find(session.table().await?).await?;
        if matches!(release.phase, Phase::Surveying { .. }) {
            return Ok(());
        }
        Err(Error::NotNow(format!("{} is {}: nothing holds it", release.id, release.phase.name())))
    }

    async fn chosen(&self, session: &Session) -> Result<BTreeMap<String, ReleaseImage>, Error> {
        let table = session.table().await?;
        if self.release.which != Which::Current {
            if !self.images.is_empty() {
                let advice = "--image is for a pipeline; a release has its own images";
                return Err(Error::Usage(advice.to_owned()));
            }
            return Ok(self.release.find(table).await?.images);
        }
        let pipeline = &self.release.pipeline;
        let config = table.config(pipeline, table.scene(pipeline).await?.head.config).await?;
        let pushes = Pushes::of(session, pipeline).await?;
        let mut images = BTreeMap::new();
        for choice in &self.images {
            images.insert(choice.image.clone(), choice.find(&pushes, &config).await?);
        }
        // Who names images means these; the others stay as they are.
        if let (true, Some(from)) = (images.is_empty(), &config.promote_from) {
            let upstream = Reference { pipeline: from.clone(), which: Which::Live };
            images = upstream.find(table).await?.images;
            images.retain(|name, _| config.images.contains_key(name));
        } else if images.is_empty() {
            for (name, image) in &config.images {
                if let Some(newest) = pushes.newest(image).await? {
                    images.insert(name.clone(), newest);
                }
            }
        }
        if images.is_empty() {
            let why =
                "no tag of its repositories matches the config yet: there is nothing to start";
            return Err(Error::NotNow(format!("{pipeline}: {why}")));
        }
        Ok(images)
    }
}

impl Choice {
    async fn find(
        &self,
        pushes: &Pushes<'_>,
        config: &PipelineConfig,
    ) -> Result<ReleaseImage, Error> {
        let Self { image, bytes } = self;
        let known = || config.images.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let from = config.images.get(image).ok_or_else(|| {
            Error::Usage(format!("{} has no image `{image}`; it has {}", config.name, known()))
        })?;
        let found = match bytes.parse::<Digest>() {
            Ok(digest) => pushes.with_digest(from, &digest).await?,
            Err(_) => pushes.tagged(from, bytes).await?,
        };
        found.ok_or_else(|| {
            Error::NotNow(format!("{} has no image {bytes} that can be pulled", from.repository))
        })
    }
}
