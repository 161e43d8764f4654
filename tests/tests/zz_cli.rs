//! scratch
use std::time::Duration;
use tidegate_tests::stage::{SOMELI, play};

#[test]
fn cli() {
    play(1, SOMELI, async |stage| {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/someli.yaml");
        let say = async |line: &str| {
            let (exit, out, talk) = stage.tidegate(line).await;
            println!("$ tidegate {line}   [{}]\n{out}{}", exit, if talk.is_empty() { String::new() } else { format!("!! {talk}") });
        };
        say(&format!("config apply {file}")).await;
        stage.twin.run_for(Duration::from_secs(600)).await;
        say("history someli-production").await;
        let digest = stage.twin.push("live_crons", &["uapi"], "healthy").unwrap();
        say("wait someli-production --tag uapi").await;
        say(&format!("wait someli-production --digest {digest}")).await;
        say("rollback someli-production --dry-run").await;
        stage.twin.push("live_crons", &["uapi"], "crash").unwrap();
        stage.twin.run_for(Duration::from_secs(20)).await;
        say("status").await;
        stage.twin.run_for(Duration::from_secs(300)).await;
        say("rollback someli-production --to 1 --yes").await;
        for _ in 0..6 {
        stage.twin.run_for(Duration::from_secs(60)).await;
        say("status").await;
        }
        say("show someli-production").await;
        say(&format!("unblock someli-production {digest}")).await;
        say("unfreeze someli-production").await;
        say("status").await;
        say("start someli-production/2").await;
        stage.twin.run_for(Duration::from_secs(15)).await;
        say("status").await;
        say("abandon someli-production --yes").await;
        say("status").await;
        say("rollback someli-production --to live --yes").await;
        say("history someli-production").await;
    });
}
