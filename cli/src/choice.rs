//! Which bytes a release by hand brings: what the tags show, or what the operator names.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use tidegate_core::command::check_in_force;
use tidegate_core::config::{PipelineConfig, Placeholder};
use tidegate_core::model::{Digest, ReleaseImage};

use crate::pushes::Pushes;
use crate::{Error, Reference, Session, Which};

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

/// The images of a release of `pipeline`: those that are named, or else the newest of each that its
/// tags select.
pub(crate) async fn images(
    session: &Session,
    pipeline: &str,
    named: &[Choice],
) -> Result<BTreeMap<String, ReleaseImage>, Error> {
    let table = session.table().await?;
    let scene = table.scene(pipeline).await?;
    // Its repositories may be gone: that nothing starts here says more than that.
    check_in_force(&scene)?;
    let config = table.config(pipeline, scene.head.config).await?;
    let pushes = Pushes::of(session, &config).await?;
    let mut images = BTreeMap::new();
    for choice in named {
        images.insert(choice.image.clone(), choice.find(&pushes, &config).await?);
    }
    // Who names images means these; the others stay as they are.
    if let (true, Some(from)) = (images.is_empty(), &config.promote_from) {
        let upstream = Reference { pipeline: from.clone(), which: Which::Live };
        images = config.promoted(&upstream.find(table).await?.images);
    } else if images.is_empty() {
        for (name, image) in &config.images {
            if let Some(newest) = pushes.newest(image).await? {
                images.insert(name.clone(), newest);
            }
        }
    }
    if named.is_empty()
        && let Some(join_on) = config.join_on
    {
        together(&config, join_on, &images)?;
    }
    if images.is_empty() {
        let why = "no tag of its repositories matches the config yet: there is nothing to start";
        return Err(Error::NotNow(format!("{pipeline}: {why}")));
    }
    Ok(images)
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

/// Nobody starts half of a build by accident: what the tags show must hold one value.
fn together(
    config: &PipelineConfig,
    join_on: Placeholder,
    images: &BTreeMap<String, ReleaseImage>,
) -> Result<(), Error> {
    let values = |name: &str, image: &ReleaseImage| -> BTreeSet<String> {
        let patterns = config.images.get(name).into_iter().flat_map(|image| &image.tags);
        let captured = patterns.flat_map(|pattern| {
            let captures = image.tags.iter().filter_map(|tag| pattern.matches(tag));
            captures.filter_map(|it| it.get(join_on).map(str::to_owned)).collect::<Vec<_>>()
        });
        captured.collect()
    };
    let all: Vec<_> = images.iter().map(|(name, image)| (name, values(name, image))).collect();
    let shared = all.iter().map(|(_, values)| values.clone()).reduce(|a, b| &a & &b);
    if images.len() == config.images.len() && shared.is_some_and(|shared| !shared.is_empty()) {
        return Ok(());
    }
    let newest = all.iter().map(|(name, values)| {
        format!("{name} {}", values.iter().cloned().collect::<Vec<_>>().join(" and "))
    });
    Err(Error::NotNow(format!(
        "{}: the newest builds hold no {join_on} together ({}); wait for the missing ones, or name \
         each with --image",
        config.name,
        newest.collect::<Vec<_>>().join(", ")
    )))
}
