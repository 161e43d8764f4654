//! `tidegate verify`: all green where all is well, and each fault is exactly its line.

use tidegate_local::seed::Fleet;
use tidegate_tests::stack::TEXT;
use tidegate_tests::{Stage, play_with};

const MAIL: [(&str, &str); 1] = [("NotificationEmail", "team@example.com")];

/// Two services behind a URL and an alarm.
const WELL: &str = r#"
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi, "prod-{sha}"] } }
    cluster: live-crons
    waves: [[Rag], [AI_CONTENT]]
    watch: { bake: 30s }
    checks: [{ http: "https://api.example.com/health" }, { alarm: api-5xx }]
"#;

fn play<T>(story: impl AsyncFnOnce(&Stage) -> T) -> T {
    play_with(TEXT, &MAIL, Fleet::default(), 1, WELL, story).expect("a twin that begins")
}

#[test]
fn an_environment_that_is_well_is_green() {
    play(async |stage| {
        let said = stage.twin.operator().applies(WELL).await.expect("a command");
        assert_eq!(said.exit as u8, 0, "{}", said.talk);
        let (exit, out, talk) = stage.tidegate("verify someli-production").await;
        println!("{out}{talk}");
        assert_eq!(exit, 0);
    });
}
