//! `tidegate init`: a first config from what runs, with a comment where a person must choose.

use std::collections::{BTreeMap, BTreeSet};

/// A service of the cluster, and the images it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The service's name.
    pub service: String,
    /// Its images from ECR: repository and tag. Others are not Tidegate's.
    pub images: Vec<SeenImage>,
}

/// An image from ECR that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenImage {
    /// The repository's name.
    pub repository: String,
    /// The tag, unless the image is named by its digest.
    pub tag: Option<String>,
}

/// The text of a config for what runs in a cluster: one pipeline, in which the first service is
/// tried before the others.
pub fn init(cluster: &str, region: &str, seen: &[Seen]) -> String {
    let (ours, others): (Vec<&Seen>, Vec<&Seen>) =
        seen.iter().partition(|seen| !seen.images.is_empty());
    let lines = [
        heading(cluster, region),
        images(&ours),
        waves(&ours),
        others
            .iter()
            .map(|seen| format!("      # {}: runs no image from ECR", seen.service))
            .collect(),
        vec![
            "    # The careful choice for a first week: touch nothing, tell people. \
             Then: rollback."
                .to_owned(),
            "    on_failure: freeze\n".to_owned(),
        ],
    ];
    lines.concat().join("\n")
}

fn heading(cluster: &str, region: &str) -> Vec<String> {
    vec![
        format!("# What runs in {cluster}, as a first config. Read it, then:"),
        "#   tidegate config check --live FILE".to_owned(),
        "#   tidegate config apply FILE          moves nothing: the next push is the first release"
            .to_owned(),
        "version: 1\n".to_owned(),
        "pipelines:".to_owned(),
        format!("  {}: # a name of your own", pipeline_name(cluster)),
        format!("    cluster: {}", scalar(cluster)),
        format!("    region: {region}"),
    ]
}

fn images(ours: &[&Seen]) -> Vec<String> {
    let mut tags: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for image in ours.iter().flat_map(|seen| &seen.images) {
        tags.entry(&image.repository).or_default().extend(image.tag.as_deref());
    }
    let mut lines = vec!["    images:".to_owned()];
    for (repository, tags) in &tags {
        lines.push(format!("      {}:", scalar(&image_name(repository))));
        lines.push(format!("        repository: {}", scalar(repository)));
        let several =
            if tags.len() > 1 { "; tags of different programs: a pipeline each" } else { "" };
        lines.push(format!("        tag: [{}] # which pushes count{several}", patterns(tags)));
    }
    if tags.is_empty() {
        lines.push("      # No service runs an image from ECR: name one here.".to_owned());
    }
    lines
}

fn waves(ours: &[&Seen]) -> Vec<String> {
    let wave = |services: &[&Seen], comment: &str| {
        let names: Vec<_> = services.iter().map(|seen| scalar(&seen.service)).collect();
        format!("      - [{}]{comment}", names.join(", "))
    };
    let mut lines = vec![
        "    # The services of one wave change at the same time; the waves one after the other."
            .to_owned(),
        "    waves:".to_owned(),
    ];
    if let Some((first, rest)) = ours.split_first() {
        lines.push(wave(&[first], " # tried first; take the one that hurts least"));
        lines.extend((!rest.is_empty()).then(|| wave(rest, "")));
    }
    lines
}

/// Without a tag there is nothing to learn the form from; a commit is what most teams use.
fn patterns(tags: &BTreeSet<&str>) -> String {
    let patterns: BTreeSet<String> = tags.iter().map(|tag| pattern(tag)).collect();
    if patterns.is_empty() {
        return scalar("{sha}");
    }
    patterns.iter().map(|tag| scalar(tag)).collect::<Vec<_>>().join(", ")
}

/// `prod-{sha}` out of `prod-1f3a9c7`: a tag whose last word is a commit is one of many.
fn pattern(tag: &str) -> String {
    let (prefix, last) =
        tag.rsplit_once('-').map_or(("", tag), |(_, last)| tag.split_at(tag.len() - last.len()));
    let hex = last.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    // A word like `deadbeef` is rare; digits tell a commit from a name.
    let commit = hex && (7..=64).contains(&last.len()) && last.bytes().any(|b| b.is_ascii_digit());
    if commit { format!("{prefix}{{sha}}") } else { tag.to_owned() }
}

fn pipeline_name(cluster: &str) -> String {
    cluster.to_ascii_lowercase().replace('_', "-").chars().take(64).collect()
}

fn image_name(repository: &str) -> String {
    repository.replace(['/', '.'], "-").chars().take(64).collect()
}

/// A text as YAML, in quotes unless it can be nothing but text.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/.".contains(&byte))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
