"""The local AWS as a user has it: a process, an address, clients, and the command line `tidegate`."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request

import boto3

import answers
from configs import HERE
from expectations import expect
from listener import Listener

# The functions give a call ten seconds of AWS's time: at this speed a third of one, which debug builds
# on a busy machine still keep.
SPEED = 30
# What `serve` needs to build, seed and listen, at worst; and to end.
READY, ENDED = 120, 30
# Chosen together, so that their dependencies are built once, with one set of features.
PACKAGES = ["promote", "deploy", "watch", "notify", "local", "cli"]


def build():
    """Builds everything, and returns the folder with the programs."""
    packages = [word for name in PACKAGES for word in ("--package", f"tidegate-{name}")]
    subprocess.run(["cargo", "build", *packages], cwd=HERE, check=True)
    return HERE / os.environ.get("CARGO_TARGET_DIR", "target") / "debug"


@contextlib.contextmanager
def serving(programs, config):
    """`tidegate-local serve` with one config, for as long as the `with` lasts."""
    logs = tempfile.mkdtemp(prefix="tidegate-foreign-client-")
    command = [programs / "tidegate-local", "serve", "--port", "0", "--speed", str(SPEED)]
    command += ["--functions", programs, "--config", config, "--logs", logs]
    serve = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
    try:
        aws = LocalAws(programs, exports(serve))
        yield aws
        aws.listener.nothing_more()
        serve.send_signal(signal.SIGINT)
        code = serve.wait(timeout=ENDED)
        expect(code == 0, f"`serve` ended with {code} on Ctrl-C")
        shutil.rmtree(logs)
    except BaseException:
        print(f"the functions logged to {logs}", file=sys.stderr)
        raise
    finally:
        serve.kill()


def exports(serve):
    """The variables that it says to export, once it listens."""
    too_late = threading.Timer(READY, serve.kill)
    too_late.start()
    said = ""
    for line in serve.stdout:
        said += line
        if "TIDEGATE_CLOCK=" in line:
            too_late.cancel()
            # What it prints later must not fill the pipe.
            threading.Thread(target=serve.stdout.read, daemon=True).start()
            return dict(re.findall(r"(\w+)=(\S+)", said))
    sys.exit(f"`serve` never listened; it said:\n{said}")


class LocalAws:
    """Where it listens, and who speaks with it."""

    def __init__(self, programs, variables):
        self.programs, self.exports = programs, variables
        self.region = variables["AWS_REGION"]
        self.listener = Listener(self.client("sns"))

    def client(self, service, region=None, role=None):
        """A boto3 client of somebody, or of one who took on `role` (the `Credentials` of STS)."""
        role = role or {"AccessKeyId": "somebody", "SecretAccessKey": "local", "SessionToken": None}
        client = boto3.client(
            service, endpoint_url=self.exports["AWS_ENDPOINT_URL"], region_name=region or self.region,
            aws_access_key_id=role["AccessKeyId"], aws_secret_access_key=role["SecretAccessKey"],
            aws_session_token=role["SessionToken"],
        )
        client.meta.events.register("before-parse", answers.examine)
        return client

    def tidegate(self, *words):
        """What an operator types."""
        typed = subprocess.run(
            [self.programs / "tidegate", *words], env={**os.environ, **self.exports},
            capture_output=True, text=True, check=False,
        )
        said = f"`tidegate {' '.join(words)}` ended with {typed.returncode}:"
        expect(typed.returncode == 0, f"{said}\n{typed.stdout}{typed.stderr}")
        return typed.stdout

    def notifications(self):
        """Everything that was told on any channel."""
        address = f"{self.exports['AWS_ENDPOINT_URL']}/_local/notifications"
        with urllib.request.urlopen(address) as answer:
            return json.load(answer)

