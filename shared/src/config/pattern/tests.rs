use super::*;

fn pattern(text: &str) -> TagPattern {
    text.parse().unwrap()
}

#[test]
fn a_tag_matches_or_does_not() {
    let sha64 = "a".repeat(64);
    for (say, form, tag, expected) in [
        ("a literal is itself", "uapi", "uapi", true),
        ("a literal is nothing longer", "uapi", "uapi2", false),
        ("a literal is nothing shorter", "uapi", "uap", false),
        ("case counts", "uapi", "UAPI", false),
        ("seven hex digits are a sha", "prod-{sha}", "prod-1f3a9c7", true),
        ("six are not", "prod-{sha}", "prod-1f3a9c", false),
        ("64 are", "{sha}", &sha64, true),
        ("65 are not", "{sha}", &format!("{sha64}a"), false),
        ("upper-case hex is no git sha", "{sha}", "ABCDEF0", false),
        ("a placeholder stands anywhere", "a-{sha}-b", "a-1234567-b", true),
        ("what follows it counts", "a-{sha}-b", "a-1234567-c", false),
        ("a sha gives back what the text after it needs", "{sha}bad", "1234567bad", true),
        ("a star is any text", "build-*", "build-77.x", true),
        ("a star may be nothing", "build-*", "build-", true),
        ("a star in the middle", "a*z", "abcz", true),
        ("a star alone is every tag", "*", "latest", true),
        ("Tidegate's keep tags match nothing", "*", "tidegate-keep-0123456789abcdef", false),
        ("ECR takes no such tag", "*", "a/b", false),
        ("nor an empty one", "*", "", false),
        ("nor one beginning with a dot", "*", ".a", false),
        ("nor one of 129 characters", "*", &"a".repeat(129), false),
        ("numbers with dots are a version", "r{version}", "r2024.11.3", true),
        ("one number is a version", "r{version}", "r7", true),
        ("a dot at the end is none", "r{version}", "r7.", false),
        ("three numbers are a semver", "v{semver}", "v1.10.0", true),
        ("two are not", "v{semver}", "v1.10", false),
        ("four are not", "v{semver}", "v1.10.0.1", false),
        ("a pre-release is one", "v{semver}", "v1.10.0-rc.1", true),
        ("an empty identifier is none", "v{semver}", "v1.10.0-", false),
        ("a leading zero is none", "v{semver}", "v1.010.0", false),
    ] {
        assert_eq!(pattern(form).matches(tag).is_some(), expected, "{say}: {form} {tag}");
    }
}

#[test]
fn placeholders_are_captured_by_name() {
    let captures = pattern("prod-{sha}-v{semver}*").matches("prod-1f3a9c7-v1.2.3-rc.1").unwrap();
    assert_eq!(captures.get(Placeholder::Sha), Some("1f3a9c7"));
    assert_eq!(captures.get(Placeholder::Semver), Some("1.2.3-rc.1"));
    assert_eq!(captures.get(Placeholder::Version), None);
    assert_eq!(captures.semver(), Some("1.2.3-rc.1".parse().unwrap()));
    assert_eq!(pattern("uapi").matches("uapi").unwrap(), Captures::default());
}

#[test]
fn each_part_takes_as_much_as_it_can() {
    let captures = pattern("{sha}{version}").matches("12345678").unwrap();
    assert_eq!(captures.get(Placeholder::Sha), Some("1234567"));
    assert_eq!(captures.get(Placeholder::Version), Some("8"));
}

#[test]
fn a_pattern_knows_its_kind() {
    for (form, literal, by_version) in
        [("uapi", true, false), ("prod-{sha}", false, false), ("v{semver}", false, true)]
    {
        assert_eq!(pattern(form).is_literal(), literal, "{form}");
        assert_eq!(pattern(form).orders_by_version(), by_version, "{form}");
    }
    for (form, tag, names) in [
        ("live", "live", false),
        ("*", "live", false),
        ("prod-{sha}", "prod-1a2b3c4", true),
        ("prod-{sha}", "live", false),
        ("v{semver}", "v1.2.3", true),
    ] {
        assert_eq!(pattern(form).names_a_build(tag), names, "{form}: {tag}");
    }
}

#[test]
fn what_is_no_pattern_is_refused_with_its_reason() {
    for (form, reason) in [
        ("", "it is empty"),
        ("prod-{sha", "`{` is not closed by `}`"),
        ("prod-{shaa}", "`{shaa}` is unknown; did you mean `{sha}`?"),
        ("{date}", "`{date}` is unknown; known are {sha}, {version}, {semver}"),
        ("{sha}-{sha}", "`{sha}` stands in it twice"),
        ("a b", "` ` cannot stand in a tag; letters, digits, `_`, `.` and `-` can"),
        ("prod-}", "`}` cannot stand in a tag; letters, digits, `_`, `.` and `-` can"),
        ("é", "`é` cannot stand in a tag; letters, digits, `_`, `.` and `-` can"),
        ("-a", "a tag begins with a letter, a digit or `_`"),
        ("tidegate-x", "tags beginning `tidegate-` are Tidegate's own"),
        ("a*b*c*d*e*f", "it has more than 4 wildcards"),
        (&"a".repeat(129), "no tag is longer than 128 characters"),
    ] {
        assert_eq!(form.parse::<TagPattern>().unwrap_err().reason, reason, "{form}");
    }
}

#[test]
fn what_is_printed_is_parsed_back() {
    for form in ["uapi", "prod-{sha}", "v{semver}", "*", "a*{version}-x"] {
        assert_eq!(pattern(form).to_string(), form);
        let json = serde_json::to_string(&pattern(form)).unwrap();
        assert_eq!(serde_json::from_str::<TagPattern>(&json).unwrap(), pattern(form));
    }
}

#[test]
fn patterns_overlap_when_one_tag_matches_both() {
    for (a, b, expected) in [
        ("uapi", "uapi", true),
        ("uapi", "dapi", false),
        ("uapp-{sha}", "uapi", false),
        ("prod-{sha}", "prod-*", true),
        ("prod-{sha}", "staging-*", false),
        ("{sha}", "1234567", true),
        ("{sha}", "latest", false),
        ("{sha}", "{semver}", false),
        ("{version}", "{semver}", true),
        ("{version}", "{sha}", true),
        ("*a", "b*", true),
        ("*-x", "*-y", false),
        ("*", "uapi", true),
    ] {
        assert_eq!(pattern(a).overlaps(&pattern(b)), expected, "{a} and {b}");
        assert_eq!(pattern(b).overlaps(&pattern(a)), expected, "{b} and {a}");
    }
}

#[test]
fn versions_are_in_their_order() {
    // The example of semver.org's rule 11, and numbers beyond 64 bits.
    let ordered = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.9.0",
        "1.10.0",
        "2.0.0",
        "99999999999999999999999.0.0",
    ];
    for pair in ordered.windows(2) {
        let [a, b] = [pair[0], pair[1]].map(|text| text.parse::<Version>().unwrap());
        assert!(a < b, "{a} < {b}");
    }
    for text in ordered {
        assert_eq!(text.parse::<Version>().unwrap().to_string(), text);
    }
    for text in ["", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.3-", "01.2.3", "1.2.3+build"] {
        assert!(text.parse::<Version>().is_err(), "{text}");
    }
}

#[test]
fn the_longest_match_is_quick_whatever_the_pattern() {
    let form = pattern("*a*b*{sha}*");
    let tag = format!("{}!", "ab".repeat(63));
    for _ in 0..100 {
        assert!(form.matches(&tag).is_none());
        assert!(form.matches(&"ab".repeat(63)).is_some());
    }
}

#[test]
fn a_value_is_one_tag_where_only_text_stands_beside_it() {
    for (pattern, placeholder, value, expected) in [
        ("prod-{sha}", Placeholder::Sha, "1a2b3c4", Some("prod-1a2b3c4")),
        ("{sha}-arm", Placeholder::Sha, "1a2b3c4", Some("1a2b3c4-arm")),
        ("v{semver}", Placeholder::Semver, "1.2.3", Some("v1.2.3")),
        ("prod-{sha}", Placeholder::Version, "1", None),
        ("*-{sha}", Placeholder::Sha, "1a2b3c4", None),
        ("{version}-{sha}", Placeholder::Sha, "1a2b3c4", None),
        ("uapi", Placeholder::Sha, "1a2b3c4", None),
        // More hex digits than a sha of this pattern can have been captured with.
        ("{sha}abcdef0", Placeholder::Sha, "1a2", None),
    ] {
        let pattern: TagPattern = pattern.parse().unwrap();
        let tag = pattern.tag_with(placeholder, value);
        assert_eq!(tag.as_deref(), expected, "{pattern} {value}");
    }
}
