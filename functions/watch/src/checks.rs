//! The checks of a tick: the alarms of all pipelines at once, URLs as they become due.
//!
//! A tick stays awake for a URL that is due within it, and for nothing else.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tidegate_aws::table::{Commit, TableError};
use tidegate_aws::{App, Error, advance};
use tidegate_core::config::{Check, HttpCheck};
use tidegate_core::decide::Sightings;
use tidegate_core::decide::checks::{Heard, PATIENCE, alarms, due, hear, next_due};
use tidegate_core::model::Scene;
use tokio::task::JoinSet;

use crate::look::RESERVE;

/// So many URLs are waited for at the same time: a function has few sockets and one thread.
const AT_ONCE: usize = 10;

/// An answer may meet other writers of its release; after this many the next tick asks again.
const TRIES: u32 = 5;

/// A pipeline that this tick looked at, and whose config has checks.
#[derive(Debug)]
pub(crate) struct Open {
    /// Its name.
    pub(crate) pipeline: String,
    /// What the look showed: the bake's end needs it beside the answers.
    pub(crate) seen: Sightings,
}

/// Pipelines with what went wrong there.
type Failed = Vec<(String, Error)>;

/// Asks what is due until nothing more is due within this tick, and carries on what follows.
pub(crate) async fn ask(app: &App, mut open: Vec<Open>, deadline: Timestamp) -> Failed {
    let last = deadline - (PATIENCE + RESERVE);
    let mut failed = Failed::new();
    let mut scenes = read(app, &open, &mut failed).await;
    // An answer is as old as its question.
    let mut now = app.clock.now();
    let mut rung = listen(app, &scenes, &mut failed).await;
    let mut asked = Asked::default();
    let has_urls =
        scenes.iter().any(|it| it.config.checks.iter().any(|it| matches!(it, Check::Http(_))));
    while !scenes.is_empty() {
        let urls = scenes.iter().flat_map(|scene| asked.due(scene, now)).collect();
        for (pipeline, answers) in ask_urls(app, urls, last).await {
            rung.entry(pipeline).or_default().extend(answers);
        }
        for scene in std::mem::take(&mut scenes) {
            let pipeline = scene.head.pipeline.clone();
            let heard = rung.remove(&pipeline).unwrap_or_default();
            let seen = open.iter_mut().find(|open| open.pipeline == pipeline);
            let seen = seen.map(|open| std::mem::take(&mut open.seen)).unwrap_or_default();
            if let Err(error) = follow(app, scene, &heard, now, &seen).await {
                failed.push((pipeline, error.into()));
            }
        }
        if !has_urls {
            break;
        }
        scenes = read(app, &open, &mut failed).await;
        match scenes.iter().filter_map(|scene| asked.next(scene)).min() {
            Some(at) if at <= last => {
                let wait = at.duration_since(app.clock.now());
                app.clock.sleep(wait.try_into().unwrap_or_default()).await;
            }
            _ => break,
        }
        now = app.clock.now();
    }
    failed
}

/// The pipelines in which a check may be asked at all.
async fn read(app: &App, open: &[Open], failed: &mut Failed) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for Open { pipeline, .. } in open {
        match app.table.scene(pipeline).await {
            Ok(scene) => scenes.push(scene),
            Err(error) => failed.push((pipeline.clone(), error.into())),
        }
    }
    scenes.retain(|scene| next_due(scene).is_some() || alarms(scene).next().is_some());
    scenes
}

/// When this tick last asked the URLs of a pipeline. An answer that could not be written down leaves
/// its question due: it is asked again in its turn, not at once.
#[derive(Default)]
struct Asked(BTreeMap<String, Timestamp>);

impl Asked {
    /// The URLs to ask now.
    fn due(&mut self, scene: &Scene, now: Timestamp) -> Vec<(String, usize, HttpCheck)> {
        let pipeline = &scene.head.pipeline;
        if self.next(scene).is_none_or(|next| next > now) {
            return Vec::new();
        }
        self.0.insert(pipeline.clone(), now);
        let due = due(scene, now).into_iter();
        due.map(|(index, check)| (pipeline.clone(), index, check.clone())).collect()
    }

    /// When URLs of a pipeline are to be asked next.
    fn next(&self, scene: &Scene) -> Option<Timestamp> {
        let again = self.0.get(&scene.head.pipeline).map(|at| *at + HttpCheck::SHORTEST);
        next_due(scene).map(|due| again.map_or(due, |again| again.max(due)))
    }
}

/// The states of all alarms that are listened to: one call for each place and 100 names.
async fn listen(app: &App, scenes: &[Scene], failed: &mut Failed) -> Answers {
    let place = |scene: &Scene| (scene.config.region.clone(), scene.config.role.clone());
    let mut places: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for scene in scenes {
        let names = alarms(scene).map(|(_, name)| name.to_owned());
        places.entry(place(scene)).or_default().extend(names);
    }
    places.retain(|_, names| !names.is_empty());
    let mut heard = Answers::new();
    for ((region, role), names) in places {
        let names: Vec<String> = names.into_iter().collect();
        let states = match app.alarms(&region, role.as_ref()).states(&names).await {
            Ok(states) => states,
            // It passes: what nobody answered is asked again by the next tick.
            Err(refusal) if refusal.is_throttle() => continue,
            Err(refusal) => {
                let unasked = Heard::Unasked(refusal.to_string());
                failed.push((format!("the alarms of {region}"), refusal.into()));
                names.into_iter().map(|name| (name, unasked.clone())).collect()
            }
        };
        let here = (region, role);
        for scene in scenes.iter().filter(|scene| place(scene) == here) {
            let own =
                alarms(scene).filter_map(|(index, name)| Some((index, states.get(name)?.clone())));
            heard.entry(scene.head.pipeline.clone()).or_default().extend(own);
        }
    }
    heard
}

/// What checks answered, by pipeline and by the check's index.
type Answers = BTreeMap<String, Vec<(usize, Heard)>>;

/// Asks URLs, some at a time; what is not begun when `last` is past is left to the next tick.
async fn ask_urls(app: &App, urls: Vec<(String, usize, HttpCheck)>, last: Timestamp) -> Answers {
    let (mut waiting, mut asked) = (urls.into_iter(), JoinSet::new());
    let mut heard = Answers::new();
    loop {
        while asked.len() < AT_ONCE
            && app.clock.now() <= last
            && let Some((pipeline, index, check)) = waiting.next()
        {
            let probe = app.probe.clone();
            asked.spawn(async move { (pipeline, index, probe.ask(&check).await) });
        }
        match asked.join_next().await {
            Some(Ok((pipeline, index, answer))) => {
                heard.entry(pipeline).or_default().push((index, answer));
            }
            // A question that ended without an answer was never asked.
            Some(Err(_)) => {}
            None => return heard,
        }
    }
}

/// Writes the answers down, and decides by them.
async fn follow(
    app: &App,
    mut scene: Scene,
    heard: &[(usize, Heard)],
    at: Timestamp,
    seen: &Sightings,
) -> Result<(), TableError> {
    for _ in 0..TRIES {
        let Some(change) = hear(&scene, heard, at) else { break };
        let written = app.table.commit(&change).await?;
        scene = app.table.scene(&scene.head.pipeline).await?;
        if written == Commit::Done {
            break;
        }
    }
    advance(&app.table, &app.clock, scene, seen).await?;
    Ok(())
}
