//! The two stories of the demo, by the shipped handlers in virtual time.

use std::time::Duration;

use tidegate_cli::Exit;
use tidegate_core::config::Config;
use tidegate_core::model::Phase;
use tidegate_local::api::Place;
use tidegate_local::lambda::in_process::Handlers;
use tidegate_local::twin::{self, Setting};
use tidegate_local::{places, seed};

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/someli.yaml");
const PIPELINE: &str = "someli-production";
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_good_image_goes_live_and_a_crashing_one_comes_back() {
    let text = std::fs::read_to_string(CONFIG).unwrap();
    let config = Config::parse("someli.yaml", &text).unwrap();
    let pipelines = config.resolve("123456789012", "us-west-2").unwrap();
    let setting = Setting {
        seed: 1,
        template: include_str!("../../../template.yaml"),
        parameters: places::parameters(&pipelines),
        place: Place::new("123456789012", "us-west-2"),
        begins: "2026-11-21T08:00:00Z".parse().unwrap(),
    };
    let programs = |twin: &twin::Twin| Box::new(Handlers::new(twin, 1)) as Box<_>;
    let story = async |twin: twin::Twin| {
        twin.world.with(|cloud, now| seed::fleet(cloud, &pipelines, now)).unwrap();
        let operator = twin.operator();
        let said = operator.types(&["config", "apply", CONFIG]).await.unwrap();
        assert_eq!(said.exit, Exit::Done, "{}{}", said.out, said.talk);

        twin.push("live_crons", &["uapi"], "healthy").unwrap();
        let ends = async || {
            for _ in 0..20 {
                twin.run_for(MINUTE).await;
                let newest = operator.table.releases(PIPELINE, 1).await.unwrap().remove(0);
                if newest.phase.is_ended() && newest.id.number > 1 {
                    return newest;
                }
            }
            let said = operator.types(&["status"]).await.unwrap();
            panic!("no end: {}{}", said.out, said.talk);
        };
        let good = ends().await;
        assert!(matches!(good.phase, Phase::Live { .. }), "{good:?}");

        twin.push("live_crons", &["uapi"], "crash").unwrap();
        twin.run_for(MINUTE).await;
        let bad = ends().await;
        assert!(matches!(bad.phase, Phase::RolledBack { .. }), "{bad:?}");
        let published = twin.world.look(|cloud| cloud.sns.published().to_vec());
        let kinds: Vec<_> =
            published.iter().map(|it| it.attributes["kind"].as_str().unwrap_or_default()).collect();
        assert_eq!(kinds, ["started", "live", "started", "rollback_started", "rolled_back"]);
    };
    twin::run(&setting, programs, story).unwrap();
}
