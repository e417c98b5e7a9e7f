#!/usr/bin/env python3
"""The demo: two real Prometheus servers, a sidecar beside each, one querier on top; with --bucket also a bucket, a store gateway and a
compactor. --check asks and kills by itself."""
import argparse
import sys
import time

import bucket_demo
from topology import Api, Report, Topology, interrupt_on_term, wait_for

SCRAPE_SECONDS = 1


def start(topology, bucket=None):
    """The whole topology, ready; returns its processes by role."""
    node = topology.node_exporter()
    jobs = {"node": [node], "prometheus": ["self"]}
    short_blocks = bucket_demo.PROMETHEUS_FLAGS if bucket else []
    proms = [topology.prometheus(f"prometheus-{r}", {"cluster": "demo", "replica": r}, jobs, flags=short_blocks) for r in "ab"]
    sidecars = [topology.sidecar(f"sidecar-{r}", prom, *([bucket.flag] if bucket else [])) for r, prom in zip("ab", proms)]
    endpoints = [s.grpc for s in sidecars]
    if bucket:
        bucket.start()
        endpoints.append(bucket.store.grpc)
    query = topology.gauntlet("query", "query", *[f"--endpoint={e}" for e in endpoints], "--query.replica-label=replica")
    api = Api(query.url)
    wait_for("all endpoints healthy", lambda: len(healthy(api)) == len(endpoints))
    return proms, sidecars, query


def healthy(api):
    stores = api.get("stores")["data"]
    return [s["name"] for group in stores.values() for s in group if s["lastError"] is None]


def matrix(answer):
    assert answer["status"] == "success", answer
    return answer["data"]["result"]


def check_matrix(answer, start, end, step, series_at_least=1):
    """No step missing in any series, no series doubled, no replica label. Returns the number of series."""
    series = matrix(answer)
    assert len(series) >= series_at_least, f"{len(series)} series"
    names = [tuple(sorted(s["metric"].items())) for s in series]
    assert len(set(names)) == len(names), "a series is there twice"
    steps = int((end - start) / step) + 1
    for s in series:
        assert "replica" not in s["metric"], s["metric"]
        times = [t for t, _ in s["values"]]
        assert len(times) == steps, f"{s['metric']}: {len(times)} of {steps} steps"
    return len(series)


def check(topology, report):
    proms, sidecars, query = start(topology)
    api = Api(query.url)
    warm = 20
    print(f"# waiting {warm} s for data", flush=True)
    begun = time.time()
    wait_for("data", lambda: matrix(api.query('up{job="node"}')), 30)
    time.sleep(max(0, warm - (time.time() - begun)))

    queries = ['up{job="node"}', 'rate(node_cpu_seconds_total[10s])', 'sum by (mode) (rate(node_cpu_seconds_total[10s]))',
               'node_load1', 'count by (job) (up)', 'avg_over_time(node_memory_MemFree_bytes[10s])']
    with report.case("two replicas answer as one"):
        end = int(time.time()) - 1
        for expr in queries:
            answer = api.query_range(expr, end - 4, end, 1)
            count = check_matrix(answer, end - 4, end, 1)
            assert not answer.get("warnings"), answer["warnings"]
            print(f"# {expr}: {count} series, no warning", flush=True)
    with report.case("without deduplication both replicas show"):
        answer = matrix(api.query('up{job="node"}', dedup="false"))
        assert {s["metric"]["replica"] for s in answer} == {"a", "b"}, answer

    killed = time.time()
    proms[0].kill()
    print(f"# killed {proms[0].name} (pid {proms[0].pid})", flush=True)
    time.sleep(12)
    start_time, end_time = int(killed) - 8, int(time.time()) - 1
    with report.case("no gap and no double over the kill"):
        for expr in queries:
            answer = api.query_range(expr, start_time, end_time, 1)
            count = check_matrix(answer, start_time, end_time, 1)
            print(f"# {expr}: {count} series x {end_time - start_time + 1} steps", flush=True)
    with report.case("warnings name the dead endpoint"):
        for expr in queries[:2]:
            answer = api.query_range(expr, start_time, end_time, 1)
            assert answer.get("warnings"), "no warning"
            assert any(sidecars[0].grpc in w for w in answer["warnings"]), answer["warnings"]
            assert not any(sidecars[1].grpc in w for w in answer["warnings"]), answer["warnings"]
        print(f"# warning: {answer['warnings'][0]}", flush=True)
    with report.case("without partial response the live replica stands in, and without deduplication the query fails"):
        answer = api.query('up{job="node"}', partial_response="false")
        assert matrix(answer) and not answer.get("warnings"), answer
        answer = api.query('up{job="node"}', partial_response="false", dedup="false")
        assert answer["status"] == "error" and sidecars[0].grpc in answer["error"], answer

    proms[0].start()
    topology.wait_ready(proms[0], proms[0].url + "/-/ready")
    ready = time.monotonic()
    with report.case("10 s after the return queries carry no warning"):
        time.sleep(10 - (time.monotonic() - ready))
        for expr in queries:
            now = int(time.time())
            answer = api.query_range(expr, start_time, now - 1, 1)
            check_matrix(answer, start_time, now - 1, 1)
            assert not answer.get("warnings"), answer["warnings"]
        assert len(healthy(api)) == 2
    with report.case("every component stops cleanly"):
        for process in [query, *sidecars]:
            assert process.stop() == 0, f"{process.name} ended with {process.child.returncode}: {process.log_tail(5)}"


def follow(topology, bucket=None):
    proms, sidecars, query = start(topology, bucket)
    api = Api(query.url)
    print("A highly available Prometheus is up.\n")
    print(f"  querier     {query.url}/            its endpoints, their health, labels and times")
    print(f"  query API   {query.url}/api/v1/query?query=up")
    for prom, sidecar in zip(proms, sidecars):
        print(f"  {prom.name} {prom.url}/   pid {prom.pid}, sidecar {sidecar.url}")
    if bucket:
        print(f"  bucket      {bucket.web.url}/   its blocks as a page; {bucket.place}")
        print(f"  store       {bucket.store.url}/   compactor {bucket.compact.url}/")
        print(f"\nBlocks of {bucket_demo.BLOCK_SECONDS} s travel: to the bucket within a minute, merged over the replicas, gone from Prometheus after two\n"
              f"minutes and from the bucket after {bucket_demo.RETENTION}. + and - below are blocks that come and go.")
    print("\nA query to try (rates need some seconds of data):")
    print(f"  curl -s '{query.url}/api/v1/query' --data-urlencode 'query=sum by (mode) (rate(node_cpu_seconds_total[30s]))'")
    print(f"\nKill a Prometheus and ask again:  kill -9 {proms[0].pid}")
    print("Grafana: add a data source of type Prometheus with the querier's URL. Ctrl-C stops everything.\n", flush=True)
    before, journal = None, bucket_demo.Journal(bucket) if bucket else None
    while True:
        for line in journal.news() if journal else []:
            print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)
        try:
            state = healthy(api)
        except OSError:
            state = ["querier does not answer"]
        if state != before:
            print(f"{time.strftime('%H:%M:%S')} healthy endpoints: {', '.join(state) or 'none'}", flush=True)
            before = state
        time.sleep(1)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--check", action="store_true", help="unattended: ask, kill, ask again; exit code 1 if anything was wrong")
    args.add_argument("--bucket", nargs="?", const="directory", choices=["directory", "s3"], help="add a bucket and what works on it")
    args = args.parse_args()
    interrupt_on_term()
    report = Report()
    try:
        with Topology() as topology:
            if args.bucket:
                if why := bucket_demo.missing():
                    report.skip("demo with a bucket", why)
                    return 0
                with bucket_demo.Bucket(topology, args.bucket) as bucket:
                    if args.check:
                        start(topology, bucket)
                        bucket_demo.check(topology, report, bucket, check_matrix)
                    else:
                        follow(topology, bucket)
            elif args.check:
                check(topology, report)
            else:
                follow(topology)
    except bucket_demo.radosgw.Absent as why:
        print(f"There is no S3 server here: {why}. --bucket without =s3 takes a directory.")
        return 1
    except KeyboardInterrupt:
        print("\nstopped")
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
