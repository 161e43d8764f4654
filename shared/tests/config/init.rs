//! A first config from what runs is a config without mistakes.

use tidegate_core::config::{Seen, SeenImage, init};

use super::config;

fn seen(service: &str, images: &[(&str, Option<&str>)]) -> Seen {
    let image = |(repository, tag): &(&str, Option<&str>)| SeenImage {
        repository: (*repository).to_owned(),
        tag: tag.map(str::to_owned),
    };
    Seen { service: service.to_owned(), images: images.iter().map(image).collect() }
}

#[test]
fn what_runs_becomes_a_commented_config() {
    let text = init(
        "live-crons",
        "us-west-2",
        &[
            seen("AI_CONTENT", &[("live_crons", Some("uapi"))]),
            seen("Rag", &[("live_crons", Some("prod-1f3a9c7"))]),
            seen("proxy", &[]),
            seen("123", &[("zelly/caddy", None)]),
        ],
    );
    assert_eq!(
        text,
        "\
# What runs in live-crons, as a first config. Read it, then:
#   tidegate config check --live FILE
#   tidegate config apply FILE          moves nothing: the next push is the first release
version: 1

pipelines:
  live-crons: # a name of your own
    cluster: live-crons
    region: us-west-2
    images:
      live_crons:
        repository: live_crons
        tag: [\"prod-{sha}\", uapi] # which pushes count; tags of different programs: a pipeline each
      zelly-caddy:
        repository: zelly/caddy
        tag: [\"{sha}\"] # which pushes count
    # The services of one wave change at the same time; the waves one after the other.
    waves:
      - [AI_CONTENT] # tried first; take the one that hurts least
      - [Rag, \"123\"]
      # proxy: runs no image from ECR
    # The careful choice for a first week: touch nothing, tell people. Then: rollback.
    on_failure: freeze
"
    );
    let pipelines = config(&text).resolve("123456789012", "us-west-2").unwrap();
    assert_eq!(pipelines[0].waves[1][1].name.parts().1, "123");
}

#[test]
fn a_name_that_looks_like_something_else_is_quoted() {
    let text = init("UAT_2", "us-west-2", &[seen("null", &[("uat", Some("1.10"))])]);
    let pipelines = config(&text).resolve("123456789012", "us-west-2").unwrap();
    assert_eq!(pipelines[0].name, "uat-2");
    assert_eq!(pipelines[0].cluster, "UAT_2");
    assert_eq!(pipelines[0].waves[0][0].name.parts().1, "null");
    assert_eq!(pipelines[0].images["uat"].tags[0].to_string(), "1.10");
}
