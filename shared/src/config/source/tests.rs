use serde_json::json;

use super::*;

fn value(text: &str) -> Value {
    let (source, mistakes) = Source::read(text).unwrap();
    assert_eq!(mistakes, [], "{text}");
    source.value
}

fn refusal(text: &str) -> String {
    let Mistake { place: Place { line, column }, message, .. } = Source::read(text).unwrap_err();
    format!("{line}:{column}: {message}")
}

#[test]
fn plain_scalars_mean_what_they_look_like() {
    for (text, expected) in [
        ("Rag", json!("Rag")),
        ("'12'", json!("12")),
        ("\"true\"", json!("true")),
        ("12", json!(12)),
        ("-3", json!(-3)),
        ("0x1f", json!(31)),
        ("1.10", json!(1.1)),
        ("12e4567890", json!(null)),
        ("true", json!(true)),
        ("yes", json!("yes")),
        ("~", json!(null)),
        ("1.2.3", json!("1.2.3")),
        ("15m", json!("15m")),
        (".", json!(".")),
        ("-", json!([null])),
        ("123456789012345678901234567890", json!(123_456_789_012_345_678_901_234_567_890_f64)),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn every_value_knows_where_it_stands() {
    let (source, _) = Source::read("a:\n  b: [x, {c: 1}]\n").unwrap();
    let c = Path::of(&["a", "b"]).index(1).key("c");
    assert_eq!(c.to_string(), "a.b[1].c");
    assert_eq!(source.key_at(&c), Place { line: 2, column: 11 });
    assert_eq!(source.value_at(&c), Place { line: 2, column: 14 });
    let absent = Path::of(&["a", "z"]);
    assert_eq!(source.value_at(&absent), source.key_at(&Path::of(&["a"])), "where it should be");
}

#[test]
fn aliases_and_merges_are_written_out() {
    assert_eq!(value("a: &x [1]\nb: *x\n"), json!({"a": [1], "b": [1]}));
    assert_eq!(
        value("x-base: &base {a: 1, b: 2}\nc: {<<: *base, b: 3}\n"),
        json!({"c": {"a": 1, "b": 3}}),
    );
    assert_eq!(
        value("c: {<<: [{a: 1}, {a: 2, <<: {b: 3}}]}\n'<<': kept\n"),
        json!({"c": {"a": 1, "b": 3}, "<<": "kept"}),
    );
}

#[test]
fn keys_that_begin_with_x_are_left_out_everywhere() {
    assert_eq!(value("a: {x-note: 1, y: 2}\nx-b: [1]\n"), json!({"a": {"y": 2}}));
}

#[test]
fn a_key_that_stands_twice_is_a_mistake_beside_the_rest() {
    let (source, mistakes) = Source::read("a: 1\nb:\n  c: 1\n  c: 2\n").unwrap();
    assert_eq!(source.value, json!({"a": 1, "b": {"c": 1}}));
    let [Mistake { place, path, message }] = &mistakes[..] else { panic!("{mistakes:?}") };
    assert_eq!(*place, Place { line: 4, column: 3 });
    assert_eq!(path.to_string(), "b.c");
    assert_eq!(message, "the same key stands in line 3 already");
}

#[test]
fn what_is_no_single_plain_document_is_refused() {
    for (text, expected) in [
        ("a: 1\n---\nb: 2\n", "2:1: a second document begins; a file holds one"),
        ("a: !Ref b\n", "1:4: the YAML tag `!Ref` means nothing here"),
        ("? [a]\n: b\n", "1:3: a key must be text, without anchor or tag"),
        ("a: &a [*a]\n", "1:8: this alias stands inside of what it stands for"),
        ("a: {<<: 1}\n", "1:9: `<<` merges keys and values, this is neither"),
    ] {
        assert_eq!(refusal(text), expected, "{text}");
    }
    for text in ["a: *nobody\n", "a: [1\n", "a: b: c\n", "a: 'x\n", "%\n", "a:\n- 1\nb\n"] {
        assert!(refusal(text).contains("this is not YAML: "), "{text}");
    }
}

#[test]
fn a_text_that_would_grow_without_bound_is_refused() {
    let laughs = (1..12).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        let alias = format!("*a{}", n - 1);
        text + &format!("a{n}: &a{n} [{}]\n", [alias.as_str(); 9].join(", "))
    });
    assert!(refusal(&laughs).contains("more than 50000 values"));
    let merges = (1..40).fold("a0: &a0 {k: 1}\n".to_owned(), |text, n| {
        text + &format!("a{n}: &a{n} {{<<: [*a{0}, *a{0}, *a{0}]}}\n", n - 1)
    });
    assert!(refusal(&merges).contains("more than 50000 values"));
    assert!(refusal(&"[".repeat(100)).contains("deeper than 32 levels"));
    assert!(refusal(&"[".repeat(200_000)).contains("this is not YAML"));
    assert!(refusal(&"a: ".repeat(200_000)).contains("larger than 256 KiB"));
}
