"""A Lambda Runtime API beside an AWS that answers everything with `{}`: what a program spends.

Up to the first poll is what a cold start pays for, whatever the event is. After it, the same event
again and again shows what one more call to AWS costs.
"""

import os
import re
import ssl
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# valgrind is some fifty times slower than the machine; a program that needs longer than this never
# polls.
PATIENCE_S = 120


class NeverPolled(Exception):
    """The program ended, or was silent, before it asked for its first event."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, events=()):
        super().__init__(("127.0.0.1", 0), _Api)
        self.events = list(events)
        self.polled, self.over = threading.Event(), threading.Event()
        self.calls = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if not self.path.endswith("/runtime/invocation/next"):
            self._answer(b"{}")
        elif self.server.events:
            self._answer(self.server.events.pop())
        else:
            self.server.polled.set()
            self.server.over.wait()  # the program waits for an event, as it would in Lambda

    def do_POST(self):
        # Also plays AWS, for a function that opens its connection before the first poll.
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.calls += 1
        self._answer(b"{}")

    def _answer(self, body):
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(body)))
        self.send_header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("lambda-runtime-deadline-ms", "4102444800000")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def _environment(port, aws):
    address = f"127.0.0.1:{port}"
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/measured",
        "AWS_LAMBDA_LOG_STREAM_NAME": "measured",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": "measured",
        "AWS_SECRET_ACCESS_KEY": "measured",
        "AWS_SESSION_TOKEN": "measured",
        "TIDEGATE_ENDPOINT_URL": f"http://{address}",
        "TIDEGATE_TABLE": "measured",
        "TIDEGATE_TOPIC_ARN": "arn:aws:sns:us-west-2:123456789012:measured",
        "TIDEGATE_CLOCK": "",
        **aws,
    }


def _to_last_poll(command, look, events=(), aws=None):
    """Runs the command until it has answered the events and polls for another one, looks at it
    there, ends it; its stderr and the look."""
    server = _Server(events)
    program = subprocess.Popen(
        command,
        env=_environment(server.server_port, aws or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    ended = threading.Thread(target=lambda: (program.wait(), server.polled.set()), daemon=True)
    ended.start()
    polled = server.polled.wait(PATIENCE_S) and program.poll() is None
    seen = look(program.pid) if polled else None
    program.terminate()
    _, stderr = program.communicate()
    server.over.set()
    server.shutdown()
    if not polled:
        raise NeverPolled(f"ended with {program.returncode} before its first poll: {stderr[-2000:]}")
    return stderr, seen


def resident_bytes(binary):
    """Memory that is resident at the first poll."""

    def look(pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024

    return _to_last_poll([binary], look)[1]


def instructions(binary, events=(), aws=None):
    """Instructions from exec to the last poll; the same binary gives the same within 0.01 %."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", binary]
    stderr, _ = _to_last_poll(command, lambda _: None, events, aws)
    return int(re.search(r"Collected\s*:\s*(\d+)", stderr)[1])


def tls_calls(binary, event):
    """Instructions of the first call to AWS over TLS, and of a warm one in answer to `event`.

    The first is what init costs more than where nobody listens. A warm one is what the event costs
    more than one without records, for each call that the program makes for it.
    """
    with tempfile.TemporaryDirectory() as folder:
        context, roots = _certified(folder)
        aws = _Server()
        aws.socket = context.wrap_socket(aws.socket, server_side=True)
        reached = {
            "TIDEGATE_ENDPOINT_URL": f"https://localhost:{aws.server_port}",
            "TIDEGATE_NATIVE_ROOTS": "1",
            "SSL_CERT_FILE": roots,
        }
        nobody = {**reached, "TIDEGATE_ENDPOINT_URL": "https://localhost:1"}
        first = instructions(binary, aws=reached) - instructions(binary, aws=nobody)
        # The connection is open and everything was used once: each event costs the same from here.
        idle = instructions(binary, [b'{"Records":[]}'] * 3 + [event], reached)
        aws.calls = 0
        busy = instructions(binary, [event] * 4, reached)
        calls = (aws.calls - 1) / 4  # one of them warms up
        aws.shutdown()
    return first, (busy - idle) / (3 * calls)


def _certified(folder):
    """A server's TLS with a certificate of its own authority, RSA 2048 as AWS's, and the authority."""
    commands = """
        req -x509 -newkey rsa:2048 -nodes -subj /CN=root -keyout root.key -out root.pem
        req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout leaf.key -out leaf.csr
        x509 -req -in leaf.csr -CA root.pem -CAkey root.key -CAcreateserial -extfile names -out leaf.pem
    """
    with open(os.path.join(folder, "names"), "w", encoding="ascii") as names:
        names.write("subjectAltName=DNS:localhost")
    for command in commands.strip().splitlines():
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/leaf.pem", f"{folder}/leaf.key")
    return context, f"{folder}/root.pem"
