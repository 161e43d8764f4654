"""scr: three pushes of one commit are one release, a migration before it; production waits for a person and
takes the same bytes. A migration that fails stops everything before any service."""

import functools

import local_aws
import services
from expectations import expect
from registry import digest_of, push

STAGING, PRODUCTION = "scr-staging", "scr-production"
# Each repository with the name of its image in the config, and so of the container here.
CONTAINERS = {"scr-api": "api", "scr-ai-gateway": "gateway", "scr-web": "web"}
PROMOTED = "production-latest"

config = functools.partial(local_aws.example, "scr")


def tell(aws):
    ecr, ecs = aws.client("ecr"), aws.client("ecs")
    production = services.look(ecs, PRODUCTION)

    good = {name: push(ecr, name, "1a2b3c4") for name in ["scr-web", "scr-api", "scr-ai-gateway"]}
    aws.listener.hear("scr-staging/2", "started", "live")
    expect_migrated(ecs, "staging", good["scr-api"], 0)
    expect_on(ecs, STAGING, good)
    staging = services.look(ecs, STAGING)

    # Offered to production, which waits; meanwhile staging's next migration fails.
    aws.listener.hear("scr-production/2", "waiting")
    for name in ["scr-web", "scr-ai-gateway"]:
        push(ecr, name, "2b3c4d5")
    bad = push(ecr, "scr-api", "2b3c4d5", "exit=3")
    aws.listener.hear("scr-staging/3", "started", "rollback_started", "rolled_back")
    expect_migrated(ecs, "staging", bad, 3)
    expect(services.look(ecs, STAGING) == staging, "no service of staging was touched")

    expect(services.look(ecs, PRODUCTION) == production, "production moves by no push")
    expect(not migrations(ecs, "production"), "nor does its database")
    print(f"  {PRODUCTION}: as before")
    aws.tidegate("approve", "scr-production/2", "--yes")
    aws.listener.hear("scr-production/2", "started", "live")
    expect_migrated(ecs, "production", good["scr-api"], 0)
    expect_on(ecs, PRODUCTION, good)
    tagged = {name: digest_of(ecr, name, PROMOTED) for name in good}
    expect(tagged == good, f"{PROMOTED} means {tagged}")
    print(f"  {PROMOTED}: the same")


def expect_on(ecs, cluster, pushed):
    """Each service runs what was pushed to the repository that it is named after."""
    for name in services.names(ecs, cluster):
        repository = max((it for it in pushed if name.startswith(it)), key=len)
        services.expect_on(ecs, cluster, CONTAINERS[repository], pushed[repository], [name])


def migrations(ecs, environment):
    """The tasks of the migration that ended within the hour for which ECS shows them."""
    cluster, family = f"scr-{environment}", f"scr-api-migrate-{environment}"
    listed = ecs.list_tasks(cluster=cluster, family=family, desiredStatus="STOPPED")["taskArns"]
    return ecs.describe_tasks(cluster=cluster, tasks=listed)["tasks"] if listed else []


def expect_migrated(ecs, environment, digest, code):
    """One task ran these bytes, once, and ended with this code."""
    containers = [it for task in migrations(ecs, environment) for it in task["containers"]]
    ended = [it for it in containers if it["name"] == "api" and it["imageDigest"] == digest]
    codes = [it["exitCode"] for it in ended]
    expect(codes == [code], f"the migration of {environment} ended with {codes}, not [{code}]")
    print(f"  scr-api-migrate-{environment}: ended once, with {code}")
