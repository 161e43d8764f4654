//! The demo's two stories, and what may go wrong around them, in virtual time.

use std::time::Duration;

use tidegate_core::model::Phase;
use tidegate_tests::stage::{SOMELI, play};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_good_push_goes_live() {
    play(1, SOMELI, async |stage| {
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
    play(2, SOMELI, async |stage| {
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
