//! The failure table.
//!
//! ECS's texts are free and change, so a row is recognised by a few of its words, in lower case;
//! the raw words always go along as evidence. The first row that fits wins.

use super::{Counts, Explanation};
use crate::model::Blame;

/// One line of the table.
pub(super) struct Row {
    /// All of these groups must be met; a group is met by any of its words.
    words: &'static [&'static [&'static str]],
    cause: &'static str,
    remedy: &'static str,
    counts: Counts,
    blame: Blame,
}

impl Row {
    pub(super) fn fits(&self, said: &str) -> bool {
        self.words.iter().all(|group| group.iter().any(|word| said.contains(word)))
    }

    pub(super) fn explanation(&self) -> Explanation {
        let Self { words: _, cause, remedy, counts, blame } = *self;
        Explanation { cause: cause.to_owned(), remedy: remedy.to_owned(), counts, blame }
    }
}

/// A row that does not count; `why` is also its cause.
const fn innocent(
    words: &'static [&'static [&'static str]],
    why: &'static str,
    remedy: &'static str,
) -> Row {
    Row { words, cause: why, remedy, counts: Counts::Innocent(why), blame: Blame::Other }
}

/// A row after which one task is enough.
const fn decisive(
    words: &'static [&'static [&'static str]],
    cause: &'static str,
    remedy: &'static str,
    blame: Blame,
) -> Row {
    Row { words, cause, remedy, counts: Counts::Decisive, blame }
}

/// A row that is one of `failed_tasks`.
const fn counted(
    words: &'static [&'static [&'static str]],
    cause: &'static str,
    remedy: &'static str,
    blame: Blame,
) -> Row {
    Row { words, cause, remedy, counts: Counts::Counts, blame }
}

const PULL: &[&str] = &["cannotpull"];
const THROTTLED: &[&str] =
    &["throttl", "rate exceeded", "toomanyrequests", "too many requests", "pull rate limit"];
const UNREACHABLE: &[&str] = &[
    "i/o timeout",
    "request canceled",
    "connection reset",
    "connection refused",
    "deadline exceeded",
    "tls handshake timeout",
    "no such host",
    "no route to host",
    "send request failed",
    "internal server error",
    "service unavailable",
    "connection issue between",
    "context canceled",
];
const DENIED: &[&str] =
    &["accessdenied", "access denied", "not authorized", "403 forbidden", "unauthorized"];
const FOREIGN_PLATFORM: &[&str] =
    &["matching platform", "no matching manifest", "exec format error"];
const MISSING: &[&str] = &["not found", "manifest unknown", "does not exist", "notfound"];

/// Order decides: who stopped it, then what kept it from starting, then how it was found ill.
pub(super) const ROWS: &[Row] = &[
    // Somebody or something else ended a task that may have been fine.
    innocent(
        &[&["spotinterruption", "spot task was interrupted"]],
        "AWS took the Spot capacity back",
        "ECS starts another task by itself",
    ),
    innocent(
        &[&["terminationnotice", "host ec2 (instance"]],
        "the host is going away",
        "ECS starts another task by itself",
    ),
    innocent(
        &[&[
            "infrastructurehealth",
            "internalerror",
            "cannotinspectcontainer",
            "cannotstopcontainer",
        ]],
        "the infrastructure under the task failed",
        "ECS starts another task by itself",
    ),
    innocent(
        &[&["userinitiated", "task stopped by user"]],
        "a person or a tool stopped the task",
        "Ask who stopped it: CloudTrail lists StopTask",
    ),
    // It never started, and not for the image's sake.
    innocent(
        &[&["cannotpull", "resourceinitialization"], THROTTLED],
        "AWS throttled what the task needs to start",
        "ECS tries again. If it stays so, let fewer tasks start at once",
    ),
    innocent(
        &[&["no space left"]],
        "the host's disk is full",
        "Free or enlarge the host's disk, or the task's ephemeral storage",
    ),
    innocent(
        &[&[
            "unable to place",
            "capacity is unavailable",
            "capacity limit exceeded",
            "reached the limit",
            "no container instance",
            "insufficientfreeaddresses",
            "network interface",
            "waiting for ephemeralstorage",
            "resource:cpu",
            "resource:memory",
            "resource:fargate",
            "resource:eni",
        ]],
        "there was no capacity for the task",
        "Check the cluster's capacity, the Fargate quota and the free addresses of the subnets",
    ),
    innocent(
        &[&["cannotpull", "resourceinitialization"], UNREACHABLE],
        "the task could not reach what it needs to start",
        "Check route, NAT gateway or VPC endpoints, and security groups of the task's subnets",
    ),
    innocent(
        &[&["containerruntimetimeout", "dockertimeout", "containerruntimeerror"]],
        "the container runtime did not answer in time",
        "ECS tries again. If it stays so, look at the host",
    ),
    // It never started: the next task would end the same way.
    decisive(
        &[FOREIGN_PLATFORM],
        "the image was built for another processor than the task runs on",
        "Build the image for the architecture in the task definition's runtimePlatform, or for \
         both",
        Blame::Image,
    ),
    decisive(
        &[PULL, DENIED],
        "the image cannot be pulled: access denied",
        "Let the task's execution role pull: ecr:GetAuthorizationToken, ecr:BatchGetImage, \
         ecr:GetDownloadUrlForLayer; and check the repository's policy",
        Blame::Other,
    ),
    decisive(
        &[PULL, MISSING],
        "the image cannot be pulled: it is not in the registry",
        "Push the image again; check whether a lifecycle rule removed it or one of its layers",
        Blame::Image,
    ),
    decisive(
        &[PULL],
        "the image cannot be pulled",
        "Read AWS's words; try `docker pull` with the same digest",
        Blame::Image,
    ),
    decisive(
        &[
            &["executable file not found", "no such file or directory", "permission denied"],
            &["cannotstartcontainer", "cannotcreatecontainer", "oci runtime"],
        ],
        "the container's command does not exist in the image, or may not be run",
        "Compare the task definition's command and entry point with what the image holds",
        Blame::Image,
    ),
    // It never started: permissions and parts outside the image.
    counted(
        &[
            &["resourceinitialization", "cannotstartcontainer"],
            &["log group", "log stream", "logger", "logging driver"],
        ],
        "the task's log could not be opened",
        "Check that the log group exists and that the execution role may write to it",
        Blame::Other,
    ),
    counted(
        &[&["resourceinitialization"], &["env files", "environment file"]],
        "an environment file of the task definition could not be read",
        "Check that the file is in S3, and that the execution role may read it: s3:GetObject and \
         s3:GetBucketLocation",
        Blame::Other,
    ),
    counted(
        &[&["cannotcreatevolume", "efs utils", "efs volume"]],
        "a volume of the task could not be mounted",
        "Check the file system, its mount targets and their security group",
        Blame::Other,
    ),
    counted(
        &[&["resourceinitialization", "unable to pull secrets"], DENIED],
        "the execution role may not read a secret, a parameter or the registry",
        "Allow the execution role the action that AWS names",
        Blame::Other,
    ),
    counted(
        &[
            &["resourceinitialization", "unable to pull secrets"],
            &[
                "can't find the specified secret",
                "resourcenotfound",
                "invalid ssm parameters",
                "parameternotfound",
                "did not contain json key",
            ],
        ],
        "a secret or parameter that the task definition names does not exist",
        "Create it, or correct the task definition's `secrets`",
        Blame::Other,
    ),
    counted(
        &[&["resourceinitialization", "resourcenotfoundexception"]],
        "something the task needs to start is missing or not allowed",
        "Check secrets, parameters, log group and execution role of the task definition",
        Blame::Other,
    ),
    counted(
        &[&["unable to assume the role", "unable to assume role"]],
        "ECS may not assume the task's role",
        "Check that the task role and the execution role exist and trust ecs-tasks.amazonaws.com",
        Blame::Other,
    ),
    counted(
        &[&["cannotstartcontainer", "cannotcreatecontainer"]],
        "the container could not be started",
        "Read AWS's words",
        Blame::Image,
    ),
    // It ran, and was found ill.
    counted(
        &[&["outofmemory"]],
        "the container was killed because it used more memory than it may",
        "Raise the memory in the task definition, or find what the new image needs it for",
        Blame::Image,
    ),
    counted(
        &[&["elb health check"]],
        "the load balancer's health check failed",
        "Check the port and the path of the health check, the security group between load balancer \
         and task, and whether the grace period covers the start",
        Blame::Image,
    ),
    counted(
        &[&["health check"]],
        "the container's own health check failed",
        "Run the health check's command inside the image; check whether its startPeriod covers \
         the start",
        Blame::Image,
    ),
    // Last of those with a stop code: the scheduler's other reasons are harmless.
    innocent(
        &[&["serviceschedulerinitiated", "scaling activity initiated by"]],
        "ECS scaled in or replaced the task",
        "",
    ),
];
