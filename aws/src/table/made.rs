//! One revision for each (release, base revision): two services that share a base neither race
//! nor register twice, and two that only share a family never share wrongly.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidegate_core::model::{LEASE, ReleaseId};

use super::{Table, TableError, keys};

/// Who registers the revision of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// It is registered: this ARN.
    Revision(String),
    /// You do, now; record it afterwards.
    Yours,
    /// Somebody else does, now.
    Theirs,
}

#[derive(Serialize, Deserialize)]
struct Item {
    #[serde(default)]
    revision: Option<String>,
    owner: String,
    until: Timestamp,
}

impl Table {
    /// The revision made for `release` from `base`, or the right to make it.
    pub async fn made(
        &self,
        release: &ReleaseId,
        base: &str,
        owner: &str,
        now: Timestamp,
    ) -> Result<Made, TableError> {
        let key = keys::made(release, base);
        if let Some(item) = self.get::<Item>(&key).await? {
            if let Some(revision) = item.revision {
                return Ok(Made::Revision(revision));
            }
            if item.until > now && item.owner != owner {
                return Ok(Made::Theirs);
            }
        }
        let until = now + LEASE;
        let values = HashMap::from([
            (":owner".to_owned(), AttributeValue::S(owner.to_owned())),
            (":until".to_owned(), AttributeValue::S(until.to_string())),
            (":now".to_owned(), AttributeValue::S(now.to_string())),
        ]);
        let names = HashMap::from([
            ("#owner".to_owned(), "owner".to_owned()),
            ("#until".to_owned(), "until".to_owned()),
        ]);
        // RFC 3339 in UTC with varying fractions does not sort as text at equal seconds; a
        // second's error on a 20 s lease is harmless, for `revision` is written once only.
        let condition = "attribute_not_exists(revision) AND \
             (attribute_not_exists(#until) OR #until <= :now OR #owner = :owner)";
        let update = "SET #owner = :owner, #until = :until";
        let mine = self.update_if(&key, update, condition, names, values).await?;
        Ok(if mine { Made::Yours } else { Made::Theirs })
    }

    /// Writes the registered revision down; the one that is there already stays and is answered.
    pub async fn record_made(
        &self,
        release: &ReleaseId,
        base: &str,
        revision: &str,
    ) -> Result<String, TableError> {
        let key = keys::made(release, base);
        let values =
            HashMap::from([(":revision".to_owned(), AttributeValue::S(revision.to_owned()))]);
        let names = HashMap::from([("#revision".to_owned(), "revision".to_owned())]);
        let condition = "attribute_not_exists(#revision)";
        if self.update_if(&key, "SET #revision = :revision", condition, names, values).await? {
            return Ok(revision.to_owned());
        }
        let there = self.get::<Item>(&key).await?.and_then(|item| item.revision);
        Ok(there.unwrap_or_else(|| revision.to_owned()))
    }
}
