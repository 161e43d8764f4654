//! What runs against what the last release left: between releases nobody owns a service.

use std::collections::BTreeMap;

use super::{Line, Shown, Topic};
use crate::config::PipelineConfig;
use crate::drift::Drift;

/// One line for the pipeline where nothing drifted, or one for each service that did.
pub(super) fn lines(config: &PipelineConfig, drift: &BTreeMap<String, Shown<Drift>>) -> Vec<Line> {
    let topic = Topic::Drift;
    if drift.is_empty() {
        return vec![topic.green(&config.name, "every service runs what its last release left")];
    }
    let told = |(name, shown): (&String, &Shown<Drift>)| match shown {
        Shown::There(drift) => Some(topic.warning(name, drift.to_string(), remedy(config, drift))),
        Shown::Hidden(hidden) => Some(topic.unknown(name, hidden)),
        Shown::Missing => None,
    };
    drift.iter().filter_map(told).collect()
}

fn remedy(config: &PipelineConfig, drift: &Drift) -> String {
    format!(
        "The next release is made from what runs. Who brought it in: `{}`. To bring the live \
         release there again: `tidegate start {}/live`",
        drift.lookup(&config.region),
        config.name,
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::config;
    use super::*;
    use crate::drift::Registered;
    use crate::model::{ReleaseId, TargetKind};
    use crate::verify::State;

    #[test]
    fn a_drifted_service_is_told_with_who_and_how_to_learn_more() {
        assert_eq!(lines(&config(), &BTreeMap::new())[0].state, State::Green);
        let arn = |name| format!("arn:aws:ecs:us-west-2:123456789012:task-definition/{name}");
        let registered = Registered {
            by: "arn:aws:iam::123456789012:user/ada".to_owned(),
            at: "2026-11-20T17:00:00Z".parse().unwrap(),
        };
        let drift = Drift {
            kind: TargetKind::Service,
            since: ReleaseId::new("someli-production".to_owned(), 41),
            left: arn("rag:7"),
            runs: arn("rag:9"),
            registered: Some(registered),
        };
        let line = lines(&config(), &[("Rag".to_owned(), Shown::There(drift))].into()).remove(0);
        assert_eq!(line.state, State::Warning);
        assert_eq!(
            line.said,
            "somebody changed it: it runs rag:9, where someli-production/41 left rag:7; \
             arn:aws:iam::123456789012:user/ada registered rag:9 at 2026-11-20T17:00:00Z"
        );
        let remedy = line.remedy.unwrap();
        assert!(remedy.contains("--start-time 2026-11-20T17:00:00Z"), "{remedy}");
        assert!(remedy.contains("`tidegate start someli-production/live`"), "{remedy}");
    }
}
