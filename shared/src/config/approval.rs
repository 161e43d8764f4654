//! `approval`: what it asks of the pipeline.

use std::collections::BTreeMap;
use std::time::Duration;

use super::file::{Approval, Image, Settings};
use super::path::Path;
use super::problem::Findings;

/// Nobody can be asked and answer in less.
const SHORTEST: Duration = Duration::from_mins(1);
/// What nobody answered for a month is forgotten.
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// A tag that starts a release must not approve it as well: whoever may push could then release.
pub(super) fn check(
    images: &BTreeMap<String, Image>,
    settings: &Settings,
    path: &Path,
    findings: &mut Findings,
) {
    let Some(Approval { required: _, expires, unless_tag }) = &settings.approval else { return };
    if let Some(expires) = expires.filter(|it| !(SHORTEST..=LONGEST).contains(&it.get())) {
        let message = format!("expected 1m to 30d, found {expires}");
        findings.value(&path.key("expires"), message);
    }
    let Some(unless_tag) = unless_tag else { return };
    for (name, image) in images {
        if let Some(own) = image.tag.patterns().iter().find(|own| own.overlaps(unless_tag)) {
            let message = format!(
                "`{unless_tag}` and `{own}` of image `{name}` can match the same tag: \
                 the push that starts a release would approve it too"
            );
            findings.value(&path.key("unless_tag"), message);
        }
    }
}
