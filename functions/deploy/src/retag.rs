//! "Mark what is live": one more tag on the same bytes, without a pull.

use tidegate_aws::registry::Repository;
use tidegate_aws::table::Commit;
use tidegate_aws::{App, Error};
use tidegate_core::decide::retagged;
use tidegate_core::model::{Release, ReleaseImage, Scene};

/// Puts the config's tag on the images of the live release, and writes down what came of it.
///
/// What AWS refuses for good is said, and fails nothing: the release is live. Anything else is
/// delivered again.
pub(crate) async fn put(app: &App, scene: &Scene, live: &Release) -> Result<(), Error> {
    let config = app.table.config(&live.id.pipeline, live.config).await?;
    let Some(tag) = &config.retag else { return Ok(()) };
    let registry = app.registry(config.role.as_ref());
    let mut refused = Vec::new();
    // Images that left the config are nobody's to mark.
    let own = |(name, _): &(&String, &ReleaseImage)| config.images.contains_key(*name);
    for (_, image) in live.images.iter().filter(own) {
        match registry.retag(&Repository::of(image), &image.digest, tag).await {
            Ok(()) => {}
            Err(refusal) if refusal.is_final() => {
                refused.push(format!("{}: {refusal}", image.label()));
            }
            Err(refusal) => return Err(refusal.into()),
        }
    }
    let change = retagged(live, tag, &refused, app.clock.now());
    if app.table.commit(&change).await? == Commit::Superseded {
        tracing::info!(pipeline = scene.head.pipeline, "superseded write, another one answered");
    }
    Ok(())
}
