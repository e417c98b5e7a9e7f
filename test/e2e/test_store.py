#!/usr/bin/env python3
"""Blocks of a real Prometheus in a bucket, served by two store gateways when the Prometheus is gone: a directory, and a real S3 server."""
import json
import shutil
import sys
import time

from bucket_blocks import local_blocks
from s3_bucket import S3, radosgw
from topology import Api, Report, Topology, directory_config, free_port, interrupt_on_term, metrics, wait_for

HOUR = 3600
QUERIES = ["travelled_total", "sum by (seat) (rate(travelled_total[10m]))", "count(travelled_total)",
           'max_over_time(travelled_total{seat="a"}[1h])', "travelled_total offset 1h", 'travelled_total{seat!~"a|b"}',
           "histogram_quantile(0.5, sum by (le) (increase(leg_bucket[30m])))"]


def openmetrics(start, hours):
    lines = ["# TYPE travelled counter"]
    for seat in "abcd":
        lines += [f'travelled_total{{seat="{seat}"}} {i * (1 + ord(seat) % 3) % 500} {start + i * 60}' for i in range(hours * 60)]
    lines.append("# TYPE leg histogram")
    for le, share in (("0.1", 1), ("1", 3), ("+Inf", 4)):
        lines += [f'leg_bucket{{le="{le}"}} {i * share} {start + i * 60}' for i in range(hours * 60)]
    return lines


def without_replica(result):
    out = {}
    for series in result:
        labels = {k: v for k, v in series["metric"].items() if k not in ("cluster", "replica")}
        out[json.dumps(labels, sort_keys=True)] = series["values"]
    return out


def ask(url, query, start, end):
    answer = Api(url).query_range(query, start, end, 60)
    assert answer["status"] == "success", answer
    return answer


def cases(report, topology, now, kind, config, env, listing):
    start = now - 14 * HOUR
    prometheus = topology.prometheus(f"prometheus-{kind}", {"cluster": "eu", "replica": "a"}, {}, blocks=openmetrics(start, 8))
    expected = {q: without_replica(ask(prometheus.url, q, start + HOUR + 1, start + 8 * HOUR + 1)["data"]["result"]) for q in QUERIES}
    blocks = local_blocks(prometheus.data)
    sidecar = topology.sidecar(f"sidecar-{kind}", prometheus, config, env=env)
    wait_for("all uploads", lambda: float(metrics(sidecar)["thanos_shipper_uploads_total"]) == len(blocks), 30)
    sidecar.stop(30)
    prometheus.stop(30)

    stores = [topology.gauntlet(f"store-{kind}-{i}", "store", f"--data-dir={topology.folder}/store-{kind}-{i}", config,
                                f"--block-discovery-strategy={listing}", env=env) for i in range(2)]
    query = topology.gauntlet(f"query-{kind}", "query", *[f"--endpoint={s.grpc}" for s in stores], "--query.replica-label=replica")
    wait_for("both stores", lambda: sum(len(v) for v in Api(query.url).get("stores")["data"].values()) == 2)
    with report.case(f"{kind}: history is answered from the bucket as Prometheus answered it"):
        for q in QUERIES:
            answer = ask(query.url, q, start + HOUR + 1, start + 8 * HOUR + 1)
            assert without_replica(answer["data"]["result"]) == expected[q], (q, answer)
            assert not answer.get("warnings"), answer
    with report.case(f"{kind}: labels come from the bucket"):
        assert Api(query.url).get("label/seat/values")["data"] == list("abcd")
        assert "cluster" in Api(query.url).get("labels")["data"]
    with report.case(f"{kind}: index headers came ready-made, no index was read for them"):
        told = metrics(stores[0])
        assert float(told['gauntlet_store_index_headers_total{source="object"}']) == len(blocks), told
        assert float(told['gauntlet_store_index_headers_total{source="index"}']) == 0, told
    with report.case(f"{kind}: one store killed, the other answers all of it, and the warning names the dead one"):
        stores[0].kill()
        answer = ask(query.url, QUERIES[1], start + HOUR + 1, start + 8 * HOUR + 1)
        assert without_replica(answer["data"]["result"]) == expected[QUERIES[1]], answer
        assert any(stores[0].grpc in w for w in answer.get("warnings", [])), answer
    with report.case(f"{kind}: a store that starts again with its data directory is ready at once"):
        begun = time.monotonic()
        again = topology.gauntlet(f"store-{kind}-again", "store", f"--data-dir={topology.folder}/store-{kind}-0", config, env=env)
        print(f"# {kind}: ready after {time.monotonic() - begun:.2f} s")
        assert float(metrics(again)["thanos_bucket_store_blocks_loaded"]) == len(blocks)
    return blocks


def caches(report, topology, now, config):
    """The same answers through caches that are servers, cold and warm, and when these are killed."""
    name = "answers through memcached and redis, warm, and when both are killed"
    if not shutil.which("memcached") or not shutil.which("redis-server"):
        report.skip(name, "memcached or redis-server is not installed (./dev setup)")
        return
    start, port, redis_port = now - 14 * HOUR, free_port(), free_port()
    servers = [topology.start("memcached", ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", str(port), "-U", "0"]),
               topology.start("redis", ["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--save", ""])]
    plain = topology.gauntlet("store-plain", "store", f"--data-dir={topology.folder}/store-plain", config)
    index = f"--index-cache.config={{type: MEMCACHED, config: {{addresses: ['127.0.0.1:{port}']}}}}"
    bucket = f"--store.caching-bucket.config={{type: REDIS, config: {{addr: '127.0.0.1:{redis_port}'}}}}"
    cached = topology.gauntlet("store-cached", "store", f"--data-dir={topology.folder}/store-cached", config, index, bucket)
    urls = []
    for store in (plain, cached):
        query = topology.gauntlet(f"query-{store.name}", "query", f"--endpoint={store.grpc}", "--query.replica-label=replica")
        wait_for("the store", lambda: Api(query.url).get("stores")["data"])
        urls.append(query.url)

    def compare(when):
        for q in QUERIES:
            expected, got = (without_replica(ask(url, q, start + HOUR + 1, start + 8 * HOUR + 1)["data"]["result"]) for url in urls)
            assert got == expected and expected, (when, q)

    with report.case(name):
        compare("cold")
        wait_for("what was put to be there", lambda: (compare("warm"), float(metrics(cached).get(
            'thanos_store_index_cache_hits_total{item_type="ExpandedPostings",tenant="default-tenant"}', 0)) > 0)[1])
        wait_for("chunks from the cache", lambda: (compare("warm"), float(metrics(cached).get(
            'thanos_cache_redis_hits_total{name="caching-bucket"}', 0)) > 0)[1])
        for server in servers:
            server.kill()
        begun = time.monotonic()
        for _ in range(3):
            compare("dead")
        print(f"# with dead caches: {(time.monotonic() - begun) / 3 / len(QUERIES):.3f} s for a query")
    for process in (plain, cached):
        process.stop()


def main():
    interrupt_on_term()
    report = Report()
    now = int(time.time()) // (2 * HOUR) * 2 * HOUR
    with Topology() as topology:
        bucket = topology.folder / "bucket"
        config = directory_config(bucket)
        blocks = cases(report, topology, now, "directory", config, None, "concurrent")
        caches(report, topology, now, config)
        with report.case("a block that is damaged costs a warning, not the answer"):
            victim = sorted(blocks)[0]
            for segment in (bucket / victim / "chunks").iterdir():
                damaged = bytearray(segment.read_bytes())
                damaged[20:] = bytes(len(damaged) - 20)
                segment.write_bytes(damaged)
            store = topology.gauntlet("store-damaged", "store", f"--data-dir={topology.folder}/store-damaged", config)
            query = topology.gauntlet("query-damaged", "query", f"--endpoint={store.grpc}")
            wait_for("the store", lambda: Api(query.url).get("stores")["data"])
            start = now - 14 * HOUR
            answer = ask(query.url, "travelled_total", start + HOUR + 1, start + 8 * HOUR + 1)
            assert any(victim in w for w in answer.get("warnings", [])), answer.get("warnings")
            assert answer["data"]["result"], answer
        try:
            server = radosgw.Radosgw()
        except radosgw.Absent as why:
            report.skip("history is answered from S3", str(why))
            return 1 if report.failures else 0
        try:
            file = topology.folder / "objstore.yml"
            file.write_text(S3(server.port, "blocks").make().config("eu"))
            cases(report, topology, now, "S3", f"--objstore.config-file={file}", None, "recursive")
        finally:
            server.stop()
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
