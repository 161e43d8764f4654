//! Which container takes which image.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{NamedImage, images};
use crate::guard::{Guard, stands};

/// The containers that take one of `sources`, which are images by name with their repositories: those
/// that `chosen` gives an image of its own repository to; where it names none, all whose image comes from
/// a repository of these.
pub fn takers<'a>(
    task_definition: &Value,
    chosen: &BTreeMap<String, String>,
    sources: impl IntoIterator<Item = (&'a str, String)>,
) -> Vec<(NamedImage, &'a str)> {
    let sources = sources.into_iter();
    if chosen.is_empty() {
        let from = |(name, uri): (&'a str, String)| {
            let containers = containers_of(task_definition, &uri).into_iter();
            containers.map(move |container| (container, name))
        };
        return sources.flat_map(from).collect();
    }
    let sources: BTreeMap<&str, String> = sources.collect();
    let given = |container: NamedImage| {
        let (name, uri) = sources.get_key_value(chosen.get(&container.container)?.as_str())?;
        (container.repository() == uri).then_some((container, *name))
    };
    images(task_definition).into_iter().filter_map(given).collect()
}

/// The containers whose image comes from `repository_uri`, whatever its tag or digest.
fn containers_of(task_definition: &Value, repository_uri: &str) -> Vec<NamedImage> {
    let mut images = images(task_definition);
    images.retain(|image| image.repository() == repository_uri || !stands(Guard::OwnRepository));
    images
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URI: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons";

    fn definition() -> Value {
        json!({"containerDefinitions": [
            {"name": "crons", "image": format!("{URI}:uapi")},
            {"name": "twin", "image": format!("{URI}-2:uapi")},
            {"name": "redis", "image": "redis:7"},
            {"name": "again", "image": URI},
        ]})
    }

    /// Container and image.
    fn taken(chosen: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(one, other): &(&str, &str)| ((*one).to_owned(), (*other).to_owned());
        let sources = [("cron", URI.to_owned()), ("web", format!("{URI}-2"))];
        let taken = takers(&definition(), &chosen.iter().map(owned).collect(), sources);
        taken.into_iter().map(|(named, image)| (named.container, image.to_owned())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
    }

    #[test]
    fn a_repository_whose_name_only_begins_alike_is_another() {
        assert_eq!(taken(&[]), pairs(&[("crons", "cron"), ("again", "cron"), ("twin", "web")]));
        assert_eq!(takers(&json!({}), &BTreeMap::new(), [("cron", URI.to_owned())]), []);
    }

    #[test]
    fn the_containers_that_are_named_take_their_image_and_no_other_does() {
        assert_eq!(taken(&[("again", "cron")]), pairs(&[("again", "cron")]));
        let both = [("again", "cron"), ("twin", "web")];
        assert_eq!(taken(&both), pairs(&[("twin", "web"), ("again", "cron")]));
        assert_eq!(taken(&[("redis", "cron")]), [], "an image of another repository stays");
        assert_eq!(taken(&[("crons", "api")]), [], "what nobody brings is taken by nobody");
    }
}
