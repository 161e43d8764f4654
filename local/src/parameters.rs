//! The Parameter Store: which parameters there are. Their values matter to nobody here.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::api::{ApiError, Input};

/// A filter takes no more names, and a page holds no more.
const MOST: usize = 50;

/// The parameters, by name.
#[derive(Debug, Default)]
pub struct Parameters(BTreeSet<String>);

impl Parameters {
    /// Answers a call.
    pub fn call(&mut self, action: &str, input: &Value) -> Result<Value, ApiError> {
        let input = Input(input);
        match action {
            "PutParameter" => {
                self.0.insert(input.need("Name")?.to_owned());
                Ok(json!({ "Version": 1 }))
            }
            "DeleteParameter" => {
                let name = input.need("Name")?;
                let missing = || ApiError::refused("ParameterNotFound", format!("no {name}"));
                self.0.remove(name).then(|| json!({})).ok_or_else(missing)
            }
            "DescribeParameters" => {
                input.only("DescribeParameters", &["ParameterFilters", "MaxResults"])?;
                let [filter] = input.limited("ParameterFilters", 1)? else {
                    return Err(ApiError::refused("InvalidFilterValue", "one filter"));
                };
                if filter["Key"] != "Name" || filter["Option"] != "Equals" {
                    let why = "the local AWS models the filter Name Equals only";
                    return Err(ApiError::refused("InvalidFilterOption", why));
                }
                let names = Input(filter).limited("Values", MOST)?.iter();
                let there = names.filter_map(Value::as_str).filter(|name| self.0.contains(*name));
                let there = there.map(|name| json!({ "Name": name, "Type": "SecureString" }));
                Ok(json!({ "Parameters": there.collect::<Vec<_>>() }))
            }
            _ => Err(ApiError::unknown_action("Systems Manager", action)),
        }
    }
}
