//! The query protocol's form bodies: `A.member.1.B=c` is `{"A": [{"B": "c"}]}`.

use serde_json::{Map, Value};

pub(super) fn read(body: &[u8]) -> Value {
    let mut root = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        insert(&mut root, &name, value.into_owned());
    }
    lists(Value::Object(root))
}

fn insert(object: &mut Map<String, Value>, path: &str, value: String) {
    let Some((step, rest)) = path.split_once('.') else {
        object.insert(path.to_owned(), Value::String(value));
        return;
    };
    let child = object.entry(step).or_insert(Value::Null);
    // A scalar where an object is wanted: the later name wins, as in a form.
    if !child.is_object() {
        *child = Value::Object(Map::new());
    }
    if let Value::Object(inner) = child {
        insert(inner, rest, value);
    }
}

/// `{"member": {"1": a, "2": b}}` and `{"entry": {…}}` are lists.
fn lists(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let numbered = match members.len() {
        1 => members.get("member").or_else(|| members.get("entry")).and_then(Value::as_object),
        _ => None,
    };
    if let Some(numbered) = numbered {
        let mut elements: Vec<(usize, Value)> = numbered
            .iter()
            .map(|(number, element)| (number.parse().unwrap_or_default(), lists(element.clone())))
            .collect();
        elements.sort_by_key(|(number, _)| *number);
        return Value::Array(elements.into_iter().map(|(_, element)| element).collect());
    }
    Value::Object(members.into_iter().map(|(name, member)| (name, lists(member))).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbered_members_are_lists_in_their_order() {
        let body = b"Message=a%26b&List.member.2=two&List.member.1=one\
            &MessageAttributes.entry.1.Name=kind&MessageAttributes.entry.1.Value.DataType=String";
        let expected = json!({
            "Message": "a&b",
            "List": ["one", "two"],
            "MessageAttributes": [{"Name": "kind", "Value": {"DataType": "String"}}],
        });
        assert_eq!(read(body), expected);
        assert_eq!(read(b""), json!({}));
    }
}
