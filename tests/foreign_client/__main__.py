#!/usr/bin/env python3
"""The five systems and a second place, each through a good and a bad day, told by a client that knows
nothing of Tidegate: boto3.

For each it starts `tidegate-local serve` with the system's own config, pushes with `ecr.put_image`,
listens to the SNS topic over HTTP, and looks with the clients that a user of that system would have.
It exits with 0 only if everything ended as it must.

    python3 tests/foreign_client              all of them, one after the other
    python3 tests/foreign_client scr deml     these
"""

import sys
import time

import deml
import elsewhere
import local_aws
import scr
import someli
import someli_fargate
import zelly
import zelly_production

SYSTEMS = {
    "someli": someli,
    "someli-fargate": someli_fargate,
    "zelly": zelly,
    "zelly-production": zelly_production,
    "scr": scr,
    "deml": deml,
    "elsewhere": elsewhere,
}


def main():
    chosen = sys.argv[1:] or list(SYSTEMS)
    unknown = set(chosen) - set(SYSTEMS)
    if unknown:
        sys.exit(f"no such system: {', '.join(sorted(unknown))}; there are {', '.join(SYSTEMS)}")
    programs = local_aws.build()
    took = []
    for name in chosen:
        began = time.monotonic()
        print(f"\n── {name}")
        with SYSTEMS[name].config() as config, local_aws.serving(programs, config) as aws:
            SYSTEMS[name].tell(aws)
        took.append(f"{name} {time.monotonic() - began:.0f} s")
    print(f"\nall of it ended as it must: {', '.join(took)}")


if __name__ == "__main__":
    main()
