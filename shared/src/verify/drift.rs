//! What runs against what the last release left: between releases nobody owns a service.

use std::collections::BTreeMap;

use super::{Line, Shown, Topic};
use crate::config::PipelineConfig;
use crate::drift::Drift;
use crate::model::{Release, Slot, TargetId};
use crate::sighting::RunningImage;

/// What a target runs against what Tidegate left there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// What its last release left.
    AsLeft,
    /// Something else.
    Drifted(Drift),
    /// No release ended there yet, and it runs the bytes of the live one: those that adoption found.
    AsAdopted,
    /// There is nothing to compare with, and why.
    Not(&'static str),
}

impl Compared {
    /// What runs, `revision` with the bytes of `images`, against what the release of `slot` left; without
    /// a slot against the release that is `live`.
    pub fn of(
        slot: Option<&Slot>,
        live: Option<&Release>,
        revision: &str,
        images: &[RunningImage],
    ) -> Self {
        if let Some(slot) = slot {
            return match Drift::of(slot, revision, images) {
                Some(drift) => Self::Drifted(drift),
                None if Drift::left(slot).is_some() => Self::AsLeft,
                None => Self::Not("its release has not ended there, or left it to a person"),
            };
        }
        let is_live = |image: &RunningImage| {
            let mut those = live.into_iter().flat_map(|release| release.images.values());
            let digest = image.digest.as_ref()?;
            Some(those.any(|it| it.uri() == image.repository && it.accepts.contains(digest)))
        };
        let found: Option<Vec<bool>> = images.iter().map(is_live).collect();
        match found {
            Some(found) if found.is_empty() => {
                Self::Not("nothing was released there yet, and it runs no image of this pipeline")
            }
            Some(found) if found.iter().all(|is_live| *is_live) => Self::AsAdopted,
            Some(_) => Self::Not(
                "nothing was released there yet, and it runs other bytes than the live release has",
            ),
            None => Self::Not("nothing was released there yet, and its bytes are not known"),
        }
    }
}

/// One line for all that run what they should, and one for each that does not.
pub(super) fn lines(
    config: &PipelineConfig,
    drift: &BTreeMap<TargetId, Shown<Compared>>,
) -> Vec<Line> {
    let topic = Topic::Drift;
    let told = |(target, shown): (&TargetId, &Shown<Compared>)| {
        let name = &target.name;
        match shown {
            Shown::There(Compared::AsLeft | Compared::AsAdopted) | Shown::Missing => None,
            Shown::There(Compared::Drifted(drift)) => {
                Some(topic.warning(name, drift.to_string(), remedy(config, drift)))
            }
            Shown::There(Compared::Not(why)) => Some(topic.warning(
                name,
                format!("not compared: {why}"),
                format!(
                    "`tidegate status {0}` says what releases did, `tidegate plan {0}` what the next \
                     one would",
                    config.name
                ),
            )),
            Shown::Hidden(hidden) => Some(topic.unknown(name, hidden)),
        }
    };
    as_they_should(config, drift).into_iter().chain(drift.iter().filter_map(told)).collect()
}

fn as_they_should(
    config: &PipelineConfig,
    drift: &BTreeMap<TargetId, Shown<Compared>>,
) -> Option<Line> {
    let count = |wanted: &Compared| {
        drift.values().filter(|shown| matches!(shown, Shown::There(it) if it == wanted)).count()
    };
    let said = [
        (count(&Compared::AsLeft), "what its last release left"),
        (count(&Compared::AsAdopted), "what adoption found, and nothing was released there yet"),
    ];
    let said: Vec<_> = said
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} of {} targets: runs {what}", drift.len()))
        .collect();
    (!said.is_empty()).then(|| Topic::Drift.green(&config.name, said.join("; ")))
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
    use super::super::tests::{config, target};
    use super::*;
    use crate::drift::Registered;
    use crate::model::{ReleaseId, TargetKind};
    use crate::stage::{Stage, digest};
    use crate::verify::State;

    #[test]
    fn a_drifted_service_is_told_with_who_and_how_to_learn_more() {
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
        let drift = [(target("Rag"), Shown::There(Compared::Drifted(drift)))].into();
        let line = lines(&config(), &drift).remove(0);
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
    #[test]
    fn without_a_release_it_is_the_adopted_bytes_that_are_compared() {
        let mut stage = Stage::of(&[&["Rag"]]);
        stage.push("b1");
        stage.survey();
        let slot = stage.slot("Rag").clone();
        stage.play();
        let live = stage.release(2);
        let image = live.images.values().next().unwrap();
        let runs = |digest| RunningImage {
            container: "main".to_owned(),
            repository: image.uri(),
            named: String::new(),
            digest,
            source: String::new(),
        };
        let compared = |digest| Compared::of(None, Some(live), "rag:3", &[runs(digest)]);
        assert_eq!(compared(Some(image.digest.clone())), Compared::AsAdopted);
        for (digest, why) in [(Some(digest("c1")), "other bytes"), (None, "are not known")] {
            let Compared::Not(said) = compared(digest) else { panic!("{why} were compared") };
            assert!(said.contains(why), "{said}");
        }
        let moving = Compared::of(Some(&slot), Some(live), "rag:3", &[]);
        let shown = [
            (target("AI_CONTENT"), Shown::There(compared(Some(image.digest.clone())))),
            (target("Rag"), Shown::There(moving)),
        ];
        let told: Vec<_> =
            lines(&config(), &shown.into()).into_iter().map(|it| (it.state, it.said)).collect();
        let [green, warning] = &told[..] else { panic!("{told:?}") };
        let found = "1 of 2 targets: runs what adoption found, and nothing was released there yet";
        assert_eq!(green, &(State::Green, found.to_owned()));
        assert_eq!(warning.0, State::Warning);
        assert!(warning.1.starts_with("not compared: its release has not ended"), "{told:?}");
    }
}
