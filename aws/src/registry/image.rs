//! Images as the registry shows them.

use std::collections::BTreeSet;

use aws_sdk_ecr::types::{
    DescribeImagesFilter, ImageDetail, ImageIdentifier, ImageStatus, TagStatus,
};
use jiff::Timestamp;
use serde::Deserialize;
use tidegate_core::model::Digest;
use tidegate_core::sighting::RegistryImage;

use super::{Registry, Repository};
use crate::Refusal;
use crate::moment::timestamp;

const DESCRIBE: &str = "ecr:DescribeImages";
/// `DescribeImages` takes no more ids than this.
const IDS_A_CALL: usize = 100;
/// The most that a page of `DescribeImages` holds.
const PAGE: i32 = 1000;
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
        let id = ImageIdentifier::builder().image_tag(tag).build();
        Ok(self.described(repository, vec![id]).await?.pop())
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
            let mut answer = self.described(repository, chunk.to_vec()).await?;
            // One missing image spoils the whole answer: then each is asked about by itself.
            if answer.is_empty() && chunk.len() > 1 {
                for id in chunk {
                    answer.append(&mut self.described(repository, vec![id.clone()]).await?);
                }
            }
            found.append(&mut answer);
        }
        Ok(found)
    }

    /// Every tagged image that can be pulled, in no order: its cost grows with the repository.
    pub async fn tagged(&self, repository: &Repository) -> Result<Vec<Listed>, Refusal> {
        let filter = DescribeImagesFilter::builder().tag_status(TagStatus::Tagged).build();
        let mut pages = self
            .client(repository)
            .describe_images()
            .registry_id(&repository.account)
            .repository_name(&repository.name)
            .filter(filter)
            .into_paginator()
            .page_size(PAGE)
            .send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(Refusal::of(DESCRIBE, repository.to_string()))?;
            found.extend(page.image_details().iter().filter_map(listed));
        }
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
        let answer = self
            .client(repository)
            .batch_get_image()
            .registry_id(&repository.account)
            .repository_name(&repository.name)
            .image_ids(by_digest(digest))
            .set_accepted_media_types(Some(MEDIA_TYPES.map(str::to_owned).to_vec()))
            .send()
            .await
            .map_err(Refusal::of(ACTION, &resource))?;
        // ECR answers 200 and puts what went wrong beside the images.
        if let Some(failure) = answer.failures().first() {
            let code = failure.failure_code().map_or("no code", |code| code.as_str());
            let reason = failure.failure_reason().unwrap_or_default();
            return Err(Refusal::in_answer(ACTION, resource, code, reason));
        }
        answer
            .images
            .and_then(|mut images| images.pop())
            .and_then(|image| {
                let media_type = image.image_manifest_media_type;
                Some(Manifest { text: image.image_manifest?, media_type })
            })
            .ok_or_else(|| Refusal::broken(ACTION, &resource, "manifest"))
    }

    /// Asks about given images; nothing when one of them is not there.
    async fn described(
        &self,
        repository: &Repository,
        ids: Vec<ImageIdentifier>,
    ) -> Result<Vec<Listed>, Refusal> {
        let answer = self
            .client(repository)
            .describe_images()
            .registry_id(&repository.account)
            .repository_name(&repository.name)
            .set_image_ids(Some(ids))
            .send()
            .await
            .map_err(Refusal::of(DESCRIBE, repository.to_string()));
        match answer {
            Ok(answer) => Ok(answer.image_details().iter().filter_map(listed).collect()),
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

fn by_digest(digest: &Digest) -> ImageIdentifier {
    ImageIdentifier::builder().image_digest(digest.as_str()).build()
}

fn listed(detail: &ImageDetail) -> Option<Listed> {
    // An archived image is there, but cannot be pulled: for a release it is not.
    if !matches!(detail.image_status(), None | Some(ImageStatus::Active)) {
        return None;
    }
    Some(Listed {
        digest: detail.image_digest()?.parse().ok()?,
        tags: detail.image_tags().to_vec(),
        pushed_at: timestamp(detail.image_pushed_at()),
        is_index: detail.image_manifest_media_type().is_some_and(|kind| INDEX.contains(&kind)),
    })
}
