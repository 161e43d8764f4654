"""Holds each function's program against the budgets; exits 1 if one is over a `must` or never polls.

budgets.py DEPLOYED RUNNABLE: paths with {program} or {Program} in them; the first is what is
deployed, the second what this machine can run.
"""

import io
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


def path(template, program):
    return template.format(program=program, Program=program.capitalize())


def zipped(binary):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipping:
        zipping.writestr("bootstrap", binary)
    return len(archive.getvalue())


def measured(deployed, runnable):
    with open(deployed, "rb") as file:
        binary = file.read()
    return [
        len(binary),
        zipped(binary),
        fake_runtime.instructions(runnable),
        fake_runtime.resident_bytes(runnable),
    ]


def main(deployed, runnable):
    over = []
    print(f"{'function':<10}{'what':<34}{'is':>9}{'must':>8}{'aim':>7}")
    for program in PROGRAMS:
        try:
            figures = measured(path(deployed, program), path(runnable, program))
        except fake_runtime.NeverPolled as never:
            over.append(f"{program}: {never}")
            continue
        for (name, unit, size, must, aim), figure in zip(BUDGETS, figures, strict=True):
            value = figure / size
            verdict = "over the budget" if value > must else "" if value > aim else "aim reached"
            print(f"{program:<10}{name + ', ' + unit:<34}{value:>9.2f}{must:>8}{aim:>7}  {verdict}")
            if value > must:
                over.append(f"{program}: {name} is {value:.2f} {unit}, at most {must} is allowed")
    for line in over:
        print(line, file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
