//! Every AWS call of every function, and of the command that an operator types, goes wrong in every
//! way: the end is the same. Singles: one call of a story. Pairs: two, of the five stories of services.
//!
//! A story is played once without trouble, to learn its calls. Then it is played again for each of
//! them; up to the fault it is the same story to the millisecond, so the fault strikes that call.

mod kinds;
mod pairs;
mod points;
mod singles;
mod tally;

use points::Point;
use tidegate_tests::faults::{Story, Trouble};

/// The calls of a story without trouble.
fn undisturbed(story: Story) -> Vec<Point> {
    let played = story.play(Trouble::default());
    assert_eq!(played.ending, story.ending(), "without any trouble");
    Point::all(&played.calls)
}
