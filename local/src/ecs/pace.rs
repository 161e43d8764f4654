//! How long things take in ECS on Fargate. Ranges are drawn from the model's dice.

use std::ops::RangeInclusive;
use std::time::Duration;

use fastrand::Rng;

/// Milliseconds, from the shortest to the longest.
pub(super) type Range = RangeInclusive<u64>;

/// Attaching the network interface (`PROVISIONING`).
pub(super) const PROVISION: Range = 5_000..=10_000;
/// Pulling and starting (`PENDING`). With the above a task runs 15 to 30 seconds after its start, which is
/// what small images need on Fargate.
pub(super) const PULL: Range = 10_000..=20_000;
/// Two passed checks, five seconds apart: container health checks and target groups as people set them.
pub(super) const HEALTHY_WHEN_CHECKED: Duration = Duration::from_secs(10);
/// ECS's own figure: without any health check a task counts as healthy 40 seconds after it runs.
pub(super) const HEALTHY_UNCHECKED: Duration = Duration::from_secs(40);
/// Two failed checks, ten seconds apart: the target group calls the target unhealthy.
pub(super) const TARGET_UNHEALTHY: Duration = Duration::from_secs(20);
/// ECS sees it a moment later and replaces the task.
pub(super) const TARGET_REPLACED: Duration = Duration::from_secs(30);
/// A program that cannot start says so after a second or two.
pub(super) const CRASH: Range = 1_000..=2_000;
/// A worker that ends well and is started again, about every minute.
pub(super) const EXIT_LOOP: Range = 55_000..=65_000;
/// A migration with little to do: `upgrade head` finds nothing new in most releases.
pub(super) const ONE_OFF: Range = 5_000..=20_000;
/// `SIGTERM` to the end of a program; ECS would send `SIGKILL` after 30 seconds.
pub(super) const TERMINATE: Range = 2_000..=8_000;
/// A target group's deregistration delay: 300 seconds by default, about 30 where people deploy often.
pub(super) const DEREGISTER: Duration = Duration::from_secs(30);
/// From `DEPROVISIONING` to `STOPPED`.
pub(super) const DEPROVISION: Range = 10_000..=30_000;
/// Stopped tasks can be described for about an hour.
pub(super) const FORGET: Duration = Duration::from_hours(1);
/// How soon the scheduler tries again after it found no place for a task.
pub(super) const PLACEMENT_RETRY: Duration = Duration::from_secs(15);
/// Replacing the first round of failed tasks.
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// The delay after the second round; it doubles with each further one.
const LATER_RETRY: Duration = Duration::from_secs(10);
/// ECS says 27 minutes for the longest delay between attempts.
const LONGEST_RETRY: Duration = Duration::from_mins(27);

/// A length of time within the range.
pub(super) fn draw(dice: &mut Rng, range: Range) -> Duration {
    Duration::from_millis(dice.u64(range))
}

/// How long the scheduler waits before it replaces a task, after `failures` in a row of `desired` tasks.
pub(super) fn retry_delay(failures: u32, desired: u32) -> Duration {
    match failures.saturating_sub(1) / desired.max(1) {
        0 => FIRST_RETRY,
        round => LATER_RETRY.saturating_mul(1 << (round - 1).min(8)).min(LONGEST_RETRY),
    }
}
