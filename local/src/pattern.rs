//! Event patterns: what EventBridge rules and stream filters let through.
//!
//! One matcher for both, because AWS uses one language for both. An operator that is not modelled
//! is refused by name when the pattern is read: a rule that silently matches nothing would make
//! every test built on it meaningless.

use serde_json::Value;

/// A pattern, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Object);

/// Why a pattern was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event pattern: {what} at `{path}`")]
pub struct InvalidPattern {
    path: String,
    what: String,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Object {
    fields: Vec<(String, Field)>,
    any_of: Vec<Object>,
}

#[derive(Debug, Clone, PartialEq)]
enum Field {
    Nested(Object),
    Tests(Vec<Test>),
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Equals(Value),
    Text(Text),
    Not(Vec<Test>),
    Exists(bool),
    Numeric(Vec<(Comparison, f64)>),
}

#[derive(Debug, Clone, PartialEq)]
enum Text {
    Prefix(String),
    Suffix(String),
    EqualsIgnoreCase(String),
    Wildcard(String),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

impl Pattern {
    /// Reads a pattern; operators that are not modelled are refused by name.
    pub fn parse(pattern: &Value) -> Result<Self, InvalidPattern> {
        object(pattern, "").map(Self)
    }

    /// Whether `event` passes.
    pub fn matches(&self, event: &Value) -> bool {
        self.0.matches(Some(event))
    }
}

impl Object {
    fn matches(&self, event: Option<&Value>) -> bool {
        // An array of objects matches when one of its elements does.
        if let Some(Value::Array(elements)) = event {
            return elements.iter().any(|element| self.matches(Some(element)));
        }
        let fields_match = self.fields.iter().all(|(name, field)| {
            let value = event.and_then(|event| event.get(name));
            match field {
                Field::Nested(object) => object.matches(value),
                Field::Tests(tests) => tests.iter().any(|test| test.matches(value)),
            }
        });
        fields_match
            && (self.any_of.is_empty() || self.any_of.iter().any(|object| object.matches(event)))
    }
}

impl Test {
    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Exists(wanted), value) => {
                *wanted == value.is_some_and(|value| !value.is_object())
            }
            (_, None) => false,
            (_, Some(Value::Array(elements))) => {
                elements.iter().any(|element| self.matches(Some(element)))
            }
            (Self::Equals(wanted), Some(value)) => same(wanted, value),
            (Self::Text(test), Some(value)) => value.as_str().is_some_and(|it| test.matches(it)),
            (Self::Not(tests), value) => !tests.iter().any(|test| test.matches(value)),
            (Self::Numeric(bounds), Some(value)) => value
                .as_f64()
                .is_some_and(|number| bounds.iter().all(|(how, bound)| how.holds(number, *bound))),
        }
    }
}

/// 300 and 300.0 are the same number; everything else must be the same text.
fn same(wanted: &Value, value: &Value) -> bool {
    match (wanted.as_f64(), value.as_f64()) {
        (Some(wanted), Some(value)) => Comparison::Equal.holds(value, wanted),
        _ => wanted == value,
    }
}

impl Text {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::EqualsIgnoreCase(wanted) => text.eq_ignore_ascii_case(wanted),
            Self::Wildcard(pattern) => glob(pattern, text),
        }
    }
}

impl Comparison {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::Less => number < bound,
            Self::AtMost => number <= bound,
            Self::Equal => (number - bound).abs() < f64::EPSILON,
            Self::AtLeast => number >= bound,
            Self::Greater => number > bound,
        }
    }
}

/// `*` stands for any text, as in wildcards here and in IAM's actions and resources.
pub fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let tail = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(at) = text.find(piece) else { return false };
        text = &text[at + piece.len()..];
    }
    text.ends_with(tail)
}

fn object(pattern: &Value, path: &str) -> Result<Object, InvalidPattern> {
    let Value::Object(members) = pattern else {
        return Err(invalid(path, "expected an object"));
    };
    let mut read = Object::default();
    for (name, value) in members {
        let path = format!("{path}/{name}");
        match (name.as_str(), value) {
            ("$or", Value::Array(choices)) => {
                for choice in choices {
                    read.any_of.push(object(choice, &path)?);
                }
            }
            (_, Value::Object(_)) => {
                read.fields.push((name.clone(), Field::Nested(object(value, &path)?)));
            }
            (_, Value::Array(tests)) if !tests.is_empty() => {
                let tests = tests.iter().map(|it| test(it, &path)).collect::<Result<_, _>>()?;
                read.fields.push((name.clone(), Field::Tests(tests)));
            }
            _ => return Err(invalid(&path, "expected an object or a list that is not empty")),
        }
    }
    Ok(read)
}

fn test(value: &Value, path: &str) -> Result<Test, InvalidPattern> {
    let Value::Object(members) = value else { return Ok(Test::Equals(value.clone())) };
    let mut members = members.iter();
    let (Some((operator, operand)), None) = (members.next(), members.next()) else {
        return Err(invalid(path, "expected one operator"));
    };
    match (operator.as_str(), operand) {
        ("exists", Value::Bool(wanted)) => Ok(Test::Exists(*wanted)),
        ("numeric", Value::Array(bounds)) => numeric(bounds, path).map(Test::Numeric),
        ("anything-but", Value::Array(values)) => {
            Ok(Test::Not(values.iter().map(|it| test(it, path)).collect::<Result<_, _>>()?))
        }
        // `anything-but: {prefix: [a, b]}` is a list inside the operator.
        ("anything-but", Value::Object(inner)) => {
            let mut tests = Vec::new();
            for (operator, operand) in inner {
                let one = std::slice::from_ref(operand);
                for operand in operand.as_array().map_or(one, Vec::as_slice) {
                    tests.push(Test::Text(text(operator, operand, path)?));
                }
            }
            Ok(Test::Not(tests))
        }
        ("anything-but", scalar) => Ok(Test::Not(vec![Test::Equals(scalar.clone())])),
        _ => text(operator, operand, path).map(Test::Text),
    }
}

fn text(operator: &str, operand: &Value, path: &str) -> Result<Text, InvalidPattern> {
    let Some(operand) = operand.as_str().map(str::to_owned) else {
        return Err(invalid(path, format!("`{operator}` with that operand is not modelled")));
    };
    match operator {
        "prefix" => Ok(Text::Prefix(operand)),
        "suffix" => Ok(Text::Suffix(operand)),
        "equals-ignore-case" => Ok(Text::EqualsIgnoreCase(operand)),
        "wildcard" => Ok(Text::Wildcard(operand)),
        _ => Err(invalid(path, format!("the operator `{operator}` is not modelled"))),
    }
}

fn numeric(bounds: &[Value], path: &str) -> Result<Vec<(Comparison, f64)>, InvalidPattern> {
    bounds
        .chunks(2)
        .map(|pair| {
            let [how, bound] = pair else {
                return Err(invalid(path, "`numeric` takes pairs of operator and number"));
            };
            let how = match how.as_str() {
                Some("<") => Comparison::Less,
                Some("<=") => Comparison::AtMost,
                Some("=") => Comparison::Equal,
                Some(">=") => Comparison::AtLeast,
                Some(">") => Comparison::Greater,
                _ => return Err(invalid(path, "`numeric` takes < <= = >= >")),
            };
            let bound =
                bound.as_f64().ok_or_else(|| invalid(path, "`numeric` compares with numbers"))?;
            Ok((how, bound))
        })
        .collect()
}

fn invalid(path: &str, what: impl Into<String>) -> InvalidPattern {
    InvalidPattern { path: path.to_owned(), what: what.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_operator_lets_through_what_aws_lets_through() {
        let event = json!({
            "source": "aws.ecs", "detail-type": "ECS Task State Change", "resources": ["a", "b"],
            "detail": {"group": "service:Rag", "desiredStatus": "STOPPED", "version": 4,
                       "containers": [{"name": "web", "exitCode": 1}, {"name": "log"}], "tag": ""}
        });
        let table = [
            (json!({"source": ["aws.ecs"]}), true),
            (json!({"source": ["aws.ecr", "aws.ecs"]}), true),
            (json!({"source": ["aws.ecr"]}), false),
            (json!({"source": ["aws.ecs"], "detail-type": ["Other"]}), false),
            (json!({"resources": ["b"]}), true),
            (json!({"resources": ["c"]}), false),
            (json!({"detail": {"group": [{"prefix": "service:"}]}}), true),
            (json!({"detail": {"group": [{"prefix": "family:"}]}}), false),
            (json!({"detail": {"group": [{"suffix": "Rag"}]}}), true),
            (json!({"detail": {"group": [{"equals-ignore-case": "SERVICE:rag"}]}}), true),
            (json!({"detail": {"group": [{"wildcard": "serv*:R*g"}]}}), true),
            (json!({"detail": {"group": [{"wildcard": "serv*:R*x"}]}}), false),
            (json!({"detail": {"group": [{"anything-but": "service:Rag"}]}}), false),
            (json!({"detail": {"group": [{"anything-but": ["x", "y"]}]}}), true),
            (json!({"detail": {"group": [{"anything-but": {"prefix": "family:"}}]}}), true),
            (
                json!({"detail": {"group": [{"anything-but": {"prefix": ["x", "service:"]}}]}}),
                false,
            ),
            (json!({"detail": {"absent": [{"anything-but": "x"}]}}), false),
            (json!({"detail": {"tag": [{"anything-but": ""}]}}), false),
            (json!({"detail": {"absent": [{"exists": false}]}}), true),
            (json!({"detail": {"group": [{"exists": false}]}}), false),
            (json!({"detail": {"group": [{"exists": true}]}}), true),
            (json!({"detail": {"containers": [{"exists": true}]}}), true),
            (json!({"detail": {"containers": {"exitCode": [1]}}}), true),
            (json!({"detail": {"containers": {"exitCode": [2]}}}), false),
            (json!({"detail": {"version": [{"numeric": [">", 3, "<=", 4]}]}}), true),
            (json!({"detail": {"version": [{"numeric": ["<", 4]}]}}), false),
            (json!({"detail": {"version": [4.0]}}), true),
            (json!({"$or": [{"source": ["x"]}, {"detail": {"version": [4]}}]}), true),
            (json!({"$or": [{"source": ["x"]}, {"detail": {"version": [5]}}]}), false),
            (json!({"missing": {"deep": [{"exists": false}]}}), true),
            (json!({"missing": {"deep": ["x"]}}), false),
        ];
        for (pattern, expected) in table {
            let matches = Pattern::parse(&pattern).unwrap().matches(&event);
            assert_eq!(matches, expected, "{pattern}");
        }
    }

    #[test]
    fn a_stream_filter_sees_the_new_image() {
        let filter = json!({"dynamodb": {"NewImage": {"todo": {"S": ["deploy"]}}}});
        let filter = Pattern::parse(&filter).unwrap();
        let record = |image: Value| json!({"eventName": "MODIFY", "dynamodb": {"NewImage": image}});
        assert!(filter.matches(&record(json!({"todo": {"S": "deploy"}}))));
        assert!(!filter.matches(&record(json!({"todo": {"S": "claimed"}}))));
        assert!(!filter.matches(&record(json!({"pk": {"S": "deploy"}}))));
        assert!(!filter.matches(&json!({"eventName": "REMOVE", "dynamodb": {}})));
    }

    #[test]
    fn what_is_not_modelled_is_refused_by_name() {
        for (pattern, words) in [
            (json!({"ip": [{"cidr": "10.0.0.0/8"}]}), "`cidr` is not modelled at `/ip`"),
            (json!({"a": []}), "a list that is not empty at `/a`"),
            (json!({"a": "b"}), "expected an object or a list"),
            (json!({"a": {"b": [{"prefix": "x", "suffix": "y"}]}}), "one operator at `/a/b`"),
            (json!({"a": [{"numeric": [">"]}]}), "pairs of operator and number"),
        ] {
            let error = Pattern::parse(&pattern).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_glob_needs_all_its_pieces_in_order() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
