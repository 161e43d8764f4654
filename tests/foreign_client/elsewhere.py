"""Other places: a cluster in another region, and one in another account, which is asked as a role by this
client too. A bad image comes back there as it does at home."""

import functools
import json

import configs
import services
from expectations import expect, refused
from registry import push

HOME = "123456789012"
# No other account's number may be written down.
OTHER = HOME[::-1]
ROLE, EXTERNAL_ID = f"arn:aws:iam::{OTHER}:role/tidegate-target", "shop-2026"
CLUSTER = "shop"

CONFIG = f"""
version: 1
defaults: {{ cluster: {CLUSTER}, watch: {{ bake: 30s }} }}
pipelines:
  shop-api:
    region: us-west-2
    images: {{ api: {{ repository: shop-api, tag: "prod-{{sha}}" }} }}
    waves: [[api]]
  shop-jobs:
    region: eu-central-1
    images: {{ jobs: {{ repository: shop-jobs, tag: "prod-{{sha}}" }} }}
    waves: [[jobs]]
  shop-web:
    region: eu-west-1
    role: {ROLE}
    external_id: {EXTERNAL_ID}
    images: {{ web: {{ repository: shop-web, tag: "prod-{{sha}}" }} }}
    waves: [[web-a], [web-b]]
"""


config = functools.partial(configs.written, CONFIG)


def tell(aws):
    sts = aws.client("sts")
    expect(sts.get_caller_identity()["Account"] == HOME, "this is home")
    asked = {"RoleArn": ROLE, "RoleSessionName": "foreign-client"}
    refused("AccessDenied", sts.assume_role, **asked, ExternalId="guessed")
    taken = sts.assume_role(**asked, ExternalId=EXTERNAL_ID)
    expect(taken["AssumedRoleUser"]["Arn"].endswith("/foreign-client"), taken)
    role = taken["Credentials"]
    there = aws.client("sts", role=role).get_caller_identity()
    expect(there["Account"] == OTHER, f"the role leads to the other account: {there}")

    home, region = aws.client("ecs"), aws.client("ecs", "eu-central-1")
    account = aws.client("ecs", "eu-west-1", role)
    before = services.look(home, CLUSTER)

    # The registry is at home: nothing is copied, the other places pull from there. What another account
    # pulls has a policy that says so.
    ecr = aws.client("ecr")
    policy = json.loads(ecr.get_repository_policy(repositoryName="shop-web")["policyText"])
    readers = [it["Principal"]["AWS"] for it in policy["Statement"]]
    expect(readers == [[f"arn:aws:iam::{OTHER}:root"]], f"{readers} pull from home")
    no_policy = "RepositoryPolicyNotFoundException"
    refused(no_policy, ecr.get_repository_policy, repositoryName="shop-jobs")
    jobs = push(ecr, "shop-jobs", "prod-1a2b3c4")
    web = push(ecr, "shop-web", "prod-1a2b3c4")
    aws.listener.hear("shop-jobs/2", "started", "live")
    aws.listener.hear("shop-web/2", "started", "live")
    services.expect_on(region, CLUSTER, "jobs", jobs)
    services.expect_on(account, CLUSTER, "web", web, ["web-a", "web-b"])

    push(ecr, "shop-web", "prod-2b3c4d5", "crash")
    aws.listener.hear("shop-web/3", "started", "rollback_started", "rolled_back")
    services.expect_on(account, CLUSTER, "web", web, ["web-a", "web-b"])
    expect(services.look(home, CLUSTER) == before, "nothing moved at home")
