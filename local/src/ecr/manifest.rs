//! Manifests: made for seeds and demos, and read for what they refer to.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One platform's image.
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// A list of images, one for each platform.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// The digest of bytes, as registries write it.
pub fn digest_of(bytes: &str) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}

/// The manifest of an image that behaves so; `name` makes the bytes, and so the digest, its own.
pub fn manifest(name: &str, behaviour: &str) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": { "mediaType": CONFIG, "digest": digest_of(name), "size": name.len() },
        "layers": [],
        "annotations": {
            "org.opencontainers.image.title": name,
            "tidegate.local/behaviour": behaviour,
        },
    })
    .to_string()
}

/// The same image, whose tasks answer so by HTTP: [`super::Serving`] says how.
pub fn serving(manifest: &str, answers: &str) -> String {
    // What is no manifest stays as it is: `PutImage` refuses it by name.
    let Ok(mut image) = serde_json::from_str::<Value>(manifest) else { return manifest.to_owned() };
    image["annotations"]["tidegate.local/http"] = json!(answers);
    image.to_string()
}

/// An index over manifests that were pushed before, as a multi-platform build makes it.
pub fn index_manifest(children: &[String]) -> String {
    let manifests: Vec<Value> = children
        .iter()
        .map(|digest| {
            json!({
                "mediaType": IMAGE,
                "digest": digest,
                "size": 0,
                "platform": { "architecture": "arm64", "os": "linux" },
            })
        })
        .collect();
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }).to_string()
}

/// The digests an index refers to; of an image, none.
pub(super) fn children(manifest: &Value) -> Vec<String> {
    entries(manifest).filter_map(digest_in).collect()
}

/// The first child that is an image to run, not an attestation about one.
pub(super) fn platform_child(manifest: &Value) -> Option<String> {
    entries(manifest)
        .find(|entry| entry.pointer("/platform/os").and_then(Value::as_str) != Some("unknown"))
        .and_then(digest_in)
}

fn entries(manifest: &Value) -> impl Iterator<Item = &Value> {
    manifest.get("manifests").and_then(Value::as_array).into_iter().flatten()
}

fn digest_in(entry: &Value) -> Option<String> {
    Some(entry.get("digest")?.as_str()?.to_owned())
}

/// The media type: as told, as written inside, or by its form (an OCI index often has none inside).
pub(super) fn media_type(manifest: &Value, told: Option<&str>) -> String {
    let written = manifest.get("mediaType").and_then(Value::as_str);
    let by_form = if manifest.get("manifests").is_some() { INDEX } else { IMAGE };
    told.or(written).unwrap_or(by_form).to_owned()
}

/// The type of the thing inside: the config's media type.
pub(super) fn artifact_type(manifest: &Value) -> Option<String> {
    Some(manifest.pointer("/config/mediaType")?.as_str()?.to_owned())
}
