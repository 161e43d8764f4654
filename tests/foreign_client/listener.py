"""A subscriber of the SNS topic, over HTTP: what people are told, as it is told."""

import http.server
import json
import queue
import threading
import time

from expectations import PATIENCE, expect


class Listener:
    """Everything that is published from now on."""

    def __init__(self, sns):
        # As it comes, and what nobody waited for yet.
        self.heard, self.left = queue.Queue(), []
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), subscriber(self.heard))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        for topic in sns.list_topics()["Topics"]:
            sns.subscribe(TopicArn=topic["TopicArn"], Protocol="http", Endpoint=address)

    def hear(self, release, *kinds):
        """Waits for so many notifications of a pipeline, and finds these kinds of this release in them. SNS
        promises no order; their times do."""
        right = [(release, kind) for kind in kinds]
        deadline = time.monotonic() + PATIENCE
        while len(told := self._of(release.split("/")[0])) < len(kinds):
            try:
                self.left.append(self.heard.get(timeout=max(deadline - time.monotonic(), 0)))
            except queue.Empty:
                expect(False, f"{right} is told within {PATIENCE} s, not {names(told)}")
        told = sorted(told, key=lambda said: said["at"])
        expect(names(told) == right, f"{right} is told, not {json.dumps(told, indent=2)}")
        for said in told:
            self.left.remove(said)
            print(f"  {said['kind']}: {said['title']}")

    def _of(self, pipeline):
        return [said for said in self.left if said["pipeline"] == pipeline]

    def nothing_more(self):
        """Nobody was told anything that nobody waited for."""
        while not self.heard.empty():
            self.left.append(self.heard.get())
        expect(not self.left, f"nobody waited for {names(self.left)}")


def subscriber(heard):
    """Puts every notification that SNS posts into `heard`."""

    class Subscriber(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            heard.put(json.loads(json.loads(body)["Message"]))

        def log_message(self, *_):
            pass

    return Subscriber


def names(told):
    return [(said["release"], said["kind"]) for said in told]
