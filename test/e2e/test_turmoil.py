#!/usr/bin/env python3
"""Queries of all kinds, some given up half-way, while endpoints are cut, stopped, killed and started again: an answer
without a warning is always the whole and right one, nothing crashes, and afterwards all is as before."""
import argparse
import json
import os
import random
import signal
import socket
import sys
import threading
import time
import urllib.parse

from cutting_proxy import CuttingProxy
from topology import Api, Report, Topology, fetch, interrupt_on_term, wait_for

START = 1_767_571_200  # a whole two hours
SERIES, SAMPLES, STEP = 1500, 40, 15


def lines():
    return [f'load_total{{n="{n}",job="j{n % 7}"}} {n + 10 * i} {START + i * STEP}' for n in range(SERIES) for i in range(SAMPLES)]


def expected_sum(time_s):
    i = min((time_s - START) // STEP, SAMPLES - 1)
    return float(sum(n + 10 * i for n in range(SERIES)))


class Asker(threading.Thread):
    """Asks until told to stop; keeps what was wrong."""

    def __init__(self, url, seed, stop):
        super().__init__(daemon=True)
        self.url, self.random, self.stop = url, random.Random(seed), stop
        self.wrong, self.whole, self.partial, self.failed, self.given_up = [], 0, 0, 0, 0

    def run(self):
        while not self.stop.is_set():
            try:
                self.ask()
            except Exception as error:  # noqa: BLE001: every trouble is a result
                self.wrong.append(f"{type(error).__name__}: {error}"[:300])
                time.sleep(0.2)

    def ask(self):
        at = START + self.random.randrange(SAMPLES) * STEP
        strict = self.random.choice(["true", "false"])
        kind = self.random.choice(["sum", "range", "series", "labels", "values", "raw", "leave"])
        if kind == "leave":
            return self.leave()
        path, form = {
            "sum": ("query", {"query": "sum(load_total)", "time": at}),
            "range": ("query_range", {"query": "sum by (job) (rate(load_total[1m]))", "start": START + 60, "end": START + 540, "step": 15}),
            "raw": ("query", {"query": "load_total", "time": at}),
            "series": ("series", {"match[]": "load_total", "start": START, "end": START + 600}),
            "labels": ("labels", {"start": START, "end": START + 600}),
            "values": ("label/n/values", {"start": START, "end": START + 600}),
        }[kind]
        form["partial_response"] = strict
        status, _, body = fetch(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(form)}", timeout=60)
        answer = json.loads(body)
        if status != 200:
            assert answer["status"] == "error" and answer["error"], answer
            self.failed += 1
            return
        if answer.get("warnings"):
            self.partial += 1
            return
        self.whole += 1
        data = answer["data"]
        if kind == "sum":
            value = float(data["result"][0]["value"][1]) if data["result"] else None
            assert value == expected_sum(at), f"sum {value} instead of {expected_sum(at)} without a warning"
        elif kind == "range":
            assert len(data["result"]) == 7, len(data["result"])
            for result in data["result"]:
                series = len(range(int(result["metric"]["job"][1:]), SERIES, 7))
                for _, value in result["values"]:
                    assert abs(float(value) / series - 10 / STEP) < 1e-9, (result["metric"], value, series)
        elif kind == "raw":
            assert len(data["result"]) == SERIES, len(data["result"])
        elif kind == "series":
            assert len(data) == SERIES, len(data)
        elif kind == "labels":
            assert {"__name__", "n", "job"} <= set(data), data
        elif kind == "values":
            assert len(data) == SERIES, len(data)

    def leave(self):
        """Goes away before or while the answer comes."""
        host, port = self.url.removeprefix("http://").rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            query = urllib.parse.urlencode({"query": "load_total", "start": START, "end": START + 600, "step": 1})
            connection.sendall(f"GET /api/v1/query_range?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            if self.random.random() < 0.5:
                connection.settimeout(0.3)
                try:
                    connection.recv(self.random.randrange(1, 100_000))
                except OSError:
                    pass
        self.given_up += 1


def disturb(rng, proms, sidecars, proxies, stop):
    """One thing after the other goes wrong and is put right."""
    while not stop.is_set():
        what = rng.choice(["cut", "drop", "hang", "kill", "kill prometheus"])
        if what == "cut":
            proxy = rng.choice(proxies)
            proxy.limit = rng.choice([0, 9, 500, 5_000, 50_000])
            time.sleep(rng.uniform(0.1, 1))
            proxy.limit = None
        elif what == "drop":
            rng.choice(proxies).drop()
        elif what == "hang":
            process = rng.choice(sidecars)
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(rng.uniform(0.1, 2.5))
            os.kill(process.pid, signal.SIGCONT)
        else:
            process = rng.choice(sidecars if what == "kill" else proms)
            process.kill()
            time.sleep(rng.uniform(0.1, 1))
            process.start()
        time.sleep(rng.uniform(0.2, 1.5))


def main():
    interrupt_on_term()
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--seconds", type=float, default=25)
    args.add_argument("--seed", type=int, default=1)
    args, _ = args.parse_known_args()
    report = Report()
    with Topology() as topology:
        old = ["--storage.tsdb.retention.time=100y"]
        proms = [topology.prometheus(f"prometheus-{r}", {"cluster": "eu", "replica": r}, {}, flags=old, blocks=lines()) for r in "ab"]
        sidecars = [topology.sidecar(f"sidecar-{r}", p) for r, p in zip("ab", proms)]
        proxies = [CuttingProxy(s.grpc) for s in sidecars]
        flags = ["--query.replica-label=replica", "--store.response-timeout=1s"]
        leaf = topology.gauntlet("query", "query", *(f"--endpoint={p.address}" for p in proxies), *flags)
        top = topology.gauntlet("query-top", "query", f"--endpoint={leaf.grpc}", "--deduplication.func=stitch", *flags)
        apis = [Api(leaf.url), Api(top.url)]

        def whole(api):
            answer = api.query("sum(load_total)", time=START + 300)
            return answer.get("data", {}).get("result") and not answer.get("warnings") and \
                float(answer["data"]["result"][0]["value"][1]) == expected_sum(START + 300)

        for api in apis:
            wait_for("the whole answer", lambda: whole(api))
        stop = threading.Event()
        askers = [Asker(url, args.seed * 100 + i, stop) for i, url in enumerate([leaf.url] * 3 + [top.url] * 3)]
        disturber = threading.Thread(target=disturb, args=(random.Random(args.seed), proms, sidecars, proxies, stop), daemon=True)
        for thread in [*askers, disturber]:
            thread.start()
        time.sleep(args.seconds)
        stop.set()
        for thread in [*askers, disturber]:
            thread.join(90)
        counts = {key: sum(getattr(a, key) for a in askers) for key in ("whole", "partial", "failed", "given_up")}
        print(f"# {counts}", flush=True)
        with report.case("an answer without a warning is whole and right"):
            wrong = [text for a in askers for text in a.wrong]
            assert not wrong, f"{len(wrong)}: {wrong[:3]}"
            assert counts["whole"] and counts["partial"] and counts["given_up"], counts  # replicas may save all that is strict
        with report.case("nothing crashed"):
            for process in (leaf, top):
                assert process.running(), f"{process.name} ended with {process.child.returncode}: {process.log_tail(3)}"
        with report.case("afterwards all is as before"):
            for api in apis:
                wait_for("the whole answer again", lambda: whole(api), 30)
        with report.case("what queries held is given back"):
            for process in (leaf, top):
                assert process.status_kb("VmRSS") < 400_000, f"{process.name}: {process.status_kb('VmRSS')} kB"
        with report.case("every component stops cleanly"):
            for process in (top, leaf, *sidecars):
                assert process.stop() == 0, f"{process.name} ended with {process.child.returncode}: {process.log_tail(5)}"
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
