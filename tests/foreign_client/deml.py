"""deml: one Lightsail container service. One commit pushes five images, and each push changes its own
container; a deployment that fails leaves the one before it active; one that answers wrongly is followed by
the images before, stated again."""

import functools

import configs
from expectations import expect, refused
from registry import digest_of, push

SERVICE = "deml-apps"
IMAGES = ["frontend", "backend", "workers", "daemon", "scanner"]

config = functools.partial(configs.example, "deml")


def tell(aws):
    ecr, lightsail = aws.client("ecr"), aws.client("lightsail")
    refused("NotFoundException", lightsail.get_container_services, serviceName="deml")
    before = running(lightsail)

    # The first goes at once, and what comes while it is on its way together in the next.
    good = {name: push(ecr, f"deml-{name}", "1a2b3c4d") for name in IMAGES}
    aws.listener.hear("deml/2", "started", "live")
    aws.listener.hear("deml/3", "started", "live")
    after = running(lightsail)
    expect_runs(ecr, after, good)
    expect(after["version"] == before["version"] + 2, "by two deployments")
    # All else is as it was stated, secrets among it.
    rest = [without_images(it, good) for it in [before, after]]
    expect(rest[0] == rest[1], f"only images changed: {rest[1]}, before {rest[0]}")

    push(ecr, "deml-backend", "2b3c4d5e", "crash")
    aws.listener.hear("deml/4", "started", "rollback_started", "rolled_back")
    expect(running(lightsail) == after, "the deployment before it never stopped")
    expect_states(lightsail, {4: "FAILED", 3: "ACTIVE", 2: "INACTIVE", 1: "INACTIVE"})

    # Lightsail finds it well; the backend's own health says otherwise.
    push(ecr, "deml-backend", "3c4d5e6f", http="/api/v1/system-status/health=503")
    aws.listener.hear("deml/5", "started", "rollback_started", "rolled_back")
    again = running(lightsail)
    expect(stated(again) == stated(after), f"what ran is stated again: {again}, before {after}")
    inactive = dict.fromkeys([5, 3, 2, 1], "INACTIVE")
    expect_states(lightsail, {6: "ACTIVE", 4: "FAILED", **inactive})


def expect_runs(ecr, deployment, pushed):
    """Each image is named by a tag that never moves, which stands beside the pushed one."""
    for name, digest in pushed.items():
        uri, tag = deployment["containers"][name]["image"].rsplit(":", 1)
        repository = uri.rsplit("/", 1)[1]
        named = repository, digest_of(ecr, repository, tag)
        expect(named == (f"deml-{name}", digest), f"the image of {name} is {named}")
        listed = ecr.list_images(repositoryName=repository)["imageIds"]
        tags = {it["imageTag"] for it in listed if it["imageDigest"] == digest}
        expect(tags == {"1a2b3c4d", tag}, f"{repository} has {tags}")
        print(f"  {name}: {digest}")


def expect_states(lightsail, wanted):
    deployments = lightsail.get_container_service_deployments(serviceName=SERVICE)["deployments"]
    states = {it["version"]: it["state"] for it in deployments}
    expect(states == wanted, f"deployments are {states}")
    print(f"  deployments: {states}")


def running(lightsail):
    """The active deployment; none is on its way."""
    [service] = lightsail.get_container_services(serviceName=SERVICE)["containerServices"]
    expect(service["state"] == "RUNNING", f"{SERVICE} is {service['state']}")
    expect("nextDeployment" not in service, f"nothing is on its way to {SERVICE}")
    return service["currentDeployment"]


def stated(deployment):
    """What somebody said, not what Lightsail made of it."""
    return {name: deployment[name] for name in ["containers", "publicEndpoint"]}


def without_images(deployment, names):
    """What was stated, but the images of these containers."""
    blank = {name: {**deployment["containers"][name], "image": None} for name in names}
    return {**stated(deployment), "containers": {**deployment["containers"], **blank}}
