//! Other regions and accounts beside home, where the installation stands: the models of what is
//! released there, the roles that lead there, and the events that are sent home.

use serde_json::Value;

use super::{Cloud, CloudError};
use crate::api::Place;
use crate::call::Call;
use crate::cloudwatch::CloudWatch;
use crate::ecr::Ecr;
use crate::ecs::Ecs;
use crate::pattern::Pattern;
use crate::streams::hash;
use crate::template::Stack;

/// ECS and CloudWatch of a place that is not home. Its registry is among those of [`Cloud::ecr`], for
/// tasks pull from anywhere.
#[derive(Debug)]
pub(super) struct Elsewhere {
    pub(super) place: Place,
    pub(super) ecs: Ecs,
    pub(super) cloudwatch: CloudWatch,
    /// What is sent home from here.
    sent: Vec<Pattern>,
}

impl Cloud {
    /// Makes sure that there is something at `place`.
    pub fn open(&mut self, place: &Place) {
        if *place == self.place || self.elsewhere.iter().any(|other| other.place == *place) {
            return;
        }
        // Dice of its own: what happens at home is the same with and without it.
        let seed = self.seed ^ hash(&place.registry());
        self.ecr.open(place.clone(), seed);
        self.elsewhere.push(Elsewhere {
            place: place.clone(),
            ecs: Ecs::new(place.clone(), seed),
            cloudwatch: CloudWatch::new(place.clone()),
            sent: Vec::new(),
        });
    }

    /// Deploys `target-role.yaml`: whom its role trusts, and what it may do.
    pub fn trust(&mut self, stack: &Stack) -> Result<(), CloudError> {
        Ok(self.iam.trust(stack)?)
    }

    /// Deploys `regional.yaml`: from now on its place sends these events home.
    pub fn forward(&mut self, stack: &Stack) -> Result<(), CloudError> {
        let rules = stack.rules()?;
        let there = self.elsewhere.iter_mut().find(|other| other.place == stack.place);
        if let Some(there) = there {
            there.sent = rules;
        }
        Ok(())
    }

    /// Takes `regional.yaml` away again, wherever it was deployed.
    pub fn forward_nothing(&mut self) {
        self.elsewhere.iter_mut().for_each(|other| other.sent.clear());
    }

    /// ECS at `place`, and the registries that it pulls from; home's where there is nothing.
    pub fn ecs_at(&mut self, place: &Place) -> (&mut Ecs, &Ecr) {
        let there = self.elsewhere.iter_mut().find(|other| other.place == *place);
        (there.map_or(&mut self.ecs, |other| &mut other.ecs), &self.ecr)
    }

    /// Home, and the others.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.place).chain(self.elsewhere.iter().map(|other| &other.place))
    }

    /// ECS at `place`, for who must know the truth; home's where there is nothing.
    pub fn ecs_of(&self, place: &Place) -> &Ecs {
        let there = self.elsewhere.iter().find(|other| other.place == *place);
        there.map_or(&self.ecs, |other| &other.ecs)
    }

    /// The alarms at `place`, for who must know the truth; home's where there is nothing.
    pub fn cloudwatch_of(&self, place: &Place) -> &CloudWatch {
        let there = self.elsewhere.iter().find(|other| other.place == *place);
        there.map_or(&self.cloudwatch, |other| &other.cloudwatch)
    }

    /// The alarms at `place`.
    pub fn cloudwatch_at(&mut self, place: &Place) -> &mut CloudWatch {
        let there = self.elsewhere.iter_mut().find(|other| other.place == *place);
        there.map_or(&mut self.cloudwatch, |other| &mut other.cloudwatch)
    }

    /// Where a call goes: to the account of its role, or home; a registry's to the registry's.
    pub fn place_of(&self, call: &Call) -> Place {
        let own = self.iam.account_of(call);
        let registry = call.input["registryId"].as_str().filter(|_| call.service == "ecr");
        let region = call.scope.region.as_deref().unwrap_or(&self.place.region);
        let asked = Place::new(registry.unwrap_or(own), region);
        let known = self.elsewhere.iter().any(|other| other.place == asked);
        if known { asked } else { self.place.clone() }
    }

    /// Whether an event reaches the functions' rules: one from elsewhere only if a rule there sends it,
    /// and one of another account only if the bus at home takes it.
    pub(super) fn reaches_home(&self, event: &Value) -> bool {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        let place = Place::new(text("account"), text("region"));
        let taken = place.account == self.place.account || self.admitted.contains(&place.account);
        let there = self.elsewhere.iter().find(|other| other.place == place);
        there.is_none_or(|it| taken && it.sent.iter().any(|pattern| pattern.matches(event)))
    }
}
