"""someli on Fargate: an API, workers, and jobs of EventBridge. A good push makes all of them name the new
image and changes nothing else; one that crashes falls with the API, and no job is touched; one whose job
fails while the release bakes brings API, workers and jobs back."""

import configs
import services
from expectations import expect, refused
from registry import push

CLUSTER, API = "someli-api-staging", "someli-api-staging-api"
GROUP, SCHEDULES = "someli-api-staging", ["nightly-report", "billing-reconcile"]
RULE = "someli-api-staging-hourly-cleanup"
# The name of the image in the config, and so of the container here.
CONTAINER = "api"


def config():
    """The example's, with a longer bake: its jobs run every five minutes, so each has a run in it."""
    longer = "\ndefaults: { watch: { bake: 6m } }\n\npipelines:"
    return configs.changed("someli-fargate", "\npipelines:", longer)


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

    # Services hold with it; what runs once and ends, ends with 1.
    push(ecr, "someli-api", "staging-3c4d5e6", "one-off=1")
    aws.listener.hear("someli-api-staging/4", "started", "rollback_started", "rolled_back")
    services.expect_on(ecs, CLUSTER, CONTAINER, good)
    expect(jobs(scheduler, events) == after, "the jobs name again what they named")
    print(f"  {', '.join(after)}: {good}")


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
