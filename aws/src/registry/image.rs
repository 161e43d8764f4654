//! Images as the registry shows them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_core::model::Digest;
use tidegate_core::sighting::RegistryImage;

use super::{Registry, Repository, about};
use crate::Refusal;
use crate::moment::of_json;

const DESCRIBE: &str = "ecr:DescribeImages";
/// `DescribeImages` takes no more ids than this.
const IDS_A_CALL: usize = 100;
/// The most that a page of `DescribeImages` holds.
const PAGE: u32 = 1000;
/// Manifests that list other manifests.
const INDEX: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
/// With fewer than all four, ECR may hand out a translation: other bytes, another digest.
const MEDIA_TYPES: [&str; 4] = [
    INDEX[0],
    INDEX[1],
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// An image as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its digest.
    pub digest: Digest,
    /// Its tags now.
    pub tags: Vec<String>,
    /// When it was pushed; for some registries a retag moves it.
    pub pushed_at: Timestamp,
    /// It lists the images of several platforms.
    pub is_index: bool,
}

/// A manifest with the bytes that its digest is over.
pub(super) struct Manifest {
    pub(super) text: String,
    pub(super) media_type: Option<String>,
}

impl Registry {
    /// What `tag` means now, children included; `None` when it is not there or is archived.
    pub async fn resolve_tag(
        &self,
        repository: &Repository,
        tag: &str,
    ) -> Result<Option<RegistryImage>, Refusal> {
        match self.tagged_as(repository, tag).await? {
            Some(listed) => Ok(Some(self.with_children(repository, listed).await?)),
            None => Ok(None),
        }
    }

    /// What `tag` means now, without children: one call.
    pub(crate) async fn tagged_as(
        &self,
        repository: &Repository,
        tag: &str,
    ) -> Result<Option<Listed>, Refusal> {
        Ok(self.described(repository, &[json!({ "imageTag": tag })]).await?.pop())
    }

    /// The images among `digests` that are there and can be pulled.
    pub async fn describe(
        &self,
        repository: &Repository,
        digests: &[Digest],
    ) -> Result<Vec<Listed>, Refusal> {
        let ids: Vec<_> = digests.iter().map(by_digest).collect();
        let mut found = Vec::new();
        for chunk in ids.chunks(IDS_A_CALL) {
            let mut answer = self.described(repository, chunk).await?;
            // One missing image spoils the whole answer: then each is asked about by itself.
            if answer.is_empty() && chunk.len() > 1 {
                for id in chunk.chunks(1) {
                    answer.append(&mut self.described(repository, id).await?);
                }
            }
            found.append(&mut answer);
        }
        Ok(found)
    }

    /// Every tagged image that can be pulled, in no order: its cost grows with the repository.
    pub async fn tagged(&self, repository: &Repository) -> Result<Vec<Listed>, Refusal> {
        let input = json!({ "filter": { "tagStatus": "TAGGED" }, "maxResults": PAGE });
        let (registry, asked) = (self.of(repository), about(repository, input));
        let mut found = Vec::new();
        let read = |page: &Value| found.extend(all_listed(page));
        registry.pages(DESCRIBE, &repository.to_string(), "nextToken", asked, read).await?;
        Ok(found)
    }

    /// The whole image: an index with the digests of its children, as a task may show any of them.
    pub async fn with_children(
        &self,
        repository: &Repository,
        listed: Listed,
    ) -> Result<RegistryImage, Refusal> {
        let mut accepts = BTreeSet::from([listed.digest.clone()]);
        if listed.is_index {
            accepts.append(&mut self.children(repository, &listed.digest).await?);
        }
        let Listed { digest, tags, pushed_at, is_index: _ } = listed;
        Ok(RegistryImage { digest, tags, pushed_at, accepts })
    }

    /// The digests that an index lists; none for an image of one platform.
    pub async fn children(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<BTreeSet<Digest>, Refusal> {
        let manifest = self.manifest(repository, digest).await?;
        let index: Index = serde_json::from_str(&manifest.text).unwrap_or_default();
        let mut children = BTreeSet::new();
        children.extend(index.manifests.into_iter().filter_map(|child| child.digest.parse().ok()));
        Ok(children)
    }

    /// The platforms that an index is for (`linux/arm64`); none for an image of one platform, whose
    /// manifest does not say which.
    pub async fn platforms(
        &self,
        repository: &Repository,
        listed: &Listed,
    ) -> Result<BTreeSet<String>, Refusal> {
        if !listed.is_index {
            return Ok(BTreeSet::new());
        }
        let manifest = self.manifest(repository, &listed.digest).await?;
        let index: Index = serde_json::from_str(&manifest.text).unwrap_or_default();
        let platforms = index.manifests.into_iter().filter_map(|child| child.platform);
        // Attestations are for `unknown/unknown`.
        let known = platforms.filter(|platform| platform.os != "unknown");
        Ok(known.map(|it| format!("{}/{}", it.os, it.architecture)).collect())
    }

    /// The manifest, byte for byte. By digest ECR never translates it.
    pub(super) async fn manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Manifest, Refusal> {
        const ACTION: &str = "ecr:BatchGetImage";
        let resource = format!("{digest} of {repository}");
        let input = json!({ "imageIds": [by_digest(digest)], "acceptedMediaTypes": MEDIA_TYPES });
        let answer = self.ask(ACTION, repository, &resource, input).await?;
        // ECR answers 200 and puts what went wrong beside the images.
        if let Some(failure) = answer["failures"].get(0) {
            let code = failure["failureCode"].as_str().unwrap_or("no code");
            let reason = failure["failureReason"].as_str().unwrap_or_default();
            return Err(Refusal::in_answer(ACTION, resource, code, reason));
        }
        let image = &answer["images"][0];
        let text = |member: &str| image[member].as_str().map(str::to_owned);
        let media_type = text("imageManifestMediaType");
        text("imageManifest")
            .map(|text| Manifest { text, media_type })
            .ok_or_else(|| Refusal::broken(ACTION, &resource, "manifest"))
    }

    /// Asks about given images; nothing when one of them is not there.
    async fn described(
        &self,
        repository: &Repository,
        ids: &[Value],
    ) -> Result<Vec<Listed>, Refusal> {
        let input = json!({ "imageIds": ids });
        match self.ask(DESCRIBE, repository, &repository.to_string(), input).await {
            Ok(answer) => Ok(all_listed(&answer).collect()),
            Err(refusal) if refusal.is_missing_image() => Ok(Vec::new()),
            Err(refusal) => Err(refusal),
        }
    }
}

#[derive(Default, Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Child>,
}

#[derive(Deserialize)]
struct Child {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    os: String,
    architecture: String,
}

fn by_digest(digest: &Digest) -> Value {
    json!({ "imageDigest": digest })
}

fn all_listed(answer: &Value) -> impl Iterator<Item = Listed> {
    answer["imageDetails"].as_array().into_iter().flatten().filter_map(listed)
}

fn listed(detail: &Value) -> Option<Listed> {
    // An archived image is there, but cannot be pulled: for a release it is not.
    if detail["imageStatus"].as_str().is_some_and(|status| status != "ACTIVE") {
        return None;
    }
    let tags = detail["imageTags"].as_array().into_iter().flatten();
    let kind = detail["imageManifestMediaType"].as_str();
    Some(Listed {
        digest: detail["imageDigest"].as_str()?.parse().ok()?,
        tags: tags.filter_map(|tag| tag.as_str().map(str::to_owned)).collect(),
        pushed_at: of_json(&detail["imagePushedAt"]).unwrap_or(Timestamp::UNIX_EPOCH),
        is_index: kind.is_some_and(|kind| INDEX.contains(&kind)),
    })
}
