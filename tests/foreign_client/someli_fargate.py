"""someli on Fargate: an API, workers, and jobs of EventBridge. A good push makes all of them name the new
image and changes nothing else; one that crashes falls with the API, and no job is touched."""

import functools

import local_aws
import services
from expectations import expect, refused
from registry import push

CLUSTER, API = "someli-api-staging", "someli-api-staging-api"
GROUP, SCHEDULES = "someli-api-staging", ["nightly-report", "billing-reconcile"]
RULE = "someli-api-staging-hourly-cleanup"
# The name of the image in the config, and so of the container here.
CONTAINER = "api"

config = functools.partial(local_aws.example, "someli-fargate")


def tell(aws):
    ecr, ecs = aws.client("ecr"), aws.client("ecs")
    scheduler, events = aws.client("scheduler"), aws.client("events")
    refused("ResourceNotFoundException", scheduler.get_schedule, GroupName=GROUP, Name="nightly")
    refused("ResourceNotFoundException", events.list_targets_by_rule, Rule="hourly")
    before = jobs(scheduler, events)

    good = push(ecr, "someli-api", "staging-1a2b3c4")
    aws.listener.hear("someli-api-staging/2", "started", "live")
    services.expect_on(ecs, CLUSTER, CONTAINER, good)
    after = jobs(scheduler, events)
    for name, (revision, rest) in after.items():
        old, unchanged = before[name]
        expect(revision != old, f"{name} names {revision}, as before")
        image = services.images(ecs, revision)[CONTAINER]
        expect(image.endswith(f"@{good}"), f"the revision of {name} is pinned: {image}")
        same = services.without_images(ecs, revision) == services.without_images(ecs, old)
        expect(same, f"only the image of {revision} differs from {old}")
        expect(rest == unchanged, f"nothing else of {name} changed: {rest}, before {unchanged}")
    print(f"  {', '.join(after)}: {good}")

    push(ecr, "someli-api", "staging-2b3c4d5", "crash")
    aws.listener.hear("someli-api-staging/3", "started", "rollback_started", "rolled_back")
    services.expect_on(ecs, CLUSTER, CONTAINER, good)
    expect(jobs(scheduler, events) == after, "no job was touched")


def jobs(scheduler, events):
    """Each job: the revision that it names, and the rest of it."""
    found = {}
    for name in SCHEDULES:
        shown = scheduler.get_schedule(GroupName=GROUP, Name=name)
        # Who wrote it last, and the answer's own head.
        del shown["LastModificationDate"], shown["ResponseMetadata"]
        found[name] = shown["Target"]["EcsParameters"].pop("TaskDefinitionArn"), shown
    rule = events.describe_rule(Name=RULE)
    del rule["ResponseMetadata"]
    [target] = events.list_targets_by_rule(Rule=RULE)["Targets"]
    revision = target["EcsParameters"].pop("TaskDefinitionArn")
    found[RULE] = revision, {"rule": rule, "target": target}
    return found
