//! Secrets Manager: the addresses of webhooks.

use std::fmt;

use aws_sdk_secretsmanager::Client;
use aws_types::SdkConfig;
use tidegate_core::verify::Secret as Description;

use crate::Refusal;

/// Secrets of one region.
#[derive(Debug, Clone)]
pub struct Secrets(Client);

/// A secret's text; it never shows itself in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secrets {
    /// Secrets where `config` points.
    pub fn new(config: &SdkConfig) -> Self {
        Self(Client::new(config))
    }

    /// How a secret stands, without its value.
    pub async fn describe(&self, arn: &str) -> Result<Description, Refusal> {
        let asked = self.0.describe_secret().secret_id(arn).send().await;
        let answer = asked.map_err(Refusal::of("secretsmanager:DescribeSecret", arn))?;
        let mut versions = answer.version_ids_to_stages().into_iter().flat_map(|all| all.values());
        Ok(Description {
            is_deleted: answer.deleted_date().is_some(),
            has_value: versions.any(|stages| stages.iter().any(|stage| stage == "AWSCURRENT")),
        })
    }

    /// The current text of the secret `arn`, without the line break that editors leave.
    pub async fn secret(&self, arn: &str) -> Result<Secret, Refusal> {
        const ACTION: &str = "secretsmanager:GetSecretValue";
        let answer = self
            .0
            .get_secret_value()
            .secret_id(arn)
            .send()
            .await
            .map_err(Refusal::of(ACTION, arn))?;
        let text = answer.secret_string().map(str::trim).filter(|text| !text.is_empty());
        text.map(|text| Secret(text.to_owned()))
            .ok_or_else(|| Refusal::in_answer(ACTION, arn, "NoText", "the secret holds no text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, config};

    #[tokio::test]
    async fn a_secret_is_read_and_never_shown() {
        let fake = Fake::new();
        fake.answer(200, "{\"SecretString\": \"https://hooks.example.com/T0/hunter2\\n\"}");
        let secret = Secrets::new(&config(&fake)).secret("arn:secret").await.unwrap();
        assert_eq!(secret.reveal(), "https://hooks.example.com/T0/hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_secret_is_described_without_its_value() {
        let fake = Fake::new();
        fake.answer(
            200,
            "{\"VersionIdsToStages\": {\"a\": [\"AWSPREVIOUS\"], \"b\": [\"AWSCURRENT\"]}}",
        );
        fake.answer(200, "{\"DeletedDate\": 1763715600}");
        let secrets = Secrets::new(&config(&fake));
        let well = Description { is_deleted: false, has_value: true };
        assert_eq!(secrets.describe("arn:secret").await.unwrap(), well);
        let gone = Description { is_deleted: true, has_value: false };
        assert_eq!(secrets.describe("arn:secret").await.unwrap(), gone);
        assert_eq!(fake.operations(), ["DescribeSecret", "DescribeSecret"]);
    }

    #[tokio::test]
    async fn an_empty_secret_is_refused_by_name() {
        let fake = Fake::new();
        fake.answer(200, "{\"SecretString\": \" \\n\"}");
        let refusal = Secrets::new(&config(&fake)).secret("arn:secret").await.unwrap_err();
        assert!(refusal.is_final());
        assert!(refusal.to_string().contains("on arn:secret: NoText"), "{refusal}");
    }
}
