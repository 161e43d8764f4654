//! `join_on`: what it asks of the images of a pipeline.

use super::Placeholder;
use super::file::{Pipeline, Tags};
use super::path::Path;
use super::problem::Findings;

/// Every push must say which set it belongs to, and each set's tag must be known in every
/// repository without listing it.
pub(super) fn check(
    pipeline: &Pipeline,
    join_on: Option<Placeholder>,
    images: &Path,
    findings: &mut Findings,
) {
    let Some(join_on) = join_on.filter(|_| pipeline.images.len() > 1) else { return };
    for (name, image) in &pipeline.images {
        let path = images.key(name).key("tag");
        for (at, pattern) in image.tag.patterns().iter().enumerate() {
            let path = match image.tag {
                Tags::One(_) => path.clone(),
                Tags::Several(_) => path.index(at),
            };
            if !pattern.has(join_on) {
                let message = format!(
                    "`{pattern}` captures no {join_on}, by which `join_on` finds the images of \
                     one release"
                );
                findings.value(&path, message);
            } else if !pattern.is_alone(join_on) {
                let message = format!(
                    "`{pattern}` does not say which tag has a given {join_on}: with `join_on` \
                     only text may stand beside it"
                );
                findings.value(&path, message);
            }
        }
    }
}
