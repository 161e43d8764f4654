"""someli: one image, nine services; a push that holds, one that crashes at its start, and one of UAT."""

import collections
import functools

import local_aws
import services
from expectations import eventually, expect, refused
from registry import digest_of, push

CLUSTER, REPOSITORY, TAG, CONTAINER = "live-crons", "live_crons", "uapi", "crons"
UAT = "UAT"

config = functools.partial(local_aws.example, "someli")


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
    aws.listener.hear("someli-production/3", "started", "rollback_started", "rolled_back")
    services.expect_on(ecs, CLUSTER, CONTAINER, good)
    expect(digest_of(ecr, REPOSITORY, TAG) == bad, f"{TAG} stays where it was pushed")

    # One repository of UAT holds two images: a push of the app is the app's alone.
    api = services.look(ecs, UAT, ["uapi"])
    app = push(ecr, "uat", "uapp-1a2b3c4")
    aws.listener.hear("someli-uat-app/2", "started", "live")
    services.expect_on(ecs, UAT, "uapp", app, ["uapp"])
    expect(services.look(ecs, UAT, ["uapi"]) == api, "the API never noticed")

    every_channel_was_told_the_same(aws)


def every_channel_was_told_the_same(aws):
    """Two notifications of each good release, three of the bad one. The last may still be on its way."""
    eventually(
        lambda: collections.Counter(it["channel"] for it in aws.notifications()),
        lambda told: told == {"sns": 7, "slack": 7, "teams": 7},
        "every channel gets seven notifications",
    )
