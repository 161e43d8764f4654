//! A target stands in one pipeline: over all files whose pipelines are in force.

use std::collections::BTreeMap;

use tidegate_aws::Table;
use tidegate_core::config::PipelineConfig;
use tidegate_core::messages::what_ends;
use tidegate_core::model::ReleaseId;

use crate::Error;

/// Refuses targets that another pipeline has, or whose slot another pipeline's release owns now.
/// Otherwise the pipelines that are in force beside these.
pub(crate) async fn check(
    table: &Table,
    pipelines: &[PipelineConfig],
) -> Result<Vec<String>, Error> {
    let (mut stand_in, mut moving, mut others) = (BTreeMap::new(), Vec::new(), Vec::new());
    for name in table.pipelines().await? {
        // The index lags: it may still name what was just retired.
        let head = table.head_of(&name).await?.filter(|head| head.retired.is_none());
        let Some(head) = head else { continue };
        if let Some(number) = head.moving {
            moving.extend(table.release_of(&ReleaseId::new(name.clone(), number)).await?);
        }
        // What stands in the file replaces what stands in the table.
        if !pipelines.iter().any(|pipeline| pipeline.name == name) {
            let config = table.config(&name, head.config).await?;
            let targets = config.target_waves().into_iter().flatten();
            stand_in.extend(targets.map(|target| (target, name.clone())));
            others.push(name);
        }
    }
    for pipeline in pipelines {
        let owners = moving.iter().filter(|it| it.id.pipeline != pipeline.name);
        for target in pipeline.target_waves().iter().flatten() {
            if let Some(other) = stand_in.get(target) {
                return Err(Error::NotNow(format!(
                    "{} stands in pipeline {other}, which is not in this file; a target stands in \
                     one pipeline: first apply {other} without it, or `tidegate config retire {other}`",
                    target.name
                )));
            }
            if let Some(owner) = owners.clone().find(|it| it.targets().any(|own| own == target)) {
                return Err(Error::NotNow(format!(
                    "{} owns {} now; apply the config when it has ended: {}",
                    owner.id,
                    target.name,
                    what_ends(owner)
                )));
            }
        }
    }
    Ok(others)
}
