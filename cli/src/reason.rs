//! Why an operator decides. It lies in the table, some of it in the head, which every read repeats.

/// So many characters say why; what needs more has a page of its own.
const LONGEST: usize = 500;

/// A reason as it is typed: one line.
pub(crate) fn reason(text: &str) -> Result<String, String> {
    let found = text.chars().count();
    if found > LONGEST {
        return Err(format!("expected at most {LONGEST} characters, found {found}"));
    }
    if text.trim().is_empty() {
        return Err("expected a reason, found nothing".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("expected one line without control characters".to_owned());
    }
    Ok(text.to_owned())
}
