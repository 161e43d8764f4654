//! What keeps many states small: parts that they share, and answers that are given once.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

/// A part of a state: shared between the states that have it, and hashed once.
pub(crate) struct Part<T>(Arc<(u64, T)>);

impl<T: Hash> Part<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new((hash(&value), value)))
    }

    /// The part with something changed in it.
    #[must_use]
    pub(crate) fn with(&self, change: impl FnOnce(&mut T)) -> Self
    where
        T: Clone,
    {
        let mut value = T::clone(self);
        change(&mut value);
        Self::new(value)
    }
}

impl<T> Deref for Part<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.1
    }
}

impl<T> Clone for Part<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: PartialEq> PartialEq for Part<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl<T: Eq> Eq for Part<T> {}

impl<T> Hash for Part<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.0.hash(state);
    }
}

impl<T: fmt::Debug> fmt::Debug for Part<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

/// Some kilobytes each; neighbouring states ask the same, and distant ones do not.
const MOST_ANSWERS: usize = 100_000;

/// What a pure function answered before: by the hash of what it was asked.
pub(crate) struct Memo<V>(Mutex<BTreeMap<u64, V>>);

impl<V: Clone> Memo<V> {
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    pub(crate) fn of(&self, asked: impl Hash, answer: impl FnOnce() -> V) -> V {
        let asked = hash(&asked);
        let known = self.0.lock().unwrap().get(&asked).cloned();
        known.unwrap_or_else(|| {
            let answer = answer();
            let mut known = self.0.lock().unwrap();
            if known.len() >= MOST_ANSWERS {
                known.clear();
            }
            known.insert(asked, answer.clone());
            answer
        })
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
