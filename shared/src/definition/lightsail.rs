//! What a deployment of a Lightsail container service is called, and how it names an image.
//!
//! It has no task definition, and its number is known only after it was made. Which images its containers
//! have is known before: that is its revision here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{NamedImage, images};
use crate::fingerprint::fingerprint;
use crate::marks::KEEP_TAG;
use crate::model::Pin;

/// Enough hex digits that two deployments of one service never share a name by chance.
const DIGITS: usize = 16;

/// The revision of a deployment with these images, by container: `deml-apps@0123456789abcdef`.
pub fn identity(service: &str, images: &BTreeMap<String, String>) -> String {
    let lines: Vec<_> = images.iter().map(|(name, image)| format!("{name}={image}")).collect();
    format!("{service}@{}", &fingerprint(&lines.join("\n"))[..DIGITS])
}

/// The image as Lightsail is given it. Whether it takes `@sha256:…` is not documented; a keep tag names
/// its digest and never moves.
pub fn named_by(pin: &Pin) -> String {
    format!("{}:{}", pin.repository, pin.digest.keep_tag())
}

/// Whether an image is named so already, whatever its digest.
pub fn is_pinned(image: &NamedImage) -> bool {
    image.tag().is_some_and(|tag| tag.starts_with(KEEP_TAG))
}

/// The same containers with these images in them.
pub fn successor(definition: &Value, pins: &[Pin]) -> Value {
    let containers: Vec<_> = images(definition)
        .into_iter()
        .map(|named| {
            let pin = pins.iter().find(|pin| pin.container == named.container);
            let image = pin.map_or(named.image, named_by);
            json!({ "name": named.container, "image": image })
        })
        .collect();
    json!({ "containerDefinitions": containers })
}

/// Container → image.
pub fn named(definition: &Value) -> BTreeMap<String, String> {
    images(definition).into_iter().map(|named| (named.container, named.image)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;

    fn deployment(frontend: &str) -> Value {
        json!({"containerDefinitions": [
            {"name": "frontend", "image": frontend},
            {"name": "tor-proxy", "image": "dperson/torproxy:latest"},
        ]})
    }

    #[test]
    fn a_deployment_is_known_by_all_its_images_and_only_the_pinned_ones_change() {
        let digest: Digest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        let repository = "123456789012.dkr.ecr.us-east-1.amazonaws.com/deml-frontend".to_owned();
        let before = deployment(&format!("{repository}:1a2b3c4"));
        let accepts = [digest.clone()].into();
        let pin = Pin { container: "frontend".to_owned(), repository, digest, accepts };
        let after = successor(&before, std::slice::from_ref(&pin));
        assert_eq!(after, deployment(&named_by(&pin)));
        let [old, new] = [&before, &after].map(|it| identity("deml-apps", &named(it)));
        assert_ne!(old, new);
        assert_eq!(
            new,
            identity("deml-apps", &named(&successor(&after, &[pin]))),
            "once is enough"
        );
        let [old, new] = [before, after].map(|it| images(&it).remove(0));
        assert_eq!((old.tag(), is_pinned(&old)), (Some("1a2b3c4"), false));
        assert!(is_pinned(&new), "{}", new.image);
    }
}
