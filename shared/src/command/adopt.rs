//! A config comes into force.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Refused, check_owns_nothing, of_pipeline};
use crate::config::PipelineConfig;
use crate::decide::release_entry;
use crate::model::{Cause, Change, Head, Memory, Phase, Release, ReleaseId, ReleaseImage, Scene};

/// What `config apply` writes for a pipeline that is new or was retired, or whose config changed.
///
/// Adoption moves nothing: what runs now becomes a release with cause `adopted`, and the newest
/// matching pushes count as answered.
pub fn apply_config(
    before: Option<&Scene>,
    config: &PipelineConfig,
    runs: BTreeMap<String, ReleaseImage>,
    answered: BTreeMap<String, Memory>,
    actor: &str,
    now: Timestamp,
) -> Result<Change, Refused> {
    before.map_or(Ok(()), |scene| check_owns_nothing(scene, "apply the config"))?;
    let mut head = before.map_or_else(|| first_head(&config.name), |scene| scene.head.clone());
    head.step += 1;
    head.config += 1;
    let mut reason = format!("config version {} applied by {actor}", head.config);
    // What a retired pipeline left may be gone: others had its targets, and its pushes were nobody's.
    let returns = head.retired.take().is_some();
    let before = before.filter(|_| !returns);
    if returns {
        (head.live, head.back_since) = (None, Some(head.next));
        reason.push_str(", which brings it back");
    }
    // One more tag may make them look new before any push is answered.
    let running = runs.values().map(|image| (image.digest.clone(), image.pushed_at));
    let pushed = answered.values().map(|memory| (memory.digest.clone(), memory.pushed_at));
    let seen = running.chain(pushed).collect();
    for (image, memory) in answered {
        // Other tags count now: what they show already is no push.
        let as_before =
            |scene: &Scene| scene.config.images.get(&image) == config.images.get(&image);
        if !head.answered.contains_key(&image) || !before.is_some_and(as_before) {
            head.answered.insert(image, memory);
        }
    }
    let known = before.and_then(|scene| scene.live.as_ref());
    let first = runs.keys().any(|name| known.is_none_or(|live| !live.images.contains_key(name)));
    let more = before.is_some_and(|scene| selects_more(config, &scene.config));
    let adopts = first || (more && known.is_some());
    if !adopts {
        return Ok(Change { seen, ..of_pipeline(head, actor, "configured", reason, now) });
    }
    let mut images = known.map(|live| live.images.clone()).unwrap_or_default();
    for (name, image) in runs {
        images.entry(name).or_insert(image);
    }
    let id = ReleaseId::new(config.name.clone(), head.next);
    let live = Phase::Live { at: now, unproven: false, accepted: false };
    let release = Release {
        config: head.config,
        images,
        waves: config.target_waves(),
        ..Release::recorded(id, Cause::Adopted, actor, now, live)
    };
    head.live = Some(head.next);
    head.next += 1;
    let mut entry = release_entry(&release, &release, actor, reason, None, now);
    entry.from = "none".to_owned();
    Ok(Change {
        head: Some(head),
        releases: vec![release],
        journal: vec![entry],
        seen,
        ..Change::default()
    })
}

/// Another image, pattern or target than before.
fn selects_more(config: &PipelineConfig, before: &PipelineConfig) -> bool {
    let image = |(name, image)| before.images.get(name) != Some(image);
    let targets = config.target_waves();
    config.images.iter().any(image)
        || targets.iter().flatten().any(|target| before.target(target).is_none())
}

fn first_head(pipeline: &str) -> Head {
    Head {
        pipeline: pipeline.to_owned(),
        step: 0,
        next: 1,
        moving: None,
        waiting: None,
        live: None,
        answered: BTreeMap::new(),
        freeze: None,
        retired: None,
        back_since: None,
        config: 0,
    }
}
