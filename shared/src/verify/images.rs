//! Images: whether what runs, what is the way back and what is wanted is there, and stays.

use std::collections::{BTreeMap, BTreeSet};

use super::{Line, Shown, Topic};
use crate::lifecycle::{self, Threat};
use crate::model::Digest;

/// What an image is good for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Tasks run it.
    Running,
    /// A rollback would bring it back.
    WayBack,
    /// The newest live release, or the one that moves, brings it.
    Wanted,
}

impl Use {
    fn words(self) -> &'static str {
        match self {
            Self::Running => "runs",
            Self::WayBack => "is the way back",
            Self::Wanted => "is wanted",
        }
    }
}

/// An image that the pipeline needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// What for.
    pub uses: BTreeSet<Use>,
    /// The platforms of the tasks that run it or would: `linux/arm64`.
    pub platforms: BTreeSet<String>,
}

/// An image as its repository holds it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stored {
    /// Its tags.
    pub tags: Vec<String>,
    /// The platforms that it lists; empty where it is of one, which its manifest does not name.
    pub platforms: BTreeSet<String>,
}

/// A repository as it is called in messages, and a digest in it.
pub type ImageKey = (String, Digest);

/// One line for each image, and one for each repository whose policy cannot be read.
pub(super) fn lines(
    images: &BTreeMap<ImageKey, (Image, Shown<Stored>)>,
    policies: &BTreeMap<String, Shown<String>>,
) -> Vec<Line> {
    let hidden = policies.iter().filter_map(|(repository, shown)| match shown {
        Shown::Hidden(hidden) => Some(Topic::Images.unknown(repository, hidden)),
        Shown::There(_) | Shown::Missing => None,
    });
    let told = images.iter().map(|((repository, digest), (image, stored))| {
        let policy = match policies.get(repository) {
            Some(Shown::There(text)) => Some(text.as_str()),
            _ => None,
        };
        line(repository, digest, image, stored, policy)
    });
    told.chain(hidden).collect()
}

fn line(
    repository: &str,
    digest: &Digest,
    image: &Image,
    stored: &Shown<Stored>,
    policy: Option<&str>,
) -> Line {
    let topic = Topic::Images;
    let subject = format!("{} of {repository}", digest.short());
    let uses = image.uses.iter().map(|it| it.words()).collect::<Vec<_>>().join(", ");
    let stored = match stored {
        Shown::There(stored) => stored,
        Shown::Missing => {
            return topic.failed(
                &subject,
                format!("it {uses}, and is deleted or archived"),
                missing(image),
            );
        }
        Shown::Hidden(hidden) => return topic.unknown(&subject, hidden),
    };
    let lacking = image.platforms.difference(&stored.platforms).map(String::as_str);
    let lacking: Vec<_> = lacking.filter(|_| !stored.platforms.is_empty()).collect();
    if !lacking.is_empty() {
        return topic.failed(
            &subject,
            format!("it {uses}, and holds nothing for {}", lacking.join(", ")),
            "Build and push it for that platform too, or change `runtimePlatform` of the task \
             definitions",
        );
    }
    match policy.and_then(|policy| lifecycle::threat(policy, &stored.tags)) {
        // What runs shows by that what it is for.
        None if stored.platforms.is_empty() && !image.uses.contains(&Use::Running) => topic.green(
            &subject,
            format!(
                "it {uses}, and stays; it is of one platform, which its manifest does not name"
            ),
        ),
        None => topic.green(&subject, format!("it {uses}, and stays")),
        Some(Threat { does, keeps }) => {
            topic.warning(&subject, format!("it {uses}: {does}"), keeps)
        }
    }
}

fn missing(image: &Image) -> &'static str {
    if image.uses.contains(&Use::Running) {
        return "The next task that starts cannot pull it: push the same bytes again, or release a \
                newer image now";
    }
    if image.uses.contains(&Use::WayBack) {
        return "Nothing can go back to it: push the same bytes again, or let the next release make \
                a new way back";
    }
    "Push it again"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::verify::State;

    fn told(uses: &[Use], stored: &Shown<Stored>, policy: Option<&str>) -> Line {
        let digest = format!("sha256:{}", "4b1d7e2".repeat(10)[..64].to_owned()).parse().unwrap();
        let image = Image {
            uses: uses.iter().copied().collect(),
            platforms: ["linux/arm64".to_owned()].into(),
        };
        line("live_crons", &digest, &image, stored, policy)
    }

    fn stored(platforms: &[&str]) -> Shown<Stored> {
        let platforms = platforms.iter().map(|it| (*it).to_owned()).collect();
        Shown::There(Stored { tags: vec!["uapi".to_owned()], platforms })
    }

    #[test]
    fn what_is_there_for_the_platform_is_green() {
        let line = told(&[Use::Running, Use::Wanted], &stored(&[]), None);
        assert_eq!(line.state, State::Green);
        assert_eq!(line.said, "it runs, is wanted, and stays");
        assert_eq!(told(&[Use::Running], &stored(&["linux/arm64"]), None).state, State::Green);
        let other = told(&[Use::Wanted], &stored(&[]), None);
        assert!(other.said.ends_with("which its manifest does not name"), "{}", other.said);
        let other = told(&[Use::Wanted], &stored(&["linux/amd64"]), None);
        assert_eq!(other.said, "it is wanted, and holds nothing for linux/arm64");
        assert!(other.remedy.unwrap().contains("`runtimePlatform`"));
    }

    #[test]
    fn an_image_that_is_gone_is_told_by_what_it_was_for() {
        let running = told(&[Use::Running, Use::WayBack], &Shown::Missing, None);
        assert_eq!(running.state, State::Failed);
        assert!(running.remedy.unwrap().contains("next task that starts"));
        assert!(told(&[Use::WayBack], &Shown::Missing, None).remedy.unwrap().contains("go back"));
        assert_eq!(told(&[Use::Wanted], &Shown::Missing, None).remedy.unwrap(), "Push it again");
    }

    #[test]
    fn what_a_lifecycle_rule_would_take_comes_with_the_rule_that_keeps_it() {
        let rule = json!({ "rulePriority": 10, "selection": { "tagStatus": "any",
            "countType": "imageCountMoreThan", "countNumber": 50 }, "action": { "type": "expire" } });
        let policy = json!({ "rules": [rule] }).to_string();
        let line = told(&[Use::WayBack], &stored(&[]), Some(&policy));
        assert_eq!(line.state, State::Warning);
        assert!(line.said.contains("lifecycle rule 10 deletes it once 50 newer"), "{}", line.said);
        assert!(line.remedy.unwrap().contains("tidegate-keep-*"));
    }
}
