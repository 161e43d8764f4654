"""Pushes, as a build makes them: `ecr.put_image`."""

import hashlib
import itertools
import json

# The config of an image: none was built, so the name of each push stands for it.
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"

_pushes = itertools.count(1)


def push(ecr, repository, tag, behaviour="healthy", **annotations):
    """Pushes an image of new bytes that behaves so, and returns its digest. Annotations are those of the
    local AWS, without their prefix: `http="/health=503"`."""
    own = hashlib.sha256(f"{repository}:{tag}, push {next(_pushes)}".encode()).hexdigest()
    annotations = {"behaviour": behaviour, **annotations}
    manifest = json.dumps({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": f"sha256:{own}", "size": 1},
        "layers": [],
        "annotations": {f"tidegate.local/{name}": said for name, said in annotations.items()},
    })
    put = ecr.put_image(repositoryName=repository, imageTag=tag, imageManifest=manifest)
    digest = put["image"]["imageId"]["imageDigest"]
    print(f"pushed {repository}:{tag}, which is {behaviour}: {digest}")
    return digest


def digest_of(ecr, repository, tag):
    """The bytes that a tag means now."""
    found = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    return found["imageDetails"][0]["imageDigest"]
