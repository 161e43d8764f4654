//! Races that are lost.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_local::call::{Call, Caller, Noted, Scope};
use tidegate_local::cloud::{Cloud, Rival};

/// A rival may do everything. The command line updates no single item, so the two are told apart.
const RIVAL: Caller = Caller::Operator;

/// Somebody else writes the item first, as another invocation would have.
#[derive(Debug, Clone)]
pub struct Rivalry {
    caller: String,
    action: String,
    number: u64,
    write: Call,
}

impl Rivalry {
    /// Makes a conditional write, its caller's `number`th of this action, come too late.
    pub fn of(noted: &Noted, number: u64) -> Option<Self> {
        let input = &noted.call.input;
        let input = match noted.call.action.as_str() {
            "TransactWriteItems" => {
                let writes = input["TransactItems"].as_array()?.iter();
                let mut updates = writes.filter_map(|write| write.get("Update"));
                decided(updates.find(|update| condition(update).contains("#step"))?)
            }
            "UpdateItem" if condition(input).contains("#lease") => claimed(input, noted.at),
            "UpdateItem" if condition(input).contains("#until") => registering(input, noted.at),
            "UpdateItem" if condition(input).contains("#revision") => registered(input),
            _ => return None,
        };
        let (service, action) = ("dynamodb".to_owned(), "UpdateItem".to_owned());
        let write = Call { caller: RIVAL, scope: Scope::default(), service, action, input };
        let (caller, action) = (noted.call.caller.to_string(), noted.call.action.clone());
        Some(Self { caller, action, number, write })
    }

    /// Lands the write just before the call.
    pub(super) fn begin(self, cloud: &mut Cloud) {
        let mut seen = 0;
        cloud.rival = Some(Rival::new(move |call| {
            if call.caller.to_string() != self.caller || call.action != self.action {
                return Vec::new();
            }
            seen += 1;
            if seen == self.number { vec![self.write.clone()] } else { Vec::new() }
        }));
    }
}

fn condition(update: &Value) -> &str {
    update["ConditionExpression"].as_str().unwrap_or_default()
}

/// An update of the same item as `update`, without a condition.
fn beside(update: &Value, expression: &str, names: &Value, values: &Value) -> Value {
    json!({
        "TableName": update["TableName"],
        "Key": update["Key"],
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    })
}

/// Another decider wrote the item's next step.
fn decided(update: &Value) -> Value {
    let (names, values) = (json!({ "#step": "step" }), json!({ ":one": { "N": "1" } }));
    beside(update, "SET #step = #step + :one", &names, &values)
}

/// Another invocation of deploy claimed the slot, and died: its lease runs out.
fn claimed(update: &Value, now: Timestamp) -> Value {
    let names = json!({ "#done": "done", "#step": "step", "#lease": "lease" });
    let lease = json!({ "owner": { "S": "another" }, "until": { "S": until(now) } });
    let values = json!({ ":one": { "N": "1" }, ":lease": { "M": lease } });
    beside(update, "SET #done.#step = #done.#step + :one, #lease = :lease", &names, &values)
}

/// Another survey began to register the revision, and died.
fn registering(update: &Value, now: Timestamp) -> Value {
    let names = json!({ "#owner": "owner", "#until": "until" });
    let values = json!({ ":owner": { "S": "another" }, ":until": { "S": until(now) } });
    beside(update, "SET #owner = :owner, #until = :until", &names, &values)
}

/// Another survey wrote the revision down.
fn registered(update: &Value) -> Value {
    let values = json!({ ":revision": update["ExpressionAttributeValues"][":revision"] });
    beside(update, "SET #revision = :revision", &json!({ "#revision": "revision" }), &values)
}

/// When a lease that was taken now runs out.
fn until(now: Timestamp) -> String {
    (now + Duration::from_secs(20)).to_string()
}

/// How many conditional writes came too late, each just after a rival's.
pub(super) fn races_lost(calls: &[Noted]) -> u64 {
    let lost = ["ConditionalCheckFailedException", "TransactionCanceledException"];
    let rival = |it: &Noted| it.call.caller == RIVAL && it.call.action == "UpdateItem";
    let refused = |it: &Noted| it.refusal.as_deref().is_some_and(|it| lost.contains(&it));
    calls.windows(2).filter(|pair| rival(&pair[0]) && refused(&pair[1])).count() as u64
}
