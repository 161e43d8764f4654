"""someli: one image, nine services; a push that holds and one that crashes at its start."""

import collections
import functools

import local_aws
import services
from expectations import eventually, expect, refused
from registry import digest_of, push

CLUSTER, REPOSITORY, TAG, CONTAINER = "live-crons", "live_crons", "uapi", "crons"

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

    every_channel_was_told_the_same(aws)


def every_channel_was_told_the_same(aws):
    """Two notifications of the good release, three of the bad one. The last may still be on its way."""
    told = lambda: collections.Counter(it["channel"] for it in aws.notifications())
    each = {"sns": 5, "slack": 5, "teams": 5}
    eventually(told, lambda counts: counts == each, "every channel gets five notifications")
