//! Secrets Manager: texts by ARN.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::api::{ApiError, Input, Place, present};

/// The secrets.
#[derive(Debug)]
pub struct Secrets {
    place: Place,
    texts: BTreeMap<String, String>,
    /// Marked for deletion: they can be described, and not read.
    deleted: BTreeSet<String>,
}

impl Secrets {
    /// None yet.
    pub fn new(place: &Place) -> Self {
        Self { place: place.clone(), texts: BTreeMap::new(), deleted: BTreeSet::new() }
    }

    /// The ARN of the secret called `name`.
    pub fn arn(&self, name: &str) -> String {
        // AWS adds six random characters; here they say where the secret is.
        self.place.arn("secretsmanager", &format!("secret:{name}-LOCAL1"))
    }

    /// Answers a call.
    pub fn call(&mut self, action: &str, input: &Value) -> Result<Value, ApiError> {
        let input = Input(input);
        match action {
            "CreateSecret" => {
                let (name, text) = (input.need("Name")?, input.need("SecretString")?);
                let arn = self.arn(name);
                if self.texts.contains_key(&arn) {
                    let message = format!("a secret with the name {name} already exists");
                    return Err(ApiError::refused("ResourceExistsException", message));
                }
                self.texts.insert(arn.clone(), text.to_owned());
                Ok(json!({ "ARN": arn, "Name": name }))
            }
            "PutSecretValue" => {
                let arn = self.known(input.need("SecretId")?)?;
                self.texts.insert(arn.clone(), input.need("SecretString")?.to_owned());
                Ok(json!({ "ARN": arn }))
            }
            "GetSecretValue" => {
                let arn = self.known(input.need("SecretId")?)?;
                if self.deleted.contains(&arn) {
                    let message = "You can't perform this operation on the secret because it was \
                                   marked for deletion.";
                    return Err(ApiError::refused("InvalidRequestException", message));
                }
                Ok(json!({ "ARN": arn, "SecretString": self.texts[&arn] }))
            }
            "DescribeSecret" => {
                let arn = self.known(input.need("SecretId")?)?;
                // Any moment says that it is deleted.
                let deleted = self.deleted.contains(&arn).then_some(1);
                let versions = json!({ "00000000-0000-4000-8000-000000000001": ["AWSCURRENT"] });
                let secret =
                    json!({ "ARN": arn, "DeletedDate": deleted, "VersionIdsToStages": versions });
                Ok(present(secret))
            }
            "DeleteSecret" => {
                let arn = self.known(input.need("SecretId")?)?;
                if input.flag("ForceDeleteWithoutRecovery") {
                    self.texts.remove(&arn);
                } else {
                    self.deleted.insert(arn.clone());
                }
                Ok(json!({ "ARN": arn }))
            }
            "RestoreSecret" => {
                let arn = self.known(input.need("SecretId")?)?;
                self.deleted.remove(&arn);
                Ok(json!({ "ARN": arn }))
            }
            _ => Err(ApiError::unknown_action("Secrets Manager", action)),
        }
    }

    /// Secrets are asked for by ARN or by name.
    fn known(&self, id: &str) -> Result<String, ApiError> {
        let arn = if id.starts_with("arn:") { id.to_owned() } else { self.arn(id) };
        if self.texts.contains_key(&arn) {
            return Ok(arn);
        }
        let message = "Secrets Manager can't find the specified secret.";
        Err(ApiError::refused("ResourceNotFoundException", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_by_arn_or_name() {
        let mut secrets = Secrets::new(&Place::new("123456789012", "us-west-2"));
        let create = json!({"Name": "slack", "SecretString": "https://hook"});
        let arn = secrets.call("CreateSecret", &create).unwrap()["ARN"].clone();
        assert!(secrets.call("CreateSecret", &create).is_err());
        for id in [arn, json!("slack")] {
            let found = secrets.call("GetSecretValue", &json!({ "SecretId": id })).unwrap();
            assert_eq!(found["SecretString"], "https://hook");
        }
        let refused = secrets.call("GetSecretValue", &json!({"SecretId": "teams"})).unwrap_err();
        assert_eq!(refused.code, "ResourceNotFoundException");
    }
}
