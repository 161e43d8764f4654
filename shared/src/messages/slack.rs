//! The form of a Slack incoming webhook.
//!
//! Over a limit Slack answers `invalid_blocks` and shows nothing, so everything is cut to fit
//! after `&`, `<` and `>` are escaped: an escape is longer than what it stands for.

use serde_json::{Value, json};

use super::Notification;

/// Slack's limits: a header, a section's text, the blocks of a message.
const HEADER: usize = 150;
const SECTION: usize = 3000;
const BLOCKS: usize = 50;

/// The body to post.
pub fn slack(notification: &Notification) -> Value {
    let Notification { title, text, targets, commands, actor, id, .. } = notification;
    let at = notification.moment();
    let headline = format!("{} {title}", mark(notification));
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": super::limits::clip(&headline, HEADER) },
    })];
    blocks.extend(text.iter().map(|paragraph| section(&escape(paragraph, SECTION))));
    blocks.extend(fenced("Targets", targets));
    blocks.extend(fenced("To type", commands));
    if blocks.len() >= BLOCKS {
        blocks.truncate(BLOCKS - 2);
        blocks.push(section(&format!("… the rest: `tidegate show {}`", notification.release)));
    }
    let foot = escape(&format!("{at}, by {actor} · {id}"), SECTION);
    blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": foot }] }));
    json!({ "text": escape(&headline, SECTION), "blocks": blocks })
}

/// What a glance at a channel must tell.
fn mark(notification: &Notification) -> &'static str {
    match notification.severity {
        "critical" => "🔴",
        "warning" => "🟠",
        _ => "🟢",
    }
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
}

/// Lines to copy, in as many blocks as they need.
fn fenced(heading: &str, lines: &[String]) -> Vec<Value> {
    let frame = |body: &str| section(&format!("*{heading}*\n```{body}```"));
    let room = SECTION - heading.len() - "**\n``````".len();
    let mut blocks = Vec::new();
    let mut body = String::new();
    for line in lines {
        // A fence in the text would end ours.
        let line = escape(&line.replace("```", "'''"), room);
        if !body.is_empty() && body.chars().count() + 1 + line.chars().count() > room {
            blocks.push(frame(&body));
            body.clear();
        }
        if !body.is_empty() {
            body.push('\n');
        }
        body.push_str(&line);
    }
    if !body.is_empty() {
        blocks.push(frame(&body));
    }
    blocks
}

/// Escaped for mrkdwn, and at most `most` characters long; never cut inside an escape.
fn escape(text: &str, most: usize) -> String {
    let mut escaped = String::new();
    let mut length = 0;
    for c in text.chars() {
        let entity = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => "",
        };
        length += entity.len().max(1);
        if length >= most {
            escaped.push('…');
            break;
        }
        if entity.is_empty() {
            escaped.push(c);
        } else {
            escaped.push_str(entity);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_and_never_cut_in_two() {
        assert_eq!(escape("a < b && <!channel>", 99), "a &lt; b &amp;&amp; &lt;!channel&gt;");
        assert_eq!(escape("ab&", 4), "ab…");
        assert_eq!(escape("abc", 4), "abc");
    }

    #[test]
    fn a_long_list_is_spread_over_blocks_within_the_limit() {
        let lines: Vec<String> = (0..100).map(|n| format!("{n}: {}", "&".repeat(100))).collect();
        let blocks = fenced("Targets", &lines);
        assert!(blocks.len() > 1);
        for block in blocks {
            assert!(block["text"]["text"].as_str().unwrap().chars().count() <= SECTION);
        }
    }
}
