//! `DescribeImages`, `ListImages` and `BatchGetImage`.

use serde_json::{Value, json};

use super::{Ecr, Image, Repository, manifest};
use crate::api::{ApiError, Input, epoch, present};

/// How an `imageId` failed to name an image.
struct Unnamed {
    code: &'static str,
    reason: String,
}

impl Ecr {
    pub(super) fn describe_images(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let repository = self.find(input)?;
        let filter = Input(input.0.get("filter").unwrap_or(&Value::Null));
        if !input.list("imageIds").is_empty() {
            if input.text("nextToken").is_some() || input.number("maxResults").is_some() {
                return Err(ApiError::refused(
                    "InvalidParameterException",
                    "nextToken and maxResults cannot be given with imageIds",
                ));
            }
            let ids = input.limited("imageIds", 100)?;
            let details = ids
                .iter()
                .map(|id| {
                    let found = find_image(repository, id).ok().filter(|it| is_shown(it, filter));
                    found
                        .map(|image| self.detail(repository, image))
                        .ok_or_else(|| self.image_missing(repository, id))
                })
                .collect::<Result<Vec<_>, _>>()?;
            return Ok(json!({ "imageDetails": details }));
        }
        let chosen = chosen(repository, filter).map(|image| self.detail(repository, image));
        let (details, next) = input.page(chosen.collect(), longest_page(input))?;
        Ok(present(json!({ "imageDetails": details, "nextToken": next })))
    }

    /// An image stands there once for each of its tags.
    pub(super) fn list_images(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let repository = self.find(input)?;
        let filter = Input(input.0.get("filter").unwrap_or(&Value::Null));
        let ids = chosen(repository, filter).flat_map(|image| {
            let id = move |tag: Option<&String>| {
                present(json!({ "imageDigest": image.digest, "imageTag": tag }))
            };
            let untagged = image.tags.is_empty().then(|| id(None));
            image.tags.iter().map(move |tag| id(Some(tag))).chain(untagged)
        });
        let (ids, next) = input.page(ids.collect(), longest_page(input))?;
        Ok(present(json!({ "imageIds": ids, "nextToken": next })))
    }

    pub(super) fn batch_get_image(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let repository = self.find(input)?;
        let accepted = input.texts("acceptedMediaTypes");
        let (mut images, mut failures) = (Vec::new(), Vec::new());
        for id in input.limited("imageIds", 100)? {
            match find_image(repository, id).and_then(|image| deliverable(image, id, &accepted)) {
                Ok(image) => images.push(json!({
                    "registryId": self.place.account,
                    "repositoryName": repository.name,
                    "imageId": present(json!({
                        "imageDigest": image.digest,
                        "imageTag": id.get("imageTag"),
                    })),
                    "imageManifest": image.manifest,
                    "imageManifestMediaType": image.media_type,
                })),
                Err(Unnamed { code, reason }) => failures.push(json!({
                    "imageId": id, "failureCode": code, "failureReason": reason,
                })),
            }
        }
        Ok(json!({ "images": images, "failures": failures }))
    }

    fn detail(&self, repository: &Repository, image: &Image) -> Value {
        present(json!({
            "registryId": self.place.account,
            "repositoryName": repository.name,
            "imageDigest": image.digest,
            "imageTags": (!image.tags.is_empty()).then_some(&image.tags),
            "imageSizeInBytes": image.manifest.len(),
            "imagePushedAt": epoch(image.pushed_at),
            "imageManifestMediaType": image.media_type,
            "artifactMediaType": manifest::artifact_type(&image.parsed),
            "imageStatus": status_of(image),
        }))
    }

    fn image_missing(&self, repository: &Repository, id: &Value) -> ApiError {
        let part = |member| id.get(member).and_then(Value::as_str).unwrap_or("null");
        ApiError::refused(
            "ImageNotFoundException",
            format!(
                "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within \
                 the repository with name '{}' in the registry with id '{}'",
                part("imageDigest"),
                part("imageTag"),
                repository.name,
                self.place.account
            ),
        )
    }
}

/// What a `filter` leaves of a repository.
fn chosen<'a>(repository: &'a Repository, filter: Input<'a>) -> impl Iterator<Item = &'a Image> {
    let tagged = filter.text("tagStatus").unwrap_or("ANY");
    repository.images.values().filter(move |image| {
        is_shown(image, filter)
            && match tagged {
                "TAGGED" => !image.tags.is_empty(),
                "UNTAGGED" => image.tags.is_empty(),
                _ => true,
            }
    })
}

fn is_shown(image: &Image, filter: Input<'_>) -> bool {
    let status = filter.text("imageStatus").unwrap_or("ACTIVE");
    status == "ANY" || status == status_of(image)
}

/// 100 a page unless asked for up to 1,000, as ECR does.
fn longest_page(input: Input<'_>) -> usize {
    if input.number("maxResults").is_some() { 1000 } else { 100 }
}

fn status_of(image: &Image) -> &'static str {
    if image.archived { "ARCHIVED" } else { "ACTIVE" }
}

fn find_image<'a>(repository: &'a Repository, id: &Value) -> Result<&'a Image, Unnamed> {
    let missing =
        || Unnamed { code: "ImageNotFound", reason: "Requested image not found".to_owned() };
    let tag = id.get("imageTag").and_then(Value::as_str);
    let digest = id.get("imageDigest").and_then(Value::as_str);
    match (digest, tag) {
        (None, None) => Err(Unnamed {
            code: "MissingDigestAndTag",
            reason: "Invalid request parameters: both tag and digest cannot be null".to_owned(),
        }),
        (Some(digest), None) => repository.images.get(digest).ok_or_else(missing),
        (None, Some(tag)) => repository.tagged(tag).ok_or_else(missing),
        (Some(digest), Some(tag)) => match repository.tagged(tag) {
            Some(image) if image.digest == digest => Ok(image),
            _ => Err(Unnamed {
                code: "ImageTagDoesNotMatchDigest",
                reason: format!("tag '{tag}' does not mean digest '{digest}'"),
            }),
        },
    }
}

/// By digest ECR gives the bytes as they are. By tag it may translate them into an accepted type; the model
/// has no other bytes to give and says so.
fn deliverable<'a>(image: &'a Image, id: &Value, accepted: &[&str]) -> Result<&'a Image, Unnamed> {
    if image.archived {
        return Err(Unnamed {
            code: "ImageInaccessible",
            reason: "the image is archived".to_owned(),
        });
    }
    let by_tag = id.get("imageDigest").is_none();
    if by_tag && !accepted.is_empty() && !accepted.contains(&image.media_type.as_str()) {
        return Err(Unnamed {
            code: "ImageNotFound",
            reason: format!("the local AWS does not translate {} manifests", image.media_type),
        });
    }
    Ok(image)
}

impl Repository {
    /// The digest an `imageId` names, with the failure ECR gives otherwise.
    pub(super) fn digest_named(&self, id: &Value) -> Result<String, Value> {
        find_image(self, id).map(|image| image.digest.clone()).map_err(|Unnamed { code, reason }| {
            json!({ "imageId": id, "failureCode": code, "failureReason": reason })
        })
    }
}
