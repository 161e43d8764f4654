//! The config's own checks: URLs that must answer, alarms that must be quiet.

use super::{Hidden, Line, Shown, To, Topic};
use crate::config::{Check, HttpCheck, PipelineConfig};
use crate::decide::checks::{AlarmState, Heard, Meaning, meaning};

/// One line for each check; `heard` has the answers in the config's order.
pub(super) fn lines(config: &PipelineConfig, heard: &[Shown<Heard>]) -> Vec<Line> {
    let told = |(check, shown): (&Check, &Shown<Heard>)| match shown {
        Shown::There(heard) => Some(line(check, heard)),
        Shown::Hidden(hidden) => Some(Topic::Checks.unknown(&check.to_string(), hidden)),
        Shown::Missing => None,
    };
    config.checks.iter().zip(heard).filter_map(told).collect()
}

fn line(check: &Check, heard: &Heard) -> Line {
    let (topic, subject) = (Topic::Checks, check.to_string());
    if let (Check::Http(HttpCheck { private: true, .. }), Heard::Silence(why)) = (check, heard) {
        return topic.unknown(&subject, &from_outside(why));
    }
    // Whoever asks now blames no release for it: it does not matter when it began to ring.
    match meaning(check, heard, jiff::Timestamp::MIN) {
        Meaning::Green => topic.green(&subject, answer(heard)),
        Meaning::RangBefore => topic.failed(&subject, "it rings", RINGS),
        Meaning::Wrong(what) => match check {
            Check::Http(_) => topic.failed(
                &subject,
                format!("answers {what}"),
                "See whether its service is well above; then name, certificate and load balancer \
                 on the way to it",
            ),
            Check::Alarm { .. } => topic.failed(&subject, format!("it rings: {what}"), RINGS),
        },
        Meaning::Unknown(why) => topic.failed(
            &subject,
            why,
            "A release would wait for it until `watch.timeout`: make it answer, or take it out of \
             `checks`",
        ),
    }
}

/// `watch` stands in the VPC; whoever asks here may not.
fn from_outside(why: &str) -> Hidden {
    Hidden {
        action: "GET".to_owned(),
        resource: "a private address".to_owned(),
        words: format!("{why}; it may answer inside the VPC, where `watch` asks"),
        to: To::All,
    }
}

const RINGS: &str = "Mend what it watches: a release that comes now is not blamed for it";

fn answer(heard: &Heard) -> String {
    match heard {
        Heard::Http { status, .. } => format!("answers {status}"),
        Heard::Alarm { state: AlarmState::Ok, .. } => "quiet".to_owned(),
        Heard::Alarm { .. } | Heard::Silence(_) | Heard::Unasked(_) => "as it should".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::State;

    fn url() -> Check {
        Check::Http(HttpCheck {
            url: "https://a.example.com/health".to_owned(),
            expect: vec![200],
            body: None,
            attempts: 10,
            every: HttpCheck::SHORTEST,
            private: false,
        })
    }

    fn alarm(state: AlarmState) -> Line {
        let heard = Heard::Alarm { state, reason: "5 errors".to_owned(), since: None };
        line(&Check::Alarm { name: "api-5xx".to_owned() }, &heard)
    }

    #[test]
    fn a_url_is_green_by_its_answer_alone() {
        let http = |status| Heard::Http { status, body: "no database".to_owned() };
        let line = |heard| super::line(&url(), &heard);
        assert_eq!(line(http(200)).state, State::Green);
        let wrong = line(http(503));
        assert_eq!(wrong.state, State::Failed);
        assert_eq!(wrong.said, "answers 503 `no database`");
        assert_eq!(wrong.subject, "GET https://a.example.com/health");
        assert_eq!(line(Heard::Silence("refused".to_owned())).state, State::Failed);
        let private = line(Heard::Unasked("10.0.0.1 is not called".to_owned()));
        assert!(private.remedy.unwrap().contains("`watch.timeout`"));
    }

    #[test]
    fn a_private_url_that_is_silent_from_here_is_unknown() {
        let Check::Http(mut check) = url() else { panic!("a URL") };
        check.private = true;
        let silent = line(&Check::Http(check), &Heard::Silence("timed out".to_owned()));
        assert_eq!(silent.state, State::Unknown);
        assert!(silent.said.contains("inside the VPC"), "{}", silent.said);
    }

    #[test]
    fn an_alarm_that_rings_is_a_failure_whenever_it_began() {
        assert_eq!(alarm(AlarmState::Ok).state, State::Green);
        assert_eq!(alarm(AlarmState::Alarm).state, State::Failed);
        assert_eq!(alarm(AlarmState::InsufficientData).state, State::Failed);
    }
}
