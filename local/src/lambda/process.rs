//! What serves invocations: a function's program in this process, or as a child of it.

use std::pin::Pin;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::Value;

use crate::call::Instance;
use crate::template::Function;

/// How an invocation ends: the function's answer, or its error's text.
pub type Outcome = Result<Value, String>;

/// An invocation under way. Dropping it is what killing the process does: its calls in flight stay
/// as they are.
pub type Serving<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// Starts processes of the functions.
pub trait Programs {
    /// A new process; what it does before its first invocation counts towards that one.
    fn start(&self, function: &Function, instance: &Instance) -> Rc<dyn Process>;
}

/// One process. It is given one invocation at a time, and dies when it is dropped.
pub trait Process {
    /// Serves `event`, which must be answered before `deadline`.
    fn invoke(&self, event: Value, deadline: Timestamp) -> Serving<'_>;

    /// Whether it can serve again; a process that exited cannot.
    fn lives(&self) -> bool {
        true
    }
}
