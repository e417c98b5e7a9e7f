#!/usr/bin/env python3
"""The queries of the PromQL compliance suite at Prometheus' own API and at `gauntlet query` over it, on the suite's metrics."""
import json
import random
import re
import shutil
import sys
import time

from answers import difference
from topology import SHARED, Api, Report, Topology, interrupt_on_term, make_blocks, wait_for

INTERVAL = 5
SPAN = 2 * 3600
INSTANCES = [f"demo.promlabs.com:{10000 + n}" for n in range(3)]
BOUNDS = [0.0001, 0.00015, 0.000225, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1]

# Slopes of values that are large beside their changes: the last digits are rounding errors on both sides, and over long
# windows ours adds in another order. What is promised is 1e-12 of the sum of the window's values.
ILL_CONDITIONED = re.compile(r"\b(deriv|predict_linear)\(")

# Differences between Prometheus 2.42, which Debian has, and 3.x, whose language ours is: (expression, why).
KNOWN = [(re.compile('"~invalid"'), "3.x takes any UTF-8 as a label name")]


def labels(**pairs):
    return "{" + ",".join(f'{k}="{v}"' for k, v in pairs.items()) + "}"


def families(times):
    """name -> (type, [(suffix, labels, [value or None at each time])])"""
    rng = random.Random(7)
    count = len(times)
    walk = lambda base, step: [base := max(0, base + rng.uniform(-step, step)) for _ in range(count)]

    def counter(rate):
        value, out = rng.uniform(0, 50), []
        for i in range(count):
            value = 0 if rng.random() < 0.002 else value + rng.uniform(0, 2 * rate)
            out.append(value)
        return out

    memory, cpus, disk, intermittent, batch, cpu, requests = [], [], [], [], [], [], []
    for n, instance in enumerate(INSTANCES):
        own = {"instance": instance, "job": "demo"}
        for kind in ("free", "used", "buffers", "cached"):
            memory.append(("", labels(**own, type=kind), [round(v) for v in walk(1e9 * (n + 1), 3e6)]))
        cpus.append(("", labels(**own), [4] * count))
        disk.append(("", labels(**own), walk(5e10, 1e7)))
        # There for 5 minutes, then gone for 7.
        intermittent.append(("", labels(**own), [1 if (i * INTERVAL + 60 * n) % 720 < 300 else None for i in range(count)]))
        batch.append(("", labels(**own), [t - (i * INTERVAL) % 600 for i, t in enumerate(times)]))
        for mode in ("idle", "system", "user"):
            cpu.append(("_total", labels(**own, mode=mode), counter(2.0)))
        for path in ("/api/foo", "/api/bar", "/api/nonexistent"):
            for method, status in (("GET", 200), ("POST", 200), ("GET", 500), ("POST", 404)):
                route = dict(own, path=path, method=method, status=status)
                hits, total, sums = [0] * (len(BOUNDS) + 1), 0.0, []
                buckets = [[] for _ in range(len(BOUNDS) + 1)]
                for _ in range(count):
                    for _ in range(rng.randrange(4)):
                        seconds = rng.lognormvariate(-5, 2)
                        total += seconds
                        hits[sum(seconds > b for b in BOUNDS)] += 1
                    sums.append(total)
                    for b in range(len(hits)):
                        buckets[b].append(sum(hits[:b + 1]))
                for b, values in enumerate(buckets):
                    requests.append(("_bucket", labels(**route, le=BOUNDS[b] if b < len(BOUNDS) else "+Inf"), values))
                requests += [("_count", labels(**route), buckets[-1]), ("_sum", labels(**route), sums)]
    return {"demo_memory_usage_bytes": ("gauge", memory), "demo_num_cpus": ("gauge", cpus), "demo_disk_usage_bytes": ("gauge", disk),
            "demo_intermittent_metric": ("gauge", intermittent), "demo_batch_last_success_timestamp_seconds": ("gauge", batch),
            "demo_cpu_usage_seconds": ("counter", cpu), "demo_api_request_duration_seconds": ("histogram", requests)}


def write_blocks(folder, start):
    """Blocks of two hours' data from `start`; samples lie between the seconds, so that none is on a window's border."""
    times = [start + 0.357 + INTERVAL * i for i in range(SPAN // INTERVAL)]

    def lines():
        for name, (kind, series) in families(times).items():
            yield f"# TYPE {name} {kind}"
            for suffix, pairs, values in series:
                yield from (f"{name}{suffix}{pairs} {v!r} {t:.3f}" for t, v in zip(times, values) if v is not None)

    make_blocks(lines(), folder / "blocks")


def main():
    interrupt_on_term()
    report = Report()
    fixture = SHARED / "fixtures" / "compliance" / "queries.jsonl"
    if not fixture.exists():
        report.skip("PromQL compliance", "no compliance queries beside the repository")
        return 0
    if not shutil.which("promtool"):
        report.skip("PromQL compliance", "no promtool here to make blocks")
        return 0
    cases = [json.loads(line) for line in fixture.read_text().splitlines()]
    with Topology() as topology:
        begin = (int(time.time()) - 6 * 3600) // 7200 * 7200
        write_blocks(topology.folder, begin)
        (topology.folder / "prometheus").mkdir(exist_ok=True)
        shutil.move(topology.folder / "blocks", topology.folder / "blocks-made")
        prometheus = topology.prometheus("compliance", {"replica": "a"}, {})
        prometheus.stop()
        for block in (topology.folder / "blocks-made").iterdir():
            shutil.move(block, prometheus.data / block.name)
        prometheus.start()
        topology.wait_ready(prometheus, prometheus.url + "/-/ready")
        sidecar = topology.sidecar("sidecar", prometheus)
        query = topology.gauntlet("query", "query", f"--endpoint={sidecar.grpc}", "--query.replica-label=replica")
        theirs, ours = Api(prometheus.url), Api(query.url)
        # Not a multiple of a subquery's step: 2.x counts in what lies on a window's left border.
        end = begin + SPAN - 597
        start = end - 600
        wait_for("data through the querier", lambda: ours.query("demo_num_cpus", time=end)["data"]["result"], 30)
        differences, known = [], 0
        for case in cases:
            expr = case["query"]
            a, b = theirs.query_range(expr, start, end, 10), ours.query_range(expr, start, end, 10)
            if case["should_fail"]:
                found = None if b["status"] == "error" else "should fail"
            else:
                found = difference(a, b, 1e-9 if ILL_CONDITIONED.search(expr) else 1e-12)
            if not found:
                continue
            why = next((why for pattern, why in KNOWN if pattern.search(expr)), None)
            if why:
                known += 1
                print(f"# known difference {expr}: {why}", flush=True)
            else:
                differences.append(f"{expr}: {found}")
                print(f"# DIFFERS {expr}: {found}", flush=True)
        with report.case(f"{len(cases)} queries of the compliance suite, {known} of them with known differences of the version"):
            assert len(cases) >= 539, len(cases)
            assert not differences, f"{len(differences)} differ, first: {differences[0]}"
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
