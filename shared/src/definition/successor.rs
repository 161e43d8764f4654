//! The next revision: its base with other digests, and nothing else.

use serde_json::{Value, json};

use super::{NamedImage, OUTPUT_ONLY, images};
use crate::marks::OWN_REVISION_TAG;
use crate::model::Pin;

/// `RegisterTaskDefinition` takes no more tags than this.
const MOST_TAGS: usize = 50;

/// Why no revision can be made from a task definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// No container is to change: registering a revision would only look like a release.
    #[error(
        "no container of {family} runs an image of this release; \
         check `repository` and `containers`, or take the target out of the pipeline"
    )]
    NothingToPin {
        /// The family.
        family: String,
    },
    /// A container that was to change is not there.
    #[error("{family} has no container `{container}`, only {found}; check `containers`")]
    NoSuchContainer {
        /// The family.
        family: String,
        /// The container that was wanted.
        container: String,
        /// The containers that are there.
        found: String,
    },
    /// The container's image comes from elsewhere: a release changes digests, never repositories.
    #[error("container `{container}` of {family} runs `{found}`, expected an image of `{wanted}`")]
    OtherRepository {
        /// The family.
        family: String,
        /// The container.
        container: String,
        /// The repository it runs.
        found: String,
        /// The repository of the release's image.
        wanted: String,
    },
}

/// What to register so that `pins` replace the images of their containers.
///
/// `tags` stand beside a task definition, so they are given apart; those of AWS and of an earlier
/// release stay behind, and `own_tags` are added while there is room.
pub fn successor(
    task_definition: &Value,
    tags: &[(String, String)],
    pins: &[Pin],
    own_tags: &[(String, String)],
) -> Result<Value, DefinitionError> {
    let family = task_definition["family"].as_str().unwrap_or("the task definition");
    if pins.is_empty() {
        return Err(DefinitionError::NothingToPin { family: family.to_owned() });
    }
    let present = images(task_definition);
    for pin in pins {
        check(family, &present, pin)?;
    }
    let mut next = task_definition.clone();
    if let Some(members) = next.as_object_mut() {
        members.retain(|name, _| !OUTPUT_ONLY.contains(&name.as_str()) && name != "tags");
        let tags = tags_of(tags, own_tags);
        // An empty list is refused.
        if !tags.is_empty() {
            members.insert("tags".to_owned(), Value::Array(tags));
        }
    }
    let containers = next["containerDefinitions"].as_array_mut();
    for container in containers.into_iter().flatten() {
        if let Some(pin) = pins.iter().find(|pin| container["name"] == pin.container) {
            container["image"] = json!(pin.reference());
        }
    }
    Ok(next)
}

fn check(family: &str, present: &[NamedImage], pin: &Pin) -> Result<(), DefinitionError> {
    let Some(image) = present.iter().find(|image| image.container == pin.container) else {
        let names: Vec<_> = present.iter().map(|image| image.container.as_str()).collect();
        return Err(DefinitionError::NoSuchContainer {
            family: family.to_owned(),
            container: pin.container.clone(),
            found: names.join(", "),
        });
    };
    if image.repository() == pin.repository {
        Ok(())
    } else {
        Err(DefinitionError::OtherRepository {
            family: family.to_owned(),
            container: pin.container.clone(),
            found: image.repository().to_owned(),
            wanted: pin.repository.clone(),
        })
    }
}

fn tags_of(tags: &[(String, String)], own: &[(String, String)]) -> Vec<Value> {
    let stays = |key: &str| !key.starts_with("aws:") && !key.starts_with(OWN_REVISION_TAG);
    tags.iter()
        .filter(|(key, _)| stays(key))
        .chain(own)
        .take(MOST_TAGS)
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::Digest;

    const URI: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons";

    fn pin(container: &str, repository: &str) -> Pin {
        let digest: Digest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        Pin {
            container: container.to_owned(),
            repository: repository.to_owned(),
            accepts: BTreeSet::from([digest.clone()]),
            digest,
        }
    }

    fn definition() -> Value {
        json!({
            "taskDefinitionArn": "arn:aws:ecs:us-west-2:123456789012:task-definition/rag:7",
            "family": "rag", "revision": 7, "status": "ACTIVE", "requiresAttributes": [{"name": "x"}],
            "compatibilities": ["EC2"], "registeredAt": 1.5, "registeredBy": "someone",
            "deregisteredAt": 2.5, "deleteRequestedAt": 3.5,
            "cpu": "256", "newerThanUs": {"deep": [1, null]},
            "containerDefinitions": [
                {"name": "crons", "image": format!("{URI}:uapi"), "command": ["python", "rag.py"],
                 "environment": [{"name": "A", "value": "b"}], "alsoNewer": true},
                {"name": "sidecar", "image": "redis:7"},
            ],
        })
    }

    fn tag(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn only_the_image_changes_and_unknown_members_survive() {
        let next = successor(&definition(), &[], &[pin("crons", URI)], &[]).unwrap();
        let mut expected = definition();
        for name in OUTPUT_ONLY {
            expected.as_object_mut().unwrap().remove(name);
        }
        expected["containerDefinitions"][0]["image"] =
            json!(format!("{URI}@sha256:{}", "a".repeat(64)));
        assert_eq!(next, expected);
    }

    #[test]
    fn tags_are_carried_over_without_awss_and_an_earlier_releases() {
        let tags = [
            tag("team", "growth"),
            tag("aws:cloudformation:stack-name", "s"),
            tag("tidegate:release", "p/1"),
        ];
        let next = |own: &[_]| successor(&definition(), &tags, &[pin("crons", URI)], own).unwrap();
        assert_eq!(next(&[])["tags"], json!([{"key": "team", "value": "growth"}]));
        assert_eq!(
            next(&[tag("tidegate:release", "p/2")])["tags"],
            json!([
                {"key": "team", "value": "growth"}, {"key": "tidegate:release", "value": "p/2"},
            ])
        );
    }

    #[test]
    fn people_s_tags_come_before_ours_when_room_is_short() {
        let tags: Vec<_> = (0..50).map(|n| tag(&format!("t{n}"), "")).collect();
        let own = [tag("tidegate:release", "p/2")];
        let next = successor(&definition(), &tags, &[pin("crons", URI)], &own).unwrap();
        assert_eq!(next["tags"].as_array().unwrap().len(), 50);
        assert!(!next["tags"].to_string().contains("tidegate"));
    }

    #[test]
    fn what_cannot_be_a_release_is_refused_by_name() {
        let error =
            |pins: &[Pin]| successor(&definition(), &[], pins, &[]).unwrap_err().to_string();
        assert!(error(&[]).starts_with("no container of rag runs an image of this release"));
        assert!(error(&[pin("cron", URI)]).contains("no container `cron`, only crons, sidecar"));
        let other = error(&[pin("sidecar", URI)]);
        assert!(other.contains("container `sidecar` of rag runs `redis`"), "{other}");
    }
}
