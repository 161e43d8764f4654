//! ECR's events are best effort: every five minutes the registry itself is asked.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_aws::registry::Selected;
use tidegate_aws::{App, Error, advance, promotion, release_image};
use tidegate_core::config::{ImageConfig, PipelineConfig};
use tidegate_core::decide::{Sightings, retag_again};
use tidegate_core::guard::{Guard, stands};
use tidegate_core::model::{Digest, Head, ReleaseId};
use tidegate_core::push::{Candidate, Member, SWEEP};

use crate::join;
use crate::record::{TRIES, record};

/// What must be left of the invocation to sweep one more pipeline.
const RESERVE: Duration = Duration::from_secs(10);

/// How often the template's schedule sweeps.
const PERIOD: Duration = Duration::from_secs(5 * 60);

/// Finds pushes that no event told of, and moves on what waits.
pub(crate) async fn sweep(app: &App, deadline: Timestamp) -> Result<Value, Error> {
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    let mut pipelines = app.table.pipelines().await?;
    rotate(&mut pipelines, app.clock.now());
    for pipeline in pipelines {
        if app.clock.now() + RESERVE >= deadline {
            tracing::warn!(pipeline, "the sweep ran out of time; the next ones begin further on");
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

/// 2^64 divided by the golden ratio: its multiples lie as far from each other as any can.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Each sweep begins far from where the ones before it did: where time ends one after a fifth of the
/// pipelines, eight have swept them all.
fn rotate(pipelines: &mut [String], now: Timestamp) {
    let sweep = now.as_second().div_euclid(PERIOD.as_secs().cast_signed()).unsigned_abs();
    let part = u128::from(sweep.wrapping_mul(GOLDEN));
    let first = (part * pipelines.len() as u128) >> 64;
    pipelines.rotate_left(usize::try_from(first).unwrap_or_default());
}

async fn one(app: &App, pipeline: &str) -> Result<Vec<String>, Error> {
    let head = app.table.head_of(pipeline).await?;
    // The index lags: what was just retired has no rights to its repositories any more.
    let Some(head) = head.filter(|head| head.retired.is_none()) else { return Ok(Vec::new()) };
    let config = app.table.config(pipeline, head.config).await?;
    let mut answers = Vec::new();
    if let Some(join_on) = config.join_on.filter(|_| stands(Guard::Sweep)) {
        let registry = app.registry(config.role.as_ref());
        for set in join::whole_sets(app, &registry, &head, &config, join_on).await? {
            answers.extend(record(app, pipeline, &set).await?);
        }
    }
    let alone = config.images.iter().filter(|_| config.join_on.is_none());
    for image in alone.filter(|_| stands(Guard::Sweep)) {
        let mut head = Some(head.clone());
        for _ in 0..TRIES {
            let Some(known) = head else { break };
            if repository(app, &known, &config, image, &mut answers).await? {
                break;
            }
            head = app.table.head_of(pipeline).await?;
        }
    }
    answers.extend(promoted(app, &config).await?);
    marked(app, &config).await?;
    // What this sweep recorded moved on with it.
    if head.moving.is_some() || head.waiting.is_some() {
        let scene = app.table.scene(pipeline).await?;
        advance(&app.table, &app.clock, scene, &Sightings::new()).await?;
    }
    Ok(answers)
}

/// Offers again what is live in the pipeline that this one is promoted from.
async fn promoted(app: &App, config: &PipelineConfig) -> Result<Option<String>, Error> {
    let Some(from) = &config.promote_from else { return Ok(None) };
    let Some(number) = app.table.head_of(from).await?.and_then(|head| head.live) else {
        return Ok(None);
    };
    let live = app.table.release_of(&ReleaseId::new(from.clone(), number)).await?;
    let Some(live) = live else { return Ok(None) };
    Ok(promotion::offer(&app.table, &app.clock, &live, &config.name).await?)
}

/// Asks again for the tag of what is live, where deploy did not answer.
async fn marked(app: &App, config: &PipelineConfig) -> Result<(), Error> {
    if config.retag.is_some() {
        let scene = app.table.scene(&config.name).await?;
        if let Some(change) = retag_again(&scene, app.clock.now()) {
            // Whoever was quicker answered it.
            app.table.commit(&change).await?;
        }
    }
    Ok(())
}

/// Answers what the repository of an image that is released by itself shows beyond what `head` has
/// answered; whether that still was the newest answer then.
async fn repository(
    app: &App,
    head: &Head,
    config: &PipelineConfig,
    (name, image): (&String, &ImageConfig),
    answers: &mut Vec<String>,
) -> Result<bool, Error> {
    let pipeline = &head.pipeline;
    let first_seen =
        async |digest: &Digest| Ok::<_, Error>(app.table.first_seen_at(pipeline, digest).await?);
    let registry = app.registry(config.role.as_ref());
    let answered = head.answered.get(name);
    let selected = registry.selected(image, answered, first_seen).await?;
    // Oldest first, so that the newest is answered last.
    for Selected { pattern, tag, shown } in selected {
        let bytes = release_image(&app.table, pipeline, image, shown, Some(&tag)).await?;
        let member = Member { pattern, tag, bytes, answered: answered.cloned() };
        let candidate = Candidate::alone(SWEEP, name, member);
        match record(app, pipeline, &candidate).await? {
            Some(answer) => answers.push(answer),
            None => return Ok(false),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_that_time_cuts_short_reach_every_pipeline_soon() {
        let start: Timestamp = "2026-11-21T03:00:00Z".parse().unwrap();
        let all: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
        for first in 0..100 {
            let mut swept = std::collections::BTreeSet::new();
            for sweep in first..first + 8 {
                let mut pipelines = all.clone();
                rotate(&mut pipelines, start + PERIOD * sweep);
                swept.extend(pipelines.into_iter().take(200));
            }
            assert_eq!(swept.len(), all.len(), "from sweep {first}");
        }
        rotate(&mut [], start);
    }
}
