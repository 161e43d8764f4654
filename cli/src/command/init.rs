//! `tidegate init`: a first config from what runs.

use tidegate_aws::Ecs;
use tidegate_aws::inventory::Inventory;
use tidegate_core::config::{Seen, SeenImage};
use tidegate_core::definition::{NamedImage, images};

use crate::output::Desk;
use crate::{Error, Exit, Session};

/// Print a first config for what runs in a cluster
///
/// Reads, changes nothing, and needs no table: `tidegate init --cluster live-crons > tidegate.yaml`
#[derive(Debug, Clone, clap::Args)]
pub struct Init {
    /// The ECS cluster
    #[arg(long, value_name = "NAME")]
    pub cluster: String,
}

impl Init {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let (sdk, cluster) = (session.sdk().await?, &self.cluster);
        let region = session.region().await?;
        let ecs = Ecs::new(sdk, session.clock()?);
        let names: Vec<String> =
            Inventory::new(sdk, &region).services(cluster).await?.into_iter().collect();
        if names.is_empty() {
            return Err(Error::NotNow(format!("cluster {cluster} in {region} has no services")));
        }
        let mut seen = Vec::new();
        for (service, found) in ecs.describe(cluster, &names).await? {
            let Some(found) = found else { continue };
            let definition = ecs.task_definition(&found.task_definition).await?;
            let images = images(&definition.json).iter().filter_map(from_ecr).collect();
            seen.push(Seen { service, images });
        }
        // YAML is the data here: it is meant for a file, whoever reads it.
        desk.write(&tidegate_core::config::init(cluster, &region, &seen))?;
        Ok(Exit::Done)
    }
}

fn from_ecr(image: &NamedImage) -> Option<SeenImage> {
    let (host, repository) = image.repository().split_once('/')?;
    let tagged = image.image.split('@').next()?;
    let tag = tagged.strip_prefix(image.repository()).and_then(|rest| rest.strip_prefix(':'));
    host.contains(".dkr.ecr.")
        .then(|| SeenImage { repository: repository.to_owned(), tag: tag.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_images_from_ecr_are_taken_apart() {
        let host = "123456789012.dkr.ecr.us-west-2.amazonaws.com";
        let digest = format!("sha256:{}", "a".repeat(64));
        for (image, expected) in [
            (format!("{host}/zelly/caddy:prod-1"), Some(("zelly/caddy", Some("prod-1")))),
            (format!("{host}/live_crons@{digest}"), Some(("live_crons", None))),
            (format!("{host}/live_crons:uapi@{digest}"), Some(("live_crons", Some("uapi")))),
            (format!("{host}/live_crons"), Some(("live_crons", None))),
            ("redis:7".to_owned(), None),
            ("docker.io/library/redis:7".to_owned(), None),
        ] {
            let named = NamedImage { container: "c".to_owned(), image: image.clone() };
            let expected = expected.map(|(repository, tag)| SeenImage {
                repository: repository.to_owned(),
                tag: tag.map(str::to_owned),
            });
            assert_eq!(from_ecr(&named), expected, "{image}");
        }
    }
}
