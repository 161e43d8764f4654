//! Command lines that must be understood, and those that must not.

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use tidegate_cli::Args;

const DIGEST: &str = "sha256:4b1d000000000000000000000000000000000000000000000000000000000000";

fn parse(line: &str) -> Result<Args, clap::Error> {
    let line = line.replace("DIGEST", DIGEST);
    Args::try_parse_from(std::iter::once("tidegate").chain(line.split_whitespace()))
}

#[test]
fn the_definition_is_sound() {
    Args::command().debug_assert();
}

#[test]
fn these_are_understood() {
    for line in [
        "init --cluster live-crons",
        "config check",
        "config check tidegate.yaml --live --iam",
        "config apply tidegate.yaml --dry-run",
        "config show",
        "config retire someli-uat --reason renamed --dry-run",
        "show someli-production/42 --logs",
        "config show someli-production --output json",
        "start someli-production",
        "start someli-production --image crons=prod-1a2b3c4 --image web=DIGEST",
        "start someli-production/42",
        "start someli-production/42 --without-way-back --yes",
        "status",
        "status someli-production --table t --region us-west-2 --profile ops",
        "--endpoint-url http://127.0.0.1:4566 status",
        "history someli-production -n 5",
        "show someli-production/42",
        "show someli-production/live",
        "show someli-production",
        "follow someli-production/latest --color never",
        "wait someli-production",
        "wait someli-production --digest DIGEST --timeout 45m",
        "wait someli-production --tag prod-1a2b3c4",
        "wait someli-production --release 42",
        "approve someli-production/42 --yes",
        "reject someli-production --reason audit --yes",
        "rollback someli-production",
        "rollback someli-production --to 41 -y",
        "rollback someli-production --to prod-1a2b3c4 --no-block --no-freeze",
        "rollback someli-production --to live --dry-run",
        "rollback someli-production --include-drifted",
        "rollback someli-production --to live --include-drifted",
        "accept someli-production --yes",
        "abandon someli-production --dry-run",
        "freeze someli-production --reason holidays",
        "unfreeze someli-production",
        "block someli-production DIGEST --reason leaks",
        "unblock someli-production DIGEST",
    ] {
        assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
    }
}

#[test]
fn these_are_refused() {
    use ErrorKind as E;
    for (line, kind) in [
        ("", E::DisplayHelpOnMissingArgumentOrSubcommand),
        ("deploy", E::InvalidSubcommand),
        ("plan", E::MissingRequiredArgument),
        ("verify", E::MissingRequiredArgument),
        ("approve", E::MissingRequiredArgument),
        ("reject live_crons/42", E::ValueValidation),
        ("rollback someli-production --down --to 41", E::ArgumentConflict),
        // A pipeline is not a release, nor a repository.
        ("status someli-production/42", E::ValueValidation),
        ("rollback someli-production/42", E::ValueValidation),
        ("freeze live_crons", E::ValueValidation),
        ("show someli-production/0", E::ValueValidation),
        ("show someli-production/newest", E::ValueValidation),
        ("show", E::MissingRequiredArgument),
        ("init", E::MissingRequiredArgument),
        ("config retire", E::MissingRequiredArgument),
        ("config retire live_crons", E::ValueValidation),
        ("block someli-production sha256:12", E::ValueValidation),
        ("block someli-production", E::MissingRequiredArgument),
        ("start someli-production --image crons", E::ValueValidation),
        ("start someli-production --image crons=", E::ValueValidation),
        ("start someli-production --image crons=a --without-way-back", E::ArgumentConflict),
        ("wait someli-production --digest DIGEST --tag a", E::ArgumentConflict),
        ("wait someli-production --release 0", E::ValueValidation),
        ("wait someli-production --timeout 30", E::ValueValidation),
        ("status --output yaml", E::InvalidValue),
        ("status --color sometimes", E::InvalidValue),
    ] {
        match parse(line) {
            Ok(_) => panic!("`{line}` was understood"),
            Err(error) => assert_eq!(error.kind(), kind, "{line}: {error}"),
        }
    }
}

#[test]
fn a_reason_is_one_line_that_the_head_can_bear() {
    for verb in ["freeze p", "unfreeze p", "block p DIGEST", "reject p/42", "config retire p"] {
        let with = |reason: &str| {
            let line = verb.replace("DIGEST", DIGEST);
            let words = line.split(' ').chain(["--reason", reason]);
            let parsed = Args::try_parse_from(std::iter::once("tidegate").chain(words));
            parsed.map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(with(&"ü".repeat(500)), Ok(()), "{verb}");
        let long = with(&"ü".repeat(501)).unwrap_err();
        assert!(long.contains("at most 500 characters, found 501"), "{verb}: {long}");
        let lines = with("one\ntwo").unwrap_err();
        assert!(lines.contains("without control characters"), "{verb}: {lines}");
        assert!(with("\u{1b}[31mred").is_err(), "{verb}");
        for blank in ["", " ", "\u{a0}"] {
            let none = with(blank).unwrap_err();
            assert!(none.contains("expected a reason, found nothing"), "{verb}: {none}");
        }
    }
}

#[test]
fn every_verb_and_flag_explains_itself() {
    fn walk(command: &clap::Command) {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name} has no help");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{name} {} has no help", argument.get_id());
        }
        command.get_subcommands().for_each(walk);
    }
    let mut command = Args::command();
    command.build();
    walk(&command);
}
