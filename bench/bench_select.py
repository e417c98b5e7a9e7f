#!/usr/bin/env python3
"""The read path against Prometheus asked directly: pass-through of the sidecar, merge of the querier, ten range queries."""
import json
import struct
import subprocess
import sys
import time

from lib import PROGRAMS, ROOT, Goals, PeakMemory
from topology import Api, Topology, fetch, wait_for


def load(prometheus, series, samples, step_ms, end_ms, shape, metric):
    subprocess.run([PROGRAMS / "remote_write_load", prometheus.url, str(series), str(samples), str(step_ms), str(end_ms), shape, metric],
                   check=True, stdout=subprocess.DEVNULL)


def uvarint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def read_request(metric, start_ms, end_ms):
    """A remote-read request for streamed chunks, snappy-compressed as one literal."""
    def field(number, payload):
        return uvarint(number << 3 | 2) + uvarint(len(payload)) + payload
    matcher = b"\x08\x00" + field(2, b"__name__") + field(3, metric.encode())
    query = b"\x08" + uvarint(start_ms) + b"\x10" + uvarint(end_ms) + field(3, matcher)
    message = field(1, query) + b"\x12\x01\x01"
    assert len(message) < 65536
    literal = bytes([61 << 2]) + struct.pack("<H", len(message) - 1)
    return uvarint(len(message)) + literal + message


def pass_through(topology, goals):
    quick = goals.args.quick
    flags = ["--web.enable-remote-write-receiver", "--storage.tsdb.min-block-duration=24h", "--storage.tsdb.max-block-duration=24h"]
    prometheus = topology.prometheus("prometheus-pass", {"cluster": "bench", "replica": "a"}, {}, flags=flags)
    sidecar = topology.sidecar("sidecar-pass", prometheus)
    end_ms = int(time.time() * 1000)
    series, samples, times = (1000, 1200, 4) if quick else (5000, 2400, 11)
    load(prometheus, series, samples, 1000, end_ms, "gauge", "pass")
    start_ms = end_ms - samples * 1000 - 10_000
    body = topology.folder / "read.request"
    body.write_bytes(read_request("pass", start_ms, end_ms + 1000))

    def curl():
        begin = time.monotonic()
        size = 0
        for _ in range(times):
            out = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{size_download} %{http_code}", "--data-binary", f"@{body}",
                                  "-H", "Content-Encoding: snappy", "-H", "Content-Type: application/x-protobuf",
                                  "-H", "X-Prometheus-Remote-Read-Version: 0.1.0", prometheus.url + "/api/v1/read"],
                                 check=True, capture_output=True, text=True).stdout.split()
            assert out[1] == "200", out
            size += int(out[0])
        return size, time.monotonic() - begin

    def ours():
        with PeakMemory(sidecar) as memory:
            out = subprocess.run([PROGRAMS / "store_read", sidecar.grpc, "pass", str(start_ms), str(end_ms + 1000), str(times), "replica"],
                                 check=True, capture_output=True, text=True).stdout.split()
        return int(out[2]), float(out[0]), memory.peak_mb

    curl()  # both sides warm
    best_curl = max((size / seconds, size) for size, seconds in (curl() for _ in range(3)))
    runs = [ours() for _ in range(3)]
    best_ours = max(size / seconds for size, seconds, _ in runs)
    peak = max(p for _, _, p in runs)
    print(f"# remote read {best_curl[1] / 1e6:.0f} MB in {times} answers: curl {best_curl[0] / 1e6:.0f} MB/s, through the sidecar "
          f"{best_ours / 1e6:.0f} MB/s, its peak {peak:.1f} MB")
    goals.at_least("sidecar pass-through", 100 * best_ours / best_curl[0], "% of curl's bytes/s", 70)
    goals.at_most("sidecar memory while passing", peak, "MB", 64)
    for process in (sidecar, prometheus):
        process.stop()


def merge(goals):
    program = next((ROOT / "build" / "release").glob("**/query_bench"), None)
    if program is None:
        goals.absent("merge series", "M series/s/core", ">=", 1, "query_bench was not built")
        return
    out = subprocess.run([program, "--benchmark_format=json", "--benchmark_min_time=1"], check=True, capture_output=True, text=True).stdout
    for b in json.loads(out)["benchmarks"]:
        print(f"# {b['name']}: {b.get('series', 0) / 1e6:.2f} M series/s/core, {b.get('samples', 0) / 1e6:.1f} M samples/s/core")
        # 60 samples a series put both goals to the test at once.
        algorithm, samples = b["name"].split("/")[1:]
        if samples == "60":
            goals.at_least(f"merge, {algorithm}: series", b["series"] / 1e6, "M input series/s/core", 1)
            goals.at_least(f"merge, {algorithm}: samples", b["samples"] / 1e6, "M input samples/s/core", 50)


QUERIES = [("raw", "mix"), ("rate", "rate(mix_total[2m])"), ("sum by rate", "sum by (job) (rate(mix_total[2m]))"), ("avg by", "avg by (namespace) (mix)"),
           ("count by", "count by (pod) (mix_total)"), ("classic quantile", "histogram_quantile(0.9, sum by (le, job) (rate(mix_bucket[2m])))"),
           ("native quantile", "histogram_quantile(0.9, sum by (job) (rate(native[2m])))"), ("join", "rate(mix_total[2m]) / on (pod) rate(mix_total[2m])"), ("topk", "topk(5, mix)"), ("max_over_time", "max_over_time(mix[30m])")]


def queries(topology, goals):
    quick = goals.args.quick
    flags = ["--web.enable-remote-write-receiver", "--storage.tsdb.min-block-duration=24h", "--storage.tsdb.max-block-duration=24h",
             "--query.max-samples=500000000", "--enable-feature=native-histograms"]
    end_ms = int(time.time() * 1000)
    series, samples = (2000, 120) if quick else (20000, 480)  # 10,000 of each kind
    proms = [topology.prometheus(f"prometheus-{r}", {"cluster": "bench", "replica": r}, {}, flags=flags) for r in "ab"]
    for prometheus in proms:
        load(prometheus, series, samples, 15000, end_ms, "mixed", "mix")
        load(prometheus, series // 20, samples, 15000, end_ms, "native", "native")
    sidecars = [topology.sidecar(f"sidecar-{r}", p) for r, p in zip("ab", proms)]
    query = topology.gauntlet("query", "query", *[f"--endpoint={s.grpc}" for s in sidecars], "--query.replica-label=replica",
                              "--deduplication.func=stitch")
    wait_for("endpoints", lambda: sum(len(v) for v in Api(query.url).get("stores")["data"].values()) == 2)
    end = end_ms / 1000 - 7.4321
    start, step = end - (samples * 15 - 60) / 2, 60

    def ask(base, expr):
        status, _, body = fetch(f"{base}/api/v1/query_range", {"query": expr, "start": start, "end": end, "step": step}, timeout=600)
        assert status == 200 and b'"result":[]' not in body, body[:500]
        return len(body)

    total = {"prometheus": 0.0, "gauntlet": 0.0}
    for name, expr in QUERIES:
        seconds = {}
        for who, base in (("prometheus", proms[0].url), ("gauntlet", query.url)):
            ask(base, expr)
            runs = []
            for _ in range(3):
                begin = time.monotonic()
                size = ask(base, expr)
                runs.append(time.monotonic() - begin)
            seconds[who] = sorted(runs)[1]
            total[who] += seconds[who]
        print(f"# {name}: Prometheus {seconds['prometheus']:.3f} s, query + 2 sidecars {seconds['gauntlet']:.3f} s "
              f"(x {seconds['gauntlet'] / seconds['prometheus']:.2f}), {size / 1e6:.1f} MB of JSON", flush=True)
    goals.at_most("ten range queries, deduplicated", total["gauntlet"] / total["prometheus"], "x Prometheus asked directly", 1.0)


def just_ready(topology, goals):
    prometheus = topology.prometheus("prometheus-ready", {"replica": "a"}, {})
    sidecar = topology.sidecar("sidecar-ready", prometheus)
    query = topology.gauntlet("query-ready", "query", f"--endpoint={sidecar.grpc}")
    goals.at_most("sidecar just ready", sidecar.status_kb("VmRSS") / 1024, "MB", 20)
    goals.at_most("query just ready", query.status_kb("VmRSS") / 1024, "MB", 20)
    for process in (query, sidecar, prometheus):
        process.stop()


def main():
    goals = Goals("select")
    with Topology() as topology:
        parts = {"ready": lambda: just_ready(topology, goals), "merge": lambda: merge(goals), "pass": lambda: pass_through(topology, goals),
                 "queries": lambda: queries(topology, goals)}
        for name, run in parts.items():
            if goals.args.only in (None, name):
                run()
    return goals.finish()


if __name__ == "__main__":
    sys.exit(main())
