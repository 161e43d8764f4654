//! YAML's events as a tree; an alias is another hold on the same node, not a copy.

use std::collections::BTreeMap;
use std::rc::Rc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};
use serde_json::Value;

use super::{MOST_LEVELS, Mistake, scalar, too_deep};
use crate::config::path::Place;

/// AWS's longest name, of a container or a service; a mistake's path holds every key that leads to it.
const LONGEST_KEY: usize = 255;

pub(super) struct Node {
    pub(super) place: Place,
    pub(super) tree: Tree,
}

pub(super) enum Tree {
    Scalar(Value),
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
}

pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) value: Rc<Node>,
    plain: bool,
}

impl Entry {
    /// `<<: *anchor`; in quotes it is a key like any other.
    pub(super) fn merges(&self) -> bool {
        self.plain && self.key == "<<"
    }
}

/// Reads the one document of a text.
pub(super) fn read(text: &str) -> Result<Rc<Node>, Mistake> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: BTreeMap::new() };
    reader.next()?; // the stream's start
    let (event, place) = reader.next()?;
    if event == Event::StreamEnd {
        return Ok(Rc::new(Node { place, tree: Tree::Scalar(Value::Null) }));
    }
    let root = reader.node(0)?;
    reader.next()?; // the document's end
    match reader.next()? {
        (Event::StreamEnd, _) => Ok(root),
        (_, place) => Err(Mistake::new(place, "a second document begins; a file holds one")),
    }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: BTreeMap<usize, Rc<Node>>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Place), Mistake> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, place(&span.start))),
            Some(Err(error)) => Err(Mistake::new(
                place(error.marker()),
                format!("this is not YAML: {}", error.info()),
            )),
            None => Err(Mistake::new(Place::default(), "the text ends too early")),
        }
    }

    fn node(&mut self, level: usize) -> Result<Rc<Node>, Mistake> {
        let (event, place) = self.next()?;
        self.node_of(event, place, level)
    }

    fn node_of(
        &mut self,
        event: Event<'t>,
        place: Place,
        level: usize,
    ) -> Result<Rc<Node>, Mistake> {
        if level > MOST_LEVELS {
            return Err(too_deep(place));
        }
        let (anchor, tree) = match event {
            Event::Alias(anchor) => {
                return self.anchors.get(&anchor).cloned().ok_or_else(|| {
                    Mistake::new(place, "this alias stands inside of what it stands for")
                });
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(tag.as_deref(), place)?;
                let value = match style {
                    ScalarStyle::Plain => scalar::plain(&text),
                    _ => Value::String(text.into_owned()),
                };
                (anchor, Tree::Scalar(value))
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), place)?;
                (anchor, Tree::List(self.list(level)?))
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), place)?;
                (anchor, Tree::Map(self.map(level)?))
            }
            _ => return Err(Mistake::new(place, "a value is missing")),
        };
        let node = Rc::new(Node { place, tree });
        // 0 is "no anchor".
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }

    fn list(&mut self, level: usize) -> Result<Vec<Rc<Node>>, Mistake> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(nodes),
                (event, place) => nodes.push(self.node_of(event, place, level + 1)?),
            }
        }
    }

    fn map(&mut self, level: usize) -> Result<Vec<Entry>, Mistake> {
        let mut entries = Vec::new();
        loop {
            match self.next()? {
                (Event::MappingEnd, _) => return Ok(entries),
                (Event::Scalar(key, ..), place) if key.len() > LONGEST_KEY => {
                    let message = format!("a key is longer than {LONGEST_KEY} characters");
                    return Err(Mistake::new(place, message));
                }
                (Event::Scalar(key, style, 0, None), place) => entries.push(Entry {
                    key: key.into_owned(),
                    place,
                    value: self.node(level + 1)?,
                    plain: style == ScalarStyle::Plain,
                }),
                (_, place) => {
                    return Err(Mistake::new(place, "a key must be text, without anchor or tag"));
                }
            }
        }
    }
}

fn refuse_tag(tag: Option<&Tag>, place: Place) -> Result<(), Mistake> {
    match tag {
        Some(tag) => Err(Mistake::new(place, format!("the YAML tag `{tag}` means nothing here"))),
        None => Ok(()),
    }
}

fn place(marker: &Marker) -> Place {
    Place { line: marker.line().max(1), column: marker.col() + 1 }
}
