//! `tidegate.yaml`: what the file says, what is wrong with it, and what is stored of it.
//!
//! A text becomes a [`Config`] only when nothing is wrong; [`Config::resolve`] then gives each
//! pipeline its stored form, a [`PipelineConfig`], which is all that the functions ever read.

mod approval;
mod check;
mod checks;
mod doubt;
mod duration;
mod file;
mod fold;
mod iam;
mod init;
mod join;
mod live;
mod names;
mod near;
mod path;
mod pattern;
mod pipeline;
mod problem;
mod promote;
mod resolve;
mod retag;
mod schema;
mod shape;
mod source;
mod targets;
mod tasks;
mod url;

pub use duration::{InvalidPeriod, Period};
pub use iam::{Parameters, Running};
pub use init::{Seen, SeenImage, init};
pub use live::{Live, LiveService};
pub use names::check_region;
pub use pattern::{Captures, InvalidPattern, InvalidVersion, Placeholder, TagPattern, Version};
pub use pipeline::{
    Approval, Base, Check, HttpCheck, ImageConfig, OnFailure, OnTimeout, PipelineConfig, Registry,
    Role, TargetConfig, TargetName, TaskConfig, Watch,
};
pub use problem::{Problem, Problems, Severity};
pub use schema::schema;

use file::File;
use problem::Findings;
use source::Source;

/// A file with nothing wrong in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    name: String,
    source: Source,
    file: File,
    /// What a person should look at, whether AWS was asked or not.
    pub warnings: Vec<Problem>,
    /// What looks wrong as long as AWS is not asked; [`Config::compare`] settles it.
    pub doubts: Vec<Problem>,
}

impl Config {
    /// Reads a file's text; `name` is for its problems, which come all at once.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let (source, mistakes) = Source::read(text).map_err(|mistake| {
            Problems(vec![problem::problem(name, mistake.place, &mistake.path, mistake.message)])
        })?;
        let mut findings = Findings::new(name, &source);
        for mistake in mistakes {
            findings.mistake(mistake);
        }
        shape::check(&schema(), &source.value, &mut findings);
        let file = File::read(&source.value, &mut findings);
        check::check(&file, &source, &mut findings);
        tasks::check(&file, &mut findings);
        checks::check(&file, &mut findings);
        let warnings = findings.finish()?;
        let mut findings = Findings::new(name, &source);
        doubt::check(&file, &mut findings);
        let doubts = findings.finish()?;
        Ok(Self { name: name.to_owned(), source, file, warnings, doubts })
    }

    /// The stored form of each pipeline, in the order of their names, of an installation in this
    /// account and region.
    pub fn resolve(&self, account: &str, region: &str) -> Result<Vec<PipelineConfig>, Problems> {
        let home = Registry { account: account.to_owned(), region: region.to_owned() };
        let mut findings = Findings::new(&self.name, &self.source);
        targets::once(&self.file, &home, &mut findings);
        findings.finish()?;
        Ok(self.file.resolve(&home))
    }
}
