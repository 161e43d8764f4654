//! What the models of AWS share: refusals, events, places, and how inputs and times are read and written.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tidegate_core::config::PipelineConfig;

/// The account and region a model stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The account's twelve digits.
    pub account: String,
    /// `us-west-2`
    pub region: String,
}

impl Place {
    /// A place from its two names.
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: account.to_owned(), region: region.to_owned() }
    }

    /// Where a pipeline's targets are.
    pub fn of(pipeline: &PipelineConfig) -> Self {
        Self::new(&pipeline.account, &pipeline.region)
    }

    /// The ARN of something of a service that lives here.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }

    /// The ARN of a container service of Lightsail. Its last part is an id that only AWS knows; here it
    /// follows from the name, so that a template's parameter can hold it.
    pub fn container_service(&self, name: &str) -> String {
        let id = name.bytes().fold(0_u64, |id, byte| id.wrapping_mul(31).wrapping_add(byte.into()));
        self.arn("lightsail", &format!("ContainerService/{id:016x}"))
    }

    /// The host name of the private image registry here.
    pub fn registry(&self) -> String {
        format!("{}.dkr.ecr.{}.amazonaws.com", self.account, self.region)
    }
}

/// A refusal as AWS gives it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The error's name on the wire: `ServiceNotFoundException`.
    pub code: String,
    /// AWS's words, or the model's where it refuses what it does not do.
    pub message: String,
}

impl ApiError {
    /// The caller's mistake (HTTP 400).
    pub fn refused(code: &str, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.to_owned(), message: message.into() }
    }

    /// An action the model does not know: refused by name, never a pretended success.
    pub fn unknown_action(service: &str, action: &str) -> Self {
        Self::refused(
            "UnknownOperationException",
            format!("the local AWS does not model {service} {action}"),
        )
    }
}

/// An event for the default bus.
#[derive(Debug, Clone, PartialEq)]
pub struct BusEvent {
    /// When it happened; the bus delivers it later.
    pub at: Timestamp,
    /// The whole envelope, as a rule's target receives it.
    pub body: Value,
}

impl BusEvent {
    /// Wraps `detail` in the bus's envelope.
    pub fn new(place: &Place, source: &str, kind: &str, at: Timestamp, detail: Detail) -> Self {
        let Detail { id, resources, detail } = detail;
        let body = json!({
            "version": "0",
            "id": id,
            "detail-type": kind,
            "source": source,
            "account": place.account,
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": place.region,
            "resources": resources,
            "detail": detail,
        });
        Self { at, body }
    }
}

/// What a model says in an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    /// A UUID; duplicates of one event share it.
    pub id: String,
    /// ARNs the event is about; ECR leaves it empty.
    pub resources: Vec<String>,
    /// The event's own part.
    pub detail: Value,
}

/// The members of a request.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a>(pub &'a Value);

impl<'a> Input<'a> {
    /// A text member, if given.
    pub fn text(self, member: &str) -> Option<&'a str> {
        self.0.get(member)?.as_str()
    }

    /// A text member that must be there.
    pub fn need(self, member: &str) -> Result<&'a str, ApiError> {
        self.text(member).ok_or_else(|| {
            ApiError::refused("InvalidParameterException", format!("{member} must be given"))
        })
    }

    /// A whole number, if given.
    pub fn number(self, member: &str) -> Option<i64> {
        self.0.get(member)?.as_i64()
    }

    /// A boolean; absent is false.
    pub fn flag(self, member: &str) -> bool {
        self.0.get(member).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The elements of a list; absent is empty.
    pub fn list(self, member: &str) -> &'a [Value] {
        self.0.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The texts of a list; other elements are skipped.
    pub fn texts(self, member: &str) -> Vec<&'a str> {
        self.list(member).iter().filter_map(Value::as_str).collect()
    }

    /// Refuses a list that is longer than the call takes, or a call without any element.
    pub fn limited(self, member: &str, most: usize) -> Result<&'a [Value], ApiError> {
        let list = self.list(member);
        if list.is_empty() || list.len() > most {
            return Err(ApiError::refused(
                "InvalidParameterException",
                format!("{member} must hold 1 to {most} elements, not {}", list.len()),
            ));
        }
        Ok(list)
    }

    /// Refuses members that the model would otherwise ignore, by name.
    pub fn only(self, action: &str, known: &[&str]) -> Result<(), ApiError> {
        let members = self.0.as_object().into_iter().flat_map(Map::keys);
        match members.into_iter().find(|member| !known.contains(&member.as_str())) {
            None => Ok(()),
            Some(member) => Err(ApiError::refused(
                "InvalidParameterException",
                format!("the local AWS does not model {member} in {action}"),
            )),
        }
    }

    /// One page of `all`: as many as `maxResults` (at most `most`), from `nextToken` on.
    ///
    /// The token is opaque to callers; here it is the number of elements already given.
    pub fn page<T>(self, all: Vec<T>, most: usize) -> Result<(Vec<T>, Option<String>), ApiError> {
        let start = match self.text("nextToken") {
            None => 0,
            Some(token) => token.parse::<usize>().map_err(|_| {
                ApiError::refused("InvalidParameterException", "the nextToken is not valid")
            })?,
        };
        let size = self.number("maxResults").and_then(|n| usize::try_from(n).ok()).unwrap_or(most);
        if size == 0 || size > most {
            return Err(ApiError::refused(
                "InvalidParameterException",
                format!("maxResults must be 1 to {most}"),
            ));
        }
        let end = start.saturating_add(size);
        let next = (all.len() > end).then(|| end.to_string());
        Ok((all.into_iter().skip(start).take(size).collect(), next))
    }
}

/// A time as the JSON protocols write it: seconds since 1970, with a fraction.
pub fn epoch(at: Timestamp) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century fit in 53 bits")]
    let seconds = at.as_millisecond() as f64 / 1000.0;
    json!(seconds)
}

/// A time as events write it.
pub fn iso(at: Timestamp) -> Value {
    json!(at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// A random UUID, version 4, from the model's own dice.
pub fn uuid(dice: &mut fastrand::Rng) -> String {
    let versioned = (dice.u128(..) & !(0xf000 << 64)) | (0x4000 << 64);
    let bits = (versioned & !(0xc << 60)) | (0x8 << 60);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// An object without the members that are null: AWS leaves out what does not apply.
pub fn present(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    object
}
