"""deml: one Lightsail container service. A push changes its own container's image and states the rest as it
was; a deployment that fails leaves the one before it active."""

import functools

import local_aws
from expectations import expect, refused
from registry import digest_of, push

SERVICE = "deml-apps"

config = functools.partial(local_aws.example, "deml")


def tell(aws):
    ecr, lightsail = aws.client("ecr"), aws.client("lightsail")
    refused("NotFoundException", lightsail.get_container_services, serviceName="deml")
    before = running(lightsail)

    good = push(ecr, "deml-frontend", "1a2b3c4d")
    aws.listener.hear("deml/2", "started", "live")
    after = running(lightsail)
    uri, tag = after["containers"]["frontend"]["image"].rsplit(":", 1)
    named = uri.rsplit("/", 1)[1], digest_of(ecr, "deml-frontend", tag)
    expect(named == ("deml-frontend", good), f"the frontend's image is {named}")
    listed = ecr.list_images(repositoryName="deml-frontend")["imageIds"]
    tags = {it["imageTag"] for it in listed if it["imageDigest"] == good}
    expect(tags == {"1a2b3c4d", tag}, f"a tag that never moves stands beside the pushed one: {tags}")
    # Before, this container ran another image; all else is as it was stated, secrets among it.
    after["containers"]["frontend"]["image"] = before["containers"]["frontend"]["image"]
    expect(stated(after) == stated(before), f"only that changed: {after}, before {before}")
    expect(after["version"] == before["version"] + 1, "by one deployment")
    print(f"  frontend: {good}, the rest as it was")

    active = running(lightsail)
    push(ecr, "deml-backend", "2b3c4d5e", "crash")
    aws.listener.hear("deml/3", "started", "rollback_started", "rolled_back")
    expect(running(lightsail) == active, "the deployment before it never stopped")
    deployments = lightsail.get_container_service_deployments(serviceName=SERVICE)["deployments"]
    states = {it["version"]: it["state"] for it in deployments}
    expect(states == {3: "FAILED", 2: "ACTIVE", 1: "INACTIVE"}, f"deployments are {states}")
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
