//! An environment that is well, and what `verify` says once something in it is not.

use serde_json::{Value, json};
use tidegate_local::call::{Call, Caller, Scope};
use tidegate_local::cloud::Reply;
use tidegate_local::ecs::SeedService;
use tidegate_local::seed::Fleet;
use tidegate_tests::stack::TEXT;
use tidegate_tests::{Stage, play_with};

/// Two services behind a load balancer, a URL and an alarm.
pub(crate) const WELL: &str = r#"
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi, "prod-{sha}"] } }
    cluster: live-crons
    pre_deploy:
      - { name: migrate, task_definition: rag-migrate, container: api, command: [up], network_from: Rag }
    waves: [[Rag], [AI_CONTENT]]
    watch: { bake: 30s }
    checks: [{ http: "https://api.example.com/health" }, { alarm: api-5xx }]
"#;
pub(crate) const GROUP: &str =
    "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/rag/0123456789abcdef";
pub(crate) const MAIL: [(&str, &str); 1] = [("NotificationEmail", "team@example.com")];

/// The configs of the five systems.
pub(crate) const EXAMPLES: [&str; 6] = [
    include_str!("../../examples/someli.yaml"),
    include_str!("../../examples/someli-fargate.yaml"),
    include_str!("../../examples/scr.yaml"),
    include_str!("../../examples/zelly.yaml"),
    include_str!("../../examples/zelly-production.yaml"),
    include_str!("../../examples/deml.yaml"),
];

/// `Rag` is behind a load balancer, and reads a parameter.
pub(crate) fn refit(seed: &mut SeedService) {
    if seed.name.service == "Rag" {
        seed.target_group = Some(GROUP.to_owned());
        let secrets = &mut seed.task_definition["containerDefinitions"][0]["secrets"];
        let token = json!({ "name": "TOKEN", "valueFrom": "/rag/token" });
        secrets.as_array_mut().expect("a list").push(token);
    }
}

pub(crate) fn play_on<T>(
    template: &str,
    behaviour: &str,
    story: impl AsyncFnOnce(&Stage) -> T,
) -> T {
    let fleet = Fleet { behaviour, refit: &refit };
    adopted(template, fleet, WELL, async |stage| {
        stage.asks("ssm", "PutParameter", json!({ "Name": "/rag/token" }));
        story(stage).await
    })
}

/// Plays `story` where `config` was applied.
pub(crate) fn adopted<T>(
    template: &str,
    fleet: Fleet<'_>,
    config: &str,
    story: impl AsyncFnOnce(&Stage) -> T,
) -> T {
    adopted_with(template, &MAIL, fleet, config, story)
}

/// The same where the stack was given these parameters.
pub(crate) fn adopted_with<T>(
    template: &str,
    parameters: &[(&str, &str)],
    fleet: Fleet<'_>,
    config: &str,
    story: impl AsyncFnOnce(&Stage) -> T,
) -> T {
    play_with(template, parameters, fleet, 1, config, async |stage| {
        let said = stage.twin.operator().applies(config).await.expect("a command");
        assert_eq!(said.exit as u8, 0, "{}{}", said.out, said.talk);
        story(stage).await
    })
    .expect("a twin that begins")
}

pub(crate) fn play<T>(story: impl AsyncFnOnce(&Stage) -> T) -> T {
    play_on(TEXT, "healthy", story)
}

/// What a person asks of AWS.
pub(crate) trait Asks {
    fn asks(&self, service: &str, action: &str, input: Value) -> Value;
}

impl Asks for Stage {
    fn asks(&self, service: &str, action: &str, input: Value) -> Value {
        let (service, action) = (service.to_owned(), action.to_owned());
        let call =
            Call { caller: Caller::Operator, scope: Scope::default(), service, action, input };
        let what = call.name();
        let reply = self.twin.world.with(|cloud, now| cloud.call(call, now));
        let Reply::Answered(answer, _) = reply else { panic!("{what}: {reply:?}") };
        assert_eq!(answer.refusal(), None, "{what}: {answer:?}");
        answer.body
    }
}

/// What `verify` says: the exit code, and every line that is not green as
/// `state topic subject: said → remedy`.
pub(crate) async fn told(stage: &Stage) -> (u8, Vec<String>) {
    told_of(stage, "someli-production").await
}

pub(crate) async fn told_of(stage: &Stage, pipeline: &str) -> (u8, Vec<String>) {
    let (exit, out, talk) = stage.tidegate(&format!("verify {pipeline} --output json")).await;
    let view: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{talk}"));
    let lines = view["lines"].as_array().expect("lines").iter();
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let bad = lines.filter(|line| line["state"] != "green").map(|line| {
        let [state, topic, subject, said, remedy] =
            ["state", "topic", "subject", "said", "remedy"].map(|name| text(line, name));
        assert!(!remedy.is_empty(), "{line} names no remedy");
        format!("{state} {topic} {subject}: {said} → {remedy}")
    });
    (exit, bad.collect())
}

/// After `fault` there is this one line that is not green, and the exit code is 1 unless it only warns.
pub(crate) async fn is_told(stage: &Stage, line: &str, remedy: &str) {
    let (exit, bad) = told(stage).await;
    let [only] = &bad[..] else { panic!("{line}: {bad:#?}") };
    assert!(only.starts_with(line), "{line}: {only}");
    assert!(only.contains(remedy), "{remedy}: {only}");
    assert_eq!(exit, u8::from(!line.starts_with("warning")), "{only}");
}

pub(crate) fn breaks(fault: impl Fn(&Stage), line: &str, remedy: &str) {
    play(async |stage| {
        fault(stage);
        is_told(stage, line, remedy).await;
    });
}
