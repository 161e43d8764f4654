//! The shape of the code: who may depend on whom, and what every function must come with.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the code has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tidegate_tests::stack::{TEXT, function, installed_with};

/// What runs in an account or in an operator's hand; in reading order, so that imports go up.
const SHIPPED: [&str; 7] = [
    "tidegate-core",
    "tidegate-aws",
    "tidegate-promote",
    "tidegate-deploy",
    "tidegate-watch",
    "tidegate-notify",
    "tidegate-cli",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The workspace as cargo sees it.
struct Workspace(Value);

impl Workspace {
    fn read() -> Self {
        let rustc = Command::new("rustc").arg("-vV").output().unwrap();
        let version = String::from_utf8(rustc.stdout).unwrap();
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        // What other platforms need was never downloaded.
        let cargo = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--offline"])
            .args(["--filter-platform", host])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
        Self(serde_json::from_slice(&cargo.stdout).unwrap())
    }

    /// The members' names, in the order in which Cargo.toml lists them.
    fn members() -> Vec<String> {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let list = manifest.split_once("members = [").unwrap().1.split_once(']').unwrap().0;
        let name = |folder: &str| {
            let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
            let line = manifest.lines().find(|line| line.starts_with("name = ")).unwrap();
            line.trim_start_matches("name = ").trim_matches('"').to_owned()
        };
        list.split('"').skip(1).step_by(2).map(name).collect()
    }

    fn name(&self, id: &str) -> String {
        let packages = self.0["packages"].as_array().unwrap();
        let package = packages.iter().find(|package| package["id"] == id).unwrap();
        package["name"].as_str().unwrap().to_owned()
    }

    fn id(&self, name: &str) -> String {
        let packages = self.0["packages"].as_array().unwrap();
        let package = packages.iter().find(|package| package["name"] == name).unwrap();
        package["id"].as_str().unwrap().to_owned()
    }

    /// What a package itself depends on, except for its tests.
    fn dependencies(&self, id: &str) -> Vec<String> {
        let nodes = self.0["resolve"]["nodes"].as_array().unwrap();
        let node = nodes.iter().find(|node| node["id"] == id).unwrap();
        let dependencies = node["deps"].as_array().unwrap().iter();
        let built = |dependency: &&Value| {
            dependency["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"] != "dev")
        };
        dependencies.filter(built).map(|it| it["pkg"].as_str().unwrap().to_owned()).collect()
    }

    /// Everything that is built into a package, by name.
    fn tree(&self, name: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut ahead = vec![self.id(name)];
        while let Some(id) = ahead.pop() {
            for dependency in self.dependencies(&id) {
                if found.insert(dependency.clone()) {
                    ahead.push(dependency);
                }
            }
        }
        found.iter().map(|id| self.name(id)).collect()
    }
}

#[test]
fn the_heart_knows_no_sdk_no_runtime_and_no_chance() {
    let tree = Workspace::read().tree("tidegate-core");
    let foreign =
        ["aws", "tokio", "hyper", "http", "lambda_runtime", "rand", "fastrand", "getrandom"];
    let foreign: Vec<_> = tree
        .iter()
        .filter(|name| foreign.iter().any(|it| name == it || name.starts_with(&format!("{it}-"))))
        .collect();
    assert!(
        foreign.is_empty(),
        "shared/ now pulls in {foreign:?}: it must stay pure, so move what needs them to aws/, or \
         switch the dependency's default features off in Cargo.toml"
    );
}

#[test]
fn nothing_that_ships_is_made_of_what_is_for_laptops() {
    let workspace = Workspace::read();
    for shipped in SHIPPED {
        let tree = workspace.tree(shipped);
        for laptop in ["tidegate-local", "tidegate-tests", "dynoxide-rs", "axum"] {
            assert!(
                !tree.contains(laptop),
                "{shipped} now depends on {laptop}, which is for laptops and tests only: move what \
                 it needs into a crate above it"
            );
        }
    }
}

#[test]
fn imports_go_one_way() {
    let workspace = Workspace::read();
    let members = Workspace::members();
    let place = |name: &str| members.iter().position(|member| member == name);
    for (at, member) in members.iter().enumerate() {
        for dependency in workspace.dependencies(&workspace.id(member)) {
            let dependency = workspace.name(&dependency);
            assert!(
                place(&dependency).is_none_or(|above| above < at),
                "{member} imports {dependency}, which stands below it in Cargo.toml's members: \
                 move the shared part up"
            );
        }
    }
    // Functions talk through the table: none of them, nor the CLI, is a library for another.
    for shipped in &SHIPPED[2..] {
        let tree = workspace.tree(shipped);
        let others: Vec<_> = SHIPPED[2..].iter().filter(|other| tree.contains(**other)).collect();
        assert!(others.is_empty(), "{shipped} imports {others:?}: move the shared part to aws/");
    }
}

/// The programs, by their folder's name.
fn programs() -> Vec<String> {
    let folders = std::fs::read_dir(root().join("functions")).unwrap();
    let name = |entry: std::fs::DirEntry| entry.file_name().to_str().unwrap().to_owned();
    folders.map(|entry| name(entry.unwrap())).collect()
}

#[test]
fn every_function_comes_with_a_resource_a_role_and_events() {
    let stack = installed_with(&[]);
    let readme = std::fs::read_to_string(root().join("events/README.md")).unwrap();
    let mut roles = BTreeMap::new();
    let installed = stack.functions().unwrap();
    for program in programs() {
        let resource = format!("{}{}Function", program[..1].to_uppercase(), &program[1..]);
        let found = installed.iter().find(|function| function.program == program);
        let function = found.unwrap_or_else(|| {
            panic!("functions/{program} is never installed: add {resource} to template.yaml")
        });
        assert_eq!(
            function.id, resource,
            "template.yaml calls functions/{program} {}: rename it to {resource}",
            function.id
        );
        assert!(
            TEXT.contains(&format!("CodeUri: functions/{program}\n")),
            "{resource} is not built from its own folder: set `CodeUri: functions/{program}`"
        );
        if let Some(other) = roles.insert(function.role.clone(), program.clone()) {
            panic!("{program} and {other} share a role: give each its own in template.yaml");
        }
        let rows: Vec<_> = readme
            .lines()
            .filter(|line| line.starts_with("| `") && line.contains(&format!("| {program} |")))
            .filter_map(|line| line.split('`').nth(1))
            .collect();
        assert!(
            !rows.is_empty(),
            "no event feeds functions/{program}: add one to events/ and to its README's table"
        );
        for file in rows {
            assert!(
                root().join("events").join(file).exists(),
                "events/README.md lists {file}, which is not there: add it or drop the row"
            );
        }
    }
    assert_eq!(
        installed.len(),
        roles.len(),
        "template.yaml installs a function that has no folder in functions/: remove one of the two"
    );
}

/// Every text of the code itself, by its path from the root.
fn sources() -> Vec<(PathBuf, String)> {
    let mut ahead = vec![root()];
    let mut found = Vec::new();
    while let Some(folder) = ahead.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    ahead.push(path);
                }
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 100, "the walk through the code found {} files", found.len());
    found
}

/// The words of `text` that begin so and stand in quotes.
fn quoted<'a>(text: &'a str, begin: &'a str) -> impl Iterator<Item = &'a str> {
    text.split('"').skip(1).step_by(2).filter(move |word| {
        word.starts_with(begin)
            && word.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_')
    })
}

#[test]
fn every_variable_that_a_function_reads_is_in_the_template() {
    // Lambda sets these by itself.
    let lambda = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_LOG_FORMAT",
        "AWS_LAMBDA_LOG_LEVEL",
        // Heard through the config's own loader, which only the CLI's has.
        "AWS_ENDPOINT_URL",
    ];
    let mut read: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources() {
        let mut parts = path.components().map(|part| part.as_os_str().to_str().unwrap());
        let (first, second) = (parts.next().unwrap(), parts.next().unwrap_or_default());
        let of: &[&str] = match (first, second) {
            ("aws", "src") => &["promote", "deploy", "watch", "notify"],
            ("functions", program) if !path.to_str().unwrap().contains("/tests/") => &[program],
            _ => continue,
        };
        for name in quoted(&text, "TIDEGATE_").chain(quoted(&text, "AWS_")) {
            for program in of {
                read.entry((*program).to_owned()).or_default().insert(name.to_owned());
            }
        }
    }
    for (program, names) in read {
        let environment = function(&program).environment;
        for name in names.iter().filter(|name| !lambda.contains(&name.as_str())) {
            assert!(
                environment.contains_key(name),
                "{program} reads {name}, which template.yaml does not set: add it (empty is off) \
                 to the function's Environment, or nobody can ever set it"
            );
        }
    }
}

#[test]
fn no_file_is_longer_than_one_reads_at_a_sitting() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|(path, _)| !path.components().any(|part| part.as_os_str() == "tests"))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > 500)
        .collect();
    assert!(long.is_empty(), "over 500 lines, so it does two things; part them: {long:?}");
}

#[test]
fn no_module_is_called_after_nothing() {
    let nothing = ["utils", "util", "helpers", "helper", "common", "misc", "manager", "shared"];
    for (path, _) in sources() {
        let parts = path.with_extension("");
        // `shared/` is the heart's folder; a module of that name would say nothing.
        for part in parts.components().skip(1).map(|part| part.as_os_str().to_str().unwrap()) {
            assert!(
                !nothing.contains(&part),
                "{} is named after nothing: name it after what it holds",
                path.display()
            );
        }
    }
}

#[test]
fn the_map_of_the_code_shows_what_is_there() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut seen = 0;
    // The first table is the map; the invariants' table names promises.
    let map = map.split("## Invariants").next().unwrap();
    for row in map.lines().filter(|line| line.starts_with("| `")) {
        let cell = row.split(" | ").next().unwrap();
        let mut paths = cell.split('`').skip(1).step_by(2);
        let first = paths.next().unwrap();
        // `shared/src/push.rs`, `command.rs`: what follows stands beside the first.
        let beside = Path::new(first).parent().unwrap();
        for path in std::iter::once(PathBuf::from(first)).chain(paths.map(|it| beside.join(it))) {
            let certain = path.to_str().unwrap().split(['*', '{']).next().unwrap();
            assert!(
                root().join(certain).exists(),
                "ARCHITECTURE.md shows `{}`, which is not there: correct the row",
                path.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 10, "the map was not read: only {seen} paths");
}
