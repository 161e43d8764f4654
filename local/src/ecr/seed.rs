//! What is there before the story begins.

use jiff::Timestamp;
use serde_json::json;

use super::Ecr;
use super::manifest::{digest_of, manifest};
use crate::api::ApiError;

impl Ecr {
    /// Makes sure the repository exists and holds an image of this behaviour under `tag`, as if pushed at
    /// `now`, without an event. Returns its digest.
    pub fn seed_image(
        &mut self,
        repository: &str,
        tag: &str,
        behaviour: &str,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        if !self.repositories.contains_key(repository) {
            self.call("CreateRepository", &json!({ "repositoryName": repository }), now)?;
        }
        let text = manifest(&format!("{repository}:{tag} {}", now.as_second()), behaviour);
        let told = self.bus.len();
        let put = json!({ "repositoryName": repository, "imageManifest": text, "imageTag": tag });
        self.call("PutImage", &put, now)?;
        self.bus.truncate(told);
        Ok(digest_of(&text))
    }

    /// From now on no tag of a repository moves.
    pub fn fix_tags(&mut self, repository: &str) {
        if let Some(repository) = self.repositories.get_mut(repository) {
            "IMMUTABLE".clone_into(&mut repository.mutability);
        }
    }

    /// Archives an image, as a rule or a person does: hidden and not to be pulled.
    ///
    /// Returns whether there was one.
    pub fn archive(&mut self, repository: &str, digest: &str) -> bool {
        let repository = self.repositories.get_mut(repository);
        match repository.and_then(|repository| repository.images.get_mut(digest)) {
            Some(image) => {
                image.archived = true;
                true
            }
            None => false,
        }
    }
}
