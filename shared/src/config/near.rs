//! The near miss: what was probably meant.

/// What is longer is no name; to compare two texts costs the product of their lengths.
const LONGEST_NAME: usize = 255;

/// The candidate that is most like `name`, or none if nothing is like it.
///
/// `live-crons` is near `live_crons`, `clster` is near `cluster`; `web` is near nothing of these.
pub(super) fn miss<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let may_be_one = |text: &str| text.len() <= LONGEST_NAME;
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name && may_be_one(candidate) && may_be_one(name))
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= tolerance(name, candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

fn distance(a: &str, b: &str) -> usize {
    if plain(a) == plain(b) {
        0
    } else {
        strsim::osa_distance(&a.to_lowercase(), &b.to_lowercase())
    }
}

/// One slip in three letters, and never more than three: beyond that people see no likeness.
fn tolerance(a: &str, b: &str) -> usize {
    (a.chars().count().max(b.chars().count()) / 3).min(3)
}

/// A name without `-`, `_`, `.`, `/` and capitals: what people confuse is the same here.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_' | '.' | '/')).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_found_and_a_far_one_is_not() {
        for (name, candidates, expected) in [
            ("live-crons", &["uat", "live_crons", "dev_crons"][..], Some("live_crons")),
            ("clster", &["cluster", "images"], Some("cluster")),
            ("ragg", &["Rag", "Billing-Payments"], Some("Rag")),
            ("web", &["api", "gateway"], None),
            ("cluster", &["cluster"], None),
            ("", &["a"], None),
            (&"a".repeat(300), &["a".repeat(299).as_str()], None),
        ] {
            assert_eq!(miss(name, candidates.iter().copied()), expected, "{name}");
        }
    }
}
