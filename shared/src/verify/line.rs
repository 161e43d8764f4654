//! One line of the answer: a thing, how it is, and what mends it.

use std::fmt;

use serde::Serialize;

/// What a line is about; lines are told in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Services: how many tasks should run, how many do.
    Services,
    /// What runs against what the last release left.
    Drift,
    /// Target groups of load balancers.
    TargetGroups,
    /// The config's URLs and alarms.
    Checks,
    /// Log groups, and whether anything arrives in them.
    Logs,
    /// Secrets and parameters that task definitions name.
    Secrets,
    /// Roles that task definitions name.
    Roles,
    /// Images that run, that are the way back, that are wanted.
    Images,
    /// The ways on which events reach the functions, and people hear of it.
    EventPaths,
    /// Who brings a service back.
    Rollback,
    /// What the functions may do.
    Permissions,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Green,
    /// It works, and somebody should look.
    Warning,
    /// It could not be seen: never taken for green.
    Unknown,
    /// It does not work.
    Failed,
}

impl State {
    /// The state's name, as text and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is about.
    pub topic: Topic,
    /// The thing's name.
    pub subject: String,
    /// How it is.
    pub state: State,
    /// What was seen: a sentence without capital and full stop.
    pub said: String,
    /// What mends it; none where nothing is to be mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// What a look at one thing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown<T> {
    /// It is there.
    There(T),
    /// AWS says that it is not.
    Missing,
    /// AWS did not say.
    Hidden(Hidden),
}

/// Why something could not be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// The action as IAM writes it: `ecs:DescribeServices`.
    pub action: String,
    /// What it was asked about.
    pub resource: String,
    /// AWS's words.
    pub words: String,
    /// Who could see it.
    pub to: To,
}

/// To whom something is hidden, which says who could see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// Whoever types: they may not know.
    You,
    /// The role of another account that was taken on to ask: this ARN.
    Role(String),
    /// Everybody but another account: this one.
    OthersThan(String),
    /// Everybody: AWS gave no answer.
    All,
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, resource, words, to: _ } = self;
        write!(f, "{action} on {resource}: {words}")
    }
}

/// What AWS's words hold where another account does not let one in.
const RESOURCE_POLICY: &str = "no resource-based policy";

impl Hidden {
    /// Who may look, or when.
    fn remedy(&self) -> String {
        let Self { action, resource, .. } = self;
        if self.to != To::All && self.words.contains(RESOURCE_POLICY) {
            return format!("Let the own policy of {resource} allow {action}, in its account");
        }
        match &self.to {
            To::You => format!(
                "Allow yourself {action} on {resource}: the policy `ReaderPolicyArn` of the \
                 stack's outputs has it"
            ),
            To::Role(role) => format!(
                "Compare the parameters of target-role.yaml, which makes {role}, with what \
                 `tidegate config check --live --iam` prints; what that template allows nobody, ask \
                 with credentials of its account"
            ),
            To::OthersThan(account) => {
                format!("Ask for it with credentials of account {account}")
            }
            To::All => {
                "Ask again in a minute; if it stays, ask the same with the AWS CLI".to_owned()
            }
        }
    }
}

impl Topic {
    /// As it should be.
    pub(super) fn green(self, subject: &str, said: impl Into<String>) -> Line {
        self.line(subject, State::Green, said.into(), None)
    }

    /// It works, and somebody should look.
    pub(super) fn warning(
        self,
        subject: &str,
        said: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Line {
        self.line(subject, State::Warning, said.into(), Some(remedy.into()))
    }

    /// It does not work.
    pub(super) fn failed(
        self,
        subject: &str,
        said: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Line {
        self.line(subject, State::Failed, said.into(), Some(remedy.into()))
    }

    /// It could not be seen.
    pub(super) fn unknown(self, subject: &str, hidden: &Hidden) -> Line {
        self.line(subject, State::Unknown, hidden.to_string(), Some(hidden.remedy()))
    }

    fn line(self, subject: &str, state: State, said: String, remedy: Option<String>) -> Line {
        Line { topic: self, subject: subject.to_owned(), state, said, remedy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_names_action_resource_and_who_can_change_that() {
        let mut hidden = Hidden {
            action: "iam:GetRole".to_owned(),
            resource: "live-crons-task".to_owned(),
            words: "AccessDenied: not authorized".to_owned(),
            to: To::You,
        };
        let line = Topic::Roles.unknown("live-crons-task", &hidden);
        assert_eq!(line.state, State::Unknown);
        assert_eq!(line.said, "iam:GetRole on live-crons-task: AccessDenied: not authorized");
        assert!(line.remedy.unwrap().starts_with("Allow yourself iam:GetRole on live-crons-task"));
        hidden.words = "AccessDenied: no resource-based policy allows it".to_owned();
        let line = Topic::Roles.unknown("live-crons-task", &hidden);
        assert!(line.remedy.unwrap().starts_with("Let the own policy of live-crons-task allow"));
        hidden.words = "AccessDenied: not authorized".to_owned();
        let mut remedy = |to| {
            hidden.to = to;
            Topic::Roles.unknown("a", &hidden).remedy.unwrap()
        };
        assert!(remedy(To::All).contains("in a minute"));
        let role = "arn:aws:iam::123456789012:role/tidegate-target";
        let as_role = remedy(To::Role(role.to_owned()));
        assert!(as_role.contains(&format!("target-role.yaml, which makes {role}")), "{as_role}");
        assert!(!as_role.contains("ReaderPolicyArn"), "{as_role}");
        assert!(
            remedy(To::OthersThan("123456789012".to_owned())).contains("of account 123456789012")
        );
    }

    #[test]
    fn the_worst_state_is_the_last() {
        assert!(State::Green < State::Warning && State::Unknown < State::Failed);
    }
}
