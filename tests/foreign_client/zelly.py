"""zelly: a storefront of two images in one task. A push of one changes its own container; a bad one of the
other comes back to the digests that ran; and no other service notices."""

import functools

import configs
import services
from expectations import expect, refused
from registry import digest_of, push

CLUSTER, STOREFRONT = "zelly-staging", "zelly-staging-storefront"
# The repositories are production's neighbours, in its region.
REGISTRY = "ap-south-1"

config = functools.partial(configs.example, "zelly")


def tell(aws):
    ecr, ecs = aws.client("ecr", REGISTRY), aws.client("ecs")
    refused(
        "RepositoryNotFoundException",
        aws.client("ecr").describe_images, repositoryName="zelly/caddy",
    )
    before = services.look(ecs, CLUSTER)
    revision, ran = before.pop(STOREFRONT)

    caddy = push(ecr, "zelly/caddy", "staging-1a2b3c4d")
    aws.listener.hear(f"{STOREFRONT}/2", "started", "live")
    good = services.look(ecs, CLUSTER)
    moved, runs = good.pop(STOREFRONT)
    expect(runs == {**ran, "caddy": caddy}, f"the caddy alone is new: {runs}, before {ran}")
    expect(good == before, f"no other service moved: {good}, before {before}")
    unchanged = services.without_images(ecs, revision)
    expect(services.without_images(ecs, moved) == unchanged, "only images differ")
    print(f"  {STOREFRONT}: caddy {caddy}, storefront as before")

    bad = push(ecr, "zelly/astro-storefront", "staging-2b3c4d5e", "crash")
    aws.listener.hear(f"{STOREFRONT}/3", "started", "rollback_started", "rolled_back")
    after = services.look(ecs, CLUSTER)
    _, back = after.pop(STOREFRONT)
    expect(back == runs, f"the storefront runs {back}, before the bad push {runs}")
    expect(after == before, f"no other service moved: {after}, before {before}")
    expect(digest_of(ecr, "zelly/astro-storefront", "staging-2b3c4d5e") == bad, "the tag stays")
    print(f"  {STOREFRONT}: as before, in both containers")
