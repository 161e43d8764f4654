//! Every AWS call of every function goes wrong once, in every way, on the demo's two stories: the
//! end is the same.

use std::time::Instant;
use tidegate_tests::faults::{Story, Trouble, said};

#[test]
fn measure() {
    for story in Story::ALL {
        let began = Instant::now();
        let played = story.play(Trouble::default());
        println!(
            "{story:?} {:?} {} calls\n{:#?}\n{}",
            began.elapsed(),
            played.calls.len(),
            played.ending,
            played.journal
        );
        for c in &played.calls {
            println!("{} {} {:?}", c.at, said(&c.call), c.refusal);
        }
    }
}
