//! The demo's two stories, and what may go wrong around them, in virtual time.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tidegate_core::model::Phase;
use tidegate_local::seed::Fleet;
use tidegate_tests::faults::SMALL;
use tidegate_tests::play_with;
use tidegate_tests::stack::TEXT;
use tidegate_tests::stage::{play, someli};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_good_push_goes_live() {
    play(1, someli(), async |stage| {
        stage.adopt().await;
        stage.twin.push("live_crons", &["uapi"], "healthy").expect("a push");
        let release = stage
            .until("someli-production/1", 15 * MINUTE, |r| r.phase.is_ended() || r.phase.is_stuck())
            .await;
        assert!(matches!(release.phase, Phase::Live { .. }), "{release:#?}");
    });
}

#[test]
fn a_crashing_push_comes_back_by_itself() {
    play(2, someli(), async |stage| {
        stage.adopt().await;
        stage.twin.push("live_crons", &["uapi"], "healthy").expect("a push");
        stage
            .until("someli-production/1", 15 * MINUTE, |r| r.phase.is_ended() || r.phase.is_stuck())
            .await;
        stage.twin.push("live_crons", &["uapi"], "crash").expect("a push");
        let release = stage
            .until("someli-production/2", 15 * MINUTE, |r| r.phase.is_ended() || r.phase.is_stuck())
            .await;
        assert!(matches!(release.phase, Phase::RolledBack { .. }), "{release:#?}");
        assert_eq!(stage.notices("someli-production/2").await.len(), 3);
    });
}

#[test]
fn what_is_past_expires_where_the_installation_says_so_and_nothing_else_does() {
    const DAYS: i64 = 30;
    let expiring = |days: &str| {
        let parameters = [("RetentionDays", days)];
        let told = play_with(TEXT, &parameters, Fleet::default(), 3, SMALL, async |stage| {
            stage.adopt().await;
            for release in ["someli-production/1", "someli-production/2"] {
                stage.twin.push("live_crons", &["uapi"], "healthy").expect("a push");
                stage.until(release, 15 * MINUTE, |r| r.phase.is_ended()).await;
            }
            let items = stage.twin.world.look(|cloud| cloud.dynamodb.items(cloud.table()));
            let expires = items.iter().filter(|item| {
                let at = item["expires_at"]["N"].as_str().and_then(|at| at.parse::<i64>().ok());
                at.is_some_and(|at| (at - stage.twin.now().as_second()) / 86_400 == DAYS - 1)
            });
            let kind = |item: &Value| {
                let sk = item["sk"]["S"].as_str().unwrap_or_default();
                sk.split('#').next().unwrap_or_default().to_owned()
            };
            expires.map(kind).collect::<BTreeSet<_>>()
        });
        told.expect("a stack")
    };
    assert_eq!(expiring("30"), ["journal", "past"].map(str::to_owned).into());
    assert_eq!(expiring("0"), BTreeSet::new());
}
