"""A Lambda Runtime API that nobody ever invokes: it ends at the program's first poll.

What happens up to then is what a cold start pays for, whatever the event is.
"""

import os
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# valgrind is some fifty times slower than the machine; a program that needs longer than this never
# polls.
PATIENCE_S = 120


class NeverPolled(Exception):
    """The program ended, or was silent, before it asked for its first event."""


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.endswith("/runtime/invocation/next"):
            self.server.polled.set()
            self.server.over.wait()  # the program waits for an event, as it would in Lambda
        else:
            self._answer()

    def do_POST(self):
        # Also plays AWS, for a function that opens its connection before the first poll.
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer()

    def _answer(self):
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def _environment(port):
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
    }


def _to_first_poll(command, look):
    """Runs the command to its first poll, looks at it there, ends it; its stderr and the look."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    server.daemon_threads = True
    server.polled, server.over = threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    program = subprocess.Popen(
        command,
        env=_environment(server.server_port),
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

    return _to_first_poll([binary], look)[1]


def instructions(binary):
    """Instructions from exec to the first poll; the same binary gives the same within 0.01 %."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", binary]
    stderr, _ = _to_first_poll(command, lambda _: None)
    return int(re.search(r"Collected\s*:\s*(\d+)", stderr)[1])
