//! Roles that are taken on: whom they trust, what they may do, and for how long.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::demand::{self, Demand};
use super::policy::Policy;
use super::{Iam, denied};
use crate::api::{ApiError, Input, Place};
use crate::call::{Call, Caller};
use crate::template::{Stack, TemplateError};

/// What STS gives where nobody says how long.
const HOUR: i64 = 3_600;

/// A role that another template made.
#[derive(Debug)]
pub(super) struct Target {
    account: String,
    /// The statements that say who may take it on.
    trust: Vec<Value>,
    policy: Policy,
}

/// Credentials that somebody holds.
#[derive(Debug)]
pub(super) struct Session {
    role: String,
    name: String,
    expires: Timestamp,
}

impl Session {
    /// As AWS names whoever acts in it.
    fn arn(&self, account: &str) -> String {
        let role = self.role.rsplit('/').next().unwrap_or_default();
        format!("arn:aws:sts::{account}:assumed-role/{role}/{}", self.name)
    }
}

impl Iam {
    /// Takes the roles of another stack in.
    pub fn trust(&mut self, stack: &Stack) -> Result<(), TemplateError> {
        for (arn, trust) in stack.trusts() {
            let policy = Policy::parse(&stack.statements(&arn))?;
            let (account, trust) =
                (stack.place.account.clone(), trust.into_iter().cloned().collect());
            self.targets.insert(arn, Target { account, trust, policy });
        }
        Ok(())
    }

    /// The account that a call is made in.
    pub fn account_of(&self, call: &Call) -> &str {
        let role = self.session(call).and_then(|session| self.targets.get(&session.role));
        role.map_or(&self.place.account, |role| &role.account)
    }

    /// Who makes a call: the session of a role, or the caller itself.
    pub fn arn_of_call(&self, call: &Call) -> String {
        let session = self.session(call).map(|session| session.arn(self.account_of(call)));
        session.unwrap_or_else(|| call.caller.arn(&self.place))
    }

    /// Answers `AssumeRole`, which [`Iam::check`] let through.
    pub fn assume(&mut self, call: &Call, now: Timestamp) -> Result<Value, ApiError> {
        let input = Input(&call.input);
        let (role, name) = (input.need("RoleArn")?, input.need("RoleSessionName")?);
        let seconds = input.text("DurationSeconds").and_then(|it| it.parse::<i64>().ok());
        let seconds = seconds.unwrap_or(HOUR);
        let chained = matches!(call.caller, Caller::Function(_));
        if !(900..=43_200).contains(&seconds) || (chained && seconds > HOUR) {
            let words = "The requested DurationSeconds exceeds the 1 hour session limit for roles \
                         assumed by role chaining.";
            return Err(ApiError::refused("ValidationError", words));
        }
        let expires = now + Duration::from_secs(seconds.unsigned_abs());
        let session = Session { role: role.to_owned(), name: name.to_owned(), expires };
        let account = self.targets.get(role).map_or(&self.place.account, |own| &own.account);
        let arn = session.arn(account);
        self.sessions.push(session);
        let key = call.caller.session_key(self.sessions.len() as u64 - 1);
        Ok(json!({
            "AssumedRoleUser": { "AssumedRoleId": format!("AROALOCAL:{name}"), "Arn": arn },
            "Credentials": {
                "AccessKeyId": key,
                "SecretAccessKey": "local",
                "SessionToken": "local",
                "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            },
        }))
    }

    /// A call that is made as a role, for as long as its credentials last.
    pub(super) fn check_session(
        &self,
        call: &Call,
        place: &Place,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let session = self.session(call).filter(|session| now < session.expires);
        let Some((session, role)) = session.and_then(|it| Some((it, self.targets.get(&it.role)?)))
        else {
            let words = "The security token included in the request is expired";
            return Err(ApiError::refused("ExpiredTokenException", words));
        };
        let demands = demand::of(call, place);
        self.check_trust(call, &demands)?;
        let who = session.arn(&role.account);
        match demands.iter().find(|demand| !role.policy.allows(demand)) {
            None => Ok(()),
            Some(demand) => Err(denied(call, &who, demand, "identity")),
        }
    }

    /// Refuses to take a role on that does not trust the caller.
    pub(super) fn check_trust(&self, call: &Call, demands: &[Demand]) -> Result<(), ApiError> {
        let refuses =
            |demand: &&Demand| demand.action == "sts:AssumeRole" && !self.trusts(call, demand);
        match demands.iter().find(refuses) {
            None => Ok(()),
            Some(demand) => Err(denied(call, &self.arn_of(&call.caller), demand, "resource")),
        }
    }

    /// A call to a registry of another account, which the repository's policy must allow; `lets` says
    /// whether it does, of whoever asks (an ARN) and an action.
    pub fn check_repository(
        &self,
        call: &Call,
        place: &Place,
        lets: impl Fn(&str, &str) -> bool,
    ) -> Result<(), ApiError> {
        if call.service != "ecr" || place.account == self.account_of(call) {
            return Ok(());
        }
        let who = self.principal(call);
        match demand::of(call, place).iter().find(|demand| !lets(&who, &demand.action)) {
            None => Ok(()),
            Some(demand) => Err(denied(call, &self.arn_of_call(call), demand, "resource")),
        }
    }

    /// Who makes a call, as policies name them.
    fn principal(&self, call: &Call) -> String {
        match (self.session(call), &call.caller) {
            (Some(session), _) => session.role.clone(),
            (None, Caller::Function(instance)) => {
                let name = self.roles.get(&instance.program).map_or("", |role| role.name.as_str());
                format!("arn:aws:iam::{}:role/{name}", self.place.account)
            }
            (None, Caller::Operator) => call.caller.arn(&self.place),
        }
    }

    fn trusts(&self, call: &Call, demand: &Demand) -> bool {
        let who = self.principal(call);
        let Some(target) = self.targets.get(&demand.resource) else { return false };
        let statements: Vec<&Value> = target.trust.iter().collect();
        Policy::of_resource(&statements, &who).is_ok_and(|trust| trust.allows(demand))
    }

    fn session(&self, call: &Call) -> Option<&Session> {
        self.sessions.get(usize::try_from(call.scope.session?).ok()?)
    }
}
