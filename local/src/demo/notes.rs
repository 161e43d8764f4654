//! The notifications, as an e-mail shows them.

use tidegate_local::sns::Published;

use super::view::View;

pub(super) fn show(view: &mut View, published: &[Published]) {
    for (number, note) in published.iter().enumerate() {
        let subject = note.subject.as_deref().unwrap_or("(no subject)");
        view.heading(&format!("{}. {subject}", number + 1));
        let text = note.message["email"].as_str().or(note.message["default"].as_str());
        view.text(text.unwrap_or_default().lines());
    }
}
