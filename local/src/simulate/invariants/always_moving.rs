//! `always_moving`: whatever is lost or crashes, a release ends or waits by name; and what is live has
//! its tag, where one is asked for.

use serde_json::Value;

use super::{Invariant, Moment, Wrongs};
use crate::call::Noted;
use crate::simulate::ends;
use crate::simulate::raw::{Table, Written, members, number, text};
use crate::simulate::schedule::{MARK, Pipeline};

pub(super) struct AlwaysMoving;

impl Invariant for AlwaysMoving {
    fn name(&self) -> &'static str {
        "always_moving"
    }

    fn landed(&mut self, _: &Moment<'_>, _: &Noted, _: &[Written], _: &mut Wrongs) {}

    fn ended(&mut self, now: &Moment<'_>, wrongs: &mut Wrongs) {
        for (id, end) in ends::of(now.table) {
            if let Err(moves) = end {
                wrongs.push(format!("{id} still {moves}, long after anything went wrong"));
            }
        }
        for pipeline in now.pipelines.iter().filter(|it| it.extras.marks) {
            marked(now, pipeline, wrongs);
        }
    }
}

/// The images of what became live by itself have the tag; what was adopted or accepted gets none.
fn marked(now: &Moment<'_>, own: &Pipeline, wrongs: &mut Wrongs) {
    let (pipeline, registry) = (&own.name, own.registry());
    let live = now.table.head(pipeline).map_or(0, |head| number(&head["live"]));
    let release = now.table.release(&format!("{pipeline}/{live}")).unwrap_or(&Value::Null);
    let adopted = text(&release["cause"]["kind"]) == "adopted";
    if adopted || release["phase"]["accepted"] == true {
        return;
    }
    for (_, image) in members(&release["images"]) {
        let repository = text(&image["repository"]);
        let uri = format!("{}/{repository}:{MARK}", registry.registry());
        let shown = now.cloud.ecr.pull(&uri).map(|bytes| bytes.digest);
        // What nobody runs is not waited for: where it is copied late or never, people are told.
        let copy = format!("{}/{repository}@{}", registry.registry(), text(&image["digest"]));
        let late = now.cloud.ecr.pull(&copy).is_none() || is_told(now.table, pipeline);
        if own.extras.reads_copies() && !own.runs(repository) && late {
            continue;
        }
        // Where two pipelines mark the same repository, the last one has it.
        let marks = now.pipelines.iter().filter(|it| it.extras.marks);
        let alone = marks.flat_map(|it| &it.images).filter(|it| it.repository == repository);
        if alone.count() == 1 && shown.as_deref() != Some(text(&image["digest"])) {
            wrongs.push(format!("{pipeline}/{live} is live, and {uri} is {shown:?}"));
        }
    }
}

/// A line of the pipeline says that the tag could not be put on every image.
fn is_told(table: &Table, pipeline: &str) -> bool {
    let pk = format!("pipeline#{pipeline}");
    let mut lines = table.under(&pk, "journal#");
    lines.any(|(_, line)| text(&line["reason"]).ends_with("could not be put on every image"))
}
