//! What ECR's replication does, where somebody says that it did.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use super::put::whole_second;
use super::{Ecr, Image};
use crate::api::{ApiError, Place};

impl Ecr {
    /// Copies an image of one platform and its tags to the registry at `to`, under the same repository
    /// name. It is announced there by an event of its own kind (`ECR Replication Action`), which nobody
    /// asks for here, and not as a push.
    pub fn replicate(
        &mut self,
        repository: &str,
        digest: &str,
        to: &Place,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let own = self.repositories.get(repository).and_then(|it| it.images.get(digest));
        let copied = own.map(|image| Image { pushed_at: whole_second(now), ..image.clone() });
        let Some(copied) = copied else {
            let message = format!("{digest} of {repository} is not here to be copied");
            return Err(ApiError::refused("ImageNotFoundException", message));
        };
        let there = self.at(to);
        if !there.repositories.contains_key(repository) {
            there.call("CreateRepository", &json!({ "repositoryName": repository }), now)?;
        }
        if let Some(there) = there.repositories.get_mut(repository) {
            for other in there.images.values_mut() {
                other.tags.retain(|tag| !copied.tags.contains(tag));
            }
            there.images.insert(digest.to_owned(), copied);
        }
        Ok(())
    }

    /// Copies what a repository has here and not yet there.
    pub fn replicate_the_rest(
        &mut self,
        repository: &str,
        to: &Place,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let digests = |registry: &Self| -> BTreeSet<String> {
            let own = registry.repositories.get(repository).into_iter();
            own.flat_map(|own| own.images.keys().cloned()).collect()
        };
        let here = digests(self);
        let missing: Vec<_> = here.difference(&digests(self.at(to))).cloned().collect();
        missing.iter().try_for_each(|digest| self.replicate(repository, digest, to, now))
    }
}
