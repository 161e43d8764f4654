"""A client that knows nothing of us: boto3 pushes to the local AWS and reads what became of it.

Needs boto3, and a built workspace (`cargo build`) or the patience to build it.
"""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request

import boto3

SERVICES = [
    "AI_CONTENT", "Billing-Payments", "Carousel", "Content_Media", "Dynamic_Post",
    "Post_Schedule", "Rag", "Social_Media_Connection", "User_Specific_Content",
]
# In the machine's seconds, at 20 times the speed of AWS: a release and its bake take about 20.
PATIENCE = 180


def manifest(behaviour):
    """An image that behaves so when the local AWS runs it."""
    return json.dumps({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": "sha256:" + "0" * 64,
            "size": 2,
        },
        "layers": [],
        "annotations": {"tidegate.local/behaviour": behaviour},
    })


def until(what, ask):
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := ask():
            print(f"ok: {what}", flush=True)
            return answer
        time.sleep(0.5)
    sys.exit(f"waited {PATIENCE} s in vain: {what}")


def notifications(endpoint):
    """The kinds of everything that SNS published, in order."""
    with urllib.request.urlopen(f"{endpoint}/_local/notifications") as answer:
        sent = json.load(answer)
    return [note["body"]["attributes"]["kind"] for note in sent if note["channel"] == "sns"]


def tell(endpoint):
    """The two stories, from outside."""
    client = lambda service: boto3.client(
        service, endpoint_url=endpoint, region_name="us-west-2",
        aws_access_key_id="foreigner", aws_secret_access_key="local",
    )
    ecr, ecs = client("ecr"), client("ecs")

    def images():
        """The image of each service's primary deployment, once it is complete."""
        described = ecs.describe_services(cluster="live-crons", services=SERVICES)
        assert not described["failures"], described["failures"]
        primaries = [service["deployments"][0] for service in described["services"]]
        if any(primary["rolloutState"] != "COMPLETED" for primary in primaries):
            return set()
        definitions = [
            ecs.describe_task_definition(taskDefinition=primary["taskDefinition"])
            for primary in primaries
        ]
        return {
            container["image"]
            for definition in definitions
            for container in definition["taskDefinition"]["containerDefinitions"]
            if "/live_crons" in container["image"]
        }

    def push(behaviour):
        put = ecr.put_image(
            repositoryName="live_crons", imageTag="uapi", imageManifest=manifest(behaviour)
        )
        return put["image"]["imageId"]["imageDigest"]

    assert len(images()) == 1, images()
    good = f"123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons@{push('healthy')}"
    until("all nine services run what boto3 pushed", lambda: images() == {good})
    until("people were told", lambda: notifications(endpoint) == ["started", "live"])
    push("crash")
    told = ["started", "live", "started", "rollback_started", "rolled_back"]
    until("the crash was rolled back and told", lambda: notifications(endpoint) == told)
    until("all nine services run the good image again", lambda: images() == {good})


def main():
    command = ["cargo", "run", "-q", "-p", "tidegate-local", "--", "serve", "--port", "0"]
    serve = subprocess.Popen([*command, "--speed", "20"], stdout=subprocess.PIPE, text=True)
    try:
        for line in serve.stdout:
            if found := re.search(r"AWS_ENDPOINT_URL=(\S+)", line):
                tell(found[1])
                break
        else:
            sys.exit(f"the local AWS did not start: {serve.wait()}")
    finally:
        serve.send_signal(signal.SIGINT)
        serve.wait()


if __name__ == "__main__":
    main()
