//! `BatchDeleteImage`: removing the last tag removes the image.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Ecr, Image};
use crate::api::{ApiError, Input, present};

impl Ecr {
    pub(super) fn batch_delete_image(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let ids = input.limited("imageIds", 100)?;
        let (mut gone, mut failures) = (Vec::new(), Vec::new());
        for id in ids {
            let repository = self.find(input)?;
            let digest = match repository.digest_named(id) {
                Ok(digest) => digest,
                Err(failure) => {
                    failures.push(failure);
                    continue;
                }
            };
            let tag = id.get("imageTag").and_then(Value::as_str);
            let last = repository.images.get(&digest).is_some_and(|image| image.tags.len() <= 1);
            let whole = tag.is_none() || last;
            if whole && repository.is_referenced(&digest) {
                failures.push(json!({
                    "imageId": id,
                    "failureCode": "ImageReferencedByManifestList",
                    "failureReason": "Requested image referenced by manifest list",
                }));
                continue;
            }
            let name = repository.name.clone();
            for (image, tag) in self.remove(&name, &digest, if whole { None } else { tag }) {
                self.tell(&name, "DELETE", &image, tag.as_deref(), now);
                gone.push(present(json!({ "imageDigest": image.digest, "imageTag": tag })));
            }
        }
        Ok(json!({ "imageIds": gone, "failures": failures }))
    }

    /// Somebody deletes an image in the console, whatever runs it.
    ///
    /// Returns whether there was one.
    pub fn delete_image(&mut self, repository: &str, digest: &str, now: Timestamp) -> bool {
        let gone = self.remove(repository, digest, None);
        for (image, tag) in &gone {
            self.tell(repository, "DELETE", image, tag.as_deref(), now);
        }
        !gone.is_empty()
    }

    /// Takes away one tag, or the image with all its tags; returns what went, one entry a tag.
    fn remove(
        &mut self,
        repository: &str,
        digest: &str,
        tag: Option<&str>,
    ) -> Vec<(Image, Option<String>)> {
        let Some(repository) = self.repositories.get_mut(repository) else { return Vec::new() };
        let Some(image) = repository.images.get_mut(digest) else { return Vec::new() };
        if let Some(tag) = tag {
            image.tags.retain(|own| own != tag);
            return vec![(image.clone(), Some(tag.to_owned()))];
        }
        let image = image.clone();
        repository.images.remove(digest);
        if image.tags.is_empty() {
            return vec![(image, None)];
        }
        image.tags.iter().map(|tag| (image.clone(), Some(tag.clone()))).collect()
    }
}
