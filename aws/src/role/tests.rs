use super::*;
use crate::Ecs;
use crate::fake::{Fake, config};

const ROLE: &str = "arn:aws:iam::123456789012:role/tidegate-target";
const NO_SERVICES: &str = r#"{"services": [], "failures": []}"#;

fn role(external_id: Option<&str>) -> Role {
    Role { arn: ROLE.to_owned(), external_id: external_id.map(str::to_owned) }
}

/// STS's answer, with credentials that expire then.
fn assumed(expires: &str) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/tidegate-target/s</Arn>\
         </AssumedRoleUser><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>\
         <SecretAccessKey>a&amp;b</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>{expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
}

async fn look(reach: &Reach, region: &str, role: &Role) -> Result<(), Refusal> {
    let ecs = Ecs::new(&reach.at(region, Some(role)), &crate::Clock::system());
    ecs.describe("c", &["s".to_owned()]).await.map(drop)
}

#[tokio::test]
async fn a_role_is_asked_for_once_and_serves_every_region() {
    let fake = Fake::new();
    fake.answer(200, &assumed("2999-01-01T00:00:00Z"));
    fake.answer(200, NO_SERVICES);
    fake.answer(200, NO_SERVICES);
    let reach = Reach::new(config(&fake), "tidegate-DeployFunction");
    let role = role(Some("zelly/1"));
    look(&reach, "ap-south-1", &role).await.unwrap();
    look(&reach, "eu-west-1", &role).await.unwrap();
    let sent = fake.requests();
    let hosts: Vec<_> = sent.iter().map(|it| it.uri.split('/').nth(2).unwrap_or("")).collect();
    assert_eq!(
        hosts,
        [
            "sts.us-west-2.amazonaws.com", // its own region's
            "ecs.ap-south-1.amazonaws.com",
            "ecs.eu-west-1.amazonaws.com",
        ]
    );
    let asked = &sent[0].body;
    assert_eq!(
        asked,
        "Action=AssumeRole&Version=2011-06-15\
         &RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Ftidegate-target\
         &RoleSessionName=tidegate-DeployFunction&DurationSeconds=3600&ExternalId=zelly%2F1"
    );
    assert_eq!(sent[0].length, asked.len());
}

#[tokio::test]
async fn credentials_that_expire_are_asked_for_again() {
    let fake = Fake::new();
    for _ in 0..2 {
        fake.answer(200, &assumed("2000-01-01T00:00:00Z"));
        fake.answer(200, NO_SERVICES);
    }
    let reach = Reach::new(config(&fake), "s-1");
    look(&reach, "us-west-2", &role(None)).await.unwrap();
    look(&reach, "us-west-2", &role(None)).await.unwrap();
    let sent = fake.requests();
    assert_eq!(sent.iter().filter(|it| it.uri.contains("//sts.")).count(), 2);
    assert!(!sent[0].body.contains("ExternalId"), "{}", sent[0].body);
}

#[tokio::test]
async fn a_refused_role_is_told_by_its_own_name_and_what_to_look_at() {
    let fake = Fake::new();
    let words = "User: arn:aws:sts::123456789012:assumed-role/tidegate-deploy/x is not authorized";
    fake.answer(
        403,
        &format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
             <Message>{words}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        ),
    );
    let reach = Reach::new(config(&fake), "s-1");
    let refusal = look(&reach, "us-west-2", &role(Some("wrong"))).await.unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::AccessDenied);
    assert_eq!(
        refusal.to_string(),
        format!("sts:AssumeRole on {ROLE}: AccessDenied: {words}; {ADVICE}")
    );
    assert_eq!(fake.requests().len(), 1, "what is refused is not tried again");
}

#[tokio::test]
async fn a_throttled_role_is_patience_and_not_a_verdict() {
    let fake = Fake::new();
    // STS is asked three times; the call that needed the role is not sent again on top.
    for _ in 0..3 {
        fake.answer(
            400,
            "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>\
             <Message>Rate exceeded</Message></Error></ErrorResponse>",
        );
    }
    let reach = Reach::new(config(&fake), "s-1");
    let refusal = look(&reach, "us-west-2", &role(None)).await.unwrap_err();
    assert!(refusal.is_throttle(), "{refusal}");
    assert_eq!(refusal.to_string(), format!("sts:AssumeRole on {ROLE}: Throttling: Rate exceeded"));
    assert_eq!(fake.requests().len(), 3);
}
