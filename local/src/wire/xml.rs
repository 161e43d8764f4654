//! XML answers of the query protocol.

use std::fmt::Write;

use serde_json::Value;

use super::REQUEST_ID;

pub(super) fn result(action: &str, namespace: &str, body: &Value) -> String {
    let mut members = String::new();
    write_members(&mut members, body);
    format!(
        "<{action}Response xmlns=\"{namespace}\"><{action}Result>{members}</{action}Result>\
         <ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata>\
         </{action}Response>"
    )
}

pub(super) fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{}</Message>\
         </Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>",
        escaped(message)
    )
}

fn write_members(out: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (name, member) in members {
                write_element(out, name, member);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                write_element(out, "member", element);
            }
        }
        Value::String(text) => out.push_str(&escaped(text)),
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

fn write_element(out: &mut String, name: &str, value: &Value) {
    let _ = write!(out, "<{name}>");
    write_members(out, value);
    let _ = write!(out, "</{name}>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
