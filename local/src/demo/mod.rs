//! The demo: what is told, and how it looks.

mod notes;
mod story;
mod view;

pub(crate) use story::Story;
pub(crate) use view::View;
