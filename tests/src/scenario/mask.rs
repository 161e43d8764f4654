//! Covers what differs for no reason that a reader cares about: times and digests.

use std::collections::{BTreeMap, BTreeSet};

use crate::Stage;

/// The shortest form of a digest that anybody prints, and the longest.
const DIGITS: std::ops::RangeInclusive<usize> = 12..=64;

/// The digests of a world, each with a letter that stays its own in all of its forms.
#[derive(Debug)]
pub(super) struct Mask {
    letters: BTreeMap<String, char>,
}

impl Mask {
    /// Names the images of `stage` in the order in which `text` speaks of them.
    pub(super) fn of(stage: &Stage, text: &str) -> Self {
        let repositories: BTreeSet<_> = stage
            .pipelines
            .iter()
            .flat_map(|pipeline| pipeline.images.values().map(|image| image.repository.clone()))
            .collect();
        let digests: Vec<String> = stage.twin.world.look(|cloud| {
            let found = repositories.iter().flat_map(|name| cloud.ecr.repositories(name));
            let images = found.flat_map(|repository| repository.images.values());
            images.map(|image| image.digest.replace("sha256:", "")).collect()
        });
        let place = |digits: &String| text.find(&digits[..*DIGITS.start()]);
        let mut spoken_of: Vec<_> =
            digests.into_iter().filter_map(|digits| Some((place(&digits)?, digits))).collect();
        spoken_of.sort();
        // A copy in another registry is the same image.
        spoken_of.dedup();
        Self { letters: spoken_of.into_iter().map(|(_, digits)| digits).zip('A'..).collect() }
    }

    /// `text` with each digest as its letter, each time as `<time>` and each span as `<span>`; what
    /// was typed stays.
    pub(super) fn cover(&self, text: &str) -> String {
        let lines = text
            .split_inclusive('\n')
            .map(|line| if line.starts_with("$ ") { line.to_owned() } else { self.line(line) });
        lines.collect()
    }

    fn line(&self, line: &str) -> String {
        let (mut covered, mut rest) = (String::new(), line);
        while let Some(next) = rest.chars().next() {
            let in_word = covered.ends_with(|c: char| c.is_ascii_alphanumeric());
            let found = if in_word { None } else { self.found(rest) };
            let (cover, length) = found.unwrap_or((next.to_string(), next.len_utf8()));
            covered += &cover;
            rest = &rest[length..];
        }
        covered
    }

    /// What covers the beginning of `text`, and how much of it.
    fn found(&self, text: &str) -> Option<(String, usize)> {
        let time = || Some(("<time>".to_owned(), length_of_time(text)?));
        let span = || Some(("<span>".to_owned(), length_of_span(text)?));
        self.digest(text).or_else(time).or_else(span)
    }

    fn digest(&self, text: &str) -> Option<(String, usize)> {
        let word = word(text);
        let mut known = self.letters.iter().filter(|(digest, _)| digest.starts_with(word));
        let (_, letter) = known.next().filter(|_| DIGITS.contains(&word.len()))?;
        Some((format!("<{letter}>"), word.len()))
    }
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
}

/// `2026-11-21T09:00:00.123Z`, or `2026-11-21 09:00:00Z`.
fn length_of_time(text: &str) -> Option<usize> {
    const FORM: &str = "dddd-dd-ddTdd:dd:dd";
    let time = text.get(..FORM.len())?;
    let is_time = time.bytes().zip(FORM.bytes()).all(|(found, form)| match form {
        b'd' => found.is_ascii_digit(),
        b'T' => matches!(found, b'T' | b' '),
        other => found == other,
    });
    let rest = &text[FORM.len()..];
    let fraction = rest.find(|c: char| c != '.' && !c.is_ascii_digit());
    let zone = fraction.filter(|_| is_time).filter(|at| rest[*at..].starts_with('Z'))?;
    Some(FORM.len() + zone + 1)
}

/// `2 s`, `6 min`: how long something took.
fn length_of_span(text: &str) -> Option<usize> {
    let number = word(text);
    let unit = word(text.strip_prefix(number)?.strip_prefix(' ')?);
    let is_span = number.bytes().all(|byte| byte.is_ascii_digit()) && matches!(unit, "s" | "min");
    (is_span && !number.is_empty()).then_some(number.len() + 1 + unit.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_digests_are_covered_and_nothing_else() {
        let digest = "1f3a9c7d".repeat(8);
        let mask = Mask { letters: [(digest.clone(), 'B')].into() };
        let text = format!(
            "$ wait 15 s for sha256:{digest}\n\
             at 2026-11-21T09:00:00.5Z (2026-11-21 09:00:00Z), 2 s. sha256:{digest}, {}\n\
             1f3a9c7d, 0f9de17a64654, 3 services, Rag:2 s3, x{digest}\n",
            &digest[..12],
        );
        let covered = format!(
            "$ wait 15 s for sha256:{digest}\n\
             at <time> (<time>), <span>. sha256:<B>, <B>\n\
             1f3a9c7d, 0f9de17a64654, 3 services, Rag:2 s3, x{digest}\n",
        );
        assert_eq!(mask.cover(&text), covered);
    }
}
