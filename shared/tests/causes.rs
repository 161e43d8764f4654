//! The failure table, against AWS's own wording.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use tidegate_core::messages::{Counts, explain};
use tidegate_core::model::{Blame, TaskFailure};

/// A stopped task as ECS words it; `code` is the exit code, if a container ran.
fn task(stop_code: &str, reason: &str, detail: &str, code: Option<i64>) -> TaskFailure {
    TaskFailure {
        task: "0f9de17a6465404e8b1b2356dc13c2f8".to_owned(),
        stop_code: stop_code.to_owned(),
        reason: reason.to_owned(),
        container: "crons".to_owned(),
        exit_code: code,
        detail: detail.to_owned(),
        ran_seconds: code.map(|_| 2),
        at: "2026-11-21T03:00:00Z".parse().unwrap(),
    }
}

#[track_caller]
fn check(task: &TaskFailure, cause: &str, counts: Counts, blame: Blame) {
    let found = explain(task);
    assert_eq!((found.cause.as_str(), found.counts, found.blame), (cause, counts, blame), "{task}");
    if !matches!(counts, Counts::Innocent(_)) {
        assert!(!found.remedy.is_empty(), "{task}: what helps?");
    }
    assert!(!found.remedy.ends_with('.') && !found.cause.ends_with('.'), "{found:?}");
}

#[test]
fn what_the_image_cannot_help_is_innocent() {
    const EXITED: &str = "EssentialContainerExited";
    const NOT_STARTED: &str = "TaskFailedToStart";
    for (stop_code, reason, code, why) in [
        ("SpotInterruption", "Your Spot Task was interrupted.", Some(143), SPOT),
        ("TerminationNotice", "Your task is being terminated.", Some(137), HOST),
        ("", "Host EC2 (instance i-0123456789abcdef0) terminated.", None, HOST),
        ("InfrastructureHealth", "", Some(137), INFRASTRUCTURE),
        ("UserInitiated", "Task stopped by user", Some(137), USER),
        (
            "ServiceSchedulerInitiated",
            "Scaling activity initiated by (deployment ecs-svc/1234567890123456789)",
            Some(143),
            SCALING,
        ),
        (
            NOT_STARTED,
            "Timeout waiting for network interface provisioning to complete.",
            None,
            CAPACITY,
        ),
        (
            NOT_STARTED,
            "Capacity is unavailable at this time. Please try again later or in a different \
             availability zone",
            None,
            CAPACITY,
        ),
        (
            NOT_STARTED,
            "ResourceInitializationError: unable to pull secrets or registry auth: execution \
             resource retrieval failed: ThrottlingException: Rate exceeded",
            None,
            THROTTLED,
        ),
        (
            NOT_STARTED,
            "CannotPullContainerError: pull image manifest has been retried 5 time(s): \
             toomanyrequests: Rate exceeded",
            None,
            THROTTLED,
        ),
        (
            NOT_STARTED,
            "CannotPullContainerError: ref pull has been retried 5 time(s): failed to resolve \
             reference: dial tcp 52.94.1.1:443: i/o timeout",
            None,
            UNREACHABLE,
        ),
        (
            NOT_STARTED,
            "CannotPullContainerError: write /var/lib/docker/tmp/GetImageBlob1: no space left on \
             device",
            None,
            "the host's disk is full",
        ),
        (
            NOT_STARTED,
            "ContainerRuntimeTimeoutError: Could not transition to running; timed out after \
             waiting 1m",
            None,
            RUNTIME,
        ),
        (EXITED, "SpotInterruptionError: Your Spot Task was interrupted.", Some(143), SPOT),
        (EXITED, "ContainerRuntimeError: could not query the runtime", None, RUNTIME),
        (EXITED, "CannotStopContainerError: it does not stop", Some(137), INFRASTRUCTURE),
        (EXITED, "CannotInspectContainerError: the agent lost it", Some(137), INFRASTRUCTURE),
        (EXITED, "InternalError: the agent failed", Some(1), INFRASTRUCTURE),
    ] {
        check(&task(stop_code, reason, "", code), why, Counts::Innocent(why), Blame::Other);
    }
}

#[test]
fn a_task_that_finds_no_place_or_no_way_is_innocent() {
    for (reason, why) in [
        (
            "CannotPullContainerError: The task cannot pull live_crons from the Amazon ECR \
             repository. There is a connection issue between the task and Amazon ECR. Check your \
             task network configuration.",
            UNREACHABLE,
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot \
             pull registry auth from Amazon ECR: RequestError: send request failed caused by: Post \
             \"https://api.ecr.us-west-2.amazonaws.com/\": dial tcp 52.94.1.1:443: i/o timeout",
            UNREACHABLE,
        ),
        (
            "ResourceInitializationError: failed to download env files: file download command: non \
             empty error stream: RequestCanceled: request context canceled",
            UNREACHABLE,
        ),
        ("You've reached the limit on the number of tasks you can run concurrently", CAPACITY),
        ("Tasks provisioning capacity limit exceeded.", CAPACITY),
        (
            "Unexpected EC2 error while attempting to Create Network Interface in subnet \
             'subnet-1': InsufficientFreeAddressesInSubnet",
            CAPACITY,
        ),
        ("unable to place a task because RESOURCE:FARGATE", CAPACITY),
    ] {
        let found = task("TaskFailedToStart", reason, "", None);
        check(&found, why, Counts::Innocent(why), Blame::Other);
    }
}

const SPOT: &str = "AWS took the Spot capacity back";
const HOST: &str = "the host is going away";
const INFRASTRUCTURE: &str = "the infrastructure under the task failed";
const USER: &str = "a person or a tool stopped the task";
const SCALING: &str = "ECS scaled in or replaced the task";
const CAPACITY: &str = "there was no capacity for the task";
const THROTTLED: &str = "AWS throttled what the task needs to start";
const UNREACHABLE: &str = "the task could not reach what it needs to start";
const RUNTIME: &str = "the container runtime did not answer in time";

#[test]
fn one_task_is_enough_where_the_next_would_end_the_same_way() {
    const PLATFORM: &str = "the image was built for another processor than the task runs on";
    const MISSING: &str = "the image cannot be pulled: it is not in the registry";
    for (reason, cause, blame) in [
        (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): image \
             Manifest does not contain descriptor matching platform 'linux/amd64'",
            PLATFORM,
            Blame::Image,
        ),
        (
            "CannotPullContainerError: no matching manifest for linux/arm64/v8 in the manifest \
             list entries",
            PLATFORM,
            Blame::Image,
        ),
        (
            "CannotStartContainerError: standard_init_linux.go:228: exec user process caused: \
             exec format error",
            PLATFORM,
            Blame::Image,
        ),
        (
            "CannotPullContainerError: Error response from daemon: manifest for \
             123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons:uapi not found: manifest \
             unknown: Requested image not found",
            MISSING,
            Blame::Image,
        ),
        (
            "CannotPullContainerError: failed to resolve reference \
             123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons@sha256:0a: not found",
            MISSING,
            Blame::Image,
        ),
        (
            "CannotPullContainerError: denied: User: arn:aws:sts::123456789012:assumed-role/task \
             is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-west-2:\
             123456789012:repository/live_crons",
            "the image cannot be pulled: access denied",
            Blame::Other,
        ),
        (
            "CannotPullContainerError: ref pull has been retried 1 time(s): number of layers and \
             diffIDs don't match: 3 != 15",
            "the image cannot be pulled",
            Blame::Image,
        ),
        (
            "ResourceInitializationError: failed to create new container runtime task: failed to \
             create shim task: OCI runtime create failed: runc create failed: unable to start \
             container process: exec: \"./run\": permission denied: unknown",
            "the container's command does not exist in the image, or may not be run",
            Blame::Image,
        ),
        (
            "CannotStartContainerError: OCI runtime create failed: exec: \"nodejs\": executable \
             file not found in $PATH",
            "the container's command does not exist in the image, or may not be run",
            Blame::Image,
        ),
    ] {
        check(&task("TaskFailedToStart", reason, "", None), cause, Counts::Decisive, blame);
    }
}

#[test]
fn what_keeps_a_task_from_starting_outside_the_image_does_not_blame_it() {
    for (reason, cause) in [
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution \
             resource retrieval failed: unable to retrieve secret from asm: AccessDeniedException: \
             User is not authorized to perform: secretsmanager:GetSecretValue on resource: x",
            "the execution role may not read a secret, a parameter or the registry",
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: failed to fetch \
             secret: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
            "a secret or parameter that the task definition names does not exist",
        ),
        (
            "ResourceInitializationError: failed to validate logger args: create stream has been \
             retried 1 times: ResourceNotFoundException: The specified log group does not exist.",
            "the task's log could not be opened",
        ),
        (
            "CannotStartContainerError: Error response from daemon: failed to initialize logging \
             driver: failed to create Cloudwatch log stream: ResourceNotFoundException: The \
             specified log group does not exist.",
            "the task's log could not be opened",
        ),
        (
            "ResourceInitializationError: failed to download env files: file download command: non \
             empty error stream: AccessDenied: Access Denied status code: 403",
            "an environment file of the task definition could not be read",
        ),
        (
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS \
             volumes: stderr: mount.nfs4: Connection timed out : unsuccessful EFS utils command \
             execution; code: 32",
            "a volume of the task could not be mounted",
        ),
        (
            "CannotCreateVolumeError: the volume data cannot be made",
            "a volume of the task could not be mounted",
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution \
             resource retrieval failed: invalid ssm parameters: /scr/staging/database-url",
            "a secret or parameter that the task definition names does not exist",
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: retrieved \
             secret from Secrets Manager did not contain json key DATABASE_URL",
            "a secret or parameter that the task definition names does not exist",
        ),
        (
            "ResourceNotFoundException: the task needs what is not there",
            "something the task needs to start is missing or not allowed",
        ),
        (
            "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/x' that was \
             provided for this task.",
            "ECS may not assume the task's role",
        ),
    ] {
        check(&task("TaskFailedToStart", reason, "", None), cause, Counts::Counts, Blame::Other);
    }
}

#[test]
fn a_task_that_ran_and_was_found_ill_counts() {
    let elb = "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:\
               us-west-2:123456789012:targetgroup/api/0123456789abcdef)";
    check(
        &task("ServiceSchedulerInitiated", elb, "", Some(143)),
        "the load balancer's health check failed",
        Counts::Counts,
        Blame::Image,
    );
    check(
        &task("ServiceSchedulerInitiated", "Task failed container health checks", "", Some(137)),
        "the container's own health check failed",
        Counts::Counts,
        Blame::Image,
    );
    let oom = "OutOfMemoryError: Container killed due to memory usage";
    check(
        &task("EssentialContainerExited", "Essential container in task exited", oom, Some(137)),
        "the container was killed because it used more memory than it may",
        Counts::Counts,
        Blame::Image,
    );
}

#[test]
fn exit_codes_are_told_with_the_time_the_container_ran() {
    let exited = |code| {
        task("EssentialContainerExited", "Essential container in task exited", "", Some(code))
    };
    let crash = explain(&exited(1));
    assert_eq!(crash.cause, "container `crons` exited with code 1 after 2 s");
    assert!(crash.remedy.contains("missing variable or secret"), "{}", crash.remedy);
    assert_eq!((crash.counts, crash.blame), (Counts::Counts, Blame::Image));

    let late = explain(&TaskFailure { ran_seconds: Some(600), ..exited(1) });
    assert_eq!(late.cause, "container `crons` exited with code 1 after 10 min");
    assert!(!late.remedy.contains("missing variable"), "{}", late.remedy);

    assert_eq!(explain(&exited(0)).counts, Counts::ExitZero);
    for code in [3, 126, 127, 137, 139, 143, 255] {
        check(
            &exited(code),
            &format!("container `crons` exited with code {code} after 2 s"),
            Counts::Counts,
            Blame::Image,
        );
    }
}

#[test]
fn an_unknown_reason_counts_without_blaming_the_bytes() {
    check(
        &task("TaskFailedToStart", "SomethingNewError: nobody has seen this", "", None),
        "container `crons` stopped without an exit code",
        Counts::Counts,
        Blame::Other,
    );
}
