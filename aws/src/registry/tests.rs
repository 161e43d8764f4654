//! What is asked of ECR, and what its answers mean.

use serde_json::{Value, json};
use tidegate_core::model::Digest;

use super::{Kept, Registry, Repository};
use crate::fake::{Fake, config};
use crate::{Reach, RefusalKind};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const SINGLE: &str = "application/vnd.oci.image.manifest.v1+json";

fn digest(letter: &str) -> Digest {
    format!("sha256:{}", letter.repeat(64)).parse().unwrap()
}

fn repository() -> Repository {
    Repository {
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
        name: "live_crons".to_owned(),
    }
}

fn registry(fake: &Fake) -> Registry {
    Registry::new(&Reach::new(config(fake), "s-1"), None)
}

fn detail(letter: &str, kind: &str, status: &str) -> Value {
    json!({"imageDigest": digest(letter), "imageTags": ["uapi"], "imagePushedAt": 1000.0,
        "imageManifestMediaType": kind, "imageStatus": status})
}

fn details(details: &[Value]) -> String {
    json!({ "imageDetails": details }).to_string()
}

fn manifest(text: &str) -> String {
    json!({"images": [{"imageManifest": text, "imageManifestMediaType": INDEX}], "failures": []})
        .to_string()
}

#[tokio::test]
async fn a_tag_means_an_index_and_its_children() {
    let fake = Fake::new();
    fake.answer(200, &details(&[detail("a", INDEX, "ACTIVE")]));
    let index = json!({"manifests": [{"digest": digest("b")}, {"digest": digest("c")}]});
    fake.answer(200, &manifest(&index.to_string()));
    let registry = registry(&fake);
    let image = registry.resolve_tag(&repository(), "uapi").await.unwrap().unwrap();
    assert_eq!(image.digest, digest("a"));
    assert_eq!(image.accepts, [digest("a"), digest("b"), digest("c")].into());
    assert_eq!(image.pushed_at.as_second(), 1000);
    let [described, read] = &fake.requests()[..] else { panic!("two calls") };
    assert_eq!(
        described.json(),
        json!({"registryId": "123456789012", "repositoryName": "live_crons",
            "imageIds": [{"imageTag": "uapi"}]})
    );
    assert_eq!(read.json()["imageIds"], json!([{"imageDigest": digest("a")}]), "by digest");
    assert_eq!(read.json()["acceptedMediaTypes"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn an_image_of_one_platform_is_one_call() {
    let fake = Fake::new();
    fake.answer(200, &details(&[detail("a", SINGLE, "ACTIVE")]));
    let registry = registry(&fake);
    let image = registry.resolve_tag(&repository(), "uapi").await.unwrap().unwrap();
    assert_eq!(image.accepts, [digest("a")].into());
    assert_eq!(fake.operations(), ["DescribeImages"]);
}

#[tokio::test]
async fn what_cannot_be_pulled_is_not_there() {
    let fake = Fake::new();
    fake.refuse(400, "ImageNotFoundException", "The image does not exist");
    fake.answer(200, &details(&[detail("a", SINGLE, "ARCHIVED")]));
    fake.answer(200, &details(&[detail("a", SINGLE, "ACTIVATING")]));
    let registry = registry(&fake);
    for _ in 0..3 {
        assert_eq!(registry.resolve_tag(&repository(), "uapi").await.unwrap(), None);
    }
    fake.refuse(400, "RepositoryNotFoundException", "The repository does not exist");
    let refusal = registry.resolve_tag(&repository(), "uapi").await.unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::NotFound, "a missing repository is a mistake to tell");
}

#[tokio::test]
async fn one_missing_image_does_not_hide_the_others() {
    let fake = Fake::new();
    fake.refuse(400, "ImageNotFoundException", "one of them");
    fake.answer(200, &details(&[detail("a", SINGLE, "ACTIVE")]));
    fake.refuse(400, "ImageNotFoundException", "this one");
    let registry = registry(&fake);
    let found = registry.describe(&repository(), &[digest("a"), digest("b")]).await.unwrap();
    assert_eq!(found.iter().map(|image| image.digest.clone()).collect::<Vec<_>>(), [digest("a")]);
    assert_eq!(fake.operations().len(), 3);
}

#[tokio::test]
async fn all_pages_of_tagged_images_are_read() {
    let fake = Fake::new();
    fake.answer(
        200,
        &json!({"imageDetails": [detail("a", SINGLE, "ACTIVE")], "nextToken": "more"}).to_string(),
    );
    fake.answer(200, &details(&[detail("b", INDEX, "ACTIVE")]));
    let found = registry(&fake).tagged(&repository()).await.unwrap();
    assert_eq!(found.iter().map(|image| image.is_index).collect::<Vec<_>>(), [false, true]);
    assert_eq!(
        fake.requests()[1].json(),
        json!({"registryId": "123456789012", "repositoryName": "live_crons", "maxResults": 1000,
            "filter": {"tagStatus": "TAGGED"}, "nextToken": "more"})
    );
}

#[tokio::test]
async fn keeping_sends_the_manifest_byte_for_byte() {
    let text = "{\n  \"z\": 1.0,\t\"a\" : \"ü\"\r\n}";
    let fake = Fake::new();
    fake.answer(200, &manifest(text));
    fake.answer(200, "{}");
    let registry = registry(&fake);
    assert_eq!(registry.keep(&repository(), &digest("a")).await.unwrap(), Kept::Protected);
    assert_eq!(
        fake.requests()[1].json(),
        json!({
            "registryId": "123456789012", "repositoryName": "live_crons",
            "imageManifest": text, "imageManifestMediaType": INDEX,
            "imageTag": "tidegate-keep-aaaaaaaaaaaaaaaa", "imageDigest": digest("a"),
        })
    );
}

#[tokio::test]
async fn a_refused_keep_tag_is_said_and_a_throttled_one_comes_back() {
    for (code, expected) in [
        ("ImageAlreadyExistsException", Ok("Protected")),
        ("ImageTagAlreadyExistsException", Ok("Unprotected")),
        ("AccessDeniedException", Ok("Unprotected")),
        ("ThrottlingException", Err(RefusalKind::Throttled)),
    ] {
        let fake = Fake::new();
        fake.answer(200, &manifest("{}"));
        // A throttled call is tried three times.
        for _ in 0..if expected.is_err() { 3 } else { 1 } {
            fake.refuse(400, code, "words");
        }
        let kept = registry(&fake).keep(&repository(), &digest("a")).await;
        match (kept, expected) {
            (Ok(kept), Ok(name)) => assert!(format!("{kept:?}").starts_with(name), "{kept:?}"),
            (Err(refusal), Err(kind)) => assert_eq!(refusal.kind, kind),
            (kept, _) => panic!("{code}: {kept:?}"),
        }
        fake.requests();
    }
}

#[tokio::test]
async fn an_image_that_is_gone_cannot_be_kept() {
    let fake = Fake::new();
    let failures = json!([{"failureCode": "ImageNotFound", "failureReason": "not there"}]);
    fake.answer(200, &json!({"images": [], "failures": failures}).to_string());
    let kept = registry(&fake).keep(&repository(), &digest("a")).await.unwrap();
    let Kept::Unprotected(why) = kept else { panic!("{kept:?}") };
    assert!(why.contains("ImageNotFound: not there"), "{why}");
}

#[tokio::test]
async fn a_lifecycle_policy_is_read_and_its_absence_threatens_nothing() {
    let rule = json!({"rulePriority": 3, "selection": {"tagStatus": "any",
        "countType": "imageCountMoreThan", "countNumber": 50}, "action": {"type": "expire"}});
    let fake = Fake::new();
    let text = json!({ "rules": [rule] }).to_string();
    fake.answer(200, &json!({ "lifecyclePolicyText": text }).to_string());
    fake.refuse(400, "LifecyclePolicyNotFoundException", "none");
    fake.refuse(400, "AccessDeniedException", "no");
    let registry = registry(&fake);
    let (repository, tags) = (repository(), ["uapi".to_owned()]);
    let mut said = Vec::new();
    for _ in 0..3 {
        said.push(registry.lifecycle_policy(&repository).await.unwrap().threat(&tags));
    }
    assert!(said[0].as_ref().unwrap().starts_with("lifecycle rule 3 deletes it"));
    assert_eq!(said[1], None);
    assert!(said[2].as_ref().unwrap().contains("not known: ecr:GetLifecyclePolicy"));
}

#[tokio::test]
async fn another_region_s_repository_is_asked_there() {
    let fake = Fake::new();
    fake.answer(200, &details(&[]));
    fake.answer(200, &details(&[]));
    let registry = registry(&fake);
    let abroad = Repository { region: "ap-south-1".to_owned(), ..repository() };
    for repository in [&repository(), &abroad] {
        registry.resolve_tag(repository, "uapi").await.unwrap();
    }
    let hosts: Vec<_> = fake.requests().into_iter().map(|request| request.uri).collect();
    let of = |region: &str| format!("https://api.ecr.{region}.amazonaws.com/");
    assert_eq!(hosts, [of("us-west-2"), of("ap-south-1")]);
}

#[tokio::test]
async fn a_refusal_that_no_service_wrote_is_told_by_its_status() {
    let fake = Fake::new();
    fake.answer(403, "<html>a proxy's page</html>");
    let refusal = registry(&fake).resolve_tag(&repository(), "uapi").await.unwrap_err();
    let told = "ecr:DescribeImages on live_crons in 123456789012/us-west-2: HTTP 403: no message";
    assert_eq!(refusal.to_string(), told);
}
