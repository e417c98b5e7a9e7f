#!/usr/bin/env python3
"""PromQL: upstream's own benchmark in memory; a block of 100,000 series over HTTP beside Prometheus; long windows; chunk decoding."""
import json
import math
import os
import subprocess
import sys
import urllib.parse

from lib import PROGRAMS, ROOT, Goals, PeakMemory
from machine import Machine
from topology import GAUNTLET, SHARED, Topology, free_port

DATA = ROOT / "build" / "bench-data"
END_MS = 1_767_571_200_000  # a multiple of 6 h
HOURS, STEP_MS = 6, 15_000
SHAPES = ("constant", "counter", "float gauge", "jittered counter", "sparse counter")
PROMETHEUS_DECODE_NS = (4.1, 12.7, 13.3, 18.3, 6.4)


def geomean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def benchmarks(program, pattern, quick):
    """Of each benchmark its best run by CPU time: {name: result}."""
    time_ = "0.05" if quick else "0.3"
    command = [program, f"--benchmark_filter={pattern}", "--benchmark_format=json", f"--benchmark_min_time={time_}",
               f"--benchmark_repetitions={1 if quick else 5}"]
    out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    best = {}
    for b in out["benchmarks"]:
        if b.get("error_occurred"):
            raise AssertionError(f"{b['name']}: {b['error_message']}")
        if b.get("run_type") == "aggregate":
            continue
        name = b["run_name"]
        if name not in best or b["cpu_time"] < best[name]["cpu_time"]:
            best[name] = b
    return best


def engine_bench():
    return next((ROOT / "build" / "release").glob("src/**/promql_engine_bench"))


def memory(goals, machine):
    with machine.measured() as here:
        found = {n: b for n, b in benchmarks(engine_bench(), ".*", goals.args.quick).items() if "prometheus_ms" in b}
    slow = here.slowness
    floats, native = [], []
    for name, b in found.items():
        ratio = b["prometheus_ms"] * slow / b["cpu_time"]
        (native if "native" in name or "custom" in name else floats).append((ratio, name))
        print(f"# {name}: {b['cpu_time']:.3f} ms, Prometheus 3.14 {b['prometheus_ms'] * slow:.1f} ms here: {ratio:.1f} x faster")
    goals.at_least("in memory: geometric mean", geomean([r for r, _ in floats]), "x faster than anchors", 8)
    print(f"# native histograms (a benchmark of their own upstream): geometric mean {geomean([r for r, _ in native]):.1f} x")
    for kind, ratios in (("floats", floats), ("native histograms", native)):
        worst = min(ratios)
        print(f"# slowest of {kind}: {worst[1]}")
        goals.at_least(f"in memory, {kind}: the slowest", worst[0], "x faster than anchors", 1)


def decode(goals, machine):
    with machine.measured() as here:
        found = benchmarks(next((ROOT / "build" / "release").glob("src/**/tsdb_chunkenc_bench")), "BM_DecodeXor/", goals.args.quick)
    slow = here.slowness
    ratios = []
    for i, (shape, prometheus) in enumerate(zip(SHAPES, PROMETHEUS_DECODE_NS)):
        ns = found[f"BM_DecodeXor/shape:{i}"]["cpu_time"] / 120
        ratios.append(prometheus * slow / ns)
        print(f"# XOR, {shape}: {ns:.2f} ns a sample, Prometheus 3.14 {prometheus * slow:.1f} ns here: {ratios[-1]:.2f} x faster")
    goals.at_least("XOR decode, fourth best of five shapes", sorted(ratios)[1], "x faster than anchors", 2)
    goals.at_least("XOR decode, the slowest shape", min(ratios), "x faster than anchors", 1.6)


class Servers:
    """`gauntlet tools tsdb serve` and Prometheus over the same block, on the given cores; the client on the others."""

    def __init__(self, topology, series, cores):
        self.topology, self.cores = topology, cores
        blocks = self.block(series)
        name = "-".join(str(c) for c in cores)
        prometheus_dir = topology.folder / f"prometheus-data-{name}"
        for source in blocks.glob("*/**/*"):  # of its own: it writes beside the block
            if source.is_file():
                target = prometheus_dir / source.relative_to(blocks)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(source, target) if os.stat(blocks).st_dev == os.stat(topology.folder).st_dev else target.symlink_to(source)
        (topology.folder / "empty.yml").write_text("global: {}\n")
        pin = ["taskset", "-c", ",".join(str(c) for c in cores)]
        port = free_port()
        self.gauntlet = topology.start(f"gauntlet-{name}", [*pin, GAUNTLET, "tools", "tsdb", "serve", blocks,
                                       f"--http-address=127.0.0.1:{port}", "--query.max-samples=2000000000", "--query.timeout=20m",
                                       "--enable-feature=promql-experimental-functions"], f"http://127.0.0.1:{port}/-/ready")
        self.gauntlet.url = f"http://127.0.0.1:{port}"
        port = free_port()
        self.prometheus = topology.start(f"prometheus-{name}", [*pin, "prometheus", f"--config.file={topology.folder}/empty.yml",
                                         f"--storage.tsdb.path={prometheus_dir}", f"--web.listen-address=127.0.0.1:{port}",
                                         "--storage.tsdb.retention.time=100y", "--query.max-samples=2000000000", "--query.timeout=20m"],
                                         f"http://127.0.0.1:{port}/-/ready", env={"GOMAXPROCS": str(len(cores))})
        self.prometheus.url = f"http://127.0.0.1:{port}"

    @staticmethod
    def block(series):
        folder = DATA / f"promql-{series}"
        if not folder.exists():
            building = DATA / f"promql-{series}.building"
            subprocess.run(["rm", "-rf", building], check=True)
            building.mkdir(parents=True)
            subprocess.run([PROGRAMS / "make_query_block", building, str(END_MS), str(series), str(HOURS), str(STEP_MS)], check=True)
            building.rename(folder)
        return folder

    def ask(self, server, expr, start, end, step):
        """(wall seconds, CPU seconds of the server, bytes)"""
        query = urllib.parse.urlencode({"query": expr, "start": start, "end": end, "step": step})
        client = [c for c in range(os.cpu_count()) if c not in self.cores] or self.cores
        cpu = server.cpu_seconds()
        out = subprocess.run(["taskset", "-c", ",".join(map(str, client)), "curl", "-s", "-o", "/dev/null", "-w",
                              "%{time_total} %{size_download} %{http_code}", "--max-time", "1200", f"{server.url}/api/v1/query_range?{query}"],
                             check=True, capture_output=True, text=True).stdout.split()
        assert out[2] == "200", f"{server.name}: {expr}: {out}"
        return float(out[0]), server.cpu_seconds() - cpu, int(out[1])

    def compare(self, expr, start, end, step, gauntlet_expr=None, runs=3):
        """Best wall and mean CPU seconds of both, and the bytes of the answer; asked in turn."""
        best = {}
        for run in range(runs):
            for who, server in (("gauntlet", self.gauntlet), ("prometheus", self.prometheus)):
                wall, cpu, size = self.ask(server, gauntlet_expr or expr if who == "gauntlet" else expr, start, end, step)
                old = best.get(who, (wall, 0, size))
                best[who] = (min(wall, old[0]), (old[1] * run + cpu) / (run + 1), size)
            if best["prometheus"][0] > 5:  # long ones are steady enough
                break
        ours, theirs = best["gauntlet"], best["prometheus"]
        # Sums without compensation, as Prometheus 2 has them, have more digits.
        assert 0.7 < (ours[2] + 2000) / (theirs[2] + 2000) < 1.4, f"{expr}: {ours[2]} bytes, Prometheus answers {theirs[2]}"
        return ours, theirs


GROUPS = {100: '{hundred="h0000"}', 1000: '{thousand="t000"}', 10_000: '{myriad="m00"}', 100_000: ""}
WINDOWS = ("1m", "5m", "1h")


def expressions(size):
    """(expression, series in the answer at most) that select `size` series."""
    counters, gauges, buckets = (metric + GROUPS[size] for metric in ("requests_total", "queue_length", "latency_bucket"))
    out = [(f"sum by (zone) (rate({counters}[{w}]))", 3) for w in WINDOWS]
    out += [(f"avg by (job) ({counters})", 20), (f"count({counters})", 1), (f"topk(5, rate({counters}[5m]))", size)]
    out += [(f"max by (job) (increase({counters}[5m]))", 20)]
    if size > 10_000:
        return out
    out += [(counters, size), (f"-{gauges}", size), (f"rate({counters}[5m]) / on (pod) {gauges}", size)]
    out += [(f"rate({counters}[{w}])", size) for w in WINDOWS]
    out += [(f"max_over_time({gauges}[{w}])", size) for w in WINDOWS]
    out += [(f"avg_over_time({gauges}[{w}])", size) for w in WINDOWS]
    out += [(f"histogram_quantile(0.9, sum by (le, zone) (rate({buckets}[5m])))", 3)]
    out += [(f"histogram_quantile(0.9, rate({buckets}[5m]))", size // 10)]
    return out


def http(goals):
    quick = goals.args.quick
    series = 10_000 if quick else 100_000
    sizes = [n for n in GROUPS if n <= series and not (quick and n == series and n > 1000)] if quick else list(GROUPS)
    if quick:
        GROUPS[series] = ""
    end = END_MS / 1000 - 1
    for cores, small_goal, large_goal in (((0,), 8, 2.2), ((0, 1), 10, 3)):
        if cores[-1] >= os.cpu_count():
            goals.absent("over HTTP, both cores", "x faster", ">=", small_goal, "this machine has one core")
            continue
        name = f"over HTTP, {'one core' if len(cores) == 1 else 'both cores'}"
        with Topology() as topology:
            servers = Servers(topology, series, cores)
            steps = 100 if quick else 1000
            span = (HOURS - 1.05) * 3600
            small, large = [], []
            with PeakMemory(servers.gauntlet) as our_memory, PeakMemory(servers.prometheus) as their_memory:
                for size in sizes:
                    for expr, answer in expressions(size):
                        ours, theirs = servers.compare(expr, end - span, end, span / (steps - 1))
                        ratio = theirs[0] / ours[0]
                        # topk's answer has few series at a step, and few in all.
                        (large if answer > 1000 and not expr.startswith("topk") else small).append((ratio, f"{expr}, {size} series"))
                        print(f"# {expr}, {size} series, {ours[2] / 1e6:.1f} MB: {ours[0]:.3f} s (CPU {ours[1]:.2f}), "
                              f"Prometheus {theirs[0]:.3f} s (CPU {theirs[1]:.2f}): {ratio:.1f} x faster", flush=True)
            goals.at_least(f"{name}: answers of up to 1,000 series, geometric mean", geomean([r for r, _ in small]), "x faster", small_goal)
            if large:
                goals.at_least(f"{name}: larger answers, geometric mean", geomean([r for r, _ in large]), "x faster", large_goal)
            worst = min(small + large)
            print(f"# slowest: {worst[1]}")
            goals.at_least(f"{name}: the slowest", worst[0], "x faster", 1)
            print(f"# peak memory: {our_memory.peak_mb:.0f} MB, Prometheus {their_memory.peak_mb:.0f} MB")
            goals.at_most(f"{name}: memory", our_memory.peak_mb / their_memory.peak_mb, "of Prometheus'", 0.2)
    with Topology() as topology:
        servers = Servers(topology, series, (0,))
        servers.prometheus.stop()
        with PeakMemory(servers.gauntlet) as peak:
            servers.ask(servers.gauntlet, f"sum by (zone) (rate(requests_total{GROUPS[series]}[5m]))", end - span, end, span / 999)
        goals.at_most(f"sum by (rate()) over {series} series x 1,000 steps: memory", peak.peak_mb, "MB", 250)


# The functions whose cost may grow with the window, by the names that Prometheus 2 has for them. (It has no first_over_time.)
GROWING = [("stddev_over_time(%s)", None), ("stdvar_over_time(%s)", None), ("deriv(%s)", None),
           ("predict_linear(%s, 60)", None), ("irate(%s)", None), ("idelta(%s)", None), ("holt_winters(%s, 0.3, 0.3)", "double_exponential_smoothing(%s, 0.3, 0.3)")]


def window(goals):
    found = benchmarks(engine_bench(), "^window/", goals.args.quick)
    decode_ms = found["window/decode 1d"]["cpu_time"]
    worst = (0, "")
    for name, b in found.items():
        if "[1d]" not in name:
            continue
        minute = found[name.replace("[1d]", "[1m]")]["cpu_time"]
        share = b["cpu_time"] / (2 * minute + decode_ms)
        worst = max(worst, (share, name))
        print(f"# {name[7:]}: {b['cpu_time']:.2f} ms; over a minute {minute:.2f} ms, a day's samples decoded {decode_ms:.2f} ms: {share:.2f} of what is allowed")
    print(f"# the most: {worst[1]}")
    goals.at_most("range functions over a day", worst[0], "of twice the time over a minute and the decoding of a day", 1)
    ratios = []
    with Topology() as topology:
        servers = Servers(topology, 10_000 if goals.args.quick else 100_000, (0,))
        end = END_MS / 1000 - 1
        for form, our_form in GROWING:
            for w in ("1h", "5h"):
                selector = f"queue_length{GROUPS[100]}[{w}]"
                ours, theirs = servers.compare(form % selector, end - 3500, end, 3.5, our_form % selector if our_form else None, 1 if goals.args.quick else 3)
                ratios.append((ours[0] / theirs[0], form % selector))
                print(f"# {form % selector}: {ours[0]:.3f} s (CPU {ours[1]:.2f}), Prometheus {theirs[0]:.3f} s (CPU {theirs[1]:.2f})", flush=True)
    print(f"# the most: {max(ratios)[1]}")
    goals.at_most("other functions over 1 h and 5 h, the slowest", max(ratios)[0], "of Prometheus' time", 0.25)


def main():
    goals = Goals("promql")
    DATA.mkdir(parents=True, exist_ok=True)
    machine = Machine()
    parts = {"memory": lambda: memory(goals, machine), "decode": lambda: decode(goals, machine), "window": lambda: window(goals), "http": lambda: http(goals)}
    for name, run in parts.items():
        if goals.args.only not in (None, name):
            continue
        if name in ("memory", "decode") and machine.program is None:
            goals.absent(name, "x faster than anchors", ">=", 8 if name == "memory" else 2, f"no probe in {SHARED}")
            continue
        run()
    return goals.finish()


if __name__ == "__main__":
    sys.exit(main())
