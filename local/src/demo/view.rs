//! A terminal shows the release as it moves; a pipe gets the same story line by line.

use std::io::{IsTerminal, Write, stdout};

use jiff::Timestamp;
use tidegate_core::model::{Entry, Phase, Release, Slot, SlotPhase, Subject, TargetId};

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

/// Where the demo speaks.
pub(crate) struct View {
    is_terminal: bool,
    /// Lines of the moving picture that stand at the end of the screen.
    drawn: usize,
    picture: Vec<String>,
    /// The longest name that will be shown: the columns beside it stay straight.
    name: usize,
}

/// One look at a release.
pub(crate) struct Frame<'a> {
    pub(crate) release: &'a Release,
    pub(crate) slots: &'a [Slot],
    pub(crate) now: Timestamp,
    pub(crate) began: Timestamp,
}

impl View {
    /// `names`: releases and targets that will be shown.
    pub(crate) fn new(speed: f64, names: &[String]) -> Self {
        let is_terminal = stdout().is_terminal();
        let name = names.iter().map(String::len).max().unwrap_or_default();
        let mut view = Self { is_terminal, drawn: 0, picture: Vec::new(), name };
        view.line(&format!(
            "AWS on this laptop, {speed} times faster than life; the times below are AWS's."
        ));
        view
    }

    pub(crate) fn title(&mut self, text: &str) {
        self.line("");
        let text = self.ink(BOLD, &format!("▶ {text}"));
        self.line(&text);
    }

    pub(crate) fn heading(&mut self, text: &str) {
        self.line("");
        let text = self.ink(CYAN, text);
        self.line(&text);
    }

    pub(crate) fn text<'a>(&mut self, lines: impl Iterator<Item = &'a str>) {
        for line in lines {
            self.line(format!("  {line}").trim_end());
        }
    }

    /// Lines of the audit trail. That each target was surveyed is one line for all of them.
    pub(crate) fn entries(&mut self, entries: &[Entry], began: Timestamp) {
        let is_survey = |entry: &Entry| entry.to == "queued";
        let (surveyed, last) = (
            entries.iter().filter(|it| is_survey(it)).count(),
            entries.iter().rposition(is_survey),
        );
        for (index, entry) in entries.iter().enumerate() {
            if Some(index) == last {
                let why = "surveyed: what each runs is known, and the way back to it";
                self.entry(entry.at, began, &counted(surveyed, "target"), &entry.to, why);
            }
            if is_survey(entry) {
                continue;
            }
            let who = match &entry.subject {
                Subject::Release => entry.release.to_string(),
                Subject::Target { target } => target.name.clone(),
                Subject::Pipeline => entry.release.pipeline.clone(),
            };
            self.entry(entry.at, began, &who, &entry.to, &entry.reason);
        }
    }

    fn entry(&mut self, at: Timestamp, began: Timestamp, who: &str, to: &str, why: &str) {
        let at = self.ink(DIM, &format!("{:>6}", elapsed(began, at)));
        let to = self.ink(tone(to), to);
        let why = self.ink(DIM, &short(why));
        self.line(&format!("  {at}  {who:<0$}  {to}  {why}", self.name));
    }

    pub(crate) fn verdict(&mut self, well: bool, text: &str) {
        let (tone, mark) = if well { (GREEN, "✔") } else { (RED, "✘") };
        let text = self.ink(tone, &format!("{mark} {text}"));
        self.line(&text);
    }

    /// Nothing to see yet.
    pub(crate) fn waiting(&mut self, text: &str) {
        self.picture = vec![self.ink(DIM, &format!("  … {text}"))];
        self.redraw();
    }

    /// The release as it stands. A pipe has the audit trail's lines instead.
    pub(crate) fn show(&mut self, frame: &Frame<'_>) {
        self.picture = self.paint(frame);
        self.redraw();
    }

    /// Takes the moving picture away.
    pub(crate) fn clear(&mut self) {
        self.picture.clear();
        self.redraw();
    }

    /// A line that stays, above the moving picture.
    pub(crate) fn line(&mut self, text: &str) {
        self.erase();
        write(&format!("{text}\n"));
        self.redraw();
    }

    fn redraw(&mut self) {
        if self.is_terminal {
            self.erase();
            // A line that is too long must not wrap: it would be two lines to take away again.
            write(&format!("\x1b[?7l{}\x1b[?7h", self.picture.join("\n")));
            if !self.picture.is_empty() {
                write("\n");
            }
            self.drawn = self.picture.len();
        }
    }

    fn erase(&mut self) {
        if self.drawn > 0 {
            write(&format!("\x1b[{}A\x1b[J", self.drawn));
            self.drawn = 0;
        }
    }

    fn paint(&self, frame: &Frame<'_>) -> Vec<String> {
        let Frame { release, slots, now, began } = frame;
        let phase = release.phase.name();
        let left = match release.phase {
            Phase::Baking { until } => {
                format!(", {} to go", elapsed(*now, until).trim_start_matches('+'))
            }
            _ => String::new(),
        };
        let mut lines = vec![
            String::new(),
            format!(
                "  {}  {}  {}{left}",
                self.ink(DIM, &format!("{:>6}", elapsed(*began, *now))),
                self.ink(BOLD, &release.id.to_string()),
                self.ink(tone(phase), phase),
            ),
        ];
        let images = release.images.values();
        lines.extend(images.map(|image| self.ink(DIM, &format!("  {}", image.label()))));
        for (number, wave) in release.waves.iter().enumerate() {
            lines.push(self.ink(DIM, &format!("  {}", release.stage(number))));
            lines.extend(wave.iter().map(|target| self.row(target, slots)));
        }
        lines
    }

    fn row(&self, target: &TargetId, slots: &[Slot]) -> String {
        let slot = slots.iter().find(|slot| slot.target == *target);
        let state = slot.map_or("waiting", |slot| slot.phase.name());
        let mark = match slot.map(|slot| &slot.phase) {
            None | Some(SlotPhase::Queued | SlotPhase::Untouched) => "○",
            Some(SlotPhase::Healthy { .. } | SlotPhase::Returned { .. }) => "●",
            Some(SlotPhase::Failed { .. } | SlotPhase::ReturnFailed { .. }) => "✘",
            Some(_) => "◐",
        };
        let tone = tone(state);
        let unproven =
            matches!(slot.map(|slot| &slot.phase), Some(SlotPhase::Healthy { unproven: true, .. }));
        let (mark, state) = (self.ink(tone, mark), self.ink(tone, state));
        let state = if unproven { format!("{state}, unproven until it runs") } else { state };
        format!("    {mark} {:<1$}  {state}", target.name, self.name)
    }

    fn ink(&self, tone: &str, text: &str) -> String {
        if self.is_terminal { format!("\x1b[{tone}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// `1 target`, `9 targets`
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Good is green, moving yellow, bad red; what waits is dim.
fn tone(state: &str) -> &'static str {
    match state {
        "live" | "healthy" | "returned" | "rolled_back" => GREEN,
        "failed" | "return_failed" | "rollback_failed" | "drifted" | "frozen" => RED,
        "waiting" | "queued" | "untouched" | "unaffected" => DIM,
        _ => YELLOW,
    }
}

/// A revision's ARN says little more than its name, and takes half a line.
fn short(text: &str) -> String {
    let words = text.split(' ').map(|word| match word.split_once(":task-definition/") {
        Some((place, revision)) if place.starts_with("arn:") => revision,
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `+2:05`, in minutes and seconds.
fn elapsed(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    format!("+{}:{:02}", seconds / 60, seconds % 60)
}

#[expect(clippy::print_stdout, reason = "this is where the demo speaks")]
fn write(text: &str) {
    print!("{text}");
    // A terminal that went away ends the demo by itself soon enough.
    let _ = stdout().flush();
}
