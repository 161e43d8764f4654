//! What may be wrong in a file, and how it is said. The lines and columns are part of the promise.

use super::{SOMELI, config, problems, with};

/// The smallest file there is; each mistake below changes one place of it.
const SMALL: &str = "\
version: 1
defaults:
  cluster: live-crons
pipelines:
  p:
    images:
      crons: { repository: jobs, tag: uapi }
    waves: [[a], [b, c]]
";

#[test]
fn the_examples_have_nothing_wrong() {
    assert_eq!(config(SMALL).warnings, []);
    assert_eq!(config(SMALL).doubts, []);
    assert_eq!(config(SOMELI).warnings, []);
}

/// What is said when the second text stands in the place of the first.
type Case = (&'static str, &'static str, &'static str, &'static str);

#[track_caller]
fn said(cases: &[Case]) {
    for (say, place, instead, expected) in cases {
        let found = problems(&with(SMALL, place, instead));
        assert_eq!(found, format!("tidegate.yaml:{expected}"), "{say}");
    }
}

#[test]
fn a_key_that_is_wrong_or_missing_is_said_with_its_place() {
    said(&[
        (
            "an unknown key near a known one",
            "    waves",
            "    watsh: {}\n    waves",
            "8:5: pipelines.p.watsh: unknown key; did you mean `watch`?",
        ),
        (
            "an unknown key near nothing",
            "version: 1\n",
            "version: 1\nowner: me\n",
            "2:1: owner: unknown key",
        ),
        (
            "a key that is missing",
            "    waves: [[a], [b, c]]\n",
            "",
            "5:3: pipelines.p: the key `waves` is missing",
        ),
        (
            "a cluster that nobody names",
            "  cluster: live-crons\n",
            "  region: us-west-2\n",
            "5:3: pipelines.p: the key `cluster` is missing, here and in `defaults`",
        ),
        (
            "a key that stands twice",
            "    waves",
            "    waves: [[z]]\n    waves",
            "9:5: pipelines.p.waves: the same key stands in line 8 already",
        ),
        (
            "a key with nothing behind it",
            "cluster: live-crons",
            "cluster:",
            "3:10: defaults.cluster: expected a name of letters, digits, `-` and `_`, 255 at \
             most, found nothing",
        ),
        (
            "another version of the format",
            "version: 1",
            "version: 2",
            "1:10: version: expected `1`, found `2`",
        ),
        (
            "a bad pipeline name",
            "  p:",
            "  Someli_Production:",
            "5:3: pipelines.Someli_Production: expected a name of lower-case letters, digits and \
             `-`, 64 at most, found `Someli_Production`",
        ),
        (
            "a choice that does not exist",
            "  cluster: live-crons",
            "  cluster: live-crons\n  on_failure: rolback",
            "4:15: defaults.on_failure: expected `rollback` or `freeze`, found `rolback`; \
             did you mean `rollback`?",
        ),
        (
            "what is not YAML",
            "[[a], [b, c]]",
            "[[a], [b, c]",
            "9:1: this is not YAML: while parsing a flow sequence, expected ',' or ']'",
        ),
    ]);
}

#[test]
fn a_value_that_is_wrong_is_said_with_what_was_expected() {
    said(&[
        (
            "a list where a text is due",
            "repository: jobs",
            "repository: [jobs]",
            "7:28: pipelines.p.images.crons.repository: expected a repository's name: lower-case \
             letters, digits, `-`, `_`, `.` and `/`, found a list",
        ),
        (
            "a number where a text is due",
            "uapi",
            "1.10",
            "7:39: pipelines.p.images.crons.tag: expected a tag or a pattern like `prod-{sha}`, \
             or a list, found `1.1`; put it in quotes",
        ),
        (
            "a duration without a unit",
            "  cluster: live-crons",
            "  cluster: live-crons\n  watch: { timeout: 15 }",
            "4:21: defaults.watch.timeout: expected a duration like `15m`, found `15`; \
             put it in quotes",
        ),
        (
            "a duration that is none",
            "  cluster: live-crons",
            "  cluster: live-crons\n  watch: { timeout: 15min }",
            "4:21: defaults.watch.timeout: `15min` is not a duration: a number is missing; \
             write `30s`, `15m`, `2h` or `1h30m`",
        ),
        (
            "a duration out of range",
            "  cluster: live-crons",
            "  cluster: live-crons\n  watch: { timeout: 5s }",
            "4:21: defaults.watch.timeout: expected 10s to 1d, found 5s",
        ),
        (
            "a bake out of range",
            "    waves",
            "    watch: { bake: 25h }\n    waves",
            "8:20: pipelines.p.watch.bake: expected at most 1d, found 1d1h",
        ),
        (
            "a number out of range",
            "    waves",
            "    watch: { failed_tasks: 0 }\n    waves",
            "8:28: pipelines.p.watch.failed_tasks: expected a number from 1 to 20, found 0",
        ),
        (
            "more failed tasks than are written down",
            "    waves",
            "    watch: { failed_tasks: 21 }\n    waves",
            "8:28: pipelines.p.watch.failed_tasks: expected a number from 1 to 20, found 21",
        ),
        (
            "an account without quotes",
            "uapi }",
            "uapi, registry: { account: 123456789012 } }",
            "7:66: pipelines.p.images.crons.registry.account: expected an account id of twelve \
             digits, found `123456789012`; put it in quotes",
        ),
    ]);
}

#[test]
fn a_wave_or_an_image_that_cannot_be_is_said_with_the_reason() {
    said(&[
        (
            "a wave that is no list",
            "[[a], [b, c]]",
            "[a, [b, c]]",
            "8:13: pipelines.p.waves[0]: expected a list, found `a`; write `[a]`",
        ),
        (
            "an empty wave",
            "[[a], [b, c]]",
            "[[a], []]",
            "8:18: pipelines.p.waves[1]: it is empty; expected at least one entry",
        ),
        (
            "no waves at all",
            "[[a], [b, c]]",
            "[]",
            "8:12: pipelines.p.waves: it is empty; expected at least one entry",
        ),
        (
            "no images",
            "\n      crons: { repository: jobs, tag: uapi }",
            " {}",
            "6:13: pipelines.p.images: it is empty; expected at least one entry",
        ),
        (
            "a target in two waves",
            "[[a], [b, c]]",
            "[[a], [b, a]]",
            "8:22: pipelines.p.waves[1][1]: `a` stands in pipelines.p.waves[0][0] already; \
             a target has one wave of one pipeline",
        ),
        (
            "a target in two pipelines",
            "[[a], [b, c]]",
            "[[a], [b, c]]\n  q: { images: {i: {repository: rr, tag: x}}, waves: [[c]] }",
            "9:56: pipelines.q.waves[0][0]: `c` stands in pipelines.p.waves[1][1] already; \
             a target has one wave of one pipeline",
        ),
        (
            "a bad tag pattern",
            "uapi",
            "\"prod-{sah}\"",
            "7:39: pipelines.p.images.crons.tag: `prod-{sah}` is not a tag pattern: `{sah}` is \
             unknown; did you mean `{sha}`?",
        ),
        (
            "Tidegate's own tags",
            "uapi",
            "[tidegate-keep-1]",
            "7:40: pipelines.p.images.crons.tag[0]: `tidegate-keep-1` is not a tag pattern: tags \
             beginning `tidegate-` are Tidegate's own",
        ),
        (
            "a service's own timeout out of range",
            "[[a], ",
            "[[{ service: a, timeout: 2d }], ",
            "8:37: pipelines.p.waves[0][0].timeout: expected 10s to 1d, found 2d",
        ),
        (
            "a container that wants an image nobody has",
            "[[a], ",
            "[[{ service: a, containers: { app: cron } }], ",
            "8:47: pipelines.p.waves[0][0].containers.app: `cron` is no image of this pipeline; \
             did you mean `crons`?",
        ),
        (
            "a repository with its registry",
            "repository: jobs",
            "repository: 123456789012.dkr.ecr.us-west-2.amazonaws.com/jobs",
            "7:28: pipelines.p.images.crons.repository: expected the name alone, `jobs`, found \
             `123456789012.dkr.ecr.us-west-2.amazonaws.com/jobs`",
        ),
        (
            "two images that want the same push",
            "uapi }",
            "uapi }\n      other: { repository: jobs, tag: \"u*\" }",
            "8:39: pipelines.p.images.other.tag: `u*` and `uapi` of image `crons` can match the \
             same tag of `jobs`; a push must be one image's",
        ),
    ]);
}

/// Two images that are joined; each mistake below changes one place of it.
const JOINED: &str = "\
version: 1
pipelines:
  p:
    cluster: cc
    join_on: sha
    images:
      api: { repository: api, tag: \"{sha}\" }
      web: { repository: web, tag: [\"web-{sha}\", \"{sha}\"] }
    waves: [[a]]
";

#[test]
fn a_set_that_could_not_be_joined_is_said_at_the_pattern() {
    assert_eq!(config(JOINED).warnings, []);
    for (place, instead, expected) in [
        (
            "join_on: sha",
            "join_on: shaa",
            "5:14: pipelines.p.join_on: expected `sha` or `version` or `semver`, found `shaa`; \
             did you mean `sha`?",
        ),
        (
            "join_on: sha",
            "join_on: commit",
            "5:14: pipelines.p.join_on: expected `sha` or `version` or `semver`, found `commit`",
        ),
        (
            "web-{sha}",
            "latest",
            "8:37: pipelines.p.images.web.tag[0]: `latest` captures no {sha}, by which `join_on` \
             finds the images of one release",
        ),
        (
            "tag: \"{sha}\"",
            "tag: \"v{version}\"",
            "7:36: pipelines.p.images.api.tag: `v{version}` captures no {sha}, by which `join_on` \
             finds the images of one release",
        ),
        (
            "web-{sha}",
            "*-{sha}",
            "8:37: pipelines.p.images.web.tag[0]: `*-{sha}` does not say which tag has a given \
             {sha}: with `join_on` only text may stand beside it",
        ),
    ] {
        let found = problems(&with(JOINED, place, instead));
        assert_eq!(found, format!("tidegate.yaml:{expected}"));
    }
    // One image alone has nothing to join with.
    let alone = with(JOINED, "      api: { repository: api, tag: \"{sha}\" }\n", "");
    let alone = with(&alone, "[\"web-{sha}\", \"{sha}\"]", "latest");
    let resolved = config(&alone).resolve("123456789012", "us-west-2").unwrap();
    assert_eq!(resolved[0].join_on, None);
}

#[test]
fn an_approval_that_asks_for_nothing_or_too_much_is_said() {
    let approval =
        |keys: &str| with(SMALL, "    waves", &format!("    approval: {keys}\n    waves"));
    for (keys, expected) in [
        ("{ expires: 24h }", "8:5: pipelines.p.approval: the key `required` is missing"),
        (
            "{ required: sometimes }",
            "8:27: pipelines.p.approval.required: expected `true` or `false`, found `sometimes`",
        ),
        (
            "{ required: true, expires: 30s }",
            "8:42: pipelines.p.approval.expires: expected 1m to 30d, found 30s",
        ),
        (
            "{ required: true, unless_tag: \"u{sha\" }",
            "8:45: pipelines.p.approval.unless_tag: `u{sha` is not a tag pattern: `{` is not \
             closed by `}`",
        ),
        (
            "{ required: true, unless_tag: \"*\" }",
            "8:45: pipelines.p.approval.unless_tag: `*` and `uapi` of image `crons` can match the \
             same tag: the push that starts a release would approve it too",
        ),
    ] {
        assert_eq!(problems(&approval(keys)), format!("tidegate.yaml:{expected}"));
    }
    let stored = |keys: &str| {
        let resolved = config(&approval(keys)).resolve("123456789012", "us-west-2").unwrap();
        serde_json::to_value(&resolved[0]).unwrap()["approval"].clone()
    };
    let asked = stored("{ required: true, expires: 2h, unless_tag: \"v{semver}\" }");
    assert_eq!(asked, serde_json::json!({ "expires": 7200, "unless_tag": "v{semver}" }));
    assert_eq!(stored("{ required: true }"), serde_json::json!({ "expires": 86400 }));
    assert_eq!(stored("{ required: false }"), serde_json::Value::Null);
}

#[test]
fn a_check_that_cannot_be_asked_is_said() {
    const PLACE: &str = "    waves";
    for (checks, expected) in [
        (
            "[{ metric: errors }]",
            "8:14: pipelines.p.checks[0]: expected a check: `http: URL` or `alarm: NAME`\n\
             tidegate.yaml:8:16: pipelines.p.checks[0].metric: unknown key",
        ),
        ("[{}]", "8:14: pipelines.p.checks[0]: expected a check: `http: URL` or `alarm: NAME`"),
        (
            "[{ http: \"https://a\", alarm: b }]",
            "8:14: pipelines.p.checks[0]: a check is `http` or `alarm`; make two of it",
        ),
        (
            "[{ http: \"https://a\", every: 14s }]",
            "8:42: pipelines.p.checks[0].every: expected 15s to 1h, found 14s",
        ),
        (
            "[{ http: \"https://a\", attempts: 0 }]",
            "8:45: pipelines.p.checks[0].attempts: expected a number from 1 to 100, found 0",
        ),
        (
            "[{ http: \"https://a\", attempts: 101 }]",
            "8:45: pipelines.p.checks[0].attempts: expected a number from 1 to 100, found 101",
        ),
        (
            "[{ http: \"https://a\", expect: 200 }]",
            "8:43: pipelines.p.checks[0].expect: expected a list, found `200`",
        ),
        (
            "[{ http: \"https://a\", expect: [200, 99] }]",
            "8:49: pipelines.p.checks[0].expect[1]: expected a status from 100 to 599, found 99",
        ),
        (
            "[{ http: \"https://a\", body: \"\" }]",
            "8:41: pipelines.p.checks[0].body: expected a text of 1 to 256 bytes, found 0",
        ),
        (
            "[{ http: \"ftp://a\" }]",
            "8:22: pipelines.p.checks[0].http: expected a URL that begins `https://` or \
             `http://`, found `ftp://a`",
        ),
        (
            "[{ http: \"https://:443/\" }]",
            "8:22: pipelines.p.checks[0].http: expected a URL that begins `https://` or \
             `http://`, found `https://:443/`: the host is missing, or the port is no number",
        ),
        (
            "[{ http: \"https://a/#top\" }]",
            "8:22: pipelines.p.checks[0].http: expected a URL that begins `https://` or \
             `http://`, found `https://a/#top`: the part from `#` on is never sent",
        ),
        (
            "[{ http: \"https://me:hunter2@a/\" }]",
            "8:22: pipelines.p.checks[0].http: a URL holds no user name and no password here: \
             everybody who may read the config would know them",
        ),
        (
            "[{ alarm: b, attempts: 3 }]",
            "8:26: pipelines.p.checks[0].attempts: `attempts` belongs to an `http` check",
        ),
        (
            "[{ alarm: \"arn:aws:cloudwatch:us-west-2:123456789012:alarm:api-5xx\" }]",
            "8:23: pipelines.p.checks[0].alarm: expected the name alone, `api-5xx`, found \
             `arn:aws:cloudwatch:us-west-2:123456789012:alarm:api-5xx`",
        ),
        (
            "[{ alarm: b }, { alarm: b }]",
            "8:28: pipelines.p.checks[1]: the same is asked by check 1 already",
        ),
    ] {
        let text = with(SMALL, PLACE, &format!("    checks: {checks}\n{PLACE}"));
        assert_eq!(problems(&text), format!("tidegate.yaml:{expected}"), "{checks}");
    }
}

#[test]
fn what_other_tools_do_is_refused_with_what_does_it_here() {
    for (key, expected) in [
        (
            "metrics",
            "Tidegate analyses no metrics: put them behind a CloudWatch alarm and name it in `checks`",
        ),
        (
            "scan",
            "Tidegate waits for no scan: let the build hold the push back, or ask for `approval`",
        ),
        (
            "windows",
            "Tidegate knows no time windows: `tidegate freeze` and `unfreeze`, at your times, do the same",
        ),
    ] {
        let found = problems(&with(SMALL, "    waves", &format!("    {key}: [a]\n    waves")));
        assert_eq!(found, format!("tidegate.yaml:8:5: pipelines.p.{key}: {expected}"));
    }
    let found = problems(&with(SMALL, "[[a]", "[[a, { host: mi-1 }]"));
    assert!(
        found.contains(
            "pipelines.p.waves[0][1].host: Tidegate releases images, and a host that pulls"
        ),
        "{found}"
    );
}

#[test]
fn a_target_is_one_thing_with_a_name_of_its_kind() {
    let target = |more: &str| problems(&with(SMALL, "[[a]", &format!("[[{more}]")));
    for (more, expected) in [
        (
            "{ timeout: 5m }",
            "8:14: pipelines.p.waves[0][0]: expected a target: `service`, `schedule`, `rule` or \
             `lightsail`, and its name",
        ),
        (
            "{ service: a, schedule: b }",
            "8:14: pipelines.p.waves[0][0]: a target is one of `service`, `schedule`, `rule`, \
             `lightsail`; make two of it",
        ),
        (
            "{ schedule: \"arn:aws:scheduler:us-west-2:123456789012:schedule/default/nightly\" }",
            "8:26: pipelines.p.waves[0][0].schedule: expected the name alone, `nightly`, found \
             `arn:aws:scheduler:us-west-2:123456789012:schedule/default/nightly`",
        ),
        (
            "{ rule: a/b }",
            "8:22: pipelines.p.waves[0][0].rule: expected a rule's name: letters, digits, `.`, `-` \
             and `_`, 64 at most, found `a/b`",
        ),
        (
            "{ lightsail: Deml }",
            "8:27: pipelines.p.waves[0][0].lightsail: expected a container service's name: \
             lower-case letters, digits and `-`, 63 at most, found `Deml`",
        ),
        (
            "{ schedul: nightly }",
            "8:16: pipelines.p.waves[0][0].schedul: unknown key; did you mean `schedule`?",
        ),
        (
            "{ schedule: b }, { schedule: b }",
            "8:31: pipelines.p.waves[0][1]: `b` stands in pipelines.p.waves[0][0] already; a target \
             has one wave of one pipeline",
        ),
        (
            "{ schedule: b }, { schedule: default/b }",
            "8:31: pipelines.p.waves[0][1]: `b` stands in pipelines.p.waves[0][0] already; a target \
             has one wave of one pipeline",
        ),
    ] {
        assert!(target(more).contains(expected), "{more}: {}", target(more));
    }
    assert_eq!(config(&with(SMALL, "[[a]", "[[a, { schedule: a }, { rule: a }]")).warnings, []);
}

#[test]
fn a_cluster_is_needed_where_a_service_is() {
    let nowhere = SMALL.replace("defaults:\n  cluster: live-crons\n", "");
    assert!(problems(&nowhere).contains("the key `cluster` is missing"), "{nowhere}");
    let lightsail = with(&nowhere, "[[a], [b, c]]", "[[{ lightsail: apps }]]");
    assert_eq!(config(&lightsail).warnings, []);
}

#[test]
fn a_role_is_an_arn_and_only_a_role_is_told_an_external_id() {
    const ROLE: &str = "arn:aws:iam::123456789012:role/tidegate-target";
    let said = |more: &str| with(SMALL, "    waves", &format!("    {more}\n    waves"));
    assert_eq!(config(&said(&format!("role: {ROLE}\n    external_id: \"a:b/c\""))).warnings, []);
    for (more, expected) in [
        (
            "role: tidegate-target",
            format!(
                "8:11: pipelines.p.role: expected the ARN of an IAM role like `{ROLE}`, found \
                 `tidegate-target`"
            ),
        ),
        (
            "role: arn:aws:sts::123456789012:assumed-role/tidegate-target/me",
            format!(
                "8:11: pipelines.p.role: expected the ARN of an IAM role like `{ROLE}`, found a \
                 session's ARN; did you mean `{ROLE}`?"
            ),
        ),
        (
            "external_id: zelly-2026",
            "8:5: pipelines.p.external_id: an external id is told to a role; name it with `role`"
                .to_owned(),
        ),
        (
            &format!("role: {ROLE}\n    external_id: x"),
            "9:18: pipelines.p.external_id: expected 2 to 1224 letters, digits and `+=,.@:/-_`, \
             found `x`"
                .to_owned(),
        ),
        (
            &format!("roles: {ROLE}"),
            "8:5: pipelines.p.roles: unknown key; did you mean `role`?".to_owned(),
        ),
        (
            &format!("role: {ROLE}\n    externalid: zelly"),
            "9:5: pipelines.p.externalid: unknown key; did you mean `external_id`?".to_owned(),
        ),
    ] {
        assert_eq!(problems(&said(more)), format!("tidegate.yaml:{expected}"));
    }
    let idle = with(SMALL, "defaults:\n", "defaults:\n  external_id: zelly\n");
    assert!(problems(&idle).contains("defaults.external_id: an external id is told to a role"));
}

#[test]
fn a_retag_that_would_start_or_approve_is_said() {
    let retag = |more: &str| with(SMALL, "    waves", &format!("    retag: {more}\n    waves"));
    assert_eq!(config(&retag("production-latest")).warnings, []);
    for (more, expected) in [
        (
            "uapi",
            "8:12: pipelines.p.retag: the tag `uapi` matches `uapi` of image `crons`: every \
             release would start the next one",
        ),
        (
            "\"v{semver}\"",
            "8:12: pipelines.p.retag: expected a tag like `production-latest`, found `v{semver}`",
        ),
        (
            "v1.0.0\n    approval: { required: true, unless_tag: \"v{semver}\" }",
            "8:12: pipelines.p.retag: the tag `v1.0.0` matches `v{semver}` of `unless_tag`: what \
             becomes live would approve what waits",
        ),
    ] {
        assert_eq!(problems(&retag(more)), format!("tidegate.yaml:{expected}"));
    }
}

#[test]
fn a_retag_that_starts_another_pipeline_is_said() {
    let other = "]]\n  q: { images: { i: { repository: jobs, tag: live } }, waves: [[d]] }";
    let text =
        with(&with(SMALL, "    waves", "    retag: live\n    waves"), "c]]", &format!("c{other}"));
    assert_eq!(
        problems(&text),
        "tidegate.yaml:8:12: pipelines.p.retag: the tag `live` matches `live` of image `i` in `q`: every \
         release here would start one there"
    );
}

#[test]
fn a_retag_that_two_pipelines_would_take_from_each_other_is_said() {
    let other = "c]]\n  q: { images: { i: { repository: jobs, tag: v } }, waves: [[d]] }";
    let text = with(&with(SMALL, "c]]", other), "defaults:\n", "defaults:\n  retag: live\n");
    assert_eq!(
        problems(&text),
        "tidegate.yaml:3:10: defaults.retag: the tag `live` is put on the same repository by `q` too: \
         each would take it from the other"
    );
}

#[test]
fn a_retag_marks_one_image_of_a_repository() {
    let two =
        with(SMALL, "      crons:", "      app: { repository: jobs, tag: app }\n      crons:");
    let named = "[[{ service: a, containers: { app: app, crons: crons } }]]";
    let two = with(&two, "[[a], [b, c]]", named);
    let retag = with(&two, "    waves", "    retag: live\n    waves");
    assert_eq!(
        problems(&retag),
        "tidegate.yaml:9:12: pipelines.p.retag: the tag `live` would be on one of `app` and `crons` \
         only, which share the repository `jobs`; leave `retag` out"
    );
}

/// A pipeline that is promoted from another.
const PROMOTED: &str = "\
version: 1
defaults: { cluster: cc }
pipelines:
  staging:
    images: { api: { repository: api, tag: \"{sha}\" } }
    waves: [[a]]
  production:
    promote_from: staging
    waves: [[{ service: b, containers: { app: api } }]]
";

#[test]
fn a_promotion_from_nowhere_or_in_a_circle_is_said() {
    assert_eq!(config(PROMOTED).warnings, []);
    for (place, instead, expected) in [
        (
            "promote_from: staging",
            "promote_from: stagin",
            "8:19: pipelines.production.promote_from: `stagin` is no pipeline of this file; did \
             you mean `staging`?",
        ),
        (
            "promote_from: staging",
            "promote_from: production",
            "8:19: pipelines.production.promote_from: `production` cannot be promoted from itself",
        ),
        (
            "    promote_from: staging\n",
            "    promote_from: staging\n    images: { api: { repository: api, tag: x } }\n",
            "9:5: pipelines.production.images: `promote_from` brings what is live in `staging`; \
             leave `images` out",
        ),
        (
            "    promote_from: staging\n",
            "    promote_from: staging\n    join_on: sha\n",
            "9:5: pipelines.production.join_on: `promote_from` brings what is live in `staging`; \
             leave `join_on` out",
        ),
        (
            "    waves: [[a]]\n",
            "    waves: [[a]]\n    registry: { region: eu-west-1 }\n",
            "7:5: pipelines.staging.registry: it says where promoted images are copied to, and \
             nothing is promoted here; write it at each of `images`",
        ),
        (
            "    promote_from: staging\n",
            "    promote_from: staging\n    registry: { region: eu-west-1 }\n    approval: { \
             required: true, unless_tag: \"v{semver}\" }\n",
            "9:5: pipelines.production.registry: no event tells of `v{semver}` on images that were \
             copied there: leave `unless_tag` out, and type `tidegate approve`",
        ),
        (
            "    promote_from: staging\n",
            "    promote_from: staging\n    registry: { region: somewhere }\n",
            "9:25: pipelines.production.registry.region: expected a region like `us-west-2`, found \
             `somewhere`",
        ),
        (
            "    promote_from: staging\n",
            "",
            "7:3: pipelines.production: the key `images` is missing",
        ),
        (
            "app: api",
            "app: web",
            "9:47: pipelines.production.waves[0][0].containers.app: `web` is no image of this \
             pipeline",
        ),
    ] {
        let found = problems(&with(PROMOTED, place, instead));
        let found = found.lines().next().unwrap_or_default();
        assert_eq!(found, format!("tidegate.yaml:{expected}"));
    }
    let images = "    images: { api: { repository: api, tag: \"{sha}\" } }\n";
    let circle = with(PROMOTED, images, "    promote_from: production\n");
    let found = problems(&circle);
    assert!(
        found.contains(
            "5:19: pipelines.staging.promote_from: `staging` is promoted from `production`, and \
             that from `staging`"
        ),
        "{found}"
    );
}

#[test]
fn a_promoted_pipeline_has_the_images_of_where_it_comes_from_and_no_tag_starts_it() {
    let more = "  last:\n    promote_from: production\n    waves: [[z]]\n";
    let resolved = config(&format!("{PROMOTED}{more}")).resolve("123456789012", "us-west-2");
    let [last, production, staging] = &resolved.unwrap()[..] else { panic!("three pipelines") };
    for promoted in [last, production] {
        assert_eq!(promoted.images["api"].repository, "api");
        assert_eq!(promoted.images["api"].tags, []);
    }
    assert_eq!(staging.promotes_to, ["production"]);
    assert_eq!(production.promotes_to, ["last"]);
    assert_eq!(staging.images["api"].tags.len(), 1);
}

#[test]
fn promoted_images_are_read_from_where_they_are_copied_to() {
    let from = "{ repository: api, tag: \"{sha}\", registry: { region: us-east-1 } }";
    let text = with(PROMOTED, "{ repository: api, tag: \"{sha}\" }", from);
    for (registry, account, region) in [
        ("{ region: eu-west-1 }", "123456789012", "eu-west-1"),
        ("{ account: \"123456789012\" }", "123456789012", "us-east-1"),
        ("{}", "123456789012", "us-east-1"),
    ] {
        let own = format!("    promote_from: staging\n    registry: {registry}\n");
        let text = with(&text, "    promote_from: staging\n", &own);
        let resolved = config(&text).resolve("123456789012", "us-west-2").unwrap();
        let here = &resolved[0].images["api"].registry;
        assert_eq!((here.account.as_str(), here.region.as_str()), (account, region));
        assert_eq!(resolved[1].images["api"].registry.region, "us-east-1");
    }
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_the_file() {
    let text = "\
version: 1
pipelines:
  p:
    clster: live-crons
    images: { crons: { repository: jobs, tag: \"{sha\" } }
    waves: [[a], [], [a]]
  q:
    cluster: live-crons
    images: { crons: { repository: jobs, tag: x } }
    waves: [[a], [a]]
";
    assert_eq!(
        problems(text),
        "\
tidegate.yaml:4:5: pipelines.p.clster: unknown key; did you mean `cluster`?
tidegate.yaml:5:47: pipelines.p.images.crons.tag: `{sha` is not a tag pattern: `{` is not closed by `}`
tidegate.yaml:6:18: pipelines.p.waves[1]: it is empty; expected at least one entry
tidegate.yaml:10:19: pipelines.q.waves[1][0]: `a` stands in pipelines.q.waves[0][0] already; a target has one wave of one pipeline"
    );
}

#[test]
fn names_that_differ_only_by_a_hyphen_or_by_case_are_a_doubt_until_aws_is_asked() {
    let doubts: Vec<_> = config(SOMELI).doubts.iter().map(ToString::to_string).collect();
    assert_eq!(
        doubts[0],
        "tidegate.yaml:30:14: warning: pipelines.someli-production.cluster: cluster `live-crons` \
         is almost repository `live_crons`; `tidegate config check --live` finds out whether both \
         exist",
    );
    // UAT's two pipelines: cluster and repository differ by case.
    let uat: Vec<_> =
        doubts.iter().filter(|it| it.contains("`UAT` is almost repository `uat`")).collect();
    assert_eq!((uat.len(), doubts.len()), (2, 3), "{doubts:?}");
    let text = with(SMALL, "uapi }", "uapi }\n      more: { repository: jo-bs, tag: uapi }");
    let doubts: Vec<_> = config(&text).doubts.iter().map(ToString::to_string).collect();
    assert_eq!(
        doubts,
        ["tidegate.yaml:8:27: warning: pipelines.p.images.more.repository: repository `jo-bs` \
             is almost repository `jobs`; `tidegate config check --live` finds out whether both \
             exist"],
    );
}

#[test]
fn two_images_of_one_repository_need_their_containers() {
    let twins =
        with(SMALL, "uapi }", "uapi }\n      worker: { repository: jobs, tag: \"w-{sha}\" }");
    let both = "tidegate.yaml:9:14: pipelines.p.waves[0][0]: images `crons` and `worker` both come from `jobs`: say in \
                `containers` which container takes which";
    assert_eq!(problems(&twins), both);
    let named = "[[{ service: a, containers: { app: crons, worker: worker } }]]";
    assert_eq!(config(&with(&twins, "[[a], [b, c]]", named)).warnings, []);
}

#[test]
fn an_image_that_no_container_takes_is_a_warning() {
    let text = with(SMALL, "uapi }", "uapi }\n      spare: { repository: spare, tag: x }");
    assert_eq!(config(&text).warnings, [], "services without containers may take it");
    let named = "[[{ service: a, containers: { app: crons } }]]";
    let text = with(&text, "[[a], [b, c]]", named);
    let warnings: Vec<_> = config(&text).warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        ["tidegate.yaml:8:7: warning: pipelines.p.images.spare: no container takes this image"],
    );
}

#[test]
fn a_mistake_under_an_anchor_is_said_once() {
    let text = "\
version: 1
x-watch: &watch { timeout: 1s }
pipelines:
  p: { cluster: cc, watch: *watch, images: { i: { repository: rr, tag: x } }, waves: [[a]] }
  q: { cluster: cc, watch: *watch, images: { i: { repository: rr, tag: x } }, waves: [[b]] }
";
    assert_eq!(
        problems(text),
        "tidegate.yaml:2:28: pipelines.p.watch.timeout: expected 10s to 1d, found 1s",
    );
}

#[test]
fn a_one_off_task_has_a_place_of_its_own_and_a_network() {
    const TASK: &str = "    pre_deploy: [{ name: up, task_definition: m, container: c, command: [go], \
                        network_from: a }]\n    waves";
    assert_eq!(config(&with(SMALL, "    waves", TASK)).warnings, []);
    let said = |place: &str, instead: &str| {
        problems(&with(&with(SMALL, "    waves", TASK), place, instead))
    };
    let expected = "tidegate.yaml:8:93: pipelines.p.pre_deploy[0].network_from: `aa` is in no wave of \
                    this pipeline";
    assert_eq!(said("network_from: a", "network_from: aa"), expected);
    let empty = said("command: [go]", "command: []");
    assert!(empty.ends_with("command: it is empty; expected at least one entry"), "{empty}");
    let long = said("name: up,", "name: up, timeout: 2d,");
    assert!(long.ends_with("timeout: expected 10s to 1d, found 2d"), "{long}");
    let twice = with(SMALL, "    waves", TASK) + TASK_TWICE;
    let twice = problems(&twice);
    assert!(twice.contains("`up` stands in pipelines.p.pre_deploy[0] already"), "{twice}");
}

/// Another pipeline of the same cluster, with a task of the same name.
const TASK_TWICE: &str = r"  q:
    images:
      crons: { repository: other, tag: uapi }
    pre_deploy: [{ name: up, task_definition: m, container: c, command: [go], network_from: z }]
    waves: [[z]]
";
