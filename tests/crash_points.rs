use std::time::{Duration, Instant};
use tidegate_tests::faults::SMALL;
use tidegate_tests::play;
use std::collections::BTreeMap;

#[test]
fn measure() {
  for behaviour in ["healthy", "crash"] {
    let began = Instant::now();
    let mut set = Instant::now();
    play(1, SMALL, async |stage| {
        stage.adopt().await;
        set = Instant::now();
        let t0 = stage.twin.now();
        stage.twin.push("live_crons", &["uapi"], behaviour).expect("a push");
        let r = stage.until("someli-production/1", Duration::from_secs(900), |r| r.phase.is_ended() || r.phase.is_stuck()).await;
        println!("{} after {}", r.phase.name(), stage.twin.now().duration_since(t0));
        stage.twin.world.look(|cloud| {
            let mut n: BTreeMap<String, usize> = BTreeMap::new();
            for c in cloud.calls() { *n.entry(c.call.caller.to_string()).or_default() += 1; }
            println!("{n:?}");
        });
    });
    println!("{behaviour}: setup {:?} all {:?}", set - began, began.elapsed());
  }
}
