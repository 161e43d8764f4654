//! What a scalar without quotes means, by YAML 1.2's core schema.

use serde_json::Value;

/// Numbers, `true`, `false` and nothing are what they look like; everything else is text.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is too long for a number here is one all the same: it wants quotes.
        return text.parse::<i64>().map(Value::from).or_else(|_| float(text)).ok();
    }
    let prefixed = |prefix, radix| {
        let digits = text.strip_prefix(prefix)?;
        i64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with(['-', '+']))
    };
    if let Some(number) = prefixed("0x", 16).or_else(|| prefixed("0o", 8)) {
        return Some(Value::from(number));
    }
    let looks_like_one = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    looks_like_one.then(|| float(text).ok())?
}

fn float(text: &str) -> Result<Value, std::num::ParseFloatError> {
    text.parse::<f64>().map(Value::from)
}
