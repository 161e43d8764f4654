//! CloudFormation, as far as it tells what the one stack holds.

use serde_json::{Value, json};

use crate::api::{ApiError, Input};
use crate::template::{STACK, StackResource};

/// The stack that the template made.
#[derive(Debug)]
pub struct CloudFormation {
    resources: Vec<StackResource>,
    parameters: Vec<(String, String)>,
}

impl CloudFormation {
    /// A stack of these resources, deployed with these parameters.
    pub fn new(resources: Vec<StackResource>, parameters: Vec<(String, String)>) -> Self {
        Self { resources, parameters }
    }

    /// Answers a call.
    pub fn call(&self, action: &str, input: &Value) -> Result<Value, ApiError> {
        let name = Input(input).need("StackName")?;
        if name != STACK {
            let message = format!("Stack with id {name} does not exist");
            return Err(ApiError::refused("ValidationError", message));
        }
        match action {
            "DescribeStackResources" => {
                let resources = self.resources.iter().map(|it| {
                    json!({
                        "StackName": STACK,
                        "LogicalResourceId": it.id,
                        "PhysicalResourceId": it.name,
                        "ResourceType": it.kind,
                        "ResourceStatus": "CREATE_COMPLETE",
                    })
                });
                Ok(json!({ "StackResources": resources.collect::<Vec<_>>() }))
            }
            "DescribeStacks" => {
                let parameters = self.parameters.iter();
                let parameters = parameters
                    .map(|(key, value)| json!({ "ParameterKey": key, "ParameterValue": value }));
                let parameters: Vec<_> = parameters.collect();
                Ok(json!({ "Stacks": [{ "StackName": STACK, "Parameters": parameters }] }))
            }
            _ => Err(ApiError::unknown_action("CloudFormation", action)),
        }
    }
}
