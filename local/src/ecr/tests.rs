use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Behaviour, Ecr, digest_of, index_manifest, manifest};
use crate::api::{ApiError, Place};

const REPOSITORY: &str = "live_crons";

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn after(hours: i64) -> Timestamp {
    start() + SignedDuration::from_hours(hours)
}

fn a_registry() -> Ecr {
    a_registry_with(json!({}))
}

fn a_registry_with(mut settings: Value) -> Ecr {
    let mut ecr = Ecr::new(Place::new("123456789012", "us-west-2"), 7);
    ecr.retag_moves_push_time = false;
    settings["repositoryName"] = json!(REPOSITORY);
    ecr.call("CreateRepository", &settings, start()).unwrap();
    ecr
}

fn push(ecr: &mut Ecr, name: &str, tag: Option<&str>, at: Timestamp) -> Result<String, ApiError> {
    let text = manifest(name, "healthy");
    let mut input = json!({ "repositoryName": REPOSITORY, "imageManifest": text });
    if let Some(tag) = tag {
        input["imageTag"] = json!(tag);
    }
    ecr.call("PutImage", &input, at).map(|_| digest_of(&text))
}

fn tags_of(ecr: &Ecr, digest: &str) -> Option<Vec<String>> {
    Some(ecr.repository(REPOSITORY)?.images.get(digest)?.tags.clone())
}

fn call(ecr: &mut Ecr, action: &str, mut input: Value) -> Result<Value, ApiError> {
    input["repositoryName"] = json!(REPOSITORY);
    ecr.call(action, &input, start())
}

#[test]
fn images_are_listed_once_for_each_tag() {
    let mut ecr = a_registry();
    let one = push(&mut ecr, "one", Some("uapi"), start()).unwrap();
    push(&mut ecr, "one", Some("prod-1a2b3c4"), start()).unwrap();
    let child = push(&mut ecr, "child", None, start()).unwrap();
    let mut listed = |filter: Value| {
        let answer = call(&mut ecr, "ListImages", json!({ "filter": filter })).unwrap();
        answer["imageIds"].as_array().unwrap().clone()
    };
    let tagged = listed(json!({ "tagStatus": "TAGGED" }));
    let expected =
        ["uapi", "prod-1a2b3c4"].map(|tag| json!({ "imageDigest": one, "imageTag": tag }));
    assert_eq!(tagged, expected);
    assert_eq!(listed(json!({ "tagStatus": "UNTAGGED" })), [json!({ "imageDigest": child })]);
    assert_eq!(listed(json!({})).len(), 3);
}

#[test]
fn every_put_image_is_a_push_event_own_tags_included() {
    let mut ecr = a_registry();
    let digest = push(&mut ecr, "one", Some("uapi"), start()).unwrap();
    push(&mut ecr, "one", Some("tidegate-keep-0123456789abcdef"), start()).unwrap();
    push(&mut ecr, "child", None, start()).unwrap();
    let events = ecr.advance(start());
    let told: Vec<&str> =
        events.iter().map(|event| event.body["detail"]["image-tag"].as_str().unwrap()).collect();
    assert_eq!(told, ["uapi", "tidegate-keep-0123456789abcdef", ""]);
    assert_eq!(events[0].body["detail"]["image-digest"], json!(digest));
    assert_eq!(events[0].body["detail"]["action-type"], json!("PUSH"));
    assert_eq!(events[0].body["resources"], json!([]));
    assert_eq!(events[0].body["time"], json!("2026-01-01T00:00:00Z"));
    assert!(ecr.advance(after(1)).is_empty(), "an event is handed over once");
}

#[test]
fn a_moved_tag_leaves_the_old_digest_untagged() {
    let mut ecr = a_registry();
    let old = push(&mut ecr, "old", Some("uapi"), start()).unwrap();
    let new = push(&mut ecr, "new", Some("uapi"), start()).unwrap();
    assert_eq!(tags_of(&ecr, &old), Some(vec![]));
    assert_eq!(tags_of(&ecr, &new), Some(vec!["uapi".to_owned()]));
    let image = format!("123456789012.dkr.ecr.us-west-2.amazonaws.com/{REPOSITORY}");
    assert_eq!(ecr.pull(&format!("{image}:uapi")).unwrap().digest, new);
    assert_eq!(ecr.pull(&format!("{image}@{old}")).unwrap().digest, old);
}

#[test]
fn what_put_image_refuses() {
    let immutable = json!({ "imageTagMutability": "IMMUTABLE" });
    let except = |mutability| {
        json!({
            "imageTagMutability": mutability,
            "imageTagMutabilityExclusionFilters": [{ "filterType": "WILDCARD", "filter": "prod*" }],
        })
    };
    for (say, settings, tag, second, code) in [
        ("a mutable tag moves", json!({}), "v1", "two", None),
        ("the same again", json!({}), "v1", "one", Some("ImageAlreadyExistsException")),
        ("an immutable tag stays", immutable, "v1", "two", Some("ImageTagAlreadyExistsException")),
        ("except the excluded ones", except("IMMUTABLE_WITH_EXCLUSION"), "production", "two", None),
        (
            "or only those",
            except("MUTABLE_WITH_EXCLUSION"),
            "production",
            "two",
            Some("ImageTagAlreadyExistsException"),
        ),
    ] {
        let mut ecr = a_registry_with(settings);
        push(&mut ecr, "one", Some(tag), start()).unwrap();
        let refusal = push(&mut ecr, second, Some(tag), start()).err();
        assert_eq!(refusal.map(|error| error.code).as_deref(), code, "{say}");
    }
}

#[test]
fn bytes_are_checked_against_digest_children_and_behaviour() {
    let mut ecr = a_registry();
    let text = manifest("one", "healthy");
    let other = digest_of("other");
    for (say, input, code) in [
        (
            "another digest than the bytes have",
            json!({ "imageManifest": text, "imageDigest": other }),
            "ImageDigestDoesNotMatchException",
        ),
        (
            "an index before its child",
            json!({ "imageManifest": index_manifest(&[other]) }),
            "ReferencedImagesNotFoundException",
        ),
        (
            "a behaviour nobody knows",
            json!({ "imageManifest": manifest("one", "helthy") }),
            "InvalidParameterException",
        ),
    ] {
        assert_eq!(call(&mut ecr, "PutImage", input).unwrap_err().code, code, "{say}");
    }
}

#[test]
fn an_index_behaves_as_its_child_and_has_two_digests() {
    let mut ecr = a_registry();
    let text = manifest("child", "crash");
    call(&mut ecr, "PutImage", json!({ "imageManifest": text })).unwrap();
    let index = index_manifest(&[digest_of(&text)]);
    call(&mut ecr, "PutImage", json!({ "imageManifest": index, "imageTag": "v1" })).unwrap();
    let name = format!("123456789012.dkr.ecr.us-west-2.amazonaws.com/{REPOSITORY}:v1");
    let pullable = ecr.pull(&name).unwrap();
    assert_eq!(pullable.digest, digest_of(&index));
    assert_eq!(pullable.platform_digest, digest_of(&text));
    assert_eq!(pullable.behaviour, Behaviour::Crash);
}

#[test]
fn removing_the_last_tag_removes_the_image() {
    let mut ecr = a_registry();
    let digest = push(&mut ecr, "one", Some("a"), start()).unwrap();
    push(&mut ecr, "one", Some("b"), start()).unwrap();
    let untag = |tag| json!({ "imageIds": [{ "imageTag": tag }] });
    call(&mut ecr, "BatchDeleteImage", untag("a")).unwrap();
    assert_eq!(tags_of(&ecr, &digest), Some(vec!["b".to_owned()]));
    call(&mut ecr, "BatchDeleteImage", untag("b")).unwrap();
    assert_eq!(tags_of(&ecr, &digest), None);
    let answer = call(&mut ecr, "BatchDeleteImage", untag("b")).unwrap();
    assert_eq!(answer["failures"][0]["failureCode"], json!("ImageNotFound"));
}

#[test]
fn pages_cover_every_image_once_in_no_order_of_time() {
    let mut ecr = a_registry();
    for number in 0..7 {
        push(&mut ecr, &format!("image {number}"), Some(&format!("v{number}")), after(number))
            .unwrap();
    }
    push(&mut ecr, "bare", None, start()).unwrap();
    let (mut tags, mut token) = (Vec::new(), None);
    loop {
        let mut input = json!({ "maxResults": 3, "filter": { "tagStatus": "TAGGED" } });
        if let Some(token) = &token {
            input["nextToken"] = json!(token);
        }
        let answer = call(&mut ecr, "DescribeImages", input).unwrap();
        let page = answer["imageDetails"].as_array().unwrap().clone();
        assert!(page.len() <= 3);
        tags.extend(page.iter().map(|image| image["imageTags"][0].as_str().unwrap().to_owned()));
        match answer.get("nextToken") {
            Some(next) => token = Some(next.as_str().unwrap().to_owned()),
            None => break,
        }
    }
    let in_time: Vec<String> = (0..7).map(|number| format!("v{number}")).collect();
    assert_ne!(tags, in_time);
    tags.sort();
    assert_eq!(tags, in_time);
}

#[test]
fn what_describe_images_says_of_the_absent_and_the_archived() {
    let mut ecr = a_registry();
    let digest = push(&mut ecr, "one", Some("v1"), start()).unwrap();
    let by_tag = |tag| json!({ "imageIds": [{ "imageTag": tag }] });
    assert_eq!(
        call(&mut ecr, "DescribeImages", by_tag("v2")).unwrap_err().code,
        "ImageNotFoundException"
    );
    let seen = call(&mut ecr, "DescribeImages", by_tag("v1")).unwrap();
    assert_eq!(seen["imageDetails"][0]["imageDigest"], json!(digest));
    assert_eq!(seen["imageDetails"][0]["imagePushedAt"], json!(1_767_225_600.0));
    ecr.archive(REPOSITORY, &digest);
    let hidden = call(&mut ecr, "DescribeImages", json!({})).unwrap();
    assert_eq!(hidden["imageDetails"], json!([]));
    let asked = json!({ "filter": { "imageStatus": "ARCHIVED" } });
    let archived = call(&mut ecr, "DescribeImages", asked).unwrap();
    assert_eq!(archived["imageDetails"][0]["imageStatus"], json!("ARCHIVED"));
    let unknown = ecr.call("DescribeImages", &json!({ "repositoryName": "live-crons" }), start());
    assert_eq!(unknown.unwrap_err().code, "RepositoryNotFoundException");
}

#[test]
fn batch_get_image_gives_bytes_and_failures_together() {
    let mut ecr = a_registry();
    let digest = push(&mut ecr, "one", Some("v1"), start()).unwrap();
    let input = json!({ "imageIds": [{ "imageDigest": digest }, { "imageTag": "v9" }, {}] });
    let answer = call(&mut ecr, "BatchGetImage", input).unwrap();
    assert_eq!(answer["images"][0]["imageManifest"], json!(manifest("one", "healthy")));
    let codes: Vec<&Value> =
        answer["failures"].as_array().unwrap().iter().map(|one| &one["failureCode"]).collect();
    assert_eq!(codes, [&json!("ImageNotFound"), &json!("MissingDigestAndTag")]);
}

#[test]
fn a_retag_moves_the_push_time_or_not_by_switch() {
    for (moves, expected) in [(false, start()), (true, after(5))] {
        let mut ecr = a_registry();
        ecr.retag_moves_push_time = moves;
        let digest = push(&mut ecr, "one", Some("a"), start()).unwrap();
        push(&mut ecr, "one", Some("b"), after(5)).unwrap();
        assert_eq!(ecr.repository(REPOSITORY).unwrap().images[&digest].pushed_at, expected);
    }
}

fn rule(priority: i64, selection: &Value) -> Value {
    json!({ "rulePriority": priority, "selection": selection, "action": { "type": "expire" } })
}

#[test]
fn lifecycle_rules_expire_by_priority() {
    let keep_two =
        json!({ "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2 });
    let keep_kept = json!({
        "tagStatus": "tagged", "tagPatternList": ["tidegate-keep-*"],
        "countType": "imageCountMoreThan", "countNumber": 100,
    });
    let untagged_day = json!({
        "tagStatus": "untagged", "countType": "sinceImagePushed",
        "countUnit": "days", "countNumber": 1,
    });
    for (say, rules, left) in [
        ("the newest two stay", vec![rule(1, &keep_two)], vec!["bare", "v3"]),
        (
            "what a higher rule matches, a lower one cannot take",
            vec![rule(1, &keep_kept), rule(2, &keep_two)],
            vec!["bare", "v1", "v3"],
        ),
        ("only what has no tag", vec![rule(1, &untagged_day)], vec!["v1", "v2", "v3"]),
    ] {
        let mut ecr = a_registry();
        for (number, name) in ["v1", "v2", "v3"].into_iter().enumerate() {
            push(&mut ecr, name, Some(name), after(i64::try_from(number).unwrap())).unwrap();
        }
        push(&mut ecr, "v1", Some("tidegate-keep-1"), after(3)).unwrap();
        push(&mut ecr, "bare", None, after(4)).unwrap();
        let policy = json!({ "rules": rules }).to_string();
        call(&mut ecr, "PutLifecyclePolicy", json!({ "lifecyclePolicyText": policy })).unwrap();
        assert_eq!(ecr.next_due(), Some(start()), "events wait");
        ecr.advance(after(4));
        assert!(ecr.next_due().is_some());
        ecr.advance(after(48));
        let mut names: Vec<&str> = ["v1", "v2", "v3", "bare"]
            .into_iter()
            .filter(|name| {
                let images = &ecr.repository(REPOSITORY).unwrap().images;
                images.contains_key(&digest_of(&manifest(name, "healthy")))
            })
            .collect();
        names.sort_unstable();
        assert_eq!(names, left, "{say}");
    }
}

#[test]
fn a_child_outlives_every_rule_as_long_as_its_index() {
    let mut ecr = a_registry();
    let child = push(&mut ecr, "child", None, start()).unwrap();
    let index = index_manifest(std::slice::from_ref(&child));
    call(&mut ecr, "PutImage", json!({ "imageManifest": index, "imageTag": "v1" })).unwrap();
    let policy = json!({ "rules": [rule(1, &json!({
        "tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1,
    }))] });
    let put = json!({ "lifecyclePolicyText": policy.to_string() });
    call(&mut ecr, "PutLifecyclePolicy", put).unwrap();
    assert_eq!(ecr.expire_now(REPOSITORY, after(72)), Vec::<String>::new());
    ecr.delete_image(REPOSITORY, &digest_of(&index), after(72));
    assert_eq!(ecr.expire_now(REPOSITORY, after(73)), [child]);
}

#[test]
fn a_policy_that_aws_would_refuse_is_refused() {
    let any = json!({ "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1 });
    for (say, rules) in [
        ("no rule", json!([])),
        ("any is not last", json!([rule(1, &any), rule(2, &any)])),
        ("equal priorities", json!([rule(1, &any), rule(1, &any)])),
        (
            "tagged without a pattern",
            json!([rule(
                1,
                &json!({
                    "tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": 1,
                })
            )]),
        ),
    ] {
        let text = json!({ "rules": rules }).to_string();
        let put = json!({ "lifecyclePolicyText": text });
        let refusal = a_registry_call(put);
        assert_eq!(refusal.unwrap_err().code, "InvalidParameterException", "{say}");
    }
    let none = call(&mut a_registry(), "GetLifecyclePolicy", json!({}));
    assert_eq!(none.unwrap_err().code, "LifecyclePolicyNotFoundException");
}

fn a_registry_call(put: Value) -> Result<Value, ApiError> {
    call(&mut a_registry(), "PutLifecyclePolicy", put)
}

#[test]
fn unknown_actions_are_refused_by_name() {
    let refusal = a_registry().call("StartImageScan", &json!({}), start()).unwrap_err();
    assert_eq!(refusal.code, "UnknownOperationException");
}

#[test]
fn a_repository_s_policy_says_who_else_reads_and_pulls() {
    let mut ecr = a_registry();
    let none = call(&mut ecr, "GetRepositoryPolicy", json!({})).unwrap_err();
    assert_eq!(none.code, "RepositoryPolicyNotFoundException");
    let other: String = "123456789012".chars().rev().collect();
    let (role, image) = (
        format!("arn:aws:iam::{other}:role/guest"),
        format!("123456789012.dkr.ecr.us-west-2.amazonaws.com/{REPOSITORY}:uapi"),
    );
    let mut lets = |principal: &str, actions: Value, effect: &str| {
        let statement =
            json!({ "Effect": effect, "Principal": { "AWS": principal }, "Action": actions });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        call(&mut ecr, "SetRepositoryPolicy", json!({ "policyText": policy })).unwrap();
        let reads = ecr.lets(&role, "ecr:DescribeImages", REPOSITORY);
        (reads, ecr.lets_pull(&other, &image), ecr.lets_pull("123456789012", &image))
    };
    let root = format!("arn:aws:iam::{other}:root");
    assert_eq!(lets(&root, json!(["ecr:*"]), "Allow"), (true, true, true));
    assert_eq!(lets(&other, json!("ecr:Describe*"), "Allow"), (true, false, true));
    assert_eq!(lets(&role, json!("ecr:*"), "Allow"), (true, false, true), "no other principal");
    assert_eq!(lets(&root, json!("ecr:*"), "Deny"), (false, false, true));
    assert_eq!(lets("*", json!("ecr:*"), "Allow"), (true, true, true));
    let odd = json!({ "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "ecr:*",
        "Condition": { "IpAddress": { "aws:SourceIp": "192.0.2.0/24" } } }] });
    let refused = call(&mut ecr, "SetRepositoryPolicy", json!({ "policyText": odd.to_string() }));
    assert!(refused.unwrap_err().message.contains("does not model the condition IpAddress"));
    call(&mut ecr, "DeleteRepositoryPolicy", json!({})).unwrap();
    assert!(!ecr.lets(&role, "ecr:DescribeImages", REPOSITORY));
}
