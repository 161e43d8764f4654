//! The attempts of one call. Where one of them had no answer, it may have landed, and that AWS throttles
//! a later one says nothing of it.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    FinalizerInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// The SDK tells of the last attempt only: this remembers the others, and marks the answer to the last.
#[derive(Debug)]
pub(crate) struct Attempts;

/// An attempt before this answer had none, or a broken one.
#[derive(Debug, Clone)]
struct Unanswered;

impl Storable for Unanswered {
    type Storer = StoreReplace<Self>;
}

/// Whether an attempt before this answer may have landed.
pub(crate) fn may_have_landed_before(answer: &HttpResponse) -> bool {
    answer.extension::<Unanswered>().is_some()
}

#[dyn_dispatch_hint]
impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let broken = context.response().is_none_or(|answer| answer.status().is_server_error());
        // An answer that cannot be read to its end says nothing either.
        let read = match context.output_or_error() {
            Some(Err(error)) => error.is_operation_error(),
            Some(Ok(_)) | None => true,
        };
        if broken || !read {
            config.interceptor_state().store_put(Unanswered);
        }
        Ok(())
    }

    fn modify_before_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let (Some(before), Some(answer)) = (config.load::<Unanswered>(), context.response_mut())
        {
            answer.add_extension(before.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::fake::{Fake, config};
    use crate::{Clock, Ecs, Refusal, RefusalKind};

    /// What remains of a call whose attempts were answered so, one after the other.
    async fn refused(attempts: [(u16, &str); 3]) -> Refusal {
        let fake = Fake::new();
        for (status, code) in attempts {
            match status {
                200 => fake.break_off(),
                status => fake.refuse(status, code, "words"),
            }
        }
        let ecs = Ecs::new(&config(&fake), &Clock::system());
        let refusal = ecs.update_service("live", "rag", "rag:2").await.unwrap_err();
        assert_eq!(fake.operations().len(), 3);
        refusal
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_after_silence_leaves_open_what_became_of_the_call() {
        let (broken, throttled) = ((500, "ServerException"), (400, "ThrottlingException"));
        let cut_off = (200, "nothing");
        for (attempts, kind) in [
            ([throttled, throttled, throttled], RefusalKind::Throttled),
            ([broken, throttled, throttled], RefusalKind::Unreachable),
            ([throttled, broken, throttled], RefusalKind::Unreachable),
            ([cut_off, throttled, throttled], RefusalKind::Unreachable),
            ([throttled, throttled, broken], RefusalKind::Unreachable),
            ([broken, throttled, (400, "AccessDeniedException")], RefusalKind::AccessDenied),
        ] {
            assert_eq!(refused(attempts).await.kind, kind, "{attempts:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn so_does_a_conflict_that_counts_as_throttling() {
        let (broken, throttled) = ((500, "ServerException"), (400, "ThrottlingException"));
        let conflict = (400, "ConflictException");
        let after_silence = refused([broken, throttled, conflict]).await;
        assert_eq!(after_silence.kind, RefusalKind::Conflict);
        assert_eq!(after_silence.into_throttle().kind, RefusalKind::Unreachable);
        let alone = refused([throttled, throttled, conflict]).await;
        assert_eq!(alone.into_throttle().kind, RefusalKind::Throttled);
    }
}
