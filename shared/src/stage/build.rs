//! Small things by their names.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::config::{
    Base, ImageConfig, OnFailure, OnTimeout, PipelineConfig, Registry, TargetConfig, Watch,
};
use crate::model::{Digest, Pin, ReleaseImage, TargetId, TaskFailure};

pub(crate) const OPERATOR: &str = "arn:aws:iam::123456789012:user/ada";
const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-west-2";

/// Seconds after the story began.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_230_000 + seconds).unwrap()
}

/// A digest by its first hex digits.
pub(crate) fn digest(start: &str) -> Digest {
    format!("sha256:{start:0<64}").parse().unwrap()
}

pub(crate) fn target(service: &str) -> TargetId {
    format!("ecs/{ACCOUNT}/{REGION}/cluster/{service}").parse().unwrap()
}

/// The ARN of a revision.
pub(crate) fn arn(family: &str, revision: impl std::fmt::Display) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{family}:{revision}")
}

/// `n` services in one wave: `s000`, `s001`, …
pub(crate) fn names(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("s{n:03}")).collect()
}

/// Bytes as the registry shows them.
pub(crate) fn image(
    repository: &str,
    bytes: &str,
    tag: &str,
    pushed_at: Timestamp,
) -> ReleaseImage {
    ReleaseImage {
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        repository: repository.to_owned(),
        digest: digest(bytes),
        accepts: BTreeSet::from([digest(bytes)]),
        tags: vec![tag.to_owned()],
        pushed_at,
    }
}

pub(super) fn pin(image: &ReleaseImage) -> Pin {
    Pin {
        container: "main".to_owned(),
        repository: image.uri(),
        digest: image.digest.clone(),
        accepts: image.accepts.clone(),
    }
}

/// A container that exits with code 1 after two seconds.
pub(crate) fn crash(number: u32, at: Timestamp) -> TaskFailure {
    TaskFailure {
        task: format!("task{number:04}"),
        stop_code: "EssentialContainerExited".to_owned(),
        reason: "Essential container in task exited".to_owned(),
        container: "main".to_owned(),
        exit_code: Some(1),
        detail: String::new(),
        ran_seconds: Some(2),
        at,
    }
}

/// The pipeline `p`: 15 minutes for each target, two of bake, everything back on a failure.
pub(crate) fn pipeline(waves: &[&[&str]], images: &[&str]) -> PipelineConfig {
    let registry = Registry { account: ACCOUNT.to_owned(), region: REGION.to_owned() };
    let image = |name: &&str| {
        let tags = ["uapi", "prod-{sha}"].map(|tag| tag.parse().unwrap()).into();
        let config =
            ImageConfig { registry: registry.clone(), repository: (*name).to_owned(), tags };
        ((*name).to_owned(), config)
    };
    let service = |name: &&str| TargetConfig::service(*name);
    PipelineConfig {
        schema: PipelineConfig::SCHEMA,
        name: "p".to_owned(),
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        role: None,
        images: images.iter().map(image).collect::<BTreeMap<_, _>>(),
        cluster: "cluster".to_owned(),
        pre_deploy: Vec::new(),
        waves: waves.iter().map(|wave| wave.iter().map(service).collect()).collect(),
        watch: Watch {
            timeout: Duration::from_secs(900),
            bake: Duration::from_secs(120),
            failed_tasks: 2,
            on_timeout: OnTimeout::Rollback,
        },
        on_failure: OnFailure::Rollback,
        base: Base::Running,
        join_on: None,
        approval: None,
        checks: Vec::new(),
        promote_from: None,
        replica: false,
        promotes_to: Vec::new(),
        retag: None,
    }
}
