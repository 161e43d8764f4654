//! As whom a place is asked: as the program itself, or as a role that it takes on.
//!
//! STS is asked once for each role and hour: the SDK's own cache holds the credentials, and asks again
//! before they expire. See docs/decisions/0009-how-a-role-is-used.md.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_types::SdkConfig;
use jiff::Timestamp;
use tidegate_core::config::Role;

use crate::query::QueryService;
use crate::sdk::in_region;
use crate::{Refusal, RefusalKind};

/// The call that takes a role on.
pub(crate) const ASSUME_ROLE: &str = "sts:AssumeRole";
/// The longest that STS gives to who has taken a role on already, as every Lambda function has.
const SECONDS: i64 = 3600;
/// What to look at when STS says no: it never says which of them it was.
const ADVICE: &str = "`TargetRoleArns` of template.yaml must name this role, and target-role.yaml must \
                      trust whoever asks, with the config's `external_id`";

/// The one way to every place.
#[derive(Debug, Clone)]
pub struct Reach {
    own: SdkConfig,
    session: String,
    /// What asks as each role, and its credentials with it.
    roles: Arc<Mutex<BTreeMap<Role, SdkConfig>>>,
}

impl Reach {
    /// Whoever holds `own`; AWS calls their sessions `session` (2 to 64 letters, digits and
    /// `+=,.@-_`, as the names of Lambda functions are).
    pub fn new(own: SdkConfig, session: &str) -> Self {
        Self { own, session: session.to_owned(), roles: Arc::default() }
    }

    /// The SDK config of calls to `region`, as `role` where there is one.
    pub fn at(&self, region: &str, role: Option<&Role>) -> SdkConfig {
        match role {
            None => in_region(&self.own, region),
            Some(role) => in_region(&self.as_role(role), region),
        }
    }

    fn as_role(&self, role: &Role) -> SdkConfig {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            let provider = Assumed {
                sts: self.own.clone(),
                role: role.clone(),
                session: self.session.clone(),
            };
            let mut config = self.own.to_builder();
            config.set_credentials_provider(Some(SharedCredentialsProvider::new(provider)));
            config.set_identity_cache(Some(IdentityCache::lazy().build()));
            config.build()
        };
        roles.entry(role.clone()).or_insert_with(made).clone()
    }
}

/// Credentials of a role, asked of the STS of the program's own region.
#[derive(Debug)]
struct Assumed {
    sts: SdkConfig,
    role: Role,
    session: String,
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        // The refusal is found again by whoever made the call that needed them.
        future::ProvideCredentials::new(async {
            self.assume().await.map_err(CredentialsError::provider_error)
        })
    }
}

impl Assumed {
    async fn assume(&self) -> Result<Credentials, Refusal> {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        let mut input = vec![
            pair("RoleArn", self.role.arn.clone()),
            pair("RoleSessionName", self.session.clone()),
            pair("DurationSeconds", SECONDS.to_string()),
        ];
        input.extend(self.role.external_id.clone().map(|id| pair("ExternalId", id)));
        let sts = QueryService { config: self.sts.clone(), name: "sts", version: "2011-06-15" };
        let arn = &self.role.arn;
        let answer =
            sts.call(ASSUME_ROLE, arn, &input).await.map_err(|refusal| match refusal.kind {
                RefusalKind::AccessDenied => {
                    Refusal { message: format!("{}; {ADVICE}", refusal.message), ..refusal }
                }
                _ => refusal,
            })?;
        let members = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"];
        let broken = || Refusal::broken(ASSUME_ROLE, arn, "credentials");
        let found = answer.records(&["Credentials"], members).pop().ok_or_else(broken)?;
        let [id, secret, token, expires] = found;
        let expires = expires.parse::<Timestamp>().map_err(|_| broken())?;
        Ok(Credentials::new(id, secret, Some(token), Some(expires.into()), "AssumeRole"))
    }
}

#[cfg(test)]
mod tests;
