//! `PutImage`: bytes come in, a tag moves, an event goes out.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Behaviour, Ecr, Image, Serving, manifest};
use crate::api::{ApiError, BusEvent, Detail, Input, present, uuid};

/// The longest manifest ECR takes.
const LONGEST_MANIFEST: usize = 4_194_304;

impl Ecr {
    pub(super) fn put_image(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let text = input.need("imageManifest")?;
        let tag = input.text("imageTag");
        let image = read_image(text, input, now)?;
        self.refuse_what_conflicts(input, &image, tag)?;

        let retag_moves_push_time = self.retag_moves_push_time;
        let repository = self.find_mut(input)?;
        let name = repository.name.clone();
        if let Some(tag) = tag {
            for other in repository.images.values_mut() {
                other.tags.retain(|own| own != tag);
            }
        }
        let known = repository.images.contains_key(&image.digest);
        let kept = repository.images.entry(image.digest.clone()).or_insert(image);
        kept.tags.extend(tag.map(str::to_owned));
        if known && retag_moves_push_time {
            kept.pushed_at = whole_second(now);
        }
        let kept = kept.clone();
        self.tell(&name, "PUSH", &kept, tag, now);
        Ok(json!({ "image": {
            "registryId": self.place.account,
            "repositoryName": name,
            "imageId": present(json!({ "imageDigest": kept.digest, "imageTag": tag })),
            "imageManifest": kept.manifest,
            "imageManifestMediaType": kept.media_type,
        } }))
    }

    fn refuse_what_conflicts(
        &self,
        input: Input<'_>,
        image: &Image,
        tag: Option<&str>,
    ) -> Result<(), ApiError> {
        let repository = self.find(input)?;
        let name = &repository.name;
        if let Some(told) = input.text("imageDigest").filter(|told| *told != image.digest) {
            return Err(ApiError::refused(
                "ImageDigestDoesNotMatchException",
                format!(
                    "The specified digest '{told}' does not match the digest '{}' computed from the \
                     image manifest",
                    image.digest
                ),
            ));
        }
        let children = image.children();
        let missing = children.iter().find(|child| !repository.images.contains_key(*child));
        if let Some(child) = missing {
            return Err(ApiError::refused(
                "ReferencedImagesNotFoundException",
                format!(
                    "Images with digests '[{child}]' required for pushing image into repository \
                     with name '{name}' do not exist"
                ),
            ));
        }
        let known = repository.images.get(&image.digest);
        let same = known
            .is_some_and(|known| tag.is_none_or(|tag| known.tags.iter().any(|own| own == tag)));
        if same {
            return Err(ApiError::refused(
                "ImageAlreadyExistsException",
                format!(
                    "Image with digest '{}' and tag '{}' already exists in the repository with \
                     name '{name}' in registry with id '{}'",
                    image.digest,
                    tag.unwrap_or("null"),
                    self.place.account
                ),
            ));
        }
        match tag {
            Some(tag) if repository.fixes(tag) && repository.tagged(tag).is_some() => {
                Err(ApiError::refused(
                    "ImageTagAlreadyExistsException",
                    format!(
                        "The image tag '{tag}' already exists in the '{name}' repository and \
                         cannot be overwritten because the tag is immutable."
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Tells the bus of a push or a deletion. Untagged is said as an empty tag, as seen in the wild.
    pub(super) fn tell(
        &mut self,
        repository: &str,
        action: &str,
        image: &Image,
        tag: Option<&str>,
        at: Timestamp,
    ) {
        let detail = present(json!({
            "result": "SUCCESS",
            "repository-name": repository,
            "image-digest": image.digest,
            "action-type": action,
            "image-tag": tag.unwrap_or_default(),
            "manifest-media-type": image.media_type,
            "artifact-media-type": manifest::artifact_type(&image.parsed),
        }));
        let detail = Detail { id: uuid(&mut self.dice), resources: Vec::new(), detail };
        self.bus.push(BusEvent::new(&self.place, "aws.ecr", "ECR Image Action", at, detail));
    }
}

fn read_image(text: &str, input: Input<'_>, now: Timestamp) -> Result<Image, ApiError> {
    let refuse = |why: String| ApiError::refused("InvalidParameterException", why);
    if text.len() > LONGEST_MANIFEST {
        return Err(refuse(format!("imageManifest is longer than {LONGEST_MANIFEST} characters")));
    }
    let parsed: Value = serde_json::from_str(text)
        .map_err(|error| refuse(format!("imageManifest is not JSON: {error}")))?;
    let behaviour = Behaviour::of_manifest(&parsed).map_err(refuse)?;
    let serving = Serving::of_manifest(&parsed).map_err(refuse)?;
    Ok(Image {
        digest: manifest::digest_of(text),
        manifest: text.to_owned(),
        media_type: manifest::media_type(&parsed, input.text("imageManifestMediaType")),
        tags: Vec::new(),
        pushed_at: whole_second(now),
        archived: false,
        behaviour,
        serving,
        parsed,
    })
}

/// ECR keeps push times without a fraction, so two pushes can be equally old.
pub(super) fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
