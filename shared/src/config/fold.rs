//! Long lists of ARNs, made short with a `*`.

use std::collections::BTreeSet;

/// What the ARN of a task definition family ends with: every revision of it.
const ANY_REVISION: &str = ":*";

/// The ARNs in at most `most` bytes, commas included: those that begin alike are one, with a `*` where
/// they part, the longest common beginnings first. `None` where they fit as they are. However short it
/// must be, an ARN keeps its kind: `service/` and the like.
pub(super) fn fold(arns: &BTreeSet<String>, most: usize) -> Option<BTreeSet<String>> {
    if length(arns) <= most {
        return None;
    }
    let kind = |arn: &String| arn.find('/').map_or(arn.len(), |slash| slash + 1);
    let least = arns.iter().map(kind).max().unwrap_or_default();
    let longest = arns.iter().map(String::len).max().unwrap_or_default();
    let mut folded = (least..=longest).rev().map(|shared| alike(arns, shared));
    folded.find(|it| length(it) <= most).or_else(|| Some(alike(arns, least)))
}

/// As a parameter's value.
fn length(arns: &BTreeSet<String>) -> usize {
    arns.iter().map(|arn| arn.len() + 1).sum::<usize>().saturating_sub(1)
}

/// One for all that have their first `shared` bytes in common.
fn alike(arns: &BTreeSet<String>, shared: usize) -> BTreeSet<String> {
    // In the order of the stems: `mail:*` stands behind `mail-retry:*`, and `mail` before it.
    let stems: BTreeSet<&str> = arns.iter().map(|arn| stem(arn)).collect();
    let stems: Vec<&str> = stems.into_iter().collect();
    let groups =
        stems.chunk_by(|a, b| a.get(..shared).is_some_and(|own| b.get(..shared) == Some(own)));
    let ending = if arns.iter().all(|arn| arn.ends_with(ANY_REVISION)) { ANY_REVISION } else { "" };
    let one = |group: &[&str]| match group {
        [first, .., last] => format!("{}*{ending}", common(first, last)),
        single => format!("{}{ending}", single.concat()),
    };
    groups.map(one).collect()
}

/// An ARN without what stands for its revisions.
fn stem(arn: &str) -> &str {
    arn.strip_suffix(ANY_REVISION).unwrap_or(arn)
}

/// How both begin. In a sorted list, what its first and last have in common all have.
fn common<'a>(a: &'a str, b: &str) -> &'a str {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    a.get(..same).unwrap_or(a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(names: &[&str]) -> BTreeSet<String> {
        let arn = |name: &&str| format!("arn:aws:ecs:us-west-2:123456789012:service/{name}");
        names.iter().map(arn).collect()
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let both = services(&["crons/post-image", "crons/post-video"]);
        let long = both.iter().map(String::len).sum::<usize>() + 1;
        assert_eq!(fold(&both, long), None);
        assert_eq!(fold(&both, long - 1), Some(services(&["crons/post-*"])));
    }

    #[test]
    fn the_longest_common_beginnings_go_first() {
        let all = services(&["a/mail", "a/post-image", "a/post-video", "b/mail"]);
        let long = length(&all);
        let folded = services(&["a/mail", "a/post-*", "b/mail"]);
        assert_eq!(fold(&all, long - 1), Some(folded.clone()));
        assert_eq!(fold(&all, length(&folded) - 1), Some(services(&["a/*", "b/mail"])));
        assert_eq!(fold(&all, 1), Some(services(&["*"])));
    }

    #[test]
    fn one_that_another_begins_with_is_covered() {
        let both = services(&["crons/mail", "crons/mail-retry"]);
        assert_eq!(fold(&both, 60), Some(services(&["crons/mail*"])));
    }

    #[test]
    fn a_family_keeps_all_of_its_revisions() {
        let arn =
            |name: &str| format!("arn:aws:ecs:us-west-2:123456789012:task-definition/{name}:*");
        let both = ["post-image", "post-video"].map(arn).into();
        assert_eq!(fold(&both, 100), Some([arn("post-*")].into()));
        let three = ["mail-retry", "mail0", "mail"].map(arn).into();
        assert_eq!(fold(&three, 100), Some([arn("mail*")].into()));
    }
}
