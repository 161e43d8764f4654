//! What CloudFormation holds once SAM has made its resources of the template's.

use super::{Stack, TemplateError, names};

/// A resource of the deployed stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackResource {
    /// `PromoteFunctionEcrPush`
    pub id: String,
    /// Its physical id.
    pub name: String,
    /// `AWS::Events::Rule`
    pub kind: String,
}

impl Stack {
    /// Every resource, those that SAM makes of functions' events included.
    pub fn deployed(&self) -> Result<Vec<StackResource>, TemplateError> {
        let own = self.resources.iter().map(|(id, resource)| StackResource {
            id: id.clone(),
            name: names::reference(&self.place, &resource.kind, &resource.name),
            kind: resource.kind.replace("AWS::Serverless::", "AWS::Lambda::"),
        });
        let mut all: Vec<_> = own.collect();
        for function in self.functions()? {
            let rules = function.rules.iter().map(|it| (&it.id, &it.name, "AWS::Events::Rule"));
            let schedules =
                function.schedules.iter().map(|it| (&it.id, &it.name, "AWS::Scheduler::Schedule"));
            let mappings = function.mappings.iter();
            let mappings = mappings.map(|it| (&it.id, &it.uuid, "AWS::Lambda::EventSourceMapping"));
            let made = rules.chain(schedules).chain(mappings);
            all.extend(made.map(|(id, name, kind)| StackResource {
                id: id.clone(),
                name: name.clone(),
                kind: kind.to_owned(),
            }));
        }
        Ok(all)
    }
}
