#!/usr/bin/env python3
"""What goes wrong around the binary: endpoints that cut, garble or hang, requests that are too large, flags misspelt."""
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

from cutting_proxy import CuttingProxy
from topology import GAUNTLET, Api, Report, Topology, fetch, interrupt_on_term, wait_for

BLOCK_START = 1_767_571_200  # a whole two hours


def run(*arguments, seconds=30):
    """(exit code, what it said) of one run that is to end by itself."""
    done = subprocess.run([GAUNTLET, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
    return done.returncode, done.stdout


class GarbledPrometheus(http.server.BaseHTTPRequestHandler):
    """Says what a sidecar asks at its start; its remote read is whatever `body` is."""
    body = b""
    content_type = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
    protocol_version = "HTTP/1.1"

    def answer(self, body, content_type="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = urllib.parse.urlparse(self.path).path
        data = {"/api/v1/status/buildinfo": {"version": "2.42.0"},
                "/api/v1/status/config": {"yaml": "global:\n  external_labels:\n    replica: garbled\n"},
                "/api/v1/labels": ["__name__"]}.get(path)
        if path == "/metrics":
            self.answer(b"prometheus_tsdb_lowest_timestamp_seconds 1\n", "text/plain")
        elif data is not None:
            self.answer(json.dumps({"status": "success", "data": data}).encode())
        else:
            self.answer(b"{}")

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/api/v1/read"):
            self.answer(type(self).body, self.content_type)
        else:
            self.do_GET()

    def log_message(self, *_):
        pass


def check_flags(report):
    cases = {("query", "--query.replica-lable=a"): "--query.replica-label",
             ("query", "--endpont=a:1"): "--endpoint",
             ("sidecar", "--prometheus.ulr=http://x"): "--prometheus.url",
             ("sidecar", "--grpc-adress=:1"): "--grpc-address",
             ("qurey",): "query"}
    for arguments, meant in cases.items():
        with report.case(f"`{' '.join(arguments)}` ends with a suggestion"):
            code, text = run(*arguments)
            assert code != 0, text
            assert meant in text, text
    for arguments, reason in {("query", "--query.timeout=soon"): "query.timeout",
                              ("query", "--deduplication.func=magic"): "penalty",
                              ("query", "--endpoint=a:1", "--endpoint.sd-config=[]"): "cannot be used together",
                              ("query", "--query.partial-response=maybe"): "query.partial-response",
                              ("sidecar", "--prometheus.url=://"): "prometheus.url",
                              ("query", "--selector-label=nonsense"): "selector-label"}.items():
        with report.case(f"`{' '.join(arguments)}` ends with its reason"):
            code, text = run(*arguments)
            assert code != 0, text
            assert reason in text, text


def check_sidecar_start(report, topology):
    with report.case("a Prometheus without external labels ends the sidecar with a clear error"):
        bare = topology.prometheus("bare", {}, {})
        code, text = run("sidecar", f"--prometheus.url={bare.url}", "--http-address=127.0.0.1:0", "--grpc-address=127.0.0.1:0")
        assert code != 0, text
        assert "no external labels configured on Prometheus server" in text, text
    with report.case("an unreachable Prometheus ends the sidecar after its ready timeout"):
        code, text = run("sidecar", "--prometheus.url=http://127.0.0.1:1", "--prometheus.ready_timeout=2s",
                         "--http-address=127.0.0.1:0", "--grpc-address=127.0.0.1:0")
        assert code != 0, text
        assert "127.0.0.1:1" in text and ("refused" in text or "not ready" in text), text


def warnings(answer):
    return " ".join(answer.get("warnings", []) + [answer.get("error", "")])


def check_endpoints(report, topology, good, sidecar):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GarbledPrometheus)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    garbled_side = topology.gauntlet("sidecar-garbled", "sidecar", f"--prometheus.url=http://127.0.0.1:{server.server_address[1]}")
    cutting = CuttingProxy(sidecar.grpc)
    hanging = topology.sidecar("sidecar-hanging", good)

    def querier(name, *endpoints, flags=()):
        process = topology.gauntlet(name, "query", "--store.response-timeout=2s", "--query.replica-label=replica",
                                    *(f"--endpoint={e}" for e in endpoints), *flags)
        api = Api(process.url)
        wait_for(f"{name} knows its endpoints",
                 lambda: sum(len(group) for group in api.get("stores")["data"].values()) == len(endpoints))
        return api

    at = BLOCK_START + 500
    whole = querier("query-good", sidecar.grpc).query("many", time=at)
    assert len(whole["data"]["result"]) == 2000, len(whole["data"]["result"])

    with report.case("malformed frames of a Prometheus are a warning that names the endpoint, and an error under abort"):
        api = querier("query-garbled", sidecar.grpc, garbled_side.grpc)
        for body in (b"\x05\x00\x00\x00\x00garbage", b"\xff" * 100, b"\x10\x01\x02\x03\x04\x0a\x0e", b"GIF89a"):
            GarbledPrometheus.body = body
            answer = api.query("many", time=at)
            assert answer["http"] == 200 and len(answer["data"]["result"]) == 2000, (body, len(answer["data"]["result"]), answer.get("warnings"))
            assert garbled_side.grpc in warnings(answer), warnings(answer)
            answer = api.query("many", time=at, partial_response="false", dedup="false")
            assert answer["http"] == 422 and garbled_side.grpc in answer["error"], answer
            # With deduplication the two are replicas, and one answers.
            answer = api.query("many", time=at, partial_response="false")
            assert answer["http"] == 200 and len(answer["data"]["result"]) == 2000, (body, answer.get("error"))

    with report.case("a gRPC stream cut at any place is a warning that names the endpoint, never a wrong value"):
        api = querier("query-cut", cutting.address)
        expected = {r["metric"]["n"]: r["value"][1] for r in whole["data"]["result"]}
        seen_part = False
        for limit in (0, 1, 9, 30, 100, 1000, 5_000, 20_000, 60_000, 100_000):
            cutting.limit = None
            cutting.drop()
            wait_for("the whole answer", lambda: len(api.query("many", time=at)["data"]["result"]) == 2000, 20)
            # The connection that stands now, and those that follow it.
            cutting.limit = limit
            answer = api.query("many", time=at)
            assert answer["http"] == 200, answer
            assert cutting.address in warnings(answer), (limit, answer.get("warnings"))
            for result in answer["data"]["result"]:
                assert result["value"][1] == expected[result["metric"]["n"]], (limit, result)
            seen_part = seen_part or 0 < len(answer["data"]["result"]) < 2000
            answer = api.query("many", time=at, partial_response="false")
            assert answer["http"] == 422 and cutting.address in answer["error"], (limit, answer)
        assert seen_part, "no cut fell into the series"
        cutting.limit = None
        cutting.drop()
        answer = wait_for("the whole answer again",
                          lambda: (a := api.query("many", time=at)).get("data") and len(a["data"]["result"]) == 2000 and
                          not a.get("warnings") and a, 20)
        assert {r["metric"]["n"]: r["value"][1] for r in answer["data"]["result"]} == expected

    with report.case("an endpoint that hangs costs its time-out, and is named"):
        api = querier("query-hanging", sidecar.grpc, hanging.grpc)
        alone = querier("query-hanging-alone", hanging.grpc)
        os.kill(hanging.pid, signal.SIGSTOP)
        try:
            start = time.monotonic()
            answer = api.query("many", time=at)
            took = time.monotonic() - start
            assert answer["http"] == 200 and len(answer["data"]["result"]) == 2000, answer["http"]
            assert hanging.grpc in warnings(answer), warnings(answer)
            assert took < 15, took
            for path in ("labels", "label/n/values"):
                start = time.monotonic()
                answer = api.get(path)
                assert answer["http"] == 200 and len(answer["data"]) >= 2, answer
                assert hanging.grpc in warnings(answer), (path, warnings(answer))
                assert time.monotonic() - start < 8, (path, time.monotonic() - start)
            answer = alone.query("many", time=at, partial_response="false")
            assert answer["http"] in (422, 503) and hanging.grpc in answer["error"], answer
            # The other endpoint has the same: nothing is missing.
            for _ in range(3):  # while the last Info call was well, and after it was not
                answer = api.query("many", time=at, partial_response="false")
                assert answer["http"] == 200 and len(answer["data"]["result"]) == 2000, answer
                answer = api.get("label/n/values", partial_response="false")
                assert answer["http"] == 200 and len(answer["data"]) == 2000, answer
                time.sleep(3)
        finally:
            os.kill(hanging.pid, signal.SIGCONT)

    server.shutdown()
    cutting.listener.close()


def check_large(report, topology, good, sidecar):
    query = topology.gauntlet("query-large", "query", f"--endpoint={sidecar.grpc}")
    api = Api(query.url)
    wait_for("data", lambda: api.query("count(wide)", time=BLOCK_START + 500)["data"]["result"])

    with report.case("50,000 label values come whole, through every call"):
        times = {"start": BLOCK_START, "end": BLOCK_START + 3600}
        answer = api.get("label/w/values", **times)
        assert answer["http"] == 200 and not answer.get("warnings"), answer.get("warnings")
        assert answer["data"] == [f"value-{i:06d}" for i in range(50_000)]
        answer = api.get("label/w/values", **times, **{"match[]": "wide"})
        assert len(answer["data"]) == 50_000
        answer = api.get("series", **times, **{"match[]": "wide"})
        assert len(answer["data"]) == 50_000
        answer = api.get("label/w/values", **times, limit=10)
        assert len(answer["data"]) == 10 and answer["warnings"] == ["results truncated due to limit"], answer
        answer = api.query("wide", time=BLOCK_START + 500)
        assert len(answer["data"]["result"]) == 50_000

    with report.case("a request with 50,000 match[] is answered in bounded time and memory"):
        before = query.status_kb("VmHWM")
        form = [("start", BLOCK_START), ("end", BLOCK_START + 3600)]
        for path, alike, other, expected in (
                ("labels", 'wide{w="value-%06d"}', "many", 4),
                ("series", 'wide{w="value-%06d"}', None, 50_000)):
            matches = [("match[]", alike % i) for i in range(50_000)] + ([("match[]", other)] if other else [])
            start = time.monotonic()
            status, _, body = fetch(f"{query.url}/api/v1/{path}", urllib.parse.urlencode(form + matches).encode(),
                                    {"Content-Type": "application/x-www-form-urlencoded"}, timeout=120)
            took = time.monotonic() - start
            answer = json.loads(body)
            assert status == 200, (path, status, body[:300])
            assert len(answer["data"]) == expected, (path, len(answer["data"]), answer["data"][:10])
            assert took < 60, (path, took)
        grown = query.status_kb("VmHWM") - before
        assert grown < 300_000, f"{grown} kB more"
    with report.case("50,000 match[] that have nothing in common are refused with the limit"):
        matches = [("match[]", f'{{a{i}=~"x{i}.+"}}') for i in range(50_000)]
        status, _, body = fetch(f"{query.url}/api/v1/series", urllib.parse.urlencode(form + matches).encode(),
                                {"Content-Type": "application/x-www-form-urlencoded"}, timeout=120)
        assert status == 400 and "match[]" in json.loads(body)["error"] and "50000" in json.loads(body)["error"], body[:300]

    with report.case("a query string of 100 MB is refused without being held"):
        before = query.status_kb("VmHWM")
        host, port = query.http.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(b"GET /api/v1/query?query=")
            chunk, sent = b"a" * 65536, 0
            try:
                while sent < 100_000_000:
                    connection.sendall(chunk)
                    sent += len(chunk)
                connection.sendall(b" HTTP/1.1\r\nHost: x\r\n\r\n")
            except OSError:
                pass  # it does not wait for the end
            try:
                answer = connection.recv(4096)
            except OSError:
                answer = b""
        assert sent < 100_000_000 or b"431" in answer.split(b"\r\n")[0] or b"414" in answer.split(b"\r\n")[0], (sent, answer[:200])
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            # As much as fits, so that the answer can be read.
            connection.sendall(b"GET /api/v1/query?query=" + b"a" * 2_000_000)
            try:
                answer = connection.recv(4096)
            except OSError:
                answer = b""
        assert answer.split(b"\r\n")[0].split(b" ")[1:2] in ([b"431"], [b"414"]), answer[:200]
        grown = query.status_kb("VmHWM") - before
        assert grown < 50_000, f"{grown} kB more"
        assert api.query("1")["status"] == "success"
    with report.case("a form of 100 MB is refused without being held"):
        before = query.status_kb("VmHWM")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(b"POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                               b"Content-Length: 100000000\r\n\r\nquery=")
            answer = connection.recv(4096)
        assert answer.split(b"\r\n")[0].split(b" ")[1] == b"413", answer[:200]
        assert query.status_kb("VmHWM") - before < 50_000
    with report.case("a deep and a long expression are errors, not crashes"):
        for expression in ("(" * 100_000 + "1" + ")" * 100_000, "-" * 1_000_000 + "1", "1" + "+1" * 200_000, "{" * 1000, 'up{a="' + "x" * 3_000_000):
            status, _, body = fetch(f"{query.url}/api/v1/query", {"query": expression}, timeout=60)
            assert status in (200, 400, 422), (expression[:20], status)
            json.loads(body)
        assert query.running()

    with report.case("a Prometheus that is gone is a warning that names its sidecar, and an error under abort"):
        good.kill()
        answer = api.query("many", time=BLOCK_START + 500)
        assert answer["http"] == 200 and sidecar.grpc in warnings(answer), answer
        answer = api.query("many", time=BLOCK_START + 500, partial_response="false")
        assert answer["http"] == 422 and sidecar.grpc in answer["error"], answer


def main():
    interrupt_on_term()
    report = Report()
    check_flags(report)
    with Topology() as topology:
        check_sidecar_start(report, topology)
        lines = [f'many{{n="{i}"}} {i} {BLOCK_START + 300}' for i in range(2000)]
        lines.append(f'early 1 {BLOCK_START}')  # from here on it has data
        lines += [f'wide{{w="value-{i:06d}"}} {i} {BLOCK_START + 300}' for i in range(50_000)]
        good = topology.prometheus("good", {"replica": "a"}, {}, flags=["--storage.tsdb.retention.time=100y"], blocks=lines)
        sidecar = topology.sidecar("sidecar", good)
        check_endpoints(report, topology, good, sidecar)
        check_large(report, topology, good, sidecar)
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
