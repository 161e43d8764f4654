"""A subscriber of the SNS topic, over HTTP: what people are told, as it is told."""

import collections
import http.server
import json
import queue
import threading
import time

from expectations import PATIENCE, expect


class Listener:
    """Everything that is published from now on, by pipeline."""

    def __init__(self, sns):
        self.heard = collections.defaultdict(queue.Queue)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._subscriber())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        for topic in sns.list_topics()["Topics"]:
            sns.subscribe(TopicArn=topic["TopicArn"], Protocol="http", Endpoint=address)

    def _subscriber(self):
        heard = self.heard

        class Subscriber(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.end_headers()
                said = json.loads(json.loads(body)["Message"])
                heard[said["pipeline"]].put(said)

            def log_message(self, *_):
                pass

        return Subscriber

    def hear(self, release, *kinds):
        """Waits for so many notifications of a pipeline, and finds these kinds of this release in them. SNS
        promises no order; their times do."""
        told = []
        deadline = time.monotonic() + PATIENCE
        while len(told) < len(kinds):
            try:
                said = self.heard[release.split("/")[0]].get(timeout=deadline - time.monotonic())
            except (queue.Empty, ValueError):
                expect(False, f"{release}: told {kinds} within {PATIENCE} s, not {names(told)}")
            print(f"  {said['kind']}: {said['title']}")
            told.append(said)
        told.sort(key=lambda said: said["at"])
        right = [(release, kind) for kind in kinds]
        expect(names(told) == right, f"{right} is told, not {json.dumps(told, indent=2)}")
        return told

    def nothing_more(self):
        """Nobody was told anything that nobody waited for."""
        left = [said["title"] for those in self.heard.values() for said in those.queue]
        expect(not left, f"nobody waited for: {left}")


def names(told):
    return [(said["release"], said["kind"]) for said in told]
