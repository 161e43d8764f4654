//! The rule of a composite alarm: `ALARM(a) OR (ALARM("b") AND NOT OK(c))`.

use crate::api::ApiError;

/// What must hold of other alarms.
#[derive(Debug, PartialEq)]
pub(super) enum Rule {
    /// The alarm of this name is in this state.
    Is(String, String),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Constant(bool),
}

impl Rule {
    /// Reads a rule; `TRUE` and `FALSE` are rules too. Names may be quoted, and may be ARNs.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut reader = Reader(text.trim_start());
        let rule = reader.any();
        rule.filter(|_| reader.0.is_empty()).ok_or_else(|| {
            let at = reader.0;
            ApiError::refused("ValidationError", format!("AlarmRule is not understood at `{at}`"))
        })
    }

    /// Whether it holds, given the state of each alarm.
    pub(super) fn holds(&self, state: &impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::Is(wanted, name) => state(name).as_ref() == Some(wanted),
            Self::Not(rule) => !rule.holds(state),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(state)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(state)),
            Self::Constant(value) => *value,
        }
    }

    /// The alarms that it names.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Is(_, name) => vec![name],
            Self::Not(rule) => rule.names(),
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::names).collect(),
            Self::Constant(_) => Vec::new(),
        }
    }
}

/// The rest of a rule, without space at its beginning.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    /// `OR` binds least, `NOT` most.
    fn any(&mut self) -> Option<Rule> {
        self.joined("OR", Self::all, Rule::Any)
    }

    fn all(&mut self) -> Option<Rule> {
        self.joined("AND", Self::one, Rule::All)
    }

    fn joined(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Option<Rule>,
        join: fn(Vec<Rule>) -> Rule,
    ) -> Option<Rule> {
        let mut parts = vec![part(self)?];
        while self.takes(word) {
            parts.push(part(self)?);
        }
        if parts.len() > 1 { Some(join(parts)) } else { parts.pop() }
    }

    fn one(&mut self) -> Option<Rule> {
        if self.takes("NOT") {
            return Some(Rule::Not(Box::new(self.one()?)));
        }
        if self.takes("(") {
            let rule = self.any()?;
            return self.takes(")").then_some(rule);
        }
        for (word, value) in [("TRUE", true), ("FALSE", false)] {
            if self.takes(word) {
                return Some(Rule::Constant(value));
            }
        }
        let states = ["ALARM", "OK", "INSUFFICIENT_DATA"];
        let state = states.into_iter().find(|state| self.takes(state))?;
        self.takes("(").then_some(())?;
        let (name, rest) = self.0.split_once(')')?;
        self.0 = rest.trim_start();
        let name = name.trim().trim_matches('"');
        let name = name.rsplit_once(":alarm:").map_or(name, |(_, name)| name);
        Some(Rule::Is(state.to_owned(), name.to_owned()))
    }

    fn takes(&mut self, word: &str) -> bool {
        let rest = self.0.strip_prefix(word);
        self.0 = rest.map_or(self.0, str::trim_start);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_holds_as_it_is_written() {
        let rings = |name: &str| Some(if name == "a" { "ALARM" } else { "OK" }.to_owned());
        let table = [
            ("ALARM(a)", true),
            ("ALARM(\"b\")", false),
            ("ALARM(b) OR OK(arn:aws:cloudwatch:us-west-2:123456789012:alarm:b)", true),
            ("ALARM(a) AND NOT ALARM(a)", false),
            // `AND` before `OR`, unless there are brackets.
            ("ALARM(a) OR ALARM(a) AND ALARM(b)", true),
            ("(ALARM(a) OR ALARM(a)) AND ALARM(b)", false),
            ("NOT(INSUFFICIENT_DATA(a)) AND TRUE", true),
        ];
        for (text, holds) in table {
            assert_eq!(Rule::parse(text).unwrap().holds(&rings), holds, "{text}");
        }
        for text in ["", "ALARM a", "ALARM(a) ALARM(b)", "ALARM(a) OR", "(ALARM(a)"] {
            assert_eq!(Rule::parse(text).unwrap_err().code, "ValidationError", "{text}");
        }
    }
}
