//! Every story in `scenarios/` comes out as the file beside it says. `UPDATE=1` writes those files.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tidegate_tests::scenario::Scenario;

#[test]
fn every_story_comes_out_as_it_is_written() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    // An operator types in the checkout's folder.
    std::env::set_current_dir(home.join("..")).unwrap();
    let mut stories: Vec<PathBuf> = fs::read_dir(home.join("scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "txt"))
        .collect();
    stories.sort();
    assert!(stories.len() >= 2, "the two stories of the demo are here");
    // Each in its own thread: a story is a world of its own, and a core.
    let failed: Vec<String> = std::thread::scope(|scope| {
        let played: Vec<_> =
            stories.iter().map(|story| scope.spawn(move || difference(story))).collect();
        played.into_iter().filter_map(|it| it.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// How the story came out otherwise than its file says.
fn difference(story: &Path) -> Option<String> {
    let name = story.file_stem().unwrap().to_string_lossy();
    let text = fs::read_to_string(story).unwrap();
    let scenario = match Scenario::parse(&text, Path::new(".")) {
        Ok(scenario) => scenario,
        Err(unreadable) => return Some(format!("{name}: {unreadable}")),
    };
    let Ok(came) = catch_unwind(AssertUnwindSafe(|| scenario.play())) else {
        return Some(format!("{name}: it broke off; why stands above"));
    };
    let file = story.with_extension("out");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, came).unwrap();
        return None;
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    if came == written {
        return None;
    }
    let at = came.lines().zip(written.lines()).take_while(|(came, written)| came == written);
    let at = at.count();
    let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
    Some(format!(
        "{name}: line {} of {} is\n  {}\nand came out as\n  {}\n\
         If that is right, `UPDATE=1 cargo test -p tidegate-tests --test scenarios` writes it.",
        at + 1,
        file.display(),
        line(&written),
        line(&came),
    ))
}
