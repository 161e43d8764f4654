//! What an ECR lifecycle policy would do to an image that a rollback needs.

use std::fmt;

use serde_json::{Value, json};

use crate::marks::KEEP_TAG;

/// "All of them", as rules say it: no repository holds as many kept images.
const KEEP_COUNT: u32 = 9999;

/// What a policy would do to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threat {
    /// Which rule, and what it does.
    pub does: String,
    /// What prevents it: a rule to add, as JSON.
    pub keeps: String,
}

impl fmt::Display for Threat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.does, self.keeps)
    }
}

/// Says which rule of `policy` (the policy's text) would take an image with these tags, and the rule
/// that prevents it; `None` when nothing would.
///
/// ECR gives an image to the first rule, by priority, that selects it; no later one may take it. So a
/// rule that selects keep tags by name protects, and the first other one that matches is the threat.
pub fn threat(policy: &str, tags: &[String]) -> Option<Threat> {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        let does = "its lifecycle policy cannot be read".to_owned();
        return Some(Threat { does, keeps: "check that it keeps this image".to_owned() });
    };
    let mut rules: Vec<&Value> = policy["rules"].as_array()?.iter().collect();
    rules.sort_by_key(|rule| priority(rule));
    let rule = rules.iter().find(|rule| selects(rule, tags))?;
    if selects_keep_tags(rule) {
        return None;
    }
    let taken: Vec<u64> = rules.iter().map(|rule| priority(rule)).collect();
    let (number, others) = match (1..priority(rule)).rev().find(|free| !taken.contains(free)) {
        Some(free) => (free, ""),
        None => (1, " and number the other rules after it"),
    };
    let (priority, described, does) = (priority(rule), described(rule), what_it_does(rule));
    Some(Threat {
        does: format!("lifecycle rule {priority}{described} {does}"),
        keeps: format!("add this rule{others}: {}", keep_rule(number)),
    })
}

fn priority(rule: &Value) -> u64 {
    rule["rulePriority"].as_u64().unwrap_or(u64::MAX)
}

fn selects(rule: &Value, tags: &[String]) -> bool {
    match rule["selection"]["tagStatus"].as_str() {
        Some("any") => true,
        Some("untagged") => tags.is_empty(),
        // An image must have a tag for each entry.
        Some("tagged") => {
            let mut patterns = patterns(rule).peekable();
            patterns.peek().is_some()
                && patterns.all(|pattern| tags.iter().any(|tag| matches(&pattern, tag)))
        }
        _ => false,
    }
}

fn selects_keep_tags(rule: &Value) -> bool {
    patterns(rule).all(|pattern| pattern.starts_with(KEEP_TAG)) && patterns(rule).next().is_some()
}

/// A prefix is the pattern that ends in `*`.
fn patterns(rule: &Value) -> impl Iterator<Item = String> + '_ {
    let list = |name: &str| rule["selection"][name].as_array().into_iter().flatten();
    let prefixes = list("tagPrefixList").filter_map(Value::as_str).map(|text| format!("{text}*"));
    prefixes.chain(list("tagPatternList").filter_map(Value::as_str).map(str::to_owned))
}

/// `*` stands for any text, also none.
fn matches(pattern: &str, tag: &str) -> bool {
    let mut pieces = pattern.split('*').peekable();
    let Some(mut rest) = pieces.next().and_then(|head| tag.strip_prefix(head)) else {
        return false;
    };
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        // The first place leaves the most for what follows.
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.is_empty()
}

fn described(rule: &Value) -> String {
    let description = rule["description"].as_str().unwrap_or_default();
    if description.is_empty() { String::new() } else { format!(" ({description})") }
}

fn what_it_does(rule: &Value) -> String {
    let does = match rule["action"]["type"].as_str() {
        Some("expire") | None => "deletes it",
        Some(_) => "archives it, and archived images cannot be pulled,",
    };
    let count = &rule["selection"]["countNumber"];
    match rule["selection"]["countType"].as_str() {
        Some("imageCountMoreThan") => format!("{does} once {count} newer images are there"),
        Some("sinceImagePushed") => format!("{does} {count} days after its push"),
        Some("sinceImagePulled") => format!("{does} {count} days after its last pull"),
        other => format!("{does} by {} {count}", other.unwrap_or("an unknown count")),
    }
}

fn keep_rule(priority: u64) -> Value {
    json!({
        "rulePriority": priority,
        "description": "what Tidegate may have to roll back to",
        "selection": {
            "tagStatus": "tagged",
            "tagPatternList": [format!("{KEEP_TAG}*")],
            "countType": "imageCountMoreThan",
            "countNumber": KEEP_COUNT,
        },
        "action": { "type": "expire" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(priority: u64, selection: &Value) -> Value {
        let mut rule = json!({
            "rulePriority": priority,
            "selection": {"countType": "imageCountMoreThan", "countNumber": 50},
            "action": {"type": "expire"},
        });
        for (name, value) in selection.as_object().unwrap() {
            rule["selection"][name] = value.clone();
        }
        rule
    }

    fn judged(rules: &[Value], tags: &[&str]) -> Option<String> {
        let tags: Vec<_> = tags.iter().map(|&tag| tag.to_owned()).collect();
        threat(&json!({ "rules": rules }).to_string(), &tags).map(|threat| threat.to_string())
    }

    const KEEP: &str = "tidegate-keep-0123456789abcdef";

    #[test]
    fn a_count_over_all_images_is_said_with_the_rule_that_prevents_it() {
        let rules = [rule(10, &json!({"tagStatus": "any"}))];
        let said = judged(&rules, &["uapi", KEEP]).unwrap();
        assert!(said.starts_with("lifecycle rule 10 deletes it once 50 newer images"), "{said}");
        let added: Value = serde_json::from_str(&said[said.find('{').unwrap()..]).unwrap();
        assert_eq!(added["rulePriority"], 9);
        assert_eq!(judged(&[added, rules[0].clone()], &["uapi", KEEP]), None);
    }

    #[test]
    fn untagged_rules_do_not_reach_a_kept_image() {
        let rules = [rule(1, &json!({"tagStatus": "untagged"}))];
        assert_eq!(judged(&rules, &[KEEP]), None);
        assert!(judged(&rules, &[]).is_some());
        assert_eq!(judged(&[], &[]), None);
    }

    #[test]
    fn the_first_rule_that_selects_it_decides() {
        let old = json!({"tagStatus": "tagged", "tagPrefixList": ["prod"],
            "countType": "sinceImagePushed", "countNumber": 14});
        let rules = [rule(2, &json!({"tagStatus": "any"})), rule(1, &old)];
        let said = judged(&rules, &["prod-1", KEEP]).unwrap();
        assert!(said.contains("rule 1 deletes it 14 days after its push"), "{said}");
        assert!(said.contains("and number the other rules after it"), "{said}");
        assert!(judged(&rules, &["dev-1"]).unwrap().contains("rule 2"));
    }

    #[test]
    fn every_entry_of_a_rule_must_be_met() {
        let both = json!({"tagStatus": "tagged", "tagPatternList": ["prod*", "*-x86"]});
        assert!(judged(&[rule(1, &both)], &["prod-1", "a-x86"]).is_some());
        assert!(judged(&[rule(1, &both)], &["prod-x86"]).is_some());
        assert_eq!(judged(&[rule(1, &both)], &["prod-1"]), None);
        assert_eq!(judged(&[rule(1, &json!({"tagStatus": "tagged"}))], &["prod-1"]), None);
    }

    #[test]
    fn patterns_match_like_ecrs() {
        for (pattern, tag, expected) in [
            ("*", "", true),
            ("prod*", "prod", true),
            ("*prod*", "a-prod-b", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false),
            ("prod", "prod-1", false),
        ] {
            assert_eq!(matches(pattern, tag), expected, "{pattern} {tag}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(threat("not json", &[]).unwrap().does.contains("cannot be read"));
    }
}
