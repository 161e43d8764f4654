//! The demo's two stories, and what may go wrong around them, in virtual time.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_core::command::apply_config;
use tidegate_core::model::Phase;
use tidegate_tests::stage::{SOMELI, Stage, play};

const MINUTE: Duration = Duration::from_secs(60);

async fn adopt(stage: &Stage) {
    for pipeline in &stage.pipelines {
        let change = apply_config(
            None, pipeline, BTreeMap::new(), BTreeMap::new(), "test", stage.twin.now(),
        ).expect("an applicable config");
        stage.table.register(pipeline, None, &change).await.expect("a write");
    }
}

#[test]
fn a_good_push_goes_live() {
    play(1, SOMELI, async |stage| {
        adopt(stage).await;
        stage.twin.push("live_crons", &["uapi"], "healthy").expect("a push");
        let release = stage
            .until("someli-production/1", 15 * MINUTE, |r| r.phase.is_ended() || r.phase.is_stuck())
            .await;
        println!("{}", stage.journal("someli-production/1").await);
        stage.twin.world.look(|cloud| for ended in cloud.ended() { println!("{ended:?}"); });
        assert!(matches!(release.phase, Phase::Live { .. }), "{release:#?}");
    });
}

#[test]
fn a_crashing_push_comes_back_by_itself() {
    play(2, SOMELI, async |stage| {
        adopt(stage).await;
        stage.twin.push("live_crons", &["uapi"], "healthy").expect("a push");
        stage
            .until("someli-production/1", 15 * MINUTE, |r| r.phase.is_ended() || r.phase.is_stuck())
            .await;
        stage.twin.push("live_crons", &["uapi"], "crash").expect("a push");
        let release = stage
            .until("someli-production/2", 15 * MINUTE, |r| r.phase.is_ended() || r.phase.is_stuck())
            .await;
        println!("{}", stage.journal("someli-production/2").await);
        for notice in stage.notices("someli-production/2").await { println!("{notice:#?}"); }
        assert!(matches!(release.phase, Phase::RolledBack { .. }), "{release:#?}");
        assert_eq!(stage.notices("someli-production/2").await.len(), 3);
    });
}
