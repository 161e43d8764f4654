#!/usr/bin/env python3
"""The demo's two stories, told by a client that knows nothing of Tidegate: boto3.

It starts `tidegate-local serve`, pushes with `ecr.put_image`, reads `ecs.describe_services` and its
tasks, listens to the SNS topic over HTTP, and exits 0 only if both releases ended as they must.
"""

import http.server
import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import boto3

HERE = pathlib.Path(__file__).resolve().parent.parent
CLUSTER, REPOSITORY, TAG = "live-crons", "live_crons", "uapi"
SPEED = 30
# In AWS's time: DescribeServices may show what was so this many seconds ago.
LAG = 5
# Both stories take about twelve minutes there; a slow machine may take as long again.
PATIENCE = 300


def main():
    subprocess.run(["cargo", "build", "-p", "tidegate-local"], cwd=HERE, check=True)
    program = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target")) / "debug/tidegate-local"
    serve = subprocess.Popen(
        [program, "serve", "--port", "0", "--speed", str(SPEED)],
        cwd=HERE, stdout=subprocess.PIPE, text=True,
    )
    try:
        endpoint = address(serve)
        tell(endpoint)
        serve.send_signal(signal.SIGINT)
        code = serve.wait(timeout=30)
        expect(code == 0, f"`serve` ended with {code} on Ctrl-C")
    finally:
        serve.kill()
    print("both releases ended as they must")


def address(serve):
    """Where it listens: it says so when it is ready."""
    said = ""
    for line in serve.stdout:
        said += line
        found = re.search(r"AWS_ENDPOINT_URL=(http://\S+)", line)
        if found:
            # What it prints later must not fill the pipe.
            threading.Thread(target=serve.stdout.read, daemon=True).start()
            return found[1]
    sys.exit(f"`serve` never listened; it said:\n{said}")


def tell(endpoint):
    def client(service):
        return boto3.client(
            service, endpoint_url=endpoint, region_name="us-west-2",
            aws_access_key_id="somebody", aws_secret_access_key="local",
        )

    ecr, ecs, sns = client("ecr"), client("ecs"), client("sns")
    heard = subscribe(sns)
    services = [arn.rsplit("/", 1)[1] for arn in ecs.list_services(cluster=CLUSTER)["serviceArns"]]
    expect(len(services) == 9, f"nine services run, found {services}")

    good = push(ecr, "good", "healthy")
    hear(heard, good, ["started", "live"])
    expect_on(ecs, services, good)

    bad = push(ecr, "bad", "crash")
    hear(heard, bad, ["started", "rollback_started", "rolled_back"])
    expect_on(ecs, services, good)
    shown = ecr.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": TAG}])
    expect(shown["imageDetails"][0]["imageDigest"] == bad, f"{TAG} stays where it was pushed")

    # Every channel was told the same: two of the good release, three of the bad one. The last of
    # them may still be on its way.
    time.sleep(5)
    with urllib.request.urlopen(f"{endpoint}/_local/notifications") as answer:
        told = [notification["channel"] for notification in json.load(answer)]
    for channel in ["sns", "slack", "teams"]:
        expect(told.count(channel) == 5, f"{channel} got {told.count(channel)} of 5 notifications")


def push(ecr, name, behaviour):
    config = "application/vnd.oci.image.config.v1+json"
    manifest = json.dumps({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": config, "digest": f"sha256:{name.encode().hex():0>64}", "size": 1},
        "layers": [],
        "annotations": {"tidegate.local/behaviour": behaviour},
    })
    put = ecr.put_image(repositoryName=REPOSITORY, imageTag=TAG, imageManifest=manifest)
    digest = put["image"]["imageId"]["imageDigest"]
    print(f"pushed {REPOSITORY}:{TAG}, which is {behaviour}: {digest}")
    return digest


def subscribe(sns):
    """Everything that is published from now on, as SNS posts it to a subscriber."""
    heard = queue.Queue()

    class Subscriber(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            heard.put(json.loads(json.loads(body)["Message"]))

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Subscriber)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    topics = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
    for topic in topics:
        sns.subscribe(
            TopicArn=topic, Protocol="http", Endpoint=f"http://127.0.0.1:{server.server_port}/",
        )
    return heard


def hear(heard, digest, kinds):
    """Waits for notifications of these kinds, in this order, and for no others."""
    deadline = time.monotonic() + PATIENCE
    for kind in kinds:
        try:
            said = heard.get(timeout=max(deadline - time.monotonic(), 1))
        except queue.Empty:
            sys.exit(f"nobody was told `{kind}` within {PATIENCE} s")
        print(f"  {said['kind']}: {said['title']}")
        expect(said["kind"] == kind, f"expected `{kind}`, heard {json.dumps(said, indent=2)}")
        short = digest.removeprefix("sha256:")[:12]
        expect(short in json.dumps(said), f"{short} is named in {json.dumps(said, indent=2)}")


def expect_on(ecs, services, digest):
    """Every service is steady and all its tasks run these bytes."""
    described = steady(ecs, services)
    expect(not described["failures"], described["failures"])
    for service in described["services"]:
        name = service["serviceName"]
        primary = [it for it in service["deployments"] if it["status"] == "PRIMARY"][0]
        expect(primary["rolloutState"] == "COMPLETED", f"{name} is {primary['rolloutState']}")
        expect(service["runningCount"] >= service["desiredCount"], f"{name} runs enough tasks")
        definition = ecs.describe_task_definition(taskDefinition=primary["taskDefinition"])
        images = [it["image"] for it in definition["taskDefinition"]["containerDefinitions"]]
        expect(any(image.endswith(f"@{digest}") for image in images), f"{name} is pinned: {images}")
        tasks = ecs.list_tasks(cluster=CLUSTER, serviceName=name)["taskArns"]
        tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=tasks)["tasks"]
        running = [it for it in tasks if it["lastStatus"] == "RUNNING"]
        runs = {c.get("imageDigest") for it in running for c in it["containers"] if c["name"] == "crons"}
        expect(runs == {digest}, f"{name} runs {runs}, expected {digest}")
    print(f"  nine services run {digest}")


def steady(ecs, services):
    """What ECS shows once its answers, which lag some seconds behind, have caught up."""
    deadline = time.monotonic() + 2 * LAG / SPEED
    while True:
        described = ecs.describe_services(cluster=CLUSTER, services=services)
        primaries = [it for service in described["services"] for it in service["deployments"][:1]]
        done = all(it.get("rolloutState") == "COMPLETED" for it in primaries)
        if done or time.monotonic() >= deadline:
            return described
        time.sleep(LAG / SPEED / 10)


def expect(holds, what):
    if not holds:
        sys.exit(f"it does not hold: {what}")


if __name__ == "__main__":
    main()
