//! One-off tasks that really ran: which, for which release, and how each ended.

use std::collections::BTreeMap;

use super::moves::{Move, is_task};
use super::raw::{Table, text};
use crate::call::Noted;
use crate::cloud::Cloud;

/// The tasks of each release and target, by ARN, with the exit code of the container that counts.
#[derive(Debug, Default)]
pub(super) struct Runs {
    ran: BTreeMap<(String, String), BTreeMap<String, Option<i64>>>,
}

impl Runs {
    /// A call landed; if it ran a task, or a task ended since, that is kept: ECS forgets it in an hour.
    pub(super) fn landed(&mut self, noted: &Noted, cloud: &Cloud, table: &Table) {
        let ran = noted.call.action == "RunTask" && noted.refusal.is_none();
        let run = Move::by_deploy(cloud, &noted.call).filter(|it| ran && is_task(&it.target));
        if let Some(Move { target, .. }) = run {
            let release = table.slot(&target).map(|slot| text(&slot["release"]).to_owned());
            let name = target.rsplit('/').next().unwrap_or_default().to_owned();
            let known = |arn: &String| self.ran.values().any(|own| own.contains_key(arn));
            let ecs = cloud.ecs_of(&cloud.place_of(&noted.call));
            let own = ecs.one_offs().filter(|one| one.group.ends_with(&format!(":{name}")));
            let new: Vec<_> = own.map(|one| one.arn).filter(|arn| !known(arn)).collect();
            let place = (release.unwrap_or_default(), target);
            self.ran.entry(place).or_default().extend(new.into_iter().map(|arn| (arn, None)));
        }
        let runs = || self.ran.values().flatten();
        if runs().all(|(_, exit)| exit.is_some()) {
            return;
        }
        let ended: BTreeMap<_, _> = cloud
            .places()
            .flat_map(|place| cloud.ecs_of(place).one_offs())
            .filter_map(|one| Some((one.arn, one.exit_code?)))
            .collect();
        for (arn, exit) in self.ran.values_mut().flatten() {
            *exit = exit.or_else(|| ended.get(arn).copied());
        }
    }

    /// How often a target ran for a release.
    pub(super) fn times(&self, release: &str, target: &str) -> usize {
        self.of(release, target).count()
    }

    /// It ran, and to a good end.
    pub(super) fn ended_well(&self, release: &str, target: &str) -> bool {
        self.of(release, target).any(|exit| exit == Some(0))
    }

    fn of(&self, release: &str, target: &str) -> impl Iterator<Item = Option<i64>> {
        let own = self.ran.get(&(release.to_owned(), target.to_owned()));
        own.into_iter().flatten().map(|(_, exit)| *exit)
    }
}
