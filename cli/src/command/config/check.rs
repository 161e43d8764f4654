//! `tidegate config check`: what is wrong with a file, before anything is applied.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use tidegate_core::config::{Parameters, PipelineConfig, Problem, Role, Running, Severity};

use crate::output::{Desk, Tone};
use crate::{Error, Exit, Session, live};

/// Say what is wrong with a config; offline unless asked otherwise
#[derive(Debug, Clone, clap::Args)]
pub struct Check {
    /// The file
    #[arg(default_value = "tidegate.yaml")]
    pub file: String,
    /// Ask AWS whether clusters, services and repositories exist and can be released
    #[arg(long)]
    pub live: bool,
    /// Print the parameters that template.yaml needs for this config; with --live all of them
    #[arg(long)]
    pub iam: bool,
}

/// What a check found.
#[derive(Debug, Clone, Serialize)]
pub struct Findings {
    /// The file.
    pub file: String,
    /// Whether it can be applied.
    pub ok: bool,
    /// Mistakes and doubts, in the order of the file.
    pub problems: Vec<Problem>,
    /// The template's parameters, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Parameters>,
    /// Those of target-role.yaml, by the ARN of the role that it makes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Parameters>,
}

impl Findings {
    fn new(file: &str, problems: Vec<Problem>) -> Self {
        let ok = problems.iter().all(|problem| problem.severity == Severity::Warning);
        Self { file: file.to_owned(), ok, problems, parameters: None, roles: BTreeMap::new() }
    }

    /// Beside what was found, the values for the templates.
    fn and_values(
        self,
        pipelines: &[PipelineConfig],
        running: &BTreeMap<Option<Role>, Running>,
    ) -> Self {
        let values = |role: Option<&Role>| {
            let running = running.get(&role.cloned()).cloned().unwrap_or_default();
            Parameters::new(pipelines, role, &running).fit()
        };
        let roles: BTreeSet<&Role> = pipelines.iter().filter_map(|it| it.role.as_ref()).collect();
        let roles = roles.into_iter().map(|role| (role.arn.clone(), values(Some(role)))).collect();
        Self { parameters: Some(values(None)), roles, ..self }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, ok, problems, parameters, roles } = self;
        for problem in problems {
            let tone = match problem.severity {
                Severity::Error => Tone::Bad,
                Severity::Warning => Tone::Waiting,
            };
            writeln!(f, "{}", tone.of(problem))?;
        }
        match parameters {
            Some(parameters) => {
                writeln!(f, "{parameters}")?;
                roles.iter().try_for_each(|(role, parameters)| {
                    writeln!(f, "\n# target-role.yaml, in the account of {role}\n{parameters}")
                })
            }
            None if *ok => writeln!(f, "{file} {}", Tone::Good.of("can be applied")),
            None => Ok(()),
        }
    }
}

impl Check {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let findings = match self.findings(session, desk).await {
            // A mistake in the file is what was asked for, not a failure to find it.
            Err(Error::Config(problems)) => Findings::new(&self.file, problems.0),
            findings => findings?,
        };
        desk.say(&findings)?;
        Ok(if findings.ok { Exit::Done } else { Exit::Failed })
    }

    async fn findings(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Findings, Error> {
        let config = super::read(&self.file)?;
        let mut problems = config.warnings.clone();
        if !self.live && !self.iam {
            problems.extend(config.doubts);
            return Ok(Findings::new(&self.file, problems));
        }
        let home = session.home().await?;
        let pipelines = config.resolve(&home.account, &home.region)?;
        let mut running = BTreeMap::new();
        if self.live {
            let look = live::look(session, desk, &pipelines).await?;
            problems.extend(config.compare(&home, &look.live));
            running = look.running;
        } else {
            problems.extend(config.doubts);
        }
        let findings = Findings::new(&self.file, problems);
        Ok(if self.iam { findings.and_values(&pipelines, &running) } else { findings })
    }
}
