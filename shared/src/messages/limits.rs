//! How long things may be, so that no channel refuses a message or shows nothing of it.

/// Slack and Teams refuse a message that is too long instead of cutting it, and e-mail gets
/// unreadable long before its limit: a notice is bounded once, before any channel sees it.
/// 12 paragraphs of 2,000 characters, 100 lines of 200 and 20 of 500 stay below half of SNS's
/// 256 KiB, of which e-mail and JSON each take a part.
pub(super) const PARAGRAPHS: usize = 12;
pub(super) const PARAGRAPH: usize = 2000;
pub(super) const TARGETS: usize = 100;
pub(super) const TARGET: usize = 200;
pub(super) const EVIDENCE: usize = 20;
pub(super) const LINE: usize = 500;
pub(super) const TITLE: usize = 250;

/// `text`, cut to at most `most` characters; a cut is shown.
pub(super) fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// At most `most` lines, each clipped; what is left out is counted.
pub(super) fn clip_all(lines: &[String], most: usize, each: usize) -> Vec<String> {
    let shown = if lines.len() <= most { lines.len() } else { most.saturating_sub(1) };
    let mut kept: Vec<_> = lines[..shown].iter().map(|line| clip(line, each)).collect();
    if shown < lines.len() {
        kept.push(format!("… and {} more", lines.len() - shown));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_said() {
        assert_eq!(clip("grüße", 5), "grüße");
        assert_eq!(clip("grüßen", 5), "grüß…");
        let lines: Vec<String> = (1..=4).map(|n| n.to_string()).collect();
        assert_eq!(clip_all(&lines, 4, 9), ["1", "2", "3", "4"]);
        assert_eq!(clip_all(&lines, 3, 9), ["1", "2", "… and 2 more"]);
    }
}
