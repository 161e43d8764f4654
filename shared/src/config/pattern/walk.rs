//! Walks tags through the automata of a pattern's parts, all possible ways at once.

use std::collections::{BTreeMap, BTreeSet};

use super::part::{Part, Placeholder, State, begins_a_tag, is_tag_byte};
use super::{Captures, LONGEST_TAG};

/// A place in a pattern: which part, and the state of its automaton.
type Place = (usize, State);

/// A way that led to a place: where each placeholder began and ended.
#[derive(Clone, Default)]
struct Way {
    spans: BTreeMap<Placeholder, (usize, usize)>,
}

/// What the placeholders stand for in `tag`, each taking as much as it can from left to right.
///
/// The ways are kept in the order of preference and a place is entered once, so the work is at
/// most the tag's length times the pattern's places.
pub(super) fn captures(parts: &[Part], tag: &str) -> Option<Captures> {
    let mut ways = Ways::default();
    ways.enter(parts, (0, 0), Way::default(), 0);
    for (at, byte) in tag.bytes().enumerate() {
        let mut next = Ways::default();
        for ((part, state), way) in ways.ordered {
            if let Some(state) = parts.get(part).and_then(|part| part.step(state, byte)) {
                next.enter(parts, (part, state), way, at + 1);
            }
        }
        ways = next;
    }
    let (_, way) = ways.ordered.into_iter().find(|((part, _), _)| *part == parts.len())?;
    let taken = way.spans.into_iter().map(|(name, (from, to))| (name, tag[from..to].to_owned()));
    Some(Captures(taken.collect()))
}

/// The places reached by the same bytes, the preferred way first.
#[derive(Default)]
struct Ways {
    ordered: Vec<(Place, Way)>,
    seen: BTreeSet<Place>,
}

impl Ways {
    /// Enters a place, and where its part may end also the beginning of the next: staying in a
    /// part is preferred, which makes it take as much as it can.
    fn enter(&mut self, parts: &[Part], place: Place, mut way: Way, at: usize) {
        if !self.seen.insert(place) {
            return;
        }
        let (index, state) = place;
        let part = parts.get(index);
        if let Some(Part::Placeholder(name)) = part {
            way.spans.entry(*name).or_insert((at, at)).1 = at;
        }
        self.ordered.push((place, way.clone()));
        if part.is_some_and(|part| part.accepts(state)) {
            self.enter(parts, (index + 1, 0), way, at);
        }
    }
}

/// Whether some tag leads through both patterns.
pub(super) fn meet(a: &[Part], b: &[Part]) -> bool {
    let alphabet: Vec<u8> = (0..=u8::MAX).filter(|byte| is_tag_byte(*byte)).collect();
    let mut seen = BTreeSet::new();
    let mut reached = vec![((0, 0), (0, 0))];
    for length in 0..=LONGEST_TAG {
        let mut next = Vec::new();
        for (at_a, at_b) in reached {
            let (ends_a, ends_b) = (places(a, at_a), places(b, at_b));
            let at_end = |(part, _): &Place, parts: &[Part]| *part == parts.len();
            if length > 0
                && ends_a.iter().any(|place| at_end(place, a))
                && ends_b.iter().any(|place| at_end(place, b))
            {
                return true;
            }
            for byte in alphabet.iter().filter(|byte| length > 0 || begins_a_tag(**byte)) {
                for to_a in ends_a.iter().filter_map(|place| step(a, *place, *byte)) {
                    for to_b in ends_b.iter().filter_map(|place| step(b, *place, *byte)) {
                        if seen.insert((to_a, to_b)) {
                            next.push((to_a, to_b));
                        }
                    }
                }
            }
        }
        reached = next;
    }
    false
}

/// A place and the beginnings of the parts that may follow it without another byte.
fn places(parts: &[Part], (mut index, mut state): Place) -> Vec<Place> {
    let mut found = vec![(index, state)];
    while parts.get(index).is_some_and(|part| part.accepts(state)) {
        (index, state) = (index + 1, 0);
        found.push((index, state));
    }
    found
}

fn step(parts: &[Part], (index, state): Place, byte: u8) -> Option<Place> {
    parts.get(index)?.step(state, byte).map(|state| (index, state))
}
