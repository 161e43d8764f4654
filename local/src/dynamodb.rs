//! DynamoDB: dynoxide (an embedded engine, checked against the real one) and the change stream.
//!
//! The stream is ours: dynoxide's own slows every write down as it grows, and cannot be cut. So
//! each item is read before and after a write, which also settles "no record for a write that
//! changes nothing".

use std::collections::VecDeque;
use std::time::Duration;

use dynoxide::{Database, DynoxideError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::api::ApiError;
use crate::call::Answer;
use crate::template::Table;

/// The tables, and how far reads may be behind.
pub struct DynamoDb {
    database: Database,
    tables: Vec<Keys>,
    /// How long a read that is not consistent, and every index, may lag; zero is off.
    pub lag: Duration,
    /// How often an answer was behind.
    pub lagged: u64,
    recent: VecDeque<(Timestamp, Change)>,
}

struct Keys {
    table: String,
    names: Vec<String>,
}

/// What a write did to one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The table.
    pub table: String,
    /// The item's key.
    pub keys: Value,
    /// The item before; `None` when it is new.
    pub old: Option<Value>,
    /// The item after; `None` when it is gone.
    pub new: Option<Value>,
}

impl std::fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynamoDb").field("lag", &self.lag).finish_non_exhaustive()
    }
}

impl DynamoDb {
    /// An empty database with the template's tables.
    pub fn new(tables: &[Table]) -> Result<Self, ApiError> {
        let failed = |error: DynoxideError| {
            ApiError::refused("InternalServerError", format!("dynoxide: {error}"))
        };
        let database = Database::memory().map_err(failed)?;
        let mut keys = Vec::new();
        for table in tables {
            let request = serde_json::from_value(table.request.clone())
                .map_err(|error: serde_json::Error| unreadable(&error.to_string()))?;
            database.create_table(request).map_err(failed)?;
            let schema = table.request["KeySchema"].as_array().into_iter().flatten();
            let names = schema.filter_map(|key| key["AttributeName"].as_str().map(str::to_owned));
            keys.push(Keys { table: table.name.clone(), names: names.collect() });
        }
        Ok(Self { database, tables: keys, lag: Duration::ZERO, lagged: 0, recent: VecDeque::new() })
    }

    /// Answers a call, and says what it changed.
    pub fn call(&mut self, action: &str, input: &Value, now: Timestamp) -> (Answer, Vec<Change>) {
        let before: Vec<(&Keys, Value, Option<Value>)> = written_keys(action, input, &self.tables)
            .into_iter()
            .map(|(table, key)| (table, key.clone(), self.item(&table.table, &key)))
            .collect();
        let answer = self.execute(action, input);
        if answer.status >= 400 {
            return (answer, Vec::new());
        }
        let changes: Vec<Change> = before
            .into_iter()
            .map(|(table, keys, old)| {
                let new = self.item(&table.table, &keys);
                Change { table: table.table.clone(), keys, old, new }
            })
            .filter(|change| change.old != change.new)
            .collect();
        let answer = self.lagged(action, input, answer, now);
        if !self.lag.is_zero() {
            self.recent.extend(changes.iter().map(|change| (now, change.clone())));
        }
        (answer, changes)
    }

    /// An item as it is now.
    pub fn item(&self, table: &str, key: &Value) -> Option<Value> {
        let request = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
        let mut answer = self.execute("GetItem", &request);
        Some(answer.body["Item"].take()).filter(|item| !item.is_null())
    }

    /// All items, in no order: for tests and the demo's view, never for a function.
    pub fn items(&self, table: &str) -> Vec<Value> {
        match self.execute("Scan", &json!({ "TableName": table })).body.get("Items") {
            Some(Value::Array(items)) => items.clone(),
            _ => Vec::new(),
        }
    }

    fn execute(&self, action: &str, input: &Value) -> Answer {
        let db = &self.database;
        match action {
            "GetItem" => run(input, |request| db.get_item(request)),
            "PutItem" => run(input, |request| db.put_item(request)),
            "UpdateItem" => run(input, |request| db.update_item(request)),
            "DeleteItem" => run(input, |request| db.delete_item(request)),
            "Query" => run(input, |request| db.query(request)),
            "Scan" => run(input, |request| db.scan(request)),
            "BatchGetItem" => run(input, |request| db.batch_get_item(request)),
            "BatchWriteItem" => run(input, |request| db.batch_write_item(request)),
            "TransactWriteItems" => run(input, |request| db.transact_write_items(request)),
            "TransactGetItems" => run(input, |request| db.transact_get_items(request)),
            "DescribeTable" => run(input, |request| db.describe_table(request)),
            "ListTables" => run(input, |request| db.list_tables(request)),
            _ => ApiError::unknown_action("DynamoDB", action).into(),
        }
    }

    /// What a reader sees that is `lag` behind: items changed since then as they were.
    ///
    /// Items deleted or moved out of the asked range since then stay unseen: the lag shows as old
    /// images and as items that are not there yet, which is what decisions can trip over.
    fn lagged(&mut self, action: &str, input: &Value, answer: Answer, now: Timestamp) -> Answer {
        let oldest = now - self.lag;
        while self.recent.front().is_some_and(|(at, _)| *at < oldest) {
            self.recent.pop_front();
        }
        let consistent = input["ConsistentRead"] == json!(true);
        let reads = matches!(action, "GetItem" | "Query" | "Scan");
        if self.recent.is_empty() || consistent || !reads {
            return answer;
        }
        let Answer { status, mut body } = answer;
        let truth = body.clone();
        if let Some(item) = body.get("Item").cloned() {
            match self.as_it_was(&item) {
                Some(old) => body["Item"] = old,
                None => body = json!({}),
            }
        }
        if let Some(Value::Array(items)) = body.get("Items") {
            let seen: Vec<Value> = items.iter().filter_map(|item| self.as_it_was(item)).collect();
            body["Count"] = json!(seen.len());
            body["Items"] = Value::Array(seen);
        }
        self.lagged += u64::from(body != truth);
        Answer { status, body }
    }

    /// The item before the first of its recent changes; an index's projection keeps its attributes.
    fn as_it_was(&self, item: &Value) -> Option<Value> {
        let is_of = |keys: &Value| {
            keys.as_object().is_some_and(|keys| keys.iter().all(|(name, key)| item[name] == *key))
        };
        let Some((_, change)) = self.recent.iter().find(|(_, change)| is_of(&change.keys)) else {
            return Some(item.clone());
        };
        let old = change.old.as_ref()?;
        let shown = item.as_object()?.keys();
        let kept = shown.filter_map(|name| Some((name.clone(), old.get(name)?.clone())));
        Some(Value::Object(kept.collect::<Map<_, _>>()))
    }
}

fn run<'i, Request: Deserialize<'i>, Reply: Serialize>(
    input: &'i Value,
    action: impl FnOnce(Request) -> Result<Reply, DynoxideError>,
) -> Answer {
    let request = match Request::deserialize(input) {
        Ok(request) => request,
        Err(error) => return unreadable(&error.to_string()).into(),
    };
    match action(request) {
        Ok(reply) => Answer { status: 200, body: serde_json::to_value(reply).unwrap_or_default() },
        Err(error) => {
            let body = serde_json::from_str(&error.to_json()).unwrap_or_default();
            Answer { status: error.status_code(), body }
        }
    }
}

/// dynoxide marks what breaks a constraint, not the shape.
fn unreadable(error: &str) -> ApiError {
    match error.strip_prefix("VALIDATION:") {
        Some(constraint) => ApiError::refused("ValidationException", constraint),
        None => ApiError::refused("SerializationException", error),
    }
}

/// The keys of the items that a write may change.
fn written_keys<'a>(action: &str, input: &Value, tables: &'a [Keys]) -> Vec<(&'a Keys, Value)> {
    let of_request = |request: &Value| {
        let table = tables.iter().find(|table| request["TableName"] == table.table)?;
        let from = if request["Key"].is_null() { &request["Item"] } else { &request["Key"] };
        Some((table, key_of(table, from)))
    };
    match action {
        "PutItem" | "UpdateItem" | "DeleteItem" => of_request(input).into_iter().collect(),
        "TransactWriteItems" => {
            let items = input["TransactItems"].as_array().into_iter().flatten();
            let writes = items.flat_map(|item| item.as_object().into_iter().flatten());
            writes
                .filter(|(kind, _)| *kind != "ConditionCheck")
                .filter_map(|(_, request)| of_request(request))
                .collect()
        }
        "BatchWriteItem" => {
            let requests = input["RequestItems"].as_object().into_iter().flatten();
            requests
                .flat_map(|(name, writes)| {
                    let table = tables.iter().find(|table| table.table == *name);
                    let writes = writes.as_array().into_iter().flatten();
                    writes.filter_map(move |write| {
                        let put = &write["PutRequest"]["Item"];
                        let delete = &write["DeleteRequest"]["Key"];
                        let from = if put.is_null() { delete } else { put };
                        table.map(|table| (table, key_of(table, from)))
                    })
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn key_of(table: &Keys, item: &Value) -> Value {
    table.names.iter().map(|name| (name.clone(), item[name].clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> DynamoDb {
        let request = json!({
            "TableName": "table", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"},
                                     {"AttributeName": "sk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"},
                          {"AttributeName": "sk", "KeyType": "RANGE"}],
        });
        DynamoDb::new(&[Table { name: "table".to_owned(), stream: String::new(), request }])
            .unwrap()
    }

    fn item(sk: &str, value: &str) -> Value {
        json!({"pk": {"S": "p"}, "sk": {"S": sk}, "v": {"S": value}})
    }

    fn put(sk: &str, value: &str) -> Value {
        json!({"TableName": "table", "Item": item(sk, value)})
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_write_that_changes_nothing_makes_no_change() {
        let mut db = table();
        let (answer, changes) = db.call("PutItem", &put("a", "1"), at(0));
        assert_eq!(answer.status, 200);
        assert_eq!((changes[0].old.clone(), changes[0].new.clone()), (None, Some(item("a", "1"))));
        assert!(db.call("PutItem", &put("a", "1"), at(0)).1.is_empty());
        let (_, changes) = db.call("PutItem", &put("a", "2"), at(0));
        assert_eq!(changes[0].old, Some(item("a", "1")));
        let key = json!({"TableName": "table", "Key": {"pk": {"S": "p"}, "sk": {"S": "a"}}});
        assert_eq!(db.call("DeleteItem", &key, at(0)).1[0].new, None);
    }

    #[test]
    fn a_transaction_changes_all_or_nothing() {
        let mut db = table();
        let mut guarded = put("b", "1");
        guarded["ConditionExpression"] = json!("attribute_not_exists(pk)");
        let write = json!({"TransactItems": [{"Put": put("a", "1")}, {"Put": guarded}]});
        assert_eq!(db.call("TransactWriteItems", &write, at(0)).1.len(), 2);
        let (answer, changes) = db.call("TransactWriteItems", &write, at(0));
        assert_eq!(answer.refusal(), Some("TransactionCanceledException"));
        let codes: Vec<_> = answer.body["CancellationReasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reason| reason["Code"].clone())
            .collect();
        assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
        assert!(changes.is_empty());
    }

    #[test]
    fn a_transaction_that_is_sent_again_is_known_by_its_token() {
        let mut db = table();
        let mut once = put("a", "1");
        once["ConditionExpression"] = json!("attribute_not_exists(pk)");
        let write = json!({"TransactItems": [{"Put": once}], "ClientRequestToken": "one"});
        assert_eq!(db.call("TransactWriteItems", &write, at(0)).1.len(), 1);
        let (answer, changes) = db.call("TransactWriteItems", &write, at(9));
        assert_eq!((answer.status, changes), (200, Vec::new()));
    }

    #[test]
    fn reads_that_are_not_consistent_lag_when_told_to() {
        let mut db = table();
        db.lag = Duration::from_secs(2);
        db.call("PutItem", &put("a", "1"), at(0));
        db.call("PutItem", &put("a", "2"), at(10));
        let mut get = json!({"TableName": "table", "Key": {"pk": {"S": "p"}, "sk": {"S": "a"}}});
        assert_eq!(db.call("GetItem", &get, at(11)).0.body["Item"]["v"]["S"], "1");
        assert_eq!(db.call("GetItem", &get, at(13)).0.body["Item"]["v"]["S"], "2");
        db.call("PutItem", &put("b", "1"), at(20));
        let query = json!({"TableName": "table", "KeyConditionExpression": "pk = :p",
                           "ExpressionAttributeValues": {":p": {"S": "p"}}});
        assert_eq!(db.call("Query", &query, at(21)).0.body["Count"], 1);
        get["ConsistentRead"] = json!(true);
        get["Key"]["sk"]["S"] = json!("b");
        assert_eq!(db.call("GetItem", &get, at(21)).0.body["Item"]["v"]["S"], "1");
    }

    #[test]
    fn what_is_not_modelled_is_refused() {
        let (answer, _) = table().call("CreateBackup", &json!({}), at(0));
        assert_eq!(answer.refusal(), Some("UnknownOperationException"));
    }
}
