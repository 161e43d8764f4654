//! Policy statements and their evaluation: allowed by one, denied by none.

use serde_json::Value;

use super::demand::Demand;
use crate::pattern::glob;
use crate::template::TemplateError;

/// The statements of one role.
#[derive(Debug, Default)]
pub(crate) struct Policy(Vec<Statement>);

#[derive(Debug)]
struct Statement {
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
struct Condition {
    quantifier: Quantifier,
    comparison: Comparison,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Quantifier {
    /// The key must be there and match.
    One,
    /// A key that is absent passes (`…IfExists`).
    IfExists,
    /// Every value must match; none at all passes (`ForAllValues:`).
    All,
    /// One value must match (`ForAnyValue:`).
    Any,
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Equals,
    NotEquals,
    Like,
    NotLike,
}

impl Policy {
    pub(crate) fn parse(statements: &[&Value]) -> Result<Self, TemplateError> {
        statements.iter().map(|it| statement(it)).collect::<Result<_, _>>().map(Self)
    }

    /// The statements by which a role or a repository says who may do something with it; without those
    /// for others than `who` (an ARN).
    pub(crate) fn of_resource(statements: &[&Value], who: &str) -> Result<Self, TemplateError> {
        let account = who.split(':').nth(4).unwrap_or_default();
        let all_of_it = [format!("arn:aws:iam::{account}:root"), account.to_owned()];
        let is = |own: &String| own == "*" || own == who || all_of_it.contains(own);
        let names =
            |it: &&&Value| it["Principal"] == "*" || texts(&it["Principal"]["AWS"]).iter().any(is);
        let mut own = Self::parse(&statements.iter().filter(names).copied().collect::<Vec<_>>())?;
        // They are about what they stand at.
        own.0.iter_mut().for_each(|statement| statement.resources = vec!["*".to_owned()]);
        Ok(own)
    }

    pub(crate) fn allows(&self, demand: &Demand) -> bool {
        let speaking = || self.0.iter().filter(|statement| statement.speaks_of(demand));
        speaking().any(|statement| statement.allows) && speaking().all(|statement| statement.allows)
    }
}

impl Statement {
    fn speaks_of(&self, demand: &Demand) -> bool {
        let action = demand.action.to_ascii_lowercase();
        self.actions.iter().any(|it| glob(&it.to_ascii_lowercase(), &action))
            && self.resources.iter().any(|it| glob(it, &demand.resource))
            && self.conditions.iter().all(|condition| condition.holds(demand))
    }
}

impl Condition {
    fn holds(&self, demand: &Demand) -> bool {
        let none = Vec::new();
        let found = demand.context.get(self.key.as_str());
        let values = found.unwrap_or(&none);
        let mut tests = values.iter().map(|value| self.comparison.holds(value, &self.values));
        match self.quantifier {
            Quantifier::IfExists if values.is_empty() => true,
            Quantifier::One | Quantifier::IfExists => match self.comparison {
                Comparison::Equals | Comparison::Like => !values.is_empty() && tests.all(|it| it),
                // As in IAM, an absent key is not equal to anything.
                Comparison::NotEquals | Comparison::NotLike => tests.all(|it| it),
            },
            Quantifier::All => tests.all(|it| it),
            Quantifier::Any => tests.any(|it| it),
        }
    }
}

impl Comparison {
    fn holds(self, value: &str, wanted: &[String]) -> bool {
        match self {
            Self::Equals => wanted.iter().any(|it| it == value),
            Self::NotEquals => wanted.iter().all(|it| it != value),
            Self::Like => wanted.iter().any(|it| glob(it, value)),
            Self::NotLike => !wanted.iter().any(|it| glob(it, value)),
        }
    }
}

fn statement(statement: &Value) -> Result<Statement, TemplateError> {
    for member in ["NotAction", "NotResource", "NotPrincipal"] {
        if statement.get(member).is_some() {
            return Err(TemplateError::new(format!("the local AWS does not model {member}")));
        }
    }
    let mut conditions = Vec::new();
    for (operator, tests) in statement["Condition"].as_object().into_iter().flatten() {
        let (quantifier, comparison) = read_operator(operator).ok_or_else(|| {
            TemplateError::new(format!("the local AWS does not model the condition {operator}"))
        })?;
        for (key, values) in tests.as_object().into_iter().flatten() {
            let (key, values) = (key.clone(), texts(values));
            conditions.push(Condition { quantifier, comparison, key, values });
        }
    }
    Ok(Statement {
        allows: statement["Effect"] == "Allow",
        actions: texts(&statement["Action"]),
        resources: texts(&statement["Resource"]),
        conditions,
    })
}

fn read_operator(operator: &str) -> Option<(Quantifier, Comparison)> {
    let (quantifier, rest) = if let Some(rest) = operator.strip_prefix("ForAllValues:") {
        (Quantifier::All, rest)
    } else if let Some(rest) = operator.strip_prefix("ForAnyValue:") {
        (Quantifier::Any, rest)
    } else if let Some(rest) = operator.strip_suffix("IfExists") {
        (Quantifier::IfExists, rest)
    } else {
        (Quantifier::One, operator)
    };
    let comparison = match rest {
        "StringEquals" => Comparison::Equals,
        "StringNotEquals" => Comparison::NotEquals,
        // IAM lets ARN operators take wildcards, ArnEquals included.
        "StringLike" | "ArnLike" | "ArnEquals" => Comparison::Like,
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => Comparison::NotLike,
        _ => return None,
    };
    Some((quantifier, comparison))
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(elements) => elements.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}
