//! `simulate`: many stories in which everything goes wrong that can, and what must hold.

use std::io::Write as _;
use std::process::ExitCode;

use tidegate_core::guard::Guard;
use tidegate_local::simulate::{Found, Range, Schedule, Weather, find, many, one};

use super::Failure;

/// Seeded schedules with faults, in virtual time, and eleven invariants that look on
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Simulate {
    /// The seeds to play, the end not among them
    #[arg(long, default_value = "0..1000", value_name = "FIRST..END")]
    seeds: Range,
    /// Play this one alone
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// More of everything at once, and more that goes wrong
    #[arg(long)]
    storm: bool,
    /// Say everything that happens in it
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Play without this guard, until its invariant breaks; `list` names the guards, `all` takes each
    #[arg(long, value_name = "NAME")]
    sabotage: Option<String>,
    /// How the report looks
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Output {
    #[default]
    Text,
    Json,
}

impl Simulate {
    pub(super) fn run(&self) -> Result<ExitCode, Failure> {
        let guard = self.sabotage.as_deref().filter(|name| !["list", "all"].contains(name));
        let guard = guard.map(named).transpose()?;
        match (self.seed, self.sabotage.as_deref()) {
            (_, Some("list")) => {
                list();
                Ok(ExitCode::SUCCESS)
            }
            (Some(seed), _) if self.trace => self.traced(seed, guard),
            (Some(seed), None) => self.report(Range { first: seed, end: seed + 1 }),
            (seed, Some(_)) => {
                let range = seed.map_or(self.seeds, |seed| Range { first: seed, end: seed + 1 });
                let guards = guard.map_or(Guard::ALL.to_vec(), |guard| vec![guard]);
                Ok(self.sabotage(&guards, range))
            }
            (None, None) => self.report(self.seeds),
        }
    }

    fn report(&self, range: Range) -> Result<ExitCode, Failure> {
        let report = many(range, self.weather());
        match self.output {
            Output::Text => say(&report.to_string()),
            Output::Json => say(&serde_json::to_string_pretty(&report)?),
        }
        Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn weather(&self) -> Weather {
        if self.storm { Weather::STORM } else { Weather::USUAL }
    }

    fn traced(&self, seed: u64, guard: Option<Guard>) -> Result<ExitCode, Failure> {
        let schedule = Schedule::draw(seed, self.weather());
        say(&format!("{schedule:#?}"));
        let played = one(&schedule, guard)?;
        played.trace.iter().for_each(|line| say(line));
        say(&format!("{} steps, {:016x}, {:?}", played.steps, played.hash, played.ends));
        Ok(if played.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Each guard's fall must be found.
    fn sabotage(&self, guards: &[Guard], range: Range) -> ExitCode {
        let mut all = true;
        for guard in guards {
            let Found { guard, violation } = find(*guard, range, self.weather());
            let (name, bears) = (guard.name(), guard.bears());
            if let Some(found) = violation {
                say(&format!("{name}: {bears} broke, seed {}: {}", found.seed, found.what));
            } else {
                all = false;
                say(&format!("{name}: {bears} held without it"));
            }
        }
        if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn named(name: &str) -> Result<Guard, Failure> {
    let found = Guard::ALL.into_iter().find(|guard| guard.name() == name);
    found.ok_or_else(|| format!("there is no guard `{name}`; `--sabotage list` names them").into())
}

fn list() {
    for guard in Guard::ALL {
        say(&format!("{:22} {}", guard.name(), guard.bears()));
    }
}

/// Says it; to whoever does not listen any more, in vain.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
