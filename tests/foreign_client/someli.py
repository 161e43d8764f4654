"""someli: one image, nine services; a push that holds and one that crashes at its start. And UAT, where one
repository holds two images: a good day of the app, a bad one of the API."""

import collections
import functools

import configs
import services
from expectations import eventually, expect, refused
from registry import digest_of, push

CLUSTER, REPOSITORY, TAG, CONTAINER = "live-crons", "live_crons", "uapi", "crons"
UAT = "UAT"

config = functools.partial(configs.example, "someli")


def tell(aws):
    ecr, ecs = aws.client("ecr"), aws.client("ecs")
    nine = services.names(ecs, CLUSTER)
    expect(len(nine) == 9, f"nine services run, found {nine}")
    # The cluster has a hyphen, the repository an underscore.
    refused("ClusterNotFoundException", ecs.list_services, cluster=REPOSITORY)
    refused("RepositoryNotFoundException", ecr.describe_images, repositoryName=CLUSTER)

    good = push(ecr, REPOSITORY, TAG)
    aws.listener.hear("someli-production/2", "started", "live")
    services.expect_on(ecs, CLUSTER, CONTAINER, good)

    bad = push(ecr, REPOSITORY, TAG, "crash")
    uat(aws, ecr, ecs)
    aws.listener.hear("someli-production/3", "started", "rollback_started", "rolled_back")
    services.expect_on(ecs, CLUSTER, CONTAINER, good)
    expect(digest_of(ecr, REPOSITORY, TAG) == bad, f"{TAG} stays where it was pushed")

    every_channel_was_told_the_same(aws)


def uat(aws, ecr, ecs):
    """Meanwhile, a good day of the app and a bad one of the API."""
    # One repository of UAT holds two images: a push of the app is the app's alone.
    api = services.look(ecs, UAT, ["uapi"])
    app = push(ecr, "uat", "uapp-1a2b3c4")
    aws.listener.hear("someli-uat-app/2", "started", "live")
    services.expect_on(ecs, UAT, "uapp", app, ["uapp"])
    expect(services.look(ecs, UAT, ["uapi"]) == api, "the API never noticed")

    # And one of the API the API's: its tag is overwritten, and it goes back to the bytes that ran.
    seen = services.look(ecs, UAT, ["uapp"])
    bad = push(ecr, "uat", "uapi", "crash")
    aws.listener.hear("someli-uat-api/2", "started", "rollback_started", "rolled_back")
    [(_, ran)], [(_, runs)] = api.values(), services.look(ecs, UAT, ["uapi"]).values()
    expect(runs == ran, f"the API runs {runs}, before the bad push {ran}")
    expect(services.look(ecs, UAT, ["uapp"]) == seen, "the app never noticed")
    expect(digest_of(ecr, "uat", "uapi") == bad, "the tag stays")
    print("  uapi: as before")


def every_channel_was_told_the_same(aws):
    """Two notifications of each good release, three of each bad one. The last may still be on its way."""
    eventually(
        lambda: collections.Counter(it["channel"] for it in aws.notifications()),
        lambda told: told == {"sns": 10, "slack": 10, "teams": 10},
        "every channel gets ten notifications",
    )
