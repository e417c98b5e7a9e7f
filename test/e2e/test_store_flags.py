#!/usr/bin/env python3
"""Flags of `gauntlet store`, each by what it changes: over blocks that reach back a month from now."""
import json
import os
import shutil
import sys
import time

from bucket_blocks import HOUR, put_block, real_blocks
from topology import Api, Report, Topology, directory_config, fetch, free_port, interrupt_on_term, metric_sum, metrics, wait_for

DAY = 24 * HOUR


class Bench:
    """A bucket with blocks of two hours, by how many days ago they began; some of two clusters, one downsampled in name only."""

    def __init__(self, topology, now):
        self.topology, self.now, self.number = topology, now, 0
        self.bucket = topology.folder / "bucket"
        self.bucket.mkdir()
        self.config, self.ids = directory_config(self.bucket), {}
        for days in (1, 3, 10, 30):
            begin = now - days * DAY
            lines = ["# TYPE walked counter"] + [f'walked_total{{leg="{n}",day="{days}"}} {n * i} {begin + 60 * i}' for n in range(50) for i in range(100)]
            block = real_blocks(topology.folder / f"blocks-{days}", lines)[0]
            for cluster in ("eu", "us"):
                self.ids[(days, cluster)] = put_block(self.bucket, block, {"cluster": cluster})

    def pair(self, *flags, data=None):
        self.number += 1
        data = data or f"{self.topology.folder}/data-{self.number}"
        store = self.topology.gauntlet(f"store-{self.number}", "store", f"--data-dir={data}", self.config, *flags)
        query = self.topology.gauntlet(f"query-{self.number}", "query", f"--endpoint={store.grpc}", "--query.timeout=20s")
        wait_for("the store", lambda: Api(query.url).get("stores")["data"])
        store.data = data
        return store, Api(query.url)

    def days(self, api):
        """{cluster: days that it answers of}"""
        answer = api.query('count by (cluster, day) (last_over_time(walked_total[40d]))', time=self.now)
        assert answer["status"] == "success" and not answer.get("warnings"), answer
        found = {}
        for series in answer["data"]["result"]:
            assert series["value"][1] == "50", series
            found.setdefault(series["metric"]["cluster"], set()).add(int(series["metric"]["day"]))
        return found

    def sum_of(self, api, days):
        return api.query(f'sum(walked_total{{day="{days}"}})', time=self.now - days * DAY + 50 * 60)


def which_blocks(report, bench):
    everything = {1, 3, 10, 30}
    with report.case("without flags everything is served"):
        store, api = bench.pair()
        assert bench.days(api) == {"eu": everything, "us": everything}, bench.days(api)
    with report.case("--min-time and --max-time cut, also relative to now, and Info tells it"):
        store, api = bench.pair("--min-time=-2w", "--max-time=-2d")
        assert bench.days(api) == {"eu": {3, 10}, "us": {3, 10}}, bench.days(api)
        told = Api(api.url).get("stores")["data"]["store"][0]
        assert abs(told["minTime"] / 1000 - (bench.now - 10 * DAY)) < 2 * HOUR and told["maxTime"] / 1000 < bench.now - 2 * DAY, told
    with report.case("--selector.relabel-config shards, by labels and by __block_id; all dropped is empty, not an error"):
        _, api = bench.pair("--selector.relabel-config=- action: keep\n  source_labels: [cluster]\n  regex: us\n")
        assert bench.days(api) == {"us": everything}
        seen = []
        for shard in range(2):
            store, api = bench.pair(f"--selector.relabel-config=- action: hashmod\n  source_labels: [__block_id]\n  target_label: shard\n  modulus: 2\n"
                                    f"- action: keep\n  source_labels: [shard]\n  regex: {shard}\n")
            seen += [(c, d) for c, days in bench.days(api).items() for d in days]
        assert sorted(seen) == sorted((c, d) for c in ("eu", "us") for d in everything), seen
        _, api = bench.pair("--selector.relabel-config=- action: drop\n  source_labels: [cluster]\n  regex: .*\n")
        assert bench.days(api) == {} and api.get("labels")["data"] == []
    with report.case("--ignore-deletion-marks-delay hides what was marked long enough ago"):
        mark = bench.bucket / bench.ids[(3, "us")] / "deletion-mark.json"
        mark.write_text(json.dumps({"id": bench.ids[(3, "us")], "version": 1, "deletion_time": int(time.time()) - 7200}))
        assert bench.days(bench.pair("--ignore-deletion-marks-delay=1h")[1])["us"] == everything - {3}
        assert bench.days(bench.pair("--ignore-deletion-marks-delay=3h")[1])["us"] == everything
        mark.unlink()
    with report.case("--consistency-delay hides what is too fresh"):
        assert bench.days(bench.pair("--consistency-delay=5d")[1]) == {"eu": {10, 30}, "us": {10, 30}}
    with report.case("--objstore-parquet.config leaves converted days to another gateway"):
        parquet = bench.topology.folder / "parquet"
        (parquet / "day").mkdir(parents=True)
        whole_days(bench)
        sources = [bench.ids[(10, "eu")]]
        (parquet / "day" / "meta.pb").write_bytes(b"".join(b"\x32\x1a" + s.encode() for s in sources))
        store, api = bench.pair(directory_config(parquet, "--objstore-parquet.config"))
        assert bench.days(api) == {"eu": {1, 3, 30}, "us": everything}, bench.days(api)
        assert metrics(store)['thanos_blocks_meta_synced{state="loaded"}'] == "7"
    with report.case("--sync-block-duration finds new blocks and lets gone ones go"):
        store, api = bench.pair("--sync-block-duration=300ms", "--block-discovery-strategy=recursive")
        aside = bench.topology.folder / "aside"
        shutil.move(bench.bucket / bench.ids[(30, "us")], aside)
        wait_for("it to be let go", lambda: metrics(store)["thanos_bucket_store_blocks_loaded"] == "7")
        assert bench.days(api)["us"] == {1, 3, 10}
        shutil.move(aside, bench.bucket / bench.ids[(30, "us")])
        wait_for("it to be found", lambda: metrics(store)["thanos_bucket_store_blocks_loaded"] == "8")
        assert bench.days(api)["us"] == everything


def whole_days(bench):
    """The block of ten days ago says that it covers all of its day."""
    path = bench.bucket / bench.ids[(10, "eu")] / "meta.json"
    meta = json.loads(path.read_text())
    day = (bench.now - 10 * DAY) // DAY * DAY * 1000
    meta["minTime"], meta["maxTime"] = day, day + DAY * 1000
    path.write_text(json.dumps(meta))


def what_is_kept(report, bench):
    with report.case("--no-cache-index-header keeps nothing on disk, and lets idle headers go"):
        store, api = bench.pair("--no-cache-index-header", "--store.index-header-lazy-reader-idle-timeout=1s")
        assert len(bench.days(api)) == 2 and not os.path.exists(store.data), os.listdir(store.data)
        assert metric_sum(store, "thanos_bucket_store_indexheader_lazy_load_total") == 8, metric_sum(store, "thanos_bucket_store_indexheader_lazy_load_total")
    with report.case("--store.index-header-lazy-download-strategy: eager makes headers after the sync, lazy when they are needed"):
        eager, _ = bench.pair()
        lazy, api = bench.pair("--store.index-header-lazy-download-strategy=lazy")
        headers = lambda store: sum(os.path.exists(f"{store.data}/{i}/index-header") for i in bench.ids.values())  # noqa: E731
        wait_for("the headers", lambda: headers(eager) == 8)
        assert headers(lazy) == 0
        assert bench.sum_of(api, 3)["data"]["result"]
        assert headers(lazy) == 2, headers(lazy)
    with report.case("a data directory that cannot be written to costs memory alone"):
        data = bench.topology.folder / "closed"
        data.mkdir()
        for block in bench.ids.values():
            (data / block).write_text("where a directory would be")
        store, api = bench.pair("--store.index-header-lazy-download-strategy=lazy", data=data)
        assert bench.days(api) == {"eu": {1, 3, 10, 30}, "us": {1, 3, 10, 30}}
        assert metric_sum(store, "gauntlet_store_index_header_disk_failures_total") == 8
    with report.case("--index-cache-size and --index-cache.config IN-MEMORY answer from memory"):
        for flag in ("--index-cache-size=20MB", "--index-cache.config={type: IN-MEMORY, config: {max_size: 20MB, max_item_size: 1MB}, enabled_items: [Series]}"):
            store, api = bench.pair(flag)
            for _ in range(2):
                assert bench.sum_of(api, 3)["data"]["result"]
            hits = {kind: metric_sum(store, rf'thanos_store_index_cache_hits_total\{{item_type="{kind}".*\}}') for kind in ("Series", "ExpandedPostings")}
            assert (hits["ExpandedPostings"] > 0) == ("enabled_items" not in flag), (flag, hits)
    with report.case("--matcher-cache-size and --store.enable-lazy-expanded-postings change no answer, and are counted"):
        store, api = bench.pair("--matcher-cache-size=10", "--store.enable-lazy-expanded-postings", "--store.posting-group-max-key-series-ratio=1")
        for _ in range(2):
            assert bench.sum_of(api, 3)["data"]["result"][0]["value"][1] == str(2 * 50 * sum(range(50)))
            assert api.query('count(walked_total{leg=~".+",day="3",cluster=~"e.|u."})', time=bench.now - 3 * DAY + 60)["data"]["result"][0]["value"][1] == "100"
        assert metric_sum(store, "thanos_matchers_cache_hits_total") > 0, metrics(store)


def limits(report, bench):
    def refused(words, *flags, query='sum(rate(walked_total[1h]))'):
        _, api = bench.pair(*flags)
        answer = api.query(query, time=bench.now - 3 * DAY + HOUR, partial_response="false")
        assert answer["status"] == "error" and words in answer["error"], answer
        assert bench.pair(*[f.split("=")[0] + "=100000000" for f in flags])[1].query(query, time=bench.now - 3 * DAY + HOUR)["status"] == "success"
    with report.case("limits of a call refuse it in words, and larger ones do not"):
        refused("exceeded series limit", "--store.limits.request-series=10")
        refused("exceeded samples limit", "--store.limits.request-samples=10")
        refused("exceeded series limit", "--store.grpc.touched-series-limit=10")
        refused("exceeded bytes limit", "--store.grpc.downloaded-bytes-limit=100")
    with report.case("--web.disable: no page; --web.external-prefix: links; --disable-admin-operations: no marks"):
        store, _ = bench.pair("--web.disable")
        assert fetch(store.url + "/loaded")[0] == 404 and fetch(store.url + "/metrics")[0] == 200
        store, _ = bench.pair("--disable-admin-operations")
        status, _, _ = fetch(f"{store.url}/api/v1/blocks/mark", data={"id": bench.ids[(3, "eu")], "action": "DELETION", "detail": "x"})
        assert status >= 400 and not (bench.bucket / bench.ids[(3, "eu")] / "deletion-mark.json").exists(), status


def redis(report, bench):
    name = "redis: cache_size keeps what came in the process, and answers go on when the server goes"
    if not shutil.which("redis-server"):
        report.skip(name, "redis-server is not installed (./dev setup)")
        return
    port = free_port()
    server = bench.topology.start("redis", ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""])
    settings = f"{{type: REDIS, config: {{addr: '127.0.0.1:{port}', cache_size: 10MB}}}}"
    store, api = bench.pair(f"--index-cache.config={settings}")
    with report.case(name):
        postings = r'thanos_store_index_cache_hits_total\{item_type="ExpandedPostings".*\}'
        wait_for("hits", lambda: bench.sum_of(api, 3)["status"] == "success" and metric_sum(store, postings) > 2)
        server.kill()
        before, expected = metric_sum(store, postings), bench.sum_of(api, 3)["data"]
        assert bench.sum_of(api, 3)["data"] == expected and expected["result"]
        assert metric_sum(store, postings) > before, "what is near does not need the server"


def main():
    interrupt_on_term()
    report = Report()
    now = int(time.time()) // DAY * DAY
    with Topology() as topology:
        bench = Bench(topology, now)
        for part in (which_blocks, what_is_kept, limits, redis):
            part(report, bench)
            for process in topology.processes:
                process.stop()
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
