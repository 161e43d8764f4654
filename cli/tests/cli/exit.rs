//! Exit codes are an interface: scripts and builds rely on these numbers.

use std::fmt::Write as _;

use crate::story::{at, newest};
use tidegate_cli::Exit;
use tidegate_core::model::{Hold, Phase};

#[test]
fn every_state_has_its_code() {
    let now = at(0);
    let busy = Some(Hold::Busy { targets: vec![], since: None, told: false });
    let phases = [
        Phase::Live { at: now, unproven: false, accepted: false },
        Phase::Superseded { at: now, by: 43 },
        Phase::Refused { at: now, why: String::new() },
        Phase::Expired { at: now },
        Phase::Rejected { at: now, by: String::new(), why: String::new() },
        Phase::Surveying { since: now, held: None },
        Phase::Rolling { wave: 0, since: now },
        Phase::Baking { until: now },
        Phase::RollingBack { since: now },
        Phase::Waiting { since: now },
        Phase::Surveying { since: now, held: busy },
        Phase::Frozen { at: now },
        Phase::RolledBack { at: now },
        Phase::RollbackFailed { at: now },
        Phase::Drifted { at: now },
        Phase::Abandoned { at: now },
    ];
    let mut table = String::new();
    for phase in phases {
        let (name, code) = (phase.name(), Exit::of(&newest(phase)) as u8);
        writeln!(table, "{code:>2} {name}").unwrap();
    }
    let expected = "\
\x200 live
 1 superseded
 1 refused
 1 expired
 1 rejected
10 surveying
10 rolling
10 baking
10 rolling_back
20 waiting
20 surveying
20 frozen
21 rolled_back
22 rollback_failed
22 drifted
22 abandoned
";
    assert_eq!(table, expected);
}

#[test]
fn the_codes_are_what_the_help_says() {
    use clap::CommandFactory;
    let help = tidegate_cli::Args::command().render_long_help().to_string();
    for (exit, words) in [
        (Exit::Done, "done; of a release: live"),
        (Exit::Failed, "failed, or refused"),
        (Exit::Usage, "wrong usage"),
        (Exit::Moving, "the release still moves"),
        (Exit::Held, "it waits, or is frozen"),
        (Exit::RolledBack, "it was rolled back"),
        (Exit::Broken, "its rollback failed, it drifted, or it was abandoned"),
    ] {
        let line = format!("{:>4}  {words}", exit as u8);
        assert!(help.contains(&line), "the help lacks `{line}`");
    }
}
