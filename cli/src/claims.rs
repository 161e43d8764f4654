//! A target stands in one pipeline: over all files that were ever applied.

use std::collections::BTreeMap;

use tidegate_aws::Table;
use tidegate_core::config::PipelineConfig;
use tidegate_core::model::ReleaseId;

use crate::Error;

/// Refuses targets that another pipeline has, or whose slot another pipeline's release owns now.
pub(crate) async fn check(table: &Table, pipelines: &[PipelineConfig]) -> Result<(), Error> {
    let (mut stand_in, mut owned_by) = (BTreeMap::new(), BTreeMap::new());
    for name in table.pipelines().await? {
        let Some(head) = table.head_of(&name).await? else { continue };
        if let Some(number) = head.moving {
            let release = table.release_of(&ReleaseId::new(name.clone(), number)).await?;
            let targets = release.into_iter().flat_map(|release| release.waves).flatten();
            owned_by.extend(targets.map(|target| (target, ReleaseId::new(name.clone(), number))));
        }
        // What stands in the file replaces what stands in the table.
        if !pipelines.iter().any(|pipeline| pipeline.name == name) {
            let config = table.config(&name, head.config).await?;
            let targets = config.target_waves().into_iter().flatten();
            stand_in.extend(targets.map(|target| (target, name.clone())));
        }
    }
    for pipeline in pipelines {
        for target in pipeline.target_waves().iter().flatten() {
            if let Some(other) = stand_in.get(target) {
                return Err(Error::NotNow(format!(
                    "{} stands in pipeline {other}, which is not in this file; a target stands in \
                     one pipeline: apply {other} without it first",
                    target.name
                )));
            }
            if let Some(owner) = owned_by.get(target).filter(|o| o.pipeline != pipeline.name) {
                return Err(Error::NotNow(format!(
                    "{owner} owns {} now; apply the config when it has ended",
                    target.name
                )));
            }
        }
    }
    Ok(())
}
