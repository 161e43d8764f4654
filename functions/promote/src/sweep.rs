//! ECR's events are best effort: every five minutes the registry itself is asked.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_aws::registry::{Listed, Registry};
use tidegate_aws::{App, Error, advance};
use tidegate_core::config::{ImageConfig, TagPattern};
use tidegate_core::decide::Sightings;
use tidegate_core::model::Digest;
use tidegate_core::push::{Candidate, SWEEP};
use tidegate_core::sighting::RegistryImage;

use crate::record::record;
use crate::resolve;

/// What must be left of the invocation to sweep one more pipeline.
const RESERVE: Duration = Duration::from_secs(10);

/// Finds pushes that no event told of, and moves on what waits.
pub(crate) async fn sweep(app: &App, deadline: Timestamp) -> Result<Value, Error> {
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for pipeline in app.table.watching_pipelines().await? {
        if app.clock.now() + RESERVE >= deadline {
            tracing::warn!("the sweep ran out of time; the next one begins anew");
            break;
        }
        match one(app, &pipeline).await {
            Ok(answers) => found.extend(answers),
            Err(error) => {
                tracing::error!(pipeline, error = &error as &dyn std::error::Error, "not swept");
                failed.push(error);
            }
        }
    }
    match failed.pop() {
        Some(error) => Err(error),
        None => Ok(json!({ "outcome": "swept", "found": found })),
    }
}

async fn one(app: &App, pipeline: &str) -> Result<Vec<String>, Error> {
    let Some(head) = app.table.head_of(pipeline).await? else { return Ok(Vec::new()) };
    let config = app.table.config(pipeline, head.config).await?;
    let registry = Registry::new(&app.sdk);
    let mut answers = Vec::new();
    for (name, image) in &config.images {
        let answered = head.answered.get(name).map(|memory| &memory.digest);
        for (tag, pattern, shown) in newest(&registry, image, answered).await? {
            let bytes = resolve::bytes(app, pipeline, image, shown, &tag).await?;
            let by = SWEEP.to_owned();
            let candidate = Candidate { image: name.clone(), pattern, tag, bytes, by };
            answers.push(record(app, pipeline, &candidate).await?);
        }
    }
    advance(&app.table, &app.clock, pipeline, &Sightings::new()).await?;
    Ok(answers)
}

/// What each pattern selects now and was not answered, oldest first, so that the newest is answered last.
///
/// Literal tags cost one call each; patterns page through the repository's tagged images, once.
async fn newest(
    registry: &Registry,
    image: &ImageConfig,
    answered: Option<&Digest>,
) -> Result<Vec<(String, TagPattern, RegistryImage)>, Error> {
    let repository = resolve::repository(image);
    let mut found = Vec::new();
    let mut tagged = None;
    for pattern in &image.tags {
        if pattern.is_literal() {
            let tag = pattern.to_string();
            let shown = registry.resolve_tag(&repository, &tag).await?;
            if let Some(shown) = shown.filter(|shown| Some(&shown.digest) != answered) {
                found.push((tag, pattern.clone(), shown));
            }
            continue;
        }
        if tagged.is_none() {
            tagged = Some(registry.tagged(&repository).await?);
        }
        let matching = tagged.iter().flatten().filter_map(|shown: &Listed| {
            resolve::selected(pattern, &shown.tags).map(|tag| (tag.clone(), shown.clone()))
        });
        let order = |(tag, shown): &(String, Listed)| {
            let version = pattern.matches(tag).and_then(|captures| captures.semver());
            let version = version.filter(|_| pattern.orders_by_version());
            (version, shown.pushed_at, shown.digest.clone())
        };
        let newest = matching.max_by(|a, b| order(a).cmp(&order(b)));
        if let Some((tag, shown)) = newest.filter(|(_, shown)| Some(&shown.digest) != answered) {
            let shown = registry.with_children(&repository, shown).await?;
            found.push((tag, pattern.clone(), shown));
        }
    }
    found.sort_by_key(|(_, _, shown)| shown.pushed_at);
    Ok(found)
}
