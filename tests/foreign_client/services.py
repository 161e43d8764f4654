"""ECS services as their user looks at them."""

from expectations import eventually, expect

# What is in a task beside the images of a pipeline.
SIDECAR = "log-router"


def names(ecs, cluster):
    """All services of a cluster."""
    pages = ecs.get_paginator("list_services").paginate(cluster=cluster)
    return [arn.rsplit("/", 1)[1] for page in pages for arn in page["serviceArns"]]


def described(ecs, cluster, services):
    """The services by name, once each is steady: what is shown may be some seconds old."""
    def shown():
        seen = []
        for first in range(0, len(services), 10):  # as many as ECS takes in one call
            answer = ecs.describe_services(cluster=cluster, services=services[first:first + 10])
            expect(not answer["failures"], answer["failures"])
            seen += answer["services"]
        return {it["serviceName"]: it for it in seen}

    def all_steady(seen):
        return all(map(is_steady, seen.values()))

    return eventually(shown, all_steady, f"{', '.join(services)} are steady")


def is_steady(service):
    """One deployment, completed, with as many tasks as are wanted."""
    rollouts = [it["rolloutState"] for it in service["deployments"]]
    return rollouts == ["COMPLETED"] and service["runningCount"] == service["desiredCount"]


def runs(ecs, cluster, service):
    """The digest that each container of a service runs, in all its tasks alike."""
    tasks = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=tasks)["tasks"]
    seen = {
        (it["name"], it["imageDigest"])
        for task in tasks if task["lastStatus"] == "RUNNING"
        for it in task["containers"] if it["name"] != SIDECAR
    }
    digests = dict(seen)
    expect(len(digests) == len(seen), f"{service} runs two versions: {seen}")
    return digests


def look(ecs, cluster, services=None):
    """What each service names and runs: `{service: (revision, {container: digest})}`."""
    shown = described(ecs, cluster, services or names(ecs, cluster))
    return {
        name: (it["taskDefinition"], runs(ecs, cluster, name)) for name, it in shown.items()
    }


def images(ecs, revision):
    """The images that a revision names, by container."""
    definition = ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]
    return {it["name"]: it["image"] for it in definition["containerDefinitions"]}


def without_images(ecs, revision):
    """A revision without what a release may change of it: the images, its number, who made it when."""
    definition = ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]
    for member in ["taskDefinitionArn", "revision", "registeredAt", "registeredBy"]:
        definition.pop(member)
    for container in definition["containerDefinitions"]:
        container.pop("image")
    return definition


def expect_on(ecs, cluster, container, digest, services=None):
    """All of these services run these bytes, and name them by their digest."""
    seen = look(ecs, cluster, services)
    for name, (revision, digests) in seen.items():
        expect(digests[container] == digest, f"{name} runs {digests}, expected {digest}")
        image = images(ecs, revision)[container]
        expect(image.endswith(f"@{digest}"), f"{name} is pinned: {image}")
    print(f"  {', '.join(seen)}: {digest}")
