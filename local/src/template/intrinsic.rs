//! Intrinsic functions, as far as the template uses them; any other is refused by name.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{TemplateError, members, names};
use crate::api::Place;

/// CloudFormation names the stack; locally there is one.
pub const STACK: &str = "tidegate";

/// What names mean inside one deployment of the template.
pub(super) struct Scope<'a> {
    template: &'a Value,
    parameters: BTreeMap<&'a str, Value>,
    place: &'a Place,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        template: &'a Value,
        given: &'a BTreeMap<String, String>,
        place: &'a Place,
    ) -> Result<Self, TemplateError> {
        let declared = &template["Parameters"];
        if let Some(unknown) = given.keys().find(|name| declared.get(name.as_str()).is_none()) {
            return Err(TemplateError::new(format!("there is no parameter `{unknown}`")));
        }
        let mut parameters = BTreeMap::new();
        for (name, parameter) in members(declared) {
            let text = match (given.get(name), &parameter["Default"]) {
                (Some(given), _) => given.clone(),
                (None, Value::String(default)) => default.clone(),
                (None, Value::Null) => {
                    return Err(TemplateError::new(format!(
                        "the parameter `{name}` has no default and no value was given"
                    )));
                }
                (None, default) => default.to_string(),
            };
            let is_list = parameter["Type"].as_str().is_some_and(|kind| kind.contains("List"));
            let value = if is_list {
                let elements = text.split(',').map(str::trim).filter(|it| !it.is_empty());
                json!(elements.collect::<Vec<_>>())
            } else {
                json!(text)
            };
            parameters.insert(name.as_str(), value);
        }
        Ok(Self { template, parameters, place })
    }

    /// Whether the resource's condition holds.
    pub(super) fn stands(&self, resource: &Value) -> Result<bool, TemplateError> {
        resource["Condition"].as_str().map_or(Ok(true), |name| self.condition(name))
    }

    /// The value with every intrinsic function replaced by what it means.
    pub(super) fn resolve(&self, value: &Value) -> Result<Value, TemplateError> {
        Ok(self.present(value)?.unwrap_or(Value::Null))
    }

    /// `None` is `AWS::NoValue`: the member or element is left out.
    fn present(&self, value: &Value) -> Result<Option<Value>, TemplateError> {
        match value {
            Value::Object(members) => {
                if let Some((name, argument)) = function(members) {
                    return self.call(name, argument);
                }
                let mut object = Map::new();
                for (key, member) in members {
                    if let Some(member) = self.present(member)? {
                        object.insert(key.clone(), member);
                    }
                }
                Ok(Some(Value::Object(object)))
            }
            Value::Array(elements) => {
                let elements =
                    elements.iter().map(|it| self.present(it)).collect::<Result<Vec<_>, _>>()?;
                Ok(Some(Value::Array(elements.into_iter().flatten().collect())))
            }
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Result<Option<Value>, TemplateError> {
        let value = match (name, argument) {
            ("Ref", Value::String(target)) => return self.reference(target),
            ("Fn::GetAtt", Value::String(path)) => self.attribute(path)?,
            ("Fn::GetAtt", Value::Array(path)) => {
                let path: Vec<_> = path.iter().filter_map(Value::as_str).collect();
                self.attribute(&path.join("."))?
            }
            ("Fn::Sub", Value::String(text)) => self.substitute(text, &Value::Null)?,
            ("Fn::Sub", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(text), names] => self.substitute(text, &self.resolve(names)?)?,
                _ => return Err(malformed(name, argument)),
            },
            ("Fn::If", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(condition), then, otherwise] => {
                    let chosen = if self.condition(condition)? { then } else { otherwise };
                    return self.present(chosen);
                }
                _ => return Err(malformed(name, argument)),
            },
            ("Fn::Join", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(separator), elements] => {
                    let elements = self.resolve(elements)?;
                    let texts = elements.as_array().into_iter().flatten().map(text);
                    json!(texts.collect::<Vec<_>>().join(separator))
                }
                _ => return Err(malformed(name, argument)),
            },
            ("Fn::Select", Value::Array(parts)) => match parts.as_slice() {
                [index, elements] => {
                    let index = text(index).parse::<usize>().unwrap_or_default();
                    self.resolve(elements)?[index].clone()
                }
                _ => return Err(malformed(name, argument)),
            },
            ("Fn::Split", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(separator), whole] => {
                    let whole = text(&self.resolve(whole)?);
                    json!(whole.split(separator.as_str()).collect::<Vec<_>>())
                }
                _ => return Err(malformed(name, argument)),
            },
            ("Condition", Value::String(condition)) => json!(self.condition(condition)?),
            ("Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or", Value::Array(parts)) => {
                json!(self.test(name, parts)?)
            }
            _ => return Err(malformed(name, argument)),
        };
        Ok(Some(value))
    }

    fn reference(&self, target: &str) -> Result<Option<Value>, TemplateError> {
        Ok(Some(match target {
            "AWS::NoValue" => return Ok(None),
            "AWS::Region" => json!(self.place.region),
            "AWS::AccountId" => json!(self.place.account),
            "AWS::Partition" => json!("aws"),
            "AWS::StackName" => json!(STACK),
            "AWS::URLSuffix" => json!("amazonaws.com"),
            _ => match self.parameters.get(target) {
                Some(value) => value.clone(),
                None => json!(names::reference(
                    self.place,
                    self.kind(target)?,
                    &self.physical_name(target)?
                )),
            },
        }))
    }

    fn attribute(&self, path: &str) -> Result<Value, TemplateError> {
        let (id, attribute) = path.split_once('.').unwrap_or((path, ""));
        let (kind, name) = (self.kind(id)?, self.physical_name(id)?);
        names::attribute(self.place, kind, &name, attribute)
            .map(Value::String)
            .ok_or_else(|| TemplateError::new(format!("{kind} has no attribute `{attribute}`")))
    }

    fn substitute(&self, text_with_names: &str, names: &Value) -> Result<Value, TemplateError> {
        let mut out = String::new();
        let mut rest = text_with_names;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                return Err(TemplateError::new(format!("`${{` without `}}` in {text_with_names}")));
            };
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                out.extend(["${", literal, "}"]);
            } else if let Some(value) = names.get(name) {
                out.push_str(&text(value));
            } else if name.contains('.') {
                out.push_str(&text(&self.attribute(name)?));
            } else {
                out.push_str(&text(&self.reference(name)?.unwrap_or_default()));
            }
        }
        out.push_str(rest);
        Ok(Value::String(out))
    }

    fn condition(&self, name: &str) -> Result<bool, TemplateError> {
        let condition = &self.template["Conditions"][name];
        if condition.is_null() {
            return Err(TemplateError::new(format!("there is no condition `{name}`")));
        }
        Ok(self.resolve(condition)? == Value::Bool(true))
    }

    fn test(&self, name: &str, parts: &[Value]) -> Result<bool, TemplateError> {
        let parts = parts.iter().map(|it| self.resolve(it)).collect::<Result<Vec<_>, _>>()?;
        let yes = Value::Bool(true);
        Ok(match (name, parts.as_slice()) {
            ("Fn::Equals", [one, other]) => text(one) == text(other),
            ("Fn::Not", [one]) => *one != yes,
            ("Fn::And", all) => all.iter().all(|it| *it == yes),
            ("Fn::Or", any) => any.contains(&yes),
            _ => return Err(malformed(name, &json!(parts))),
        })
    }

    fn kind(&self, id: &str) -> Result<&'a str, TemplateError> {
        let generated = self.sam_makes_queue(id).then_some("AWS::SQS::Queue");
        self.template["Resources"][id]["Type"]
            .as_str()
            .or(generated)
            .ok_or_else(|| TemplateError::new(format!("there is no parameter or resource `{id}`")))
    }

    /// SAM makes the queue that a rule's `DeadLetterConfig: {Type: SQS, QueueLogicalId: …}` names.
    fn sam_makes_queue(&self, id: &str) -> bool {
        members(&self.template["Resources"])
            .flat_map(|(_, resource)| members(&resource["Properties"]["Events"]))
            .any(|(_, event)| event["Properties"]["DeadLetterConfig"]["QueueLogicalId"] == id)
    }

    /// The name that CloudFormation would give, or the one the template asks for.
    pub(super) fn physical_name(&self, id: &str) -> Result<String, TemplateError> {
        let resource = &self.template["Resources"][id];
        let asked = names::name_property(self.kind(id)?)
            .map(|property| &resource["Properties"][property])
            .filter(|asked| !asked.is_null());
        match asked {
            Some(asked) => Ok(text(&self.resolve(asked)?)),
            None => Ok(format!("{STACK}-{id}")),
        }
    }
}

/// An object that is a call: one member with a function's name.
fn function(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut members = members.iter();
    let (name, argument) = members.next().filter(|_| members.next().is_none())?;
    // `Condition` is also a key of IAM statements, where it holds an object.
    let is_call =
        name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string());
    is_call.then_some((name.as_str(), argument))
}

fn malformed(name: &str, argument: &Value) -> TemplateError {
    TemplateError::new(format!("the local AWS does not understand {name} {argument}"))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(elements) => elements.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
