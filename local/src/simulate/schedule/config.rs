//! A schedule's pipelines as `tidegate.yaml`.

use std::fmt::Write as _;

use super::{LITERAL, PATTERN, Pipeline, Schedule, Tags, extras};

/// The one cluster.
pub(in crate::simulate) const CLUSTER: &str = "live";

impl Schedule {
    /// The config of all pipelines.
    pub fn config(&self) -> String {
        document(&self.pipelines)
    }

    /// The config of one pipeline, with another bake; and of the one that it is promoted from.
    pub fn config_of(&self, pipeline: &str, bake: u64) -> String {
        let Some(own) = self.pipelines.iter().find(|it| it.name == pipeline) else {
            return document(&[]);
        };
        let before = own.extras.promoted.as_ref().map(|promoted| &promoted.from);
        let before = self.pipelines.iter().filter(|it| Some(&it.name) == before).cloned();
        let changed: Vec<_> = before.chain([Pipeline { bake, ..own.clone() }]).collect();
        document(&changed)
    }
}

fn document(pipelines: &[Pipeline]) -> String {
    let mut text = "version: 1\npipelines:\n".to_owned();
    for pipeline in pipelines {
        // Writing to a string cannot fail.
        let _ = write_pipeline(&mut text, pipeline);
    }
    text
}

fn write_pipeline(text: &mut String, pipeline: &Pipeline) -> std::fmt::Result {
    let Pipeline { name, images, waves, .. } = pipeline;
    writeln!(text, "  {name}:\n    cluster: {CLUSTER}")?;
    extras::write(text, pipeline)?;
    // What is promoted has its images from where it was live.
    let own = pipeline.extras.promoted.is_none();
    if own {
        writeln!(text, "    images:")?;
    }
    for image in images.iter().filter(|_| own) {
        let tags = match image.tags {
            Tags::Literal => format!("[{LITERAL}]"),
            Tags::Pattern => format!("[\"{PATTERN}{{sha}}\"]"),
            Tags::Both => format!("[{LITERAL}, \"{PATTERN}{{sha}}\"]"),
            Tags::Any => "[\"*\"]".to_owned(),
        };
        let repository = &image.repository;
        writeln!(text, "      {repository}: {{ repository: {repository}, tag: {tags} }}")?;
    }
    writeln!(text, "    waves:")?;
    for (number, wave) in waves.iter().enumerate() {
        let services = wave.iter().map(|service| {
            let containers = service.images.iter().map(|image| &images[*image].repository);
            let containers: Vec<_> = containers.map(|name| format!("{name}: {name}")).collect();
            match &containers[..] {
                [] => service.name.clone(),
                some => format!(
                    "{{ service: {}, containers: {{ {} }} }}",
                    service.name,
                    some.join(", ")
                ),
            }
        });
        let targets = services.chain(extras::targets_of(pipeline, number));
        writeln!(text, "      - [{}]", targets.collect::<Vec<_>>().join(", "))?;
    }
    let then = |freezes| if freezes { "freeze" } else { "rollback" };
    writeln!(
        text,
        "    watch: {{ timeout: {}m, bake: {}s, failed_tasks: {}, on_timeout: {} }}\n    on_failure: {}",
        pipeline.timeout,
        pipeline.bake,
        pipeline.failed_tasks,
        then(pipeline.freezes_on_timeout),
        then(pipeline.freezes),
    )
}
