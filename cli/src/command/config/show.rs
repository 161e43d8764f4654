//! `tidegate config show`: the config in force.

use std::fmt;

use serde::Serialize;
use tidegate_aws::table::TableError;
use tidegate_core::config::{
    Approval, Base, Check, HttpCheck, ImageConfig, OnFailure, OnTimeout, Period, PipelineConfig,
    Registry, Role, TargetConfig, TaskConfig, Watch,
};
use tidegate_core::model::{Retired, TargetKind};

use crate::output::{Desk, Tone};
use crate::reference::pipeline_name;
use crate::view::moment;
use crate::{Error, Exit, Session};

/// Show the config that is in force, with every default said
#[derive(Debug, Clone, clap::Args)]
pub struct Show {
    /// One pipeline; without it all of them
    #[arg(value_parser = pipeline_name)]
    pub pipeline: Option<String>,
}

#[derive(Serialize)]
struct InForce {
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    retired: Option<Retired>,
    #[serde(flatten)]
    config: PipelineConfig,
}

#[derive(Serialize)]
#[serde(transparent)]
struct All(Vec<InForce>);

impl fmt::Display for All {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|one| one.fmt(f))
    }
}

impl fmt::Display for InForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, retired, config } = self;
        let PipelineConfig { name, account, region, cluster, .. } = config;
        writeln!(f, "{}  config version {version}", Tone::Strong.of(name))?;
        if let Some(Retired { by, why, at }) = retired {
            writeln!(f, "  {}     since {} by {by}: {why}", Tone::Bad.of("retired"), moment(*at))?;
        }
        for (name, ImageConfig { registry, repository, tags }) in &config.images {
            let Registry { account, region } = registry;
            let tags = tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let tags = if tags.is_empty() { String::new() } else { format!(", tags {tags}") };
            writeln!(f, "  image       {name}: {repository} in {account}/{region}{tags}")?;
        }
        if let Some(join_on) = config.join_on {
            writeln!(f, "  join on     {join_on}: one release once every image holds the same")?;
        }
        writeln!(f, "  cluster     {cluster} in {account}/{region}")?;
        if let Some(Role { arn, external_id }) = &config.role {
            let told = external_id.as_ref().map_or(String::new(), |id| format!(", told {id}"));
            writeln!(f, "  role        {arn}{told}")?;
        }
        for TaskConfig { name, task_definition, command, timeout, .. } in &config.pre_deploy {
            let (command, timeout) = (command.join(" "), Period::from(*timeout));
            writeln!(f, "  pre-deploy  {name}: {command} ({task_definition}, timeout {timeout})")?;
        }
        for (at, wave) in config.waves.iter().enumerate() {
            let targets: Vec<_> = wave.iter().map(target).collect();
            writeln!(f, "  wave {:<2}     {}", at + 1, targets.join(", "))?;
        }
        let Watch { timeout, bake, failed_tasks, on_timeout } = &config.watch;
        let (timeout, bake) = (Period::from(*timeout), Period::from(*bake));
        writeln!(f, "  watch       timeout {timeout}, bake {bake}, failed tasks {failed_tasks}")?;
        let on_timeout = match on_timeout {
            OnTimeout::Rollback => "rollback",
            OnTimeout::Freeze => "freeze",
        };
        let on_failure = match config.on_failure {
            OnFailure::Rollback => "rollback",
            OnFailure::Freeze => "freeze",
        };
        writeln!(f, "  on timeout  {on_timeout}")?;
        writeln!(f, "  on failure  {on_failure}")?;
        let base = match config.base {
            Base::Running => "the running revision",
            Base::Family => "the family's newest revision",
        };
        writeln!(f, "  base        {base}")?;
        config.checks.iter().try_for_each(|check| writeln!(f, "  check       {}", asked(check)))?;
        if let Some(from) = &config.promote_from {
            writeln!(f, "  promoted    from {from}: what is live there is offered here")?;
        }
        if let Some(retag) = &config.retag {
            writeln!(f, "  retag       {retag}, once a release is live")?;
        }
        let Some(Approval { expires, unless_tag }) = &config.approval else { return Ok(()) };
        let tag = unless_tag.as_ref().map_or(String::new(), |tag| format!(", or a tag {tag}"));
        let expires = Period::from(*expires);
        writeln!(f, "  approval    a person's word within {expires}{tag}")
    }
}

/// `GET https://api.example.com/health is 200, 10 tries 15s apart`
fn asked(check: &Check) -> String {
    let Check::Http(HttpCheck { expect, body, attempts, every, private, .. }) = check else {
        return check.to_string();
    };
    let statuses: Vec<_> = expect.iter().map(ToString::to_string).collect();
    let body = body.as_ref().map_or(String::new(), |text| format!(" with the text `{text}`"));
    let private = if *private { ", private addresses allowed" } else { "" };
    let (statuses, every) = (statuses.join(" or "), Period::from(*every));
    format!("{check} is {statuses}{body}, {attempts} tries {every} apart{private}")
}

/// `scr-api (timeout 10m, api takes api)`; what is no service says what it is.
fn target(target: &TargetConfig) -> String {
    let TargetConfig { name, containers, timeout } = target;
    let name = match name.parts() {
        (TargetKind::Service, name) => name.to_owned(),
        (kind, name) => format!("{} {name}", kind.noun()),
    };
    let timeout = timeout.map(|timeout| format!("timeout {}", Period::from(timeout)));
    let containers =
        containers.iter().map(|(container, image)| format!("{container} takes {image}"));
    let said: Vec<_> = timeout.into_iter().chain(containers).collect();
    if said.is_empty() { name } else { format!("{name} ({})", said.join(", ")) }
}

/// The config as it may be shown: a URL's query may hold a secret.
fn without_queries(mut config: PipelineConfig) -> PipelineConfig {
    for check in &mut config.checks {
        if let Check::Http(check) = check {
            check.url = check.shown().to_owned();
        }
    }
    config
}

impl Show {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let table = session.table().await?;
        let names = match &self.pipeline {
            Some(name) => vec![name.clone()],
            None => table.pipelines().await?,
        };
        let mut all = Vec::new();
        for name in names {
            let Some(head) = table.head_of(&name).await? else {
                return Err(TableError::NoSuchPipeline(name).into());
            };
            let config = without_queries(table.config(&name, head.config).await?);
            all.push(InForce { version: head.config, retired: head.retired, config });
        }
        desk.say(&All(all))?;
        Ok(Exit::Done)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_query_of_a_url_is_shown_to_nobody() {
        let config = serde_json::from_value(json!({
            "schema": 1, "name": "p", "account": "123456789012", "region": "us-west-2",
            "images": {}, "cluster": "c", "waves": [], "on_failure": "rollback", "base": "running",
            "watch": { "timeout": 1, "bake": 1, "failed_tasks": 1, "on_timeout": "rollback" },
            "checks": [{ "kind": "http", "url": "https://api.example.com/health?token=s3cret",
                "expect": [200], "attempts": 10, "every": 15 }],
        }))
        .unwrap();
        let shown = InForce { version: 1, retired: None, config: without_queries(config) };
        let json = serde_json::to_value(&shown).unwrap();
        assert_eq!(json["checks"][0]["url"], "https://api.example.com/health");
        assert!(shown.to_string().contains("GET https://api.example.com/health is 200"), "{shown}");
    }
}
