//! ECR's events, as `promote` hears them.

use serde::Deserialize;
use serde_json::Value;

use super::{Woken, identity, is_schedule};
use crate::guard::{Guard, stands};
use crate::marks::OWN_TAG;
use crate::model::Digest;

/// A tag was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushEvent {
    /// The registry's account.
    pub account: String,
    /// The registry's region.
    pub region: String,
    /// The repository.
    pub repository: String,
    /// The tag; never empty.
    pub tag: String,
    /// The bytes at the time of the push.
    pub digest: Digest,
}

#[derive(Deserialize)]
struct Envelope {
    account: String,
    region: String,
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detail {
    #[serde(default)]
    result: String,
    #[serde(default)]
    repository_name: String,
    #[serde(default)]
    image_digest: String,
    #[serde(default)]
    action_type: String,
    #[serde(default)]
    image_tag: Option<String>,
}

/// What `promote` is woken for.
pub fn promote(event: &Value) -> Woken<PushEvent> {
    if is_schedule(event, "sweep") {
        return Woken::Schedule;
    }
    if event.get("detail-type").and_then(Value::as_str) != Some("ECR Image Action") {
        return Woken::NotUnderstood(identity(event));
    }
    let Ok(Envelope { account, region, detail }) = Envelope::deserialize(event) else {
        return Woken::NotUnderstood(identity(event));
    };
    if detail.action_type != "PUSH" || detail.result != "SUCCESS" {
        return Woken::Nothing(format!(
            "{} {} of {} starts nothing",
            detail.action_type, detail.result, detail.repository_name
        ));
    }
    // Child manifests and attestations come without a tag: absent, null and empty mean the same.
    let Some(tag) = detail.image_tag.filter(|tag| !tag.is_empty()) else {
        return Woken::Nothing(format!("a push to {} without a tag", detail.repository_name));
    };
    if tag.starts_with(OWN_TAG) && stands(Guard::ReservedTags) {
        return Woken::Nothing(format!("{}:{tag} is Tidegate's own tag", detail.repository_name));
    }
    match detail.image_digest.parse() {
        Ok(digest) if !detail.repository_name.is_empty() => Woken::By(PushEvent {
            account,
            region,
            repository: detail.repository_name,
            tag,
            digest,
        }),
        _ => Woken::NotUnderstood(identity(event)),
    }
}
