//! What containers print: a line when they begin, and why they end.

use jiff::Timestamp;

use super::Ecs;

impl Ecs {
    /// The streams of a group that containers of shown tasks write to.
    pub fn streams(&self, group: &str) -> Vec<String> {
        let mut streams = Vec::new();
        for task in self.tasks.all() {
            let Some((definition, _)) = self.definition(&task.definition) else { continue };
            let id = task.arn.rsplit('/').next().unwrap_or_default();
            for own in definition["containerDefinitions"].as_array().into_iter().flatten() {
                let options = &own["logConfiguration"]["options"];
                let prefix = options["awslogs-stream-prefix"].as_str();
                if let (Some(prefix), Some(name), true) =
                    (prefix, own["name"].as_str(), options["awslogs-group"] == *group)
                {
                    streams.push(format!("{prefix}/{name}/{id}"));
                }
            }
        }
        streams
    }

    /// The lines that a container of a task has printed to this stream of this group, as long as ECS
    /// shows the task; `None` where nothing logs there.
    pub fn printed(&self, group: &str, stream: &str) -> Option<Vec<(Timestamp, String)>> {
        let (rest, task) = stream.rsplit_once('/')?;
        let (prefix, container) = rest.rsplit_once('/')?;
        let task = self.tasks.with_id(task)?;
        let ran = task.containers.iter().find(|own| own.plan.name == container)?;
        let (definition, _) = self.definition(&task.definition)?;
        let containers = definition["containerDefinitions"].as_array()?.iter();
        let own = containers.into_iter().find(|own| own["name"] == container)?;
        let options = &own["logConfiguration"]["options"];
        let is = |name: &str, value: &str| options[name] == *value;
        if !is("awslogs-group", group) || !is("awslogs-stream-prefix", prefix) {
            return None;
        }
        let begins = task.started_at.map(|at| (at, format!("{container} starts")));
        let ends = task.ended_at.zip(ran.exit_code).filter(|(_, code)| *code != 0);
        let ends = ends.map(|(at, code)| {
            (at, format!("Error: the image says {:?}; exit {code}", ran.behaviour()))
        });
        Some(begins.into_iter().chain(ends).collect())
    }
}
