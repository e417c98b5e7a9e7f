#!/usr/bin/env python3
"""Random queries over one block, at a real Prometheus and at `gauntlet tools tsdb serve`. SEED and QUERIES choose which and how many."""
import os
import random
import re
import shutil
import sys

import random_queries
from answers import difference
from topology import Api, Report, Topology, interrupt_on_term, make_blocks

BEGIN, SECONDS = 1_767_571_200, 3600
# What adds rounding errors of its own: slopes of values large beside their changes, 2.x' plain sums, and powers of all these.
ROUGH = 1e-7


def differs(theirs, ours):
    """difference(), but where errors name one of several causes."""
    if theirs["status"] == ours["status"] == "error":
        return None if theirs["errorType"] == ours["errorType"] else f"{theirs} / {ours}"
    return difference(theirs, ours, ROUGH)


# Where the last digit decides: a comparison, a rounding or a wave of a computed value.
LAST_DIGIT = re.compile(r"==|!=|>|<|round|ceil|floor|sgn|%|sin|cos|tan|changes|hour|minute|day|month|year|\^|absent")


def main():
    interrupt_on_term()
    report = Report()
    if not shutil.which("promtool"):
        report.skip("random queries", "no promtool here to make blocks")
        return 0
    seed, count = int(os.environ.get("SEED", 1)), int(os.environ.get("QUERIES", 2500))
    print(f"# {count} queries from seed {seed}", flush=True)
    with Topology() as topology:
        prometheus = topology.prometheus("prometheus", {}, {}, interval="1m", flags=["--storage.tsdb.retention.time=100y"],
                                         blocks=random_queries.lines(BEGIN, SECONDS, seed))
        make_blocks(random_queries.lines(BEGIN, SECONDS, seed), topology.folder / "blocks")
        served = topology.gauntlet_http("serve", ["tools", "tsdb", "serve", topology.folder / "blocks"])
        theirs, ours = Api(prometheus.url), Api(served.url)
        found, answered, digits = [], 0, 0
        for i in range(count):
            maker = random_queries.Maker(seed * 1_000_003 + i, BEGIN, SECONDS)
            rng = random.Random(i)
            expr = maker.vector(rng.randrange(4))
            at = BEGIN + rng.randrange(SECONDS)
            if rng.randrange(3) == 0:
                a, b = theirs.query(expr, time=at), ours.query(expr, time=at)
            else:
                step = rng.choice((10, 15, 60, 7, 1, 300))
                end = at + step * rng.randrange(40)
                a, b = theirs.query_range(expr, at, end, step), ours.query_range(expr, at, end, step)
            answered += a["status"] == "success" and bool(a["data"]["result"])
            what = differs(a, b)
            if what and LAST_DIGIT.search(expr):
                digits += 1
            elif what:
                found.append(f"#{i} {expr}: {what}")
                print(f"# DIFFERS #{i} at {at} {expr}: {what}", flush=True)
        print(f"# {digits} differ where the last digit decides", flush=True)
        with report.case(f"{count} random queries as Prometheus answers them, {answered} with a result"):
            assert not found, f"{len(found)} differ, first: {found[0]}"
            assert digits <= count / 100, f"{digits} differ where the last digit decides"
            assert answered > count / 3, answered
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
