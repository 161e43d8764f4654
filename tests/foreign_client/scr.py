"""scr: three pushes of one commit are one release, a migration before it; production waits for a person and
takes the same bytes. A migration that fails stops everything before any service; a URL that answers 503
brings all three back; and what a person rejects does not come to production."""

import functools

import configs
import services
from expectations import expect
from registry import digest_of, push

STAGING, PRODUCTION = "scr-staging", "scr-production"
# Each repository with the name of its image in the config, and so of the container here.
CONTAINERS = {"scr-api": "api", "scr-ai-gateway": "gateway", "scr-web": "web"}
PROMOTED = "production-latest"

config = functools.partial(configs.example, "scr")


def tell(aws):
    ecr, ecs = aws.client("ecr"), aws.client("ecs")
    production = services.look(ecs, PRODUCTION)

    good = build(ecr, "1a2b3c4")
    aws.listener.hear("scr-staging/2", "started", "live")
    expect_migrated(ecs, "staging", good["scr-api"], 0)
    expect_on(ecs, STAGING, good)
    staging = services.look(ecs, STAGING)

    # Offered to production, which waits; meanwhile staging's next migration fails.
    aws.listener.hear("scr-production/2", "waiting")
    bad = build(ecr, "2b3c4d5", "exit=3")
    aws.listener.hear("scr-staging/3", "started", "rollback_started", "rolled_back")
    expect_migrated(ecs, "staging", bad["scr-api"], 3)
    expect(services.look(ecs, STAGING) == staging, "no service of staging was touched")

    expect(services.look(ecs, PRODUCTION) == production, "production moves by no push")
    expect(not migrations(ecs, "production"), "nor does its database")
    print(f"  {PRODUCTION}: as before")
    aws.tidegate("approve", "scr-production/2", "--yes")

    # While it goes there, the next one of staging is stable, and answers 503.
    ill = build(ecr, "3c4d5e6", http="/health=503")
    aws.listener.hear("scr-production/2", "started", "live")
    expect_migrated(ecs, "production", good["scr-api"], 0)
    expect_on(ecs, PRODUCTION, good)
    expect_tagged(ecr, good)

    aws.listener.hear("scr-staging/4", "started", "rollback_started", "rolled_back")
    expect_migrated(ecs, "staging", ill["scr-api"], 0)
    expect_on(ecs, STAGING, good)
    rejected(aws, ecr, ecs, good)


def rejected(aws, ecr, ecs, good):
    """What is well in staging, and a person does not want in production."""
    unwanted = build(ecr, "4d5e6f7")
    aws.listener.hear("scr-staging/5", "started", "live")
    expect_on(ecs, STAGING, unwanted)
    aws.listener.hear("scr-production/3", "waiting")
    aws.tidegate("reject", "scr-production/3", "--reason", "not on a Friday", "--yes")
    aws.listener.hear("scr-production/3", "rejected")
    expect_on(ecs, PRODUCTION, good)
    expect_tagged(ecr, good)


def build(ecr, sha, behaviour="healthy", **annotations):
    """One commit's three images; its API is what behaves so, and the others are well."""
    others = {name: push(ecr, name, sha) for name in ["scr-web", "scr-ai-gateway"]}
    return {**others, "scr-api": push(ecr, "scr-api", sha, behaviour, **annotations)}


def expect_tagged(ecr, pushed):
    """The tag of what is live in production is on these bytes."""
    tagged = {name: digest_of(ecr, name, PROMOTED) for name in pushed}
    expect(tagged == pushed, f"{PROMOTED} means {tagged}")
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
