//! What comes from outside: whatever it holds, it is read or refused, in words, and with work that
//! grows no faster than it does.
//!
//! A million of each: `PROPTEST_CASES=1000000 cargo test --release -p tidegate-core --test input`.
//! The texts are made by chance and by form, not by what the code covers.

#![expect(clippy::unwrap_used, reason = "a test stops where it is surprised")]

use std::path::Path;

use allocation_counter::measure;
use proptest::prelude::*;
use serde_json::Value;
use tidegate_core::config::{Config, Period, Placeholder, TagPattern, Version};
use tidegate_core::event::{Woken, promote, watch};
use tidegate_core::lifecycle;
use tidegate_core::model::{Digest, ReleaseId, TargetId};

/// A pattern's parts, each with a text of its form.
fn part() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        "[a-zA-Z0-9_]{1,9}".prop_map(|text| (text.clone(), text)),
        "[0-9a-f]{7,64}".prop_map(|sha| ("{sha}".to_owned(), sha)),
        "[0-9]{1,4}(\\.[0-9]{1,4}){0,3}".prop_map(|version| ("{version}".to_owned(), version)),
        "(0|[1-9][0-9]{0,3})\\.(0|[1-9][0-9]{0,3})\\.(0|[1-9][0-9]{0,3})(-[a-z0-9.]{0,5}[a-z0-9])?"
            .prop_filter("an identifier is not empty", |it| !it.contains("..")
                && !it.contains("-."))
            .prop_map(|semver| ("{semver}".to_owned(), semver)),
        "[a-zA-Z0-9_.-]{0,9}".prop_map(|text| ("*".to_owned(), text)),
    ]
}

/// Any JSON, a few levels deep.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,30}".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z".prop_map(Value::from),
        "arn:aws:ecs:[a-z0-9:/-]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z-]{0,12}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Every real event, by its file.
fn real() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "json"));
    files.sort();
    assert!(files.len() > 10, "the corpus is gone: {files:?}");
    files
        .iter()
        .map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
        .collect()
}

/// A real event with one value in it replaced.
fn spoiled() -> impl Strategy<Value = Value> {
    let events = real();
    let places = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), json());
    places.prop_map(move |(event, place, instead)| {
        let mut event = event.get(&events).clone();
        let mut paths = Vec::new();
        every_path(&event, String::new(), &mut paths);
        *event.pointer_mut(place.get::<String>(&paths)).unwrap() = instead;
        event
    })
}

fn every_path(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                every_path(value, format!("{path}/{key}"), paths);
            }
        }
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                every_path(value, format!("{path}/{at}"), paths);
            }
        }
        _ => {}
    }
    paths.push(path);
}

fn is_answered(event: &Value) {
    for name in [named(promote(event)), named(watch(event))].into_iter().flatten() {
        assert!(name.chars().count() <= 300, "{name}");
    }
}

fn named<T>(woken: Woken<T>) -> Option<String> {
    match woken {
        Woken::NotUnderstood(name) => Some(name),
        Woken::By(_) | Woken::Schedule | Woken::Nothing(_) => None,
    }
}

proptest! {
    // As often as `PROPTEST_CASES` says, 256 times by itself; what fails is said, not kept in a file.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_pattern_or_none(text in "\\PC{0,200}", tag in "\\PC{0,200}") {
        if let Ok(pattern) = text.parse::<TagPattern>() {
            prop_assert_eq!(&pattern.to_string().parse::<TagPattern>().unwrap(), &pattern);
            let _ = pattern.matches(&tag);
        }
    }

    #[test]
    fn a_tag_of_a_patterns_form_matches_it(parts in prop::collection::vec(part(), 1..5)) {
        let (form, tag): (String, String) = parts.into_iter().unzip();
        let Ok(pattern) = form.parse::<TagPattern>() else { return Ok(()) };
        prop_assert_eq!(pattern.to_string().parse::<TagPattern>().unwrap(), pattern.clone());
        let is_tag = (1..=128).contains(&tag.len()) && !tag.starts_with(['.', '-']);
        prop_assert_eq!(pattern.matches(&tag).is_some(), is_tag, "{} {}", form, tag);
        if let Some(captures) = pattern.matches(&tag) {
            for name in [Placeholder::Sha, Placeholder::Version, Placeholder::Semver] {
                let taken = captures.get(name);
                prop_assert_eq!(taken.is_some(), form.contains(&format!("{{{}}}", name.name())));
                prop_assert!(taken.is_none_or(|taken| tag.contains(taken)));
            }
        }
    }

    #[test]
    fn patterns_that_match_one_tag_overlap(
        a in prop::collection::vec(part(), 1..4),
        b in prop::collection::vec(part(), 1..4),
    ) {
        let ((a, tag), (b, _)): ((String, String), (String, String)) =
            (a.into_iter().unzip(), b.into_iter().unzip());
        let (Ok(a), Ok(b)) = (a.parse::<TagPattern>(), b.parse::<TagPattern>()) else {
            return Ok(());
        };
        prop_assert_eq!(a.overlaps(&b), b.overlaps(&a), "{} {}", a, b);
        let both = a.matches(&tag).is_some() && b.matches(&tag).is_some();
        prop_assert!(!both || a.overlaps(&b), "{} and {} match {}", a, b, tag);
    }

    #[test]
    fn versions_are_printed_as_read_and_have_one_order(
        texts in prop::collection::vec("[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}(-[a-z0-9]{1,4})?", 3),
    ) {
        let versions: Vec<Version> = texts.iter().filter_map(|text| text.parse().ok()).collect();
        for version in &versions {
            prop_assert_eq!(&version.to_string().parse::<Version>().unwrap(), version);
        }
        if let [a, b, c] = &versions[..] {
            prop_assert_eq!(a.cmp(b), b.cmp(a).reverse());
            prop_assert_eq!(a.cmp(b).is_eq(), a == b);
            prop_assert!(!(a <= b && b <= c) || a <= c);
        }
    }

    #[test]
    fn names_are_printed_as_they_are_read(text in "\\PC{0,100}", hex in "[0-9a-f]{60,66}") {
        if let Ok(id) = text.parse::<ReleaseId>() {
            prop_assert_eq!(id.to_string().parse::<ReleaseId>().unwrap(), id);
        }
        if let Ok(target) = text.parse::<TargetId>() {
            prop_assert_eq!(target.to_string(), text.clone());
        }
        if let Ok(period) = text.parse::<Period>() {
            prop_assert_eq!(period.to_string().parse::<Period>().unwrap(), period);
        }
        let digest = format!("sha256:{hex}");
        let read = digest.parse::<Digest>();
        prop_assert_eq!(read.is_ok(), hex.len() == 64);
        prop_assert!(read.is_ok_and(|it| it.to_string() == digest) || hex.len() != 64);
    }

    #[test]
    fn periods_are_printed_as_they_are_read(text in "([0-9]{1,7}[smhd]){1,4}") {
        if let Ok(period) = text.parse::<Period>() {
            prop_assert_eq!(period.to_string().parse::<Period>().unwrap(), period);
        }
    }

    #[test]
    fn any_text_is_a_config_or_a_list_of_problems(text in any::<Vec<u8>>(), yaml in json()) {
        for text in [String::from_utf8_lossy(&text).into_owned(), yaml.to_string()] {
            if let Err(problems) = Config::parse("f", &text) {
                prop_assert!(!problems.0.is_empty());
            }
        }
    }

    #[test]
    fn any_value_anywhere_in_a_real_event_is_answered(event in spoiled()) {
        is_answered(&event);
    }

    #[test]
    fn any_json_is_answered_as_an_event(event in json()) {
        is_answered(&event);
    }

    #[test]
    fn any_lifecycle_policy_is_read(policy in json(), text in "\\PC{0,60}", tag in "[a-z*-]{0,20}") {
        let _ = lifecycle::threat(&policy.to_string(), std::slice::from_ref(&tag));
        let _ = lifecycle::threat(&text, &[tag]);
    }
}

/// Four times the input costs about four times the work: sixteen times would be its square.
const MOST_GROWTH: u64 = 6;

#[track_caller]
fn grows_with_its_input(what: &str, read: impl Fn(usize)) {
    let work = |size| measure(|| read(size)).bytes_total;
    // The first reading makes what is made once.
    work(16);
    let (small, large) = (work(4_000), work(16_000));
    let growth = large / small.max(1);
    assert!(growth <= MOST_GROWTH, "{what}: {small} bytes for 4000, {large} for 16000");
}

#[test]
fn a_config_costs_what_its_length_says() {
    const HEAD: &str = "version: 1\npipelines:\n  p:\n    cluster: c\n";
    let images = "    images: {a: {repository: r, tag: t}}\n";
    let repeated = |n: usize, text: &dyn Fn(usize) -> String| (0..n).map(text).collect::<String>();
    let texts: [(&str, &dyn Fn(usize) -> String); 13] = [
        ("services", &|n: usize| {
            let services = repeated(n / 10, &|i| format!("service{i},"));
            format!("{HEAD}{images}    waves: [[{services}]]\n")
        }),
        ("the same service again", &|n| {
            format!("{HEAD}{images}    waves: [[{}]]\n", "a,".repeat(n / 2))
        }),
        ("unknown keys", &|n| format!("{HEAD}{}", repeated(n / 10, &|i| format!("    k{i}: 1\n")))),
        ("the same key again", &|n| format!("{HEAD}{}", "    k: 1\n".repeat(n / 9))),
        ("a long key", &|n| format!("{HEAD}    {}: {{{}}}\n", "k".repeat(n), "b,".repeat(n / 4))),
        ("a long name", &|n| format!("{HEAD}{images}    waves: [[{}]]\n", "a".repeat(n))),
        ("containers of unknown images", &|n| {
            let containers = repeated(n / 20, &|i| format!("c{i}: unknown{i},"));
            format!("{HEAD}{images}    waves: [[{{service: s, containers: {{{containers}}}}}]]\n")
        }),
        ("one name that is nearly another", &|n| {
            let (a, b) = ("a".repeat(n / 2), "b".repeat(n / 2));
            let waves = format!("    waves: [[{{service: s, containers: {{c: {a}}}}}]]\n");
            format!("{HEAD}    images: {{{b}: {{repository: r, tag: t}}}}\n{waves}")
        }),
        ("anchors", &|n| repeated(n / 20, &|i| format!("x-{i}: &a{i} [1, 2]\n"))),
        ("merges", &|n| format!("x-a: &a {{k: 1}}\nb: {{<<: [{}]}}\n", "*a, ".repeat(n / 4))),
        ("comments", &|n| "# a\n".repeat(n / 4)),
        ("quotes", &|n| format!("a: \"{}\"\n", "\\n".repeat(n / 2))),
        ("words", &|n| "a ".repeat(n / 2)),
    ];
    for (what, text) in texts {
        grows_with_its_input(what, |size| drop(Config::parse("f", &text(size))));
    }
}

#[test]
fn what_an_event_leaves_in_the_table_is_bounded() {
    let text = "é".repeat(100_000);
    let mut event = real().into_iter().find(|it| it["detail"]["stopCode"].is_string()).unwrap();
    for name in ["taskArn", "stopCode", "stoppedReason"] {
        event["detail"][name] = text.as_str().into();
    }
    for container in event["detail"]["containers"].as_array_mut().unwrap() {
        container["reason"] = text.as_str().into();
    }
    let Woken::By(stopped) = watch(&event) else { panic!("{event}") };
    let (_, failure) = stopped.task.unwrap();
    let size = serde_json::to_string(&failure).unwrap().len();
    // A slot holds twenty of them, and an item 400 KB.
    assert!(size < 8_000, "{size} bytes");
}

#[test]
fn a_tag_of_any_length_costs_what_its_length_says() {
    let pattern: TagPattern = "*a*b*{sha}*".parse().unwrap();
    grows_with_its_input("a tag", |size| drop(pattern.matches(&"ab".repeat(size / 2))));
    for text in ["a", "*", "{", "{sha}", "{sha}*", "é"] {
        let read = |size: usize| drop(text.repeat(size / text.len()).parse::<TagPattern>());
        grows_with_its_input(text, read);
    }
}

#[test]
fn a_lifecycle_rule_costs_what_its_length_says() {
    // Every star could stand for any text: tried one by one this would never end.
    let tag = "a".repeat(128);
    let pattern = "a*".repeat(60) + "b";
    let selection = serde_json::json!({"tagStatus": "tagged", "tagPatternList": [pattern]});
    let policy = serde_json::json!({"rules": [{"rulePriority": 1, "selection": selection}]});
    assert_eq!(lifecycle::threat(&policy.to_string(), &[tag]), None);
}
