//! Where a rollback of a settled pipeline goes.

use tidegate_aws::Table;
use tidegate_core::model::{Cause, Head, Phase, Release, Scene, moved_last};

use crate::view::after_abandon;
use crate::{Error, Goal};

/// The release that `goal` means.
pub(crate) async fn destination(
    table: &Table,
    scene: &Scene,
    goal: Option<&Goal>,
) -> Result<Release, Error> {
    let pipeline = &scene.head.pipeline;
    // All of them: a version may be far back, and this is asked once in a while.
    let releases = table.releases(pipeline, usize::MAX).await?;
    let is_live = |release: &&Release| matches!(release.phase, Phase::Live { .. });
    let found = match goal {
        Some(Goal::Number(number)) => releases.iter().find(|release| release.id.number == *number),
        Some(Goal::Latest) => releases.first(),
        Some(Goal::Live) => scene.live.as_ref(),
        Some(Goal::Version(tag)) => {
            let came_under =
                |release: &&Release| release.images.values().any(|i| i.tags.contains(tag));
            releases.iter().filter(is_live).find(came_under)
        }
        None => {
            refuse_a_second_time(scene, &releases)?;
            earlier(scene, &releases)
        }
    };
    found.cloned().ok_or_else(|| {
        let none = match goal {
            None => no_earlier(&scene.head),
            Some(goal) => format!("{pipeline} has no release {goal}"),
        };
        Error::NotNow(format!("{none}; `tidegate history {pipeline}` shows what it has"))
    })
}

/// Why no release is the way back. Of a pipeline that was retired, `history` shows some that are none
/// without a number.
fn no_earlier(head: &Head) -> String {
    let pipeline = &head.pipeline;
    let none = format!("{pipeline} has no earlier live release with other, unblocked digests");
    match head.back_since {
        None => none,
        Some(_) => format!(
            "{none} since it came back; `tidegate rollback {pipeline} --to NUMBER` reaches those from \
             before"
        ),
    }
}

/// What came last was gone back from already, or let go. Two people, or one who doubts, type `rollback`
/// twice; the second time would take away what is good (docs/decisions/0010).
fn refuse_a_second_time(scene: &Scene, releases: &[Release]) -> Result<(), Error> {
    // What waits, or ended before it moved, changed nothing that could be gone back from.
    let (Some(newest), Some(live)) = (moved_last(releases), &scene.live) else { return Ok(()) };
    let pipeline = &scene.head.pipeline;
    let over = match (&newest.phase, &newest.cause) {
        (Phase::RolledBack { .. }, _) => format!("{} was rolled back already", newest.id),
        (Phase::Live { .. }, Cause::Rollback { to }) => {
            format!("{} went back to {to} already, because {} said so", newest.id, newest.by)
        }
        (Phase::Abandoned { .. }, _) => match after_abandon(scene, newest) {
            Some(start) => {
                format!(
                    "{} was abandoned, and `{start}` brings one thing to all targets",
                    newest.id
                )
            }
            None => format!("{} was abandoned", newest.id),
        },
        _ => return Ok(()),
    };
    let further = earlier(scene, releases).map_or_else(
        || format!("`tidegate history {pipeline}` shows what there is"),
        |earlier| {
            let number = earlier.id.number;
            format!("`tidegate rollback {pipeline} --to {number}` leaves that too")
        },
    );
    Err(Error::NotNow(format!("{over}; {} is live: {further}", live.id)))
}

/// The newest live release before the present one that brings other bytes, none of them blocked; none from
/// before the pipeline was retired.
fn earlier<'a>(scene: &Scene, releases: &'a [Release]) -> Option<&'a Release> {
    let live = scene.live.as_ref()?;
    let since = live.phase.ended_after_moving()?;
    let other = |release: &Release| {
        release
            .images
            .iter()
            .any(|(name, image)| live.images.get(name).is_none_or(|now| now.digest != image.digest))
    };
    let blocked =
        |release: &Release| release.images.values().any(|i| scene.blocked.contains_key(&i.digest));
    let before = releases.iter().filter(|release| {
        let was_live = matches!(release.phase, Phase::Live { at, .. } if at < since);
        let reached = !scene.head.is_before_it_came_back(release.id.number);
        was_live && reached && other(release) && !blocked(release)
    });
    moved_last(before)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use tidegate_core::model::Block;

    use super::*;

    fn release(number: u64, bytes: char, phase: &str) -> Release {
        // Each phase takes of these what it knows.
        let digest = format!("sha256:{}", bytes.to_string().repeat(64));
        let now = format!("2026-11-21T03:00:{number:02}Z");
        serde_json::from_value(json!({
            "id": format!("p/{number}"), "step": 1, "cause": {"kind": "push"}, "by": "ecr",
            "at": now, "config": 1, "waves": [], "phase": {"name": phase, "at": now, "why": "it is live already", "by": 5},
            "images": {"web": {
                "account": "123456789012", "region": "us-west-2", "repository": "web",
                "digest": digest, "accepts": [digest], "tags": [], "pushed_at": now,
            }},
        }))
        .unwrap()
    }

    fn scene(live: Option<Release>, blocked: Option<&Release>) -> Scene {
        let head: Head = serde_json::from_value(json!({
            "pipeline": "p", "step": 1, "next": 9, "config": 1,
        }))
        .unwrap();
        let config = serde_json::from_value(json!({
            "schema": 1, "name": "p", "account": "123456789012", "region": "us-west-2",
            "images": {}, "cluster": "c", "waves": [], "on_failure": "rollback", "base": "running",
            "watch": {"timeout": 1, "bake": 1, "failed_tasks": 1, "on_timeout": "rollback"},
        }))
        .unwrap();
        let block = |release: &Release| {
            let digest = release.images["web"].digest.clone();
            let (id, why) = (release.id.clone(), "it failed".to_owned());
            (digest.clone(), Block { digest, release: id, why, at: release.at })
        };
        Scene {
            head,
            config,
            moving: None,
            waiting: None,
            live,
            slots: BTreeMap::new(),
            blocked: blocked.map(block).into_iter().collect(),
            rejected: BTreeMap::new(),
        }
    }

    #[test]
    fn what_came_last_and_went_back_already_is_not_gone_back_from_twice() {
        let (good, live) = (release(1, 'a', "live"), release(2, 'b', "live"));
        let (failed, scene) = (release(3, 'c', "rolled_back"), scene(Some(live.clone()), None));
        let all = [&failed, &live, &good].map(Clone::clone);
        let said = refuse_a_second_time(&scene, &all).unwrap_err().to_string();
        assert!(said.starts_with("p/3 was rolled back already; p/2 is live: "), "{said}");
        assert!(said.contains("`tidegate rollback p --to 1` leaves that too"), "{said}");
        assert!(refuse_a_second_time(&scene, &all[1..]).is_ok());
        // What came after it, and changed nothing, does not hide it.
        for phase in ["refused", "superseded"] {
            let after = [&release(4, 'd', phase), &failed, &live, &good].map(Clone::clone);
            assert_eq!(refuse_a_second_time(&scene, &after).unwrap_err().to_string(), said);
        }
        let abandoned = [&release(3, 'c', "abandoned"), &live, &good].map(Clone::clone);
        let said = refuse_a_second_time(&scene, &abandoned).unwrap_err().to_string();
        assert!(said.contains("`tidegate start p/live` brings one thing to all targets"), "{said}");
        let said = refuse_a_second_time(&scene, &all[..2]).unwrap_err().to_string();
        assert!(said.ends_with("`tidegate history p` shows what there is"), "{said}");
    }

    #[test]
    fn what_waited_and_moved_after_a_higher_number_is_the_newest() {
        let (good, mut back) = (release(1, 'a', "live"), release(3, 'a', "live"));
        back.cause = Cause::Rollback { to: 1 };
        let mut waited = release(2, 'b', "live");
        let at = "2026-11-21T03:01:00Z".parse().unwrap();
        waited.phase = Phase::Live { at, unproven: false, accepted: false };
        let scene = scene(Some(waited.clone()), None);
        let all = [back, waited, good];
        assert!(refuse_a_second_time(&scene, &all).is_ok());
        assert_eq!(earlier(&scene, &all).map(|release| release.id.number), Some(3));
    }

    #[test]
    fn from_what_went_back_to_an_earlier_release_nobody_goes_back_without_a_number() {
        let (oldest, good) = (release(1, 'a', "live"), release(2, 'b', "live"));
        let (left, mut back) = (release(3, 'c', "live"), release(4, 'b', "live"));
        back.cause = Cause::Rollback { to: 2 };
        "user/ada".clone_into(&mut back.by);
        let scene = scene(Some(back.clone()), Some(&left));
        let said =
            refuse_a_second_time(&scene, &[back, left, good, oldest]).unwrap_err().to_string();
        assert_eq!(
            said,
            "p/4 went back to 2 already, because user/ada said so; p/4 is live: `tidegate rollback p \
             --to 1` leaves that too"
        );
    }

    #[test]
    fn without_a_goal_it_is_the_live_release_before_with_other_bytes() {
        let live = release(5, 'e', "live");
        let (same, failed) = (release(4, 'e', "live"), release(3, 'c', "rolled_back"));
        let (good, old) = (release(2, 'b', "live"), release(1, 'a', "live"));
        let newer = release(6, 'f', "live");
        let all = [&newer, &live, &same, &failed, &good, &old].map(Clone::clone);
        let number = |scene: &Scene| earlier(scene, &all).map(|release| release.id.number);
        assert_eq!(number(&scene(Some(live.clone()), None)), Some(2));
        assert_eq!(number(&scene(Some(live.clone()), Some(&good))), Some(1), "blocked");
        let mut since = scene(Some(live.clone()), None);
        since.head.back_since = Some(2);
        assert_eq!(number(&since), Some(2));
        since.head.back_since = Some(3);
        assert_eq!(number(&since), None, "it was retired, and others had its targets");
        assert_eq!(number(&scene(Some(old), None)), None, "nothing was before");
        assert_eq!(number(&scene(None, None)), None, "nothing is live");
    }
}
