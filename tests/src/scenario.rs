//! Scenarios: what an operator types and what the world does, as a commented story; and what came
//! of it, as a file beside it in which only times and digests are masked.

mod mask;

use std::fmt::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use tidegate_core::config::Period;
use tidegate_local::api::Place;
use tidegate_local::places::ACCOUNT;

use crate::{Stage, play};
use mask::Mask;

/// How long a scenario waits for what it says will come.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// A scenario as it is written.
#[derive(Debug)]
pub struct Scenario {
    seed: u64,
    config: String,
    lines: Vec<Line>,
}

#[derive(Debug)]
enum Line {
    /// A comment, or an empty line.
    Words(String),
    /// What is typed, and what it means.
    Step(String, Step),
}

#[derive(Debug)]
enum Step {
    Tidegate(String),
    Push {
        repository: String,
        tags: Vec<String>,
        behaviour: String,
    },
    /// An image that is healthy, and answers so by HTTP.
    PushServing {
        repository: String,
        tag: String,
        answers: String,
    },
    Tag {
        repository: String,
        from: String,
        to: String,
    },
    /// ECR's replication brings it there.
    Replicate {
        repository: String,
        tag: String,
        region: String,
    },
    Clock(Duration),
    Until {
        release: String,
        phase: String,
    },
    Running,
    Notifications(usize),
}

/// Where a scenario cannot be read, and why.
#[derive(Debug)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(why) = self;
        write!(
            f,
            "{why}; a scenario begins with `given FILE [seed N]`, and then has lines\n  \
             # a comment\n  \
             push REPOSITORY:TAG[,TAG] BEHAVIOUR\n  \
             push REPOSITORY:TAG answering [PATH=]STATUS [for 40s]\n  \
             tag REPOSITORY:TAG NEW-TAG\n  \
             replicate REPOSITORY:TAG REGION\n  \
             clock +10m\n  \
             until RELEASE PHASE\n  \
             running\n  \
             notifications COUNT   (of those since the last time)\n  \
             tidegate …"
        )
    }
}

impl Scenario {
    /// Reads a scenario; files that it names are looked for in `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Unreadable> {
        let (mut given, mut lines) = (None, Vec::new());
        for (at, line) in text.lines().enumerate() {
            let unreadable = || Unreadable(format!("line {}: `{line}`", at + 1));
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] => lines.push(Line::Words(String::new())),
                [word, ..] if word.starts_with('#') => lines.push(Line::Words(line.to_owned())),
                ["given", file, seed @ ..] => {
                    let seed = match seed {
                        [] => 1,
                        ["seed", number] => number.parse().map_err(|_| unreadable())?,
                        _ => return Err(unreadable()),
                    };
                    let text = std::fs::read_to_string(folder.join(file))
                        .map_err(|error| Unreadable(format!("{file}: {error}")))?;
                    given = Some((seed, text));
                    lines.push(Line::Words(line.to_owned()));
                }
                _ => {
                    let step = Step::parse(&words).ok_or_else(unreadable)?;
                    lines.push(Line::Step(line.to_owned(), step));
                }
            }
        }
        let (seed, config) = given.ok_or_else(|| Unreadable("no `given`".to_owned()))?;
        Ok(Self { seed, config, lines })
    }

    /// Plays it, and returns what came of it.
    pub fn play(&self) -> String {
        play(self.seed, &self.config, async |stage| {
            let mut played = Played { stage, out: String::new(), told: 0 };
            for line in &self.lines {
                match line {
                    Line::Words(words) => played.write(words),
                    Line::Step(typed, step) => {
                        played.write(&format!("$ {typed}"));
                        played.take(typed, step).await;
                    }
                }
            }
            Mask::of(stage, &played.out).cover(&played.out)
        })
    }
}

impl Step {
    fn parse(words: &[&str]) -> Option<Self> {
        Some(match words {
            ["tidegate", rest @ ..] => Self::Tidegate(rest.join(" ")),
            ["push", image, behaviour] => {
                let (repository, tags) = image.split_once(':')?;
                Self::Push {
                    repository: repository.to_owned(),
                    tags: tags.split(',').map(str::to_owned).collect(),
                    behaviour: (*behaviour).to_owned(),
                }
            }
            ["push", image, "answering", answers @ ..] => {
                let (repository, tag) = image.split_once(':')?;
                let [repository, tag] = [repository, tag].map(str::to_owned);
                Self::PushServing { repository, tag, answers: answers.join(" ") }
            }
            ["tag", image, to] => {
                let (repository, from) = image.split_once(':')?;
                let [repository, from, to] = [repository, from, to].map(str::to_owned);
                Self::Tag { repository, from, to }
            }
            ["replicate", image, region] => {
                let (repository, tag) = image.split_once(':')?;
                let [repository, tag, region] = [repository, tag, region].map(str::to_owned);
                Self::Replicate { repository, tag, region }
            }
            ["clock", span] => Self::Clock(span.strip_prefix('+')?.parse::<Period>().ok()?.get()),
            ["until", release, phase] => {
                Self::Until { release: (*release).to_owned(), phase: (*phase).to_owned() }
            }
            ["running"] => Self::Running,
            ["notifications", count] => Self::Notifications(count.parse().ok()?),
            _ => return None,
        })
    }
}

/// A scenario while it is played.
struct Played<'a> {
    stage: &'a Stage,
    out: String,
    /// Notifications that were shown already.
    told: usize,
}

impl Played<'_> {
    fn write(&mut self, text: &str) {
        writeln!(self.out, "{}", text.trim_end()).expect("text takes text");
    }

    async fn take(&mut self, typed: &str, step: &Step) {
        match step {
            Step::Tidegate(line) => {
                let (exit, out, talk) = self.stage.tidegate(line).await;
                self.write(&out);
                talk.lines().for_each(|line| self.write(&format!("! {line}")));
                if exit != 0 {
                    self.write(&format!("! exit {exit}"));
                }
            }
            Step::Push { repository, tags, behaviour } => {
                let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
                let digest = self.stage.twin.push(repository, &tags, behaviour);
                let digest = digest.unwrap_or_else(|refused| panic!("{typed}: {refused}"));
                self.write(&digest);
            }
            Step::PushServing { repository, tag, answers } => {
                let digest = self.stage.twin.push_serving(repository, &[tag.as_str()], answers);
                let digest = digest.unwrap_or_else(|refused| panic!("{typed}: {refused}"));
                self.write(&digest);
            }
            Step::Tag { repository, from, to } => {
                let digest = self.stage.shown(repository, from);
                let digest = digest.unwrap_or_else(|| panic!("{typed}: there is no such image"));
                self.stage.tag(repository, &digest, to);
                self.write(&digest);
            }
            Step::Replicate { repository, tag, region } => {
                let digest = self.stage.shown(repository, tag);
                let digest = digest.unwrap_or_else(|| panic!("{typed}: there is no such image"));
                self.stage.replicate(repository, &digest, &Place::new(ACCOUNT, region));
                self.write(&digest);
            }
            Step::Clock(span) => self.stage.twin.run_for(*span).await,
            Step::Until { release, phase } => {
                let there = |r: &tidegate_core::model::Release| {
                    r.phase.name() == phase || r.phase.is_ended() || r.phase.is_stuck()
                };
                let release = self.stage.until(release, PATIENCE, there).await;
                let came = release.phase.name();
                if came != phase {
                    let journal = self.stage.journal(&release.id.to_string()).await;
                    panic!("{typed}: it became {came}\n{journal}");
                }
            }
            Step::Running => {
                let running = self.stage.running();
                let width = running.keys().map(String::len).max().unwrap_or_default();
                for (target, digests) in running {
                    let digests: Vec<_> = digests.into_iter().collect();
                    self.write(&format!("{target:<width$}  {}", digests.join(" ")));
                }
            }
            Step::Notifications(count) => {
                // What was decided a moment ago is still on its way to people.
                self.stage.twin.run_for(Duration::from_secs(10)).await;
                let told = self.stage.published().split_off(self.told);
                self.told += told.len();
                for one in &told {
                    let subject = one.subject.clone().unwrap_or_default();
                    self.write(&format!("--- e-mail: {subject}"));
                    self.write(one.message["email"].as_str().unwrap_or("no text for e-mail"));
                }
                assert_eq!(told.len(), *count, "{typed}:\n{}", self.out);
            }
        }
    }
}
