#!/usr/bin/env python3
"""A gateway whose S3 is slow, resets connections, is busy, cuts bodies or says nothing: an answer without a warning is the whole and
right one, and every answer comes in time."""
import json
import sys
import threading
import time
import urllib.parse

from bucket_blocks import HOUR, put_block, real_blocks
from faulty_s3 import FaultyS3
from s3_bucket import S3, radosgw
from topology import Api, Report, Topology, directory_config, fetch, interrupt_on_term, wait_for

BEGIN, SERIES, BLOCKS = 1767571200, 300, 3
END = BEGIN + 2 * HOUR * BLOCKS
QUESTIONS = [("query_range", {"query": "sum by (job) (rate(load_total[10m]))", "start": BEGIN + 600, "end": END - 60, "step": 300}),
             ("query_range", {"query": 'load_total{n=~"1.*"}', "start": BEGIN + 600, "end": END - 60, "step": 900}),
             ("query", {"query": "count(load_total)", "time": BEGIN + 3 * HOUR}),
             ("label/n/values", {"start": BEGIN, "end": END}),
             ("series", {"match[]": 'load_total{job="j3"}', "start": BEGIN, "end": END})]


def lines():
    return ["# TYPE load counter"] + [f'load_total{{n="{n}",job="j{n % 7}"}} {(n + 3) * i} {BEGIN + 60 * i}'
                                      for n in range(SERIES) for i in range(120 * BLOCKS)]


def ask(url, question, seconds, partial=True):
    path, form = question
    form = {**form, "partial_response": str(partial).lower(), "timeout": f"{seconds}s"}
    begun = time.monotonic()
    status, _, body = fetch(f"{url}/api/v1/{path}?{urllib.parse.urlencode(form)}", timeout=seconds + 30)
    return status, json.loads(body), time.monotonic() - begun


class Asker(threading.Thread):
    def __init__(self, url, expected, stop, seconds, first):
        super().__init__(daemon=True)
        self.url, self.expected, self.stop, self.seconds, self.first = url, expected, stop, seconds, first
        self.whole = self.warned = self.refused = 0
        self.slowest, self.wrong = 0, []

    def run(self):
        i = self.first
        while not self.stop.is_set():
            i += 1
            try:
                status, answer, took = ask(self.url, QUESTIONS[i % len(QUESTIONS)], self.seconds, i % 3 != 0)
            except Exception as error:  # noqa: BLE001: every trouble is a result
                self.wrong.append(f"{type(error).__name__} {error}")
                continue
            self.slowest = max(self.slowest, took)
            if status != 200:
                self.refused += 1
                if not answer.get("error"):
                    self.wrong.append(f"an error without words: {answer}")
            elif answer.get("warnings"):
                self.warned += 1
                if i % 3 == 0:
                    self.wrong.append(f"partial though it was not to be: {answer['warnings']}")
            elif answer["data"] != self.expected[i % len(QUESTIONS)]:
                self.wrong.append(f"another answer without a warning: {QUESTIONS[i % len(QUESTIONS)]}")
            else:
                self.whole += 1


def turn(url, expected, seconds, run_for):
    stop = threading.Event()
    askers = [Asker(url, expected, stop, seconds, i) for i in range(4)]
    for asker in askers:
        asker.start()
    time.sleep(run_for)
    stop.set()
    for asker in askers:
        asker.join(seconds + 40)
        assert not asker.is_alive(), "a query hangs"
    wrong = [w for a in askers for w in a.wrong]
    assert not wrong, (len(wrong), wrong[:3])
    return tuple(sum(getattr(a, f) for a in askers) for f in ("whole", "warned", "refused")) + (max(a.slowest for a in askers),)


def main():
    interrupt_on_term()
    report = Report()
    try:
        server = radosgw.Radosgw()
    except radosgw.Absent as why:
        report.skip("a gateway over a faulty S3", str(why))
        return 0
    proxy = FaultyS3(server.port, 5)
    try:
        with Topology() as topology:
            local = topology.folder / "local"
            local.mkdir()
            for block in real_blocks(topology.folder / "blocks", lines()):
                put_block(local, block, {"cluster": "eu"})
            bucket = S3(server.port, "faulty").make()
            for path in sorted(p for p in local.rglob("*") if p.is_file()):
                bucket.put(str(path.relative_to(local)), path.read_bytes())
            config = topology.folder / "faulty.yml"
            config.write_text(S3(proxy.port, "faulty").config())

            def pair(name, *flags):
                store = topology.gauntlet(f"store-{name}", "store", f"--data-dir={topology.folder}/data-{name}", *flags, seconds=120)
                query = topology.gauntlet(f"query-{name}", "query", f"--endpoint={store.grpc}")
                wait_for("the store", lambda: Api(query.url).get("stores")["data"])
                return store, query

            _, plain = pair("plain", directory_config(local))
            expected = []
            for question in QUESTIONS:
                status, answer, _ = ask(plain.url, question, 60)
                assert status == 200 and answer["data"] and not answer.get("warnings"), answer
                expected.append(answer["data"])
            # Nothing is kept: every answer reads the bucket, index headers included.
            flags = [f"--objstore.config-file={config}", "--index-cache-size=1KB", "--no-cache-index-header", "--sync-block-duration=1s",
                     "--store.index-header-lazy-reader-idle-timeout=1ms"]
            proxy.turn("storm")
            store, query = pair("faulty", *flags)
            hurried = topology.gauntlet("query-hurried", "query", f"--endpoint={store.grpc}", "--query.timeout=8s")
            wait_for("the store", lambda: Api(hurried.url).get("stores")["data"])
            with report.case("a gateway gets ready in a storm of 503"):
                assert proxy.faults > 0
            for mode, run_for, seconds in (("pass", 1, 60), ("latency", 3, 60), ("reset", 4, 60), ("cut", 4, 60), ("storm", 5, 60), ("busy", 1, 8), ("silent", 1, 8)):
                with report.case(f"{mode}: whole or warned, and in time"):
                    before = proxy.faults
                    proxy.turn(mode)
                    whole, warned, refused, slowest = turn((query if seconds > 8 else hurried).url, expected, seconds, run_for)
                    print(f"# {mode}: {whole} whole, {warned} with a warning, {refused} refused, {proxy.faults - before} faults, the slowest {slowest:.1f} s")
                    assert (proxy.faults > before) == (mode != "pass")
                    assert slowest < seconds + 5
                    if mode in ("pass", "latency"):
                        assert whole > 0 and not warned and not refused
                    if mode in ("reset", "cut", "storm"):
                        assert whole > 0
                    if mode in ("busy", "silent"):
                        assert not whole and warned + refused > 0
            with report.case("afterwards all is whole again"):
                proxy.turn("pass")
                whole, warned, refused, _ = turn(query.url, expected, 60, 1)
                assert whole and not warned and not refused
                assert store.running() and query.running()
    finally:
        proxy.stop()
        server.stop()
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
