//! The file's text as a tree of values that knows where each of them stands.

mod scalar;
mod tree;

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::path::{Path, Place};
use tree::{Entry, Node, Tree};

/// The largest file that is read: a hundred times the largest that makes sense.
const MOST_BYTES: usize = 256 * 1024;
/// How deep values may stand in each other; the config's own form needs eight levels.
const MOST_LEVELS: usize = 32;
/// How many values a file may have once its aliases are written out: a few aliases of aliases
/// could otherwise stand for billions.
const MOST_VALUES: usize = 50_000;

/// A text that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source {
    /// Its values; keys that begin with `x-` are left out, aliases and merges are written out.
    pub(super) value: Value,
    spots: BTreeMap<Path, Spot>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Spot {
    key: Place,
    value: Place,
}

/// Something wrong with the text itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) place: Place,
    pub(super) path: Path,
    pub(super) message: String,
}

impl Mistake {
    fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, path: Path::default(), message: message.into() }
    }
}

impl Source {
    /// Reads YAML. Mistakes that leave no doubt about the rest come beside the source; with any
    /// other there is no source.
    pub(super) fn read(text: &str) -> Result<(Self, Vec<Mistake>), Mistake> {
        if text.len() > MOST_BYTES {
            let message = format!("the file is larger than {} KiB", MOST_BYTES / 1024);
            return Err(Mistake::new(Place { line: 1, column: 1 }, message));
        }
        let root = tree::read(text)?;
        let mut writing = Writing::default();
        let value = writing.value(&root, root.place, &Path::default())?;
        Ok((Self { value, spots: writing.spots }, writing.mistakes))
    }

    /// Where the key of a value stands; for what is not there, where it should be.
    pub(super) fn key_at(&self, path: &Path) -> Place {
        self.spot(path).key
    }

    /// Where a value stands; for what is not there, where it should be.
    pub(super) fn value_at(&self, path: &Path) -> Place {
        self.spot(path).value
    }

    /// Whether the file has a key there, whatever stands behind it.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.spots.contains_key(path)
    }

    fn spot(&self, path: &Path) -> Spot {
        let start = Place { line: 1, column: 1 };
        self.spots.get(path).copied().unwrap_or_else(|| {
            path.parent().map_or(Spot { key: start, value: start }, |parent| {
                let Spot { key, .. } = self.spot(&parent);
                Spot { key, value: key }
            })
        })
    }
}

/// Writes a tree out: aliases and merges become values.
#[derive(Default)]
struct Writing {
    spots: BTreeMap<Path, Spot>,
    mistakes: Vec<Mistake>,
    values: usize,
}

impl Writing {
    fn value(&mut self, node: &Node, key: Place, path: &Path) -> Result<Value, Mistake> {
        self.count(node, path.depth())?;
        self.spots.insert(path.clone(), Spot { key, value: node.place });
        match &node.tree {
            Tree::Scalar(value) => Ok(value.clone()),
            Tree::List(nodes) => {
                let nodes = nodes.iter().enumerate();
                nodes.map(|(at, node)| self.value(node, node.place, &path.index(at))).collect()
            }
            Tree::Map(entries) => self.map(entries, path),
        }
    }

    fn map(&mut self, entries: &[Entry], path: &Path) -> Result<Value, Mistake> {
        let mut own: BTreeMap<&str, &Entry> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| !entry.merges()) {
            if let Some(first) = own.get(entry.key.as_str()) {
                self.mistakes.push(Mistake {
                    place: entry.place,
                    path: path.key(&entry.key),
                    message: format!("the same key stands in line {} already", first.place.line),
                });
            } else {
                own.insert(&entry.key, entry);
            }
        }
        for entry in entries.iter().filter(|entry| entry.merges()) {
            self.merge(&entry.value, path.depth(), &mut own)?;
        }
        let mut map = Map::new();
        for (key, entry) in own {
            if !key.starts_with("x-") {
                let value = self.value(&entry.value, entry.place, &path.key(key))?;
                map.insert(key.to_owned(), value);
            }
        }
        Ok(Value::Object(map))
    }

    /// Adds the entries of a merged map, or of several, where the key is not there yet.
    fn merge<'n>(
        &mut self,
        node: &'n Rc<Node>,
        level: usize,
        into: &mut BTreeMap<&'n str, &'n Entry>,
    ) -> Result<(), Mistake> {
        self.count(node, level)?;
        match &node.tree {
            Tree::Map(entries) => {
                for entry in entries.iter().filter(|entry| !entry.merges()) {
                    self.count(&entry.value, level)?;
                    into.entry(&entry.key).or_insert(entry);
                }
                let mut merged = entries.iter().filter(|entry| entry.merges());
                merged.try_for_each(|entry| self.merge(&entry.value, level + 1, into))
            }
            Tree::List(nodes) => {
                nodes.iter().try_for_each(|node| self.merge(node, level + 1, into))
            }
            Tree::Scalar(_) => {
                Err(Mistake::new(node.place, "`<<` merges keys and values, this is neither"))
            }
        }
    }

    fn count(&mut self, node: &Node, level: usize) -> Result<(), Mistake> {
        self.values += 1;
        if level > MOST_LEVELS {
            Err(too_deep(node.place))
        } else if self.values > MOST_VALUES {
            let message = format!("with its aliases the file has more than {MOST_VALUES} values");
            Err(Mistake::new(node.place, message))
        } else {
            Ok(())
        }
    }
}

fn too_deep(place: Place) -> Mistake {
    Mistake::new(place, format!("values stand in each other deeper than {MOST_LEVELS} levels"))
}

#[cfg(test)]
mod tests;
