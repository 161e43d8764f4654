//! The form of a Microsoft Teams workflow: an Adaptive Card.
//!
//! Text goes into text runs, which know no markup: nothing in AWS's words can become a link.

use serde_json::{Value, json};

use super::Notification;

/// Workflows refuse messages above about 28 KB; the card's frame takes its part.
const BODY: usize = 24_000;

/// How a line looks.
#[derive(Clone, Copy)]
enum Style {
    Title(&'static str),
    Heading,
    Plain,
    Code,
    Foot,
}

/// The body to post.
pub fn teams(notification: &Notification) -> Value {
    let mut size = 0;
    let mut body = Vec::new();
    for (style, line) in lines(notification) {
        let block = block(style, &line);
        size += block.to_string().len();
        if size > BODY {
            let rest = format!("… the rest: tidegate show {}", notification.release);
            body.push(self::block(Style::Code, &rest));
            break;
        }
        body.push(block);
    }
    message(&body)
}

/// The smallest message of this form.
pub(crate) fn teams_words(text: &str) -> Value {
    message(&[block(Style::Plain, text)])
}

fn message(body: &[Value]) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
            },
        }],
    })
}

fn lines(notification: &Notification) -> Vec<(Style, String)> {
    let Notification { severity, title, text, targets, commands, actor, id, .. } = notification;
    let at = notification.moment();
    let colour = match *severity {
        "critical" => "Attention",
        "warning" => "Warning",
        _ => "Good",
    };
    let mut lines = vec![(Style::Title(colour), title.clone())];
    // A run shows a line break as a space, so each line is its own block.
    lines.extend(text.iter().flat_map(|p| p.lines()).map(|l| (Style::Plain, l.to_owned())));
    for (heading, list) in [("Targets", targets), ("To type", commands)] {
        if !list.is_empty() {
            lines.push((Style::Heading, heading.to_owned()));
            lines.extend(list.iter().map(|line| (Style::Code, line.clone())));
        }
    }
    lines.push((Style::Foot, format!("{at}, by {actor} · {id}")));
    lines
}

fn block(style: Style, text: &str) -> Value {
    let mut run = json!({ "type": "TextRun", "text": text });
    let looks = match style {
        Style::Title(colour) => vec![("weight", "Bolder"), ("size", "Medium"), ("color", colour)],
        Style::Heading => vec![("weight", "Bolder")],
        Style::Plain => vec![],
        Style::Code => vec![("fontType", "Monospace")],
        Style::Foot => vec![("size", "Small")],
    };
    for (name, look) in looks {
        run[name] = look.into();
    }
    let spacing = if matches!(style, Style::Code) { "None" } else { "Default" };
    json!({ "type": "RichTextBlock", "spacing": spacing, "inlines": [run] })
}
