//! One call to AWS: who asks what of which service, and what it is answered.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::{ApiError, Place};
use crate::faults::Fault;

/// A call, whatever protocol brought it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Who asks.
    pub caller: Caller,
    /// Where, and by which role.
    pub scope: Scope,
    /// The service's signing name: `ecs`, `dynamodb`.
    pub service: String,
    /// `UpdateService`
    pub action: String,
    /// The request's members.
    pub input: Value,
}

impl Call {
    /// As IAM writes it: `ecs:UpdateService`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.action)
    }
}

/// Where a call goes, and as whom: what its signature says. Usually home, as oneself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The region that it is signed for.
    pub region: Option<String>,
    /// The session of a role, by its number, whose key signed it.
    pub session: Option<u64>,
}

/// What the access key of a session begins with.
const SESSION: &str = "ROLE";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// A process of one of the functions; bound by the function's role.
    Function(Instance),
    /// Anybody else: a person's CLI, a foreign client. May do everything.
    Operator,
}

/// One process of a function. Each serves one invocation at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instance {
    /// The function's program: `deploy`.
    pub program: String,
    /// Counts the processes of this local AWS.
    pub number: u64,
}

impl Instance {
    /// The access key that a process gets, so that its calls can be told from others':
    /// `LOCALDEPLOY0000003`.
    pub fn access_key(&self) -> String {
        format!("LOCAL{}{:07}", self.program.to_ascii_uppercase(), self.number)
    }
}

impl Caller {
    /// The access key of a session that this caller took on: `ROLE0000001LOCALDEPLOY0000003`.
    pub fn session_key(&self, session: u64) -> String {
        let own = match self {
            Self::Function(instance) => instance.access_key(),
            Self::Operator => String::new(),
        };
        format!("{SESSION}{session:07}{own}")
    }

    /// Who holds `access_key`, and in which session.
    pub fn of_access_key(access_key: &str) -> (Self, Option<u64>) {
        let session = || {
            let (number, own) = access_key.strip_prefix(SESSION)?.split_at_checked(7)?;
            Some((Self::of_own_key(own), Some(number.parse().ok()?)))
        };
        session().unwrap_or_else(|| (Self::of_own_key(access_key), None))
    }

    fn of_own_key(access_key: &str) -> Self {
        let function = || {
            let rest = access_key.strip_prefix("LOCAL")?;
            let (program, number) = rest.split_at_checked(rest.len().checked_sub(7)?)?;
            let number = number.parse().ok()?;
            Some(Instance { program: program.to_ascii_lowercase(), number })
        };
        function().map_or(Self::Operator, Self::Function)
    }
}

impl Caller {
    /// The ARN that STS gives them.
    pub fn arn(&self, place: &Place) -> String {
        let account = &place.account;
        match self {
            Self::Function(Instance { program, .. }) => {
                format!("arn:aws:sts::{account}:assumed-role/tidegate-{program}/{program}")
            }
            Self::Operator => format!("arn:aws:iam::{account}:user/operator"),
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(instance) => write!(f, "{}", instance.program),
            Self::Operator => f.write_str("operator"),
        }
    }
}

/// What a call is answered: members, or a refusal with `__type` and `message`.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The members of the answer.
    pub body: Value,
}

impl Answer {
    /// The refusal's name, if it is one.
    pub fn refusal(&self) -> Option<&str> {
        let name = self.body.get("__type").filter(|_| self.status >= 400)?.as_str()?;
        Some(name.rsplit('#').next().unwrap_or(name))
    }

    /// The table's items that it holds.
    pub fn items(&self) -> usize {
        let many = |items: &Value| items.as_array().map_or(0, Vec::len);
        let batch = self.body["Responses"].as_object().into_iter().flatten();
        usize::from(self.body["Item"].is_object())
            + many(&self.body["Items"])
            + batch.map(|(_, items)| many(items)).sum::<usize>()
    }
}

impl From<Result<Value, ApiError>> for Answer {
    fn from(result: Result<Value, ApiError>) -> Self {
        match result {
            Ok(body) => Self { status: 200, body },
            Err(error) => error.into(),
        }
    }
}

impl From<ApiError> for Answer {
    fn from(error: ApiError) -> Self {
        let body = json!({ "__type": error.code, "message": error.message });
        Self { status: error.status, body }
    }
}

/// A line of the call log.
#[derive(Debug, Clone, PartialEq)]
pub struct Noted {
    /// When it arrived.
    pub at: Timestamp,
    /// Who asked what.
    pub call: Call,
    /// The refusal's name, if it was refused.
    pub refusal: Option<String>,
    /// The table's items that the answer holds.
    pub items: usize,
    /// What struck it on its way, if it landed all the same.
    pub fault: Option<Fault>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_names_the_process_that_holds_it() {
        let instance = Instance { program: "deploy".to_owned(), number: 3 };
        assert_eq!(instance.access_key(), "LOCALDEPLOY0000003");
        let own = Caller::of_access_key(&instance.access_key());
        let caller = Caller::Function(instance);
        assert_eq!(own, (caller.clone(), None));
        for who in [caller, Caller::Operator] {
            assert_eq!(Caller::of_access_key(&who.session_key(7)), (who, Some(7)));
        }
        for key in ["AKIDEXAMPLE", "LOCAL", "LOCALDEPLOYx", "ROLE", "ROLE7", ""] {
            assert_eq!(Caller::of_access_key(key), (Caller::Operator, None), "{key}");
        }
    }
}
