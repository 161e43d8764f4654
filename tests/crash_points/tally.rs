//! What came of the stories that were played with trouble.

use tidegate_tests::faults::{Played, Story, Trouble};

/// Stories that were played, and those that ended otherwise.
pub(crate) struct Tally {
    story: Story,
    played: usize,
    wrong: Vec<String>,
}

impl Tally {
    pub(crate) fn of(story: Story) -> Self {
        Self { story, played: 0, wrong: Vec::new() }
    }

    /// Plays the story with this trouble, which must strike and change nothing at the end.
    pub(crate) fn play(&mut self, what: &str, trouble: Trouble) -> Played {
        let strikes = trouble.strikes();
        let played = self.story.play(trouble);
        self.played += 1;
        if played.struck < strikes {
            self.wrong.push(format!("{what}: it was not struck"));
        } else if played.ending != self.story.ending() {
            self.wrong.push(format!("{what}: {:#?}\n{}", played.ending, played.journal));
        }
        played
    }

    /// Demands that all of them ended as ever; says how many they were.
    pub(crate) fn close(self) -> usize {
        let Self { story, played, wrong } = self;
        assert!(played > 0, "no call to strike");
        assert!(
            wrong.is_empty(),
            "{} of {played} stories end otherwise: {}\nexpected {:#?}",
            wrong.len(),
            wrong.join("\n"),
            story.ending()
        );
        played
    }
}
