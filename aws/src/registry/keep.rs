//! Keeping the bytes that a rollback needs.

use serde_json::json;
use tidegate_core::lifecycle;
use tidegate_core::model::Digest;

use super::{Registry, Repository};
use crate::Refusal;

/// Whether an image has its keep tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It has: rules for untagged images pass it by.
    Protected,
    /// It has not, and why: said to people, not a failure.
    Unprotected(String),
}

impl Registry {
    /// Puts the keep tag on an image, with the manifest exactly as it is.
    ///
    /// An error only where asking again can help; any other refusal is the answer.
    pub async fn keep(&self, repository: &Repository, digest: &Digest) -> Result<Kept, Refusal> {
        match self.put_tag(repository, digest, &digest.keep_tag()).await {
            Ok(()) => Ok(Kept::Protected),
            Err(refusal) if refusal.is_image_already_there() => Ok(Kept::Protected),
            Err(refusal) if refusal.is_final() => Ok(Kept::Unprotected(refusal.to_string())),
            Err(refusal) => Err(refusal),
        }
    }

    /// Puts one more tag on bytes that are there, without a pull; that it is there is success.
    pub async fn retag(
        &self,
        repository: &Repository,
        digest: &Digest,
        tag: &str,
    ) -> Result<(), Refusal> {
        let shown = self.tagged_as(repository, tag).await?;
        if shown.is_some_and(|shown| shown.digest == *digest) {
            return Ok(());
        }
        match self.put_tag(repository, digest, tag).await {
            Err(refusal) if refusal.is_image_already_there() => Ok(()),
            put => put,
        }
    }

    async fn put_tag(
        &self,
        repository: &Repository,
        digest: &Digest,
        tag: &str,
    ) -> Result<(), Refusal> {
        let manifest = self.manifest(repository, digest).await?;
        let mut input = json!({
            "imageTag": tag,
            // ECR then refuses bytes that are not these.
            "imageDigest": digest,
            "imageManifest": manifest.text,
        });
        // An OCI index often does not say itself what it is.
        if let Some(kind) = manifest.media_type {
            input["imageManifestMediaType"] = json!(kind);
        }
        let resource = format!("{digest} of {repository}");
        self.ask("ecr:PutImage", repository, &resource, input).await?;
        Ok(())
    }

    /// The repository's lifecycle policy, as far as it can be read.
    pub async fn lifecycle_policy(
        &self,
        repository: &Repository,
    ) -> Result<LifecyclePolicy, Refusal> {
        const ACTION: &str = "ecr:GetLifecyclePolicy";
        let asked = self.ask(ACTION, repository, &repository.to_string(), json!({})).await;
        match asked {
            Ok(answer) => {
                let text = answer["lifecyclePolicyText"].as_str().unwrap_or_default();
                Ok(LifecyclePolicy::Text(text.to_owned()))
            }
            Err(refusal) if refusal.is_missing_lifecycle_policy() => Ok(LifecyclePolicy::None),
            Err(refusal) if refusal.is_final() => Ok(LifecyclePolicy::Unreadable(refusal)),
            Err(refusal) => Err(refusal),
        }
    }
}

/// What may take images away by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LifecyclePolicy {
    /// There is none: everything stays.
    None,
    /// Its JSON.
    Text(String),
    /// ECR does not let us read it.
    Unreadable(Refusal),
}

impl LifecyclePolicy {
    /// What it would do to an image with these tags, and the rule that prevents it.
    pub fn threat(&self, tags: &[String]) -> Option<String> {
        match self {
            Self::None => None,
            Self::Text(text) => lifecycle::threat(text, tags).map(|threat| threat.to_string()),
            Self::Unreadable(refusal) => Some(format!("whether it stays is not known: {refusal}")),
        }
    }
}
