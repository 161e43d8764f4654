"""Holds each function's program against the budgets; exits 1 if one is over a `must` or never polls.

budgets.py DEPLOYED RUNNABLE: paths with {program} or {Program} in them; the first is what is
deployed, the second what this machine can run.
"""

import io
import json
import sys
import zipfile

import fake_runtime

PROGRAMS = ["promote", "deploy", "watch", "notify"]

# name, unit, what one unit is, must, aim. Others' figures and the methods: docs/decisions/0004.
BUDGETS = [
    ("stripped", "MB", 1e6, 6.6, 5.0),
    ("zipped", "MB", 1e6, 2.75, 2.0),
    ("instructions to the first poll", "M", 1e6, 4.5, 3.5),
    ("resident at the first poll", "MiB", 2**20, 9.0, 6.6),
]

# Measured at deploy, the biggest.
CALL_BUDGETS = [
    ("instructions of the first call, TLS", "M", 1e6, 4.0, 3.0),
    ("instructions of a warm call, TLS", "M", 1e6, 0.7, 0.5),
]

# Deploy reads one item for it, and finds nothing to do. The other programs' calls are the same SDK's.
WAKES_DEPLOY = {
    "Records": [
        {
            "eventID": "1",
            "eventName": "MODIFY",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-west-2",
            "dynamodb": {
                "ApproximateCreationDateTime": 1795166050.0,
                "Keys": {"pk": {"S": "target#ecs/123456789012/us-west-2/c/s"}, "sk": {"S": "now"}},
                "NewImage": {
                    "pk": {"S": "target#ecs/123456789012/us-west-2/c/s"},
                    "sk": {"S": "now"},
                    "todo": {"S": "deploy"},
                },
                "SequenceNumber": "1",
                "SizeBytes": 1,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        }
    ]
}


def path(template, program):
    return template.format(program=program, Program=program.capitalize())


def zipped(binary):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipping:
        zipping.writestr("bootstrap", binary)
    return len(archive.getvalue())


def measured(program, deployed, runnable):
    with open(deployed, "rb") as file:
        binary = file.read()
    calls = ()
    if program == "deploy":
        calls = fake_runtime.tls_calls(runnable, json.dumps(WAKES_DEPLOY).encode())
    return [
        len(binary),
        zipped(binary),
        fake_runtime.instructions(runnable),
        fake_runtime.resident_bytes(runnable),
        *calls,
    ]


def main(deployed, runnable):
    over = []
    print(f"{'function':<10}{'what':<40}{'is':>9}{'must':>8}{'aim':>7}")
    for program in PROGRAMS:
        try:
            figures = measured(program, path(deployed, program), path(runnable, program))
        except fake_runtime.NeverPolled as never:
            over.append(f"{program}: {never}")
            continue
        budgets = BUDGETS + (CALL_BUDGETS if program == "deploy" else [])
        for (name, unit, size, must, aim), figure in zip(budgets, figures, strict=True):
            value = figure / size
            verdict = "over the budget" if value > must else "" if value > aim else "aim reached"
            print(f"{program:<10}{name + ', ' + unit:<40}{value:>9.2f}{must:>8}{aim:>7}  {verdict}")
            if value > must:
                over.append(f"{program}: {name} is {value:.2f} {unit}, at most {must} is allowed")
    for line in over:
        print(line, file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
