//! What the strings of the file must look like: one rule for each `format` that the schema names.

use super::{Period, TagPattern};

/// What a string of this format is, for "expected …".
pub(super) fn expected(format: &str) -> &'static str {
    match format {
        "account" => "an account id of twelve digits",
        "alarm-name" => "the name of an alarm, 255 characters at most",
        "ecs-name" => "a name of letters, digits, `-` and `_`, 255 at most",
        "external-id" => "2 to 1224 letters, digits and `+=,.@:/-_`",
        "image-name" => "a name of letters, digits, `-` and `_`, 64 at most",
        "period" => "a duration like `15m`",
        "pipeline-name" => "a name of lower-case letters, digits and `-`, 64 at most",
        "lightsail" => "a container service's name: lower-case letters, digits and `-`, 63 at most",
        "region" => "a region like `us-west-2`",
        "role-arn" => {
            "the ARN of an IAM role like `arn:aws:iam::123456789012:role/tidegate-target`"
        }
        "repository" => "a repository's name: lower-case letters, digits, `-`, `_`, `.` and `/`",
        "rule" => "a rule's name: letters, digits, `.`, `-` and `_`, 64 at most",
        "schedule" => {
            "a schedule's name, or `GROUP/NAME`: letters, digits, `.`, `-` and `_`, 64 at most"
        }
        "tag" => "a tag like `production-latest`",
        "tag-pattern" => "a tag or a pattern like `prod-{sha}`",
        "url" => super::url::EXPECTED,
        _ => "text",
    }
}

/// Refuses a region that Tidegate cannot work in, and says why.
pub fn check_region(region: &str) -> Result<(), String> {
    check("region", region)
}

/// Refuses a text that is not of this format, and says what was expected.
pub(super) fn check(format: &str, text: &str) -> Result<(), String> {
    let holds = match format {
        "period" => return text.parse::<Period>().map(drop).map_err(|error| error.to_string()),
        "tag-pattern" => {
            return text.parse::<TagPattern>().map(drop).map_err(|error| error.to_string());
        }
        "url" => return super::url::check(text),
        "alarm-name" => is_alarm(text),
        "account" => text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()),
        "ecs-name" => is_name(text, 255),
        "external-id" => is_external_id(text),
        "image-name" => is_name(text, 64),
        "pipeline-name" => {
            is_name(text, 64) && !text.contains('_') && text == text.to_ascii_lowercase()
        }
        "lightsail" => {
            is_name(text, 63) && !text.contains('_') && text == text.to_ascii_lowercase()
        }
        "region" => is_region(text),
        "rule" => is_dotted(text),
        "schedule" => {
            let (group, name) = text.split_once('/').unwrap_or(("default", text));
            is_dotted(group) && is_dotted(name)
        }
        "repository" => is_repository(text),
        "role-arn" => is_role(text),
        "tag" => text.parse::<TagPattern>().is_ok_and(|pattern| pattern.is_literal()),
        _ => true,
    };
    if holds { Ok(()) } else { Err(refusal(format, text)) }
}

fn refusal(format: &str, text: &str) -> String {
    let bare = match format {
        "ecs-name" | "rule" => text.strip_prefix("arn:").and_then(|arn| arn.rsplit('/').next()),
        "schedule" => {
            let named = text.split_once(":schedule/").map(|(_, name)| name);
            named.map(|name| name.strip_prefix("default/").unwrap_or(name))
        }
        "repository" => bare_repository(text),
        "alarm-name" => text.split_once(":alarm:").map(|(_, name)| name),
        "role-arn" => return not_a_role(text),
        "region" if is_elsewhere(text) => {
            return format!(
                "`{text}` is in a partition of its own (China, GovCloud, European Sovereign Cloud \
                 or an isolated one), which Tidegate does not support"
            );
        }
        _ => None,
    };
    match bare.filter(|bare| *bare != text && check(format, bare).is_ok()) {
        Some(bare) => format!("expected the name alone, `{bare}`, found `{text}`"),
        None => format!("expected {}, found `{text}`", expected(format)),
    }
}

/// `live_crons` out of `….dkr.ecr.us-west-2.amazonaws.com/live_crons:uapi`.
fn bare_repository(text: &str) -> Option<&str> {
    let path = match text.split_once('/') {
        Some((host, path)) if host.contains(".dkr.ecr.") => path,
        _ => text,
    };
    path.split(['@', ':']).next()
}

fn is_name(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The rule of EventBridge and of its Scheduler.
fn is_dotted(text: &str) -> bool {
    is_name(&text.replace('.', "-"), 64)
}

/// IAM's rule: `arn:aws:iam::ACCOUNT:role/PATH/NAME`, the name at most 64 characters.
fn is_role(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", "aws", "iam", "", account, role] = parts[..] else { return false };
    let Some(path) = role.strip_prefix("role/") else { return false };
    let name = path.rsplit('/').next().unwrap_or_default();
    let of_a_path = |byte: u8| byte.is_ascii_graphic() && byte != b'*';
    let of_a_name = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'+' | b'=' | b',' | b'.' | b'@' | b'_' | b'-')
    };
    check("account", account).is_ok()
        && (1..=64).contains(&name.len())
        && name.bytes().all(of_a_name)
        && path.bytes().all(of_a_path)
}

/// What STS calls who has taken a role on names the role, but not its path: a likely guess.
fn not_a_role(text: &str) -> String {
    let wanted = expected("role-arn");
    let guess = text.replacen(":sts::", ":iam::", 1).replacen(":assumed-role/", ":role/", 1);
    let guess = guess.rsplit_once('/').map(|(role, _session)| role);
    match guess.filter(|guess| text.contains(":assumed-role/") && is_role(guess)) {
        Some(role) => format!("expected {wanted}, found a session's ARN; did you mean `{role}`?"),
        None => format!("expected {wanted}, found `{text}`"),
    }
}

/// STS's rule.
fn is_external_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@:/-_".contains(&byte);
    (2..=1224).contains(&text.len()) && text.bytes().all(allowed)
}

/// CloudWatch's rule, but for what is plainly an ARN.
fn is_alarm(text: &str) -> bool {
    (1..=255).contains(&text.chars().count())
        && !text.starts_with("arn:")
        && !text.chars().any(char::is_control)
}

/// A region of AWS's own partition: `us-west-2`. ARNs and the names of registries are made for that
/// partition alone. The form is botocore's (`partitions.json` 1.43).
fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let [land, side, number] = words[..] else { return false };
    let lower = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    land.len() == 2
        && land != "cn"
        && lower(land)
        && lower(side)
        && number.len() == 1
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// A region of another partition, by what botocore's forms begin with.
fn is_elsewhere(text: &str) -> bool {
    let begins = ["cn-", "us-gov-", "us-iso", "eu-iso", "eusc-"];
    begins.iter().any(|begins| text.starts_with(begins))
}

/// ECR's rule: paths of words, each of runs of letters and digits with one `.`, `_` or `-` between.
fn is_repository(text: &str) -> bool {
    let run = |run: &str| {
        !run.is_empty()
            && run.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    // A registry's host has the form of a repository's first word, but is never meant as one.
    (2..=256).contains(&text.len())
        && !text.contains(".dkr.ecr.")
        && text.split(['/', '.', '_', '-']).all(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_or_not() {
        for (format, text, expected) in [
            ("account", "123456789012", true),
            ("account", "12345678901", false),
            ("ecs-name", "User_Specific-Content2", true),
            ("ecs-name", "a.b", false),
            ("ecs-name", "", false),
            ("ecs-name", &"a".repeat(256), false),
            ("pipeline-name", "someli-production", true),
            ("pipeline-name", "Someli", false),
            ("pipeline-name", "someli_production", false),
            ("pipeline-name", &"a".repeat(65), false),
            ("lightsail", "deml-apps", true),
            ("lightsail", "Deml", false),
            ("rule", "nightly.report", true),
            ("rule", "a/b", false),
            ("schedule", "nightly", true),
            ("schedule", "jobs/nightly", true),
            ("schedule", "jobs/", false),
            ("schedule", &"a".repeat(65), false),
            ("region", "us-west-2", true),
            ("region", "ap-southeast-2", true),
            ("region", "us-gov-east-1", false),
            ("region", "cn-north-1", false),
            ("region", "us-isob-east-1", false),
            ("region", "eusc-de-east-1", false),
            ("region", "us-west", false),
            ("region", "US-WEST-2", false),
            ("region", "west-2", false),
            ("repository", "zelly/fastify-nova", true),
            ("repository", "live_crons", true),
            ("repository", "Live_Crons", false),
            ("repository", "a", false),
            ("repository", "a//b", false),
            ("repository", "-ab", false),
            ("role-arn", "arn:aws:iam::123456789012:role/tidegate-target", true),
            ("role-arn", "arn:aws:iam::123456789012:role/teams/platform/tidegate", true),
            ("role-arn", "arn:aws-cn:iam::123456789012:role/tidegate", false),
            ("role-arn", "tidegate-target", false),
            ("role-arn", "arn:aws:iam::12345678901:role/tidegate", false),
            ("role-arn", "arn:aws:iam::123456789012:user/tidegate", false),
            ("role-arn", "arn:aws:iam::123456789012:role/tidegate*", false),
            ("role-arn", "arn:aws:iam::123456789012:role/", false),
            ("role-arn", &format!("arn:aws:iam::123456789012:role/{}", "a".repeat(65)), false),
            ("external-id", "zelly:staging/2026", true),
            ("external-id", "a", false),
            ("external-id", "two words", false),
            ("external-id", &"a".repeat(1225), false),
        ] {
            assert_eq!(check(format, text).is_ok(), expected, "{format} {text}");
        }
    }

    #[test]
    fn what_says_too_much_is_told_the_name_alone() {
        for (format, text, bare) in [
            ("ecs-name", "arn:aws:ecs:us-west-2:123456789012:service/live-crons/Rag", "Rag"),
            ("repository", "123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons", "live_crons"),
            (
                "schedule",
                "arn:aws:scheduler:us-west-2:123456789012:schedule/jobs/nightly",
                "jobs/nightly",
            ),
            ("repository", "live_crons:uapi", "live_crons"),
        ] {
            let message = check(format, text).unwrap_err();
            assert_eq!(message, format!("expected the name alone, `{bare}`, found `{text}`"));
        }
        let message = check("repository", "Live Crons").unwrap_err();
        assert_eq!(message, format!("expected {}, found `Live Crons`", expected("repository")));
    }

    #[test]
    fn every_format_of_the_schema_has_a_rule() {
        fn strings(schema: &serde_json::Value, formats: &mut Vec<String>) {
            let children: Vec<_> = match schema {
                serde_json::Value::Object(map) => map.values().collect(),
                serde_json::Value::Array(items) => items.iter().collect(),
                _ => Vec::new(),
            };
            if schema["type"] != "integer" && schema["format"].is_string() {
                formats.extend(schema["format"].as_str().map(str::to_owned));
            }
            for child in children {
                strings(child, formats);
            }
        }
        let mut formats = Vec::new();
        strings(&crate::config::schema(), &mut formats);
        assert!(formats.len() > 8, "{formats:?}");
        for format in formats {
            assert!(check(&format, "\0").is_err(), "{format} takes anything");
        }
    }
}
