"""zelly's production: an installation of its own on the same repositories. What staging builds starts nothing
here; what looks well for two minutes only comes back, for the bake is five."""

import functools

import configs
import services
from expectations import expect
from registry import digest_of, push

CLUSTER, PIPELINE = "zelly-production", "zelly-production-orion-backend"
REPOSITORY, CONTAINER = "zelly/orion-backend", "app"

config = functools.partial(configs.example, "zelly-production")


def tell(aws):
    ecr, ecs = aws.client("ecr"), aws.client("ecs")
    others = services.look(ecs, CLUSTER)
    del others[PIPELINE]

    # Nobody waits for a word of this one: if it were told of, the story would fail at its end.
    push(ecr, REPOSITORY, "staging-1a2b3c4d")
    good = push(ecr, REPOSITORY, "prod-1a2b3c4d")
    aws.listener.hear(f"{PIPELINE}/2", "started", "live")
    services.expect_on(ecs, CLUSTER, CONTAINER, good, [PIPELINE])

    bad = push(ecr, REPOSITORY, "prod-2b3c4d5e", "crash-after=100s")
    aws.listener.hear(f"{PIPELINE}/3", "started", "rollback_started", "rolled_back")
    services.expect_on(ecs, CLUSTER, CONTAINER, good, [PIPELINE])
    expect(digest_of(ecr, REPOSITORY, "prod-2b3c4d5e") == bad, "the tag stays")
    seen = services.look(ecs, CLUSTER, list(others))
    expect(seen == others, f"no other service moved: {seen}, before {others}")
