//! The logs of a release's stopped tasks, read with the reader's own credentials and never stored.

use tidegate_aws::logs::{LogStream, last_lines};
use tidegate_aws::{Ecs, RefusalKind};
use tidegate_core::config::Role;

use crate::view::{LogView, TargetView};
use crate::{Error, Session};

/// A crash loop prints the same each time: the newest few tasks say it all.
const MOST_TASKS: usize = 5;

/// What the newest failing tasks of these targets printed last; `role` is what reaches the targets.
pub(crate) async fn of(
    session: &Session,
    role: Option<&Role>,
    targets: &[TargetView],
) -> Result<Vec<LogView>, Error> {
    let mut stopped: Vec<_> = targets
        .iter()
        .flat_map(|target| target.tasks.iter().map(move |task| (target, task)))
        .collect();
    stopped.sort_by_key(|(_, task)| std::cmp::Reverse(task.at));
    let mut logs = Vec::new();
    for (target, task) in stopped.into_iter().take(MOST_TASKS) {
        let view = LogView::of(&target.target.name, &task.task, &task.container);
        logs.push(read(session, role, target, view).await?);
    }
    Ok(logs)
}

async fn read(
    session: &Session,
    role: Option<&Role>,
    target: &TargetView,
    view: LogView,
) -> Result<LogView, Error> {
    let region = &target.target.region;
    let Some(revision) = &target.revision else {
        return Ok(view.failed("no revision is known that it ran".to_owned()));
    };
    let sdk = session.reach().await?.at(region, role);
    let ecs = Ecs::new(&sdk, session.clock()?);
    let definition = match ecs.task_definition(revision).await {
        Ok(definition) => definition,
        Err(refusal) => return Ok(view.failed(refusal.to_string())),
    };
    let stream = match LogStream::of(&definition, &view.container, &view.task, region) {
        Ok(stream) => stream,
        Err(why) => return Ok(view.failed(why)),
    };
    let LogStream { region, group, stream: name } = &stream;
    let lines = last_lines(&sdk, &stream).await.map_err(|refusal| {
        if refusal.kind != RefusalKind::AccessDenied {
            return refusal.to_string();
        }
        // A role that releases reads no logs: they may hold anything.
        format!(
            "{refusal}; with credentials that may read it: aws logs get-log-events --region {region} \
             --log-group-name '{group}' --log-stream-name '{name}'"
        )
    });
    Ok(view.read(stream, lines))
}
