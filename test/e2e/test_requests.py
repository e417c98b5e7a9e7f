#!/usr/bin/env python3
"""Requests as clients really send them: the same ones to a Prometheus and to a querier in front of it have the same answers, over labels
that are strange; and a querier with few file descriptors bears a thousand idle connections."""
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

from topology import GAUNTLET, Api, Report, Topology, fetch, free_port, interrupt_on_term, wait_for

LONG = "x" * 65536
STRANGE = ['ünïcødé ☃ 日本', '', LONG, 'a\\"b\\\\c\\nd', '😀', '\t tab', 'control\x01\x7f', '\u2028', '<script>&']


class Exposition(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = "# TYPE strange gauge\n" + "".join(f'strange{{l="{value}"}} {i}\n' for i, value in enumerate(STRANGE))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def cases(now):
    """(name, path, parameters, method, more of fetch)"""
    span = [("start", now - 30), ("end", now)]
    rfc = lambda t: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}

    def one(name, path, parameters=(), method="GET", **more):
        return name, path, list(parameters), method, more
    query = lambda expr, **more: [("query", expr), ("time", now), *more.items()]
    over = lambda step, start=now - 4, end=now: [("query", "vector(time())"), ("start", start), ("end", end), ("step", step)]
    yield one("strange labels", "/api/v1/query", query("strange"))
    yield one("strange labels by POST", "/api/v1/query", query("strange"), "POST")
    yield one("a long value asked for by POST", "/api/v1/query", query(f'strange{{l="{LONG}"}}'), "POST")
    yield one("a value of UTF-8", "/api/v1/query", query('strange{l="ünïcødé ☃ 日本"}'))
    yield one("the empty value", "/api/v1/query", query('strange{l=""}'))
    yield one("a control character", "/api/v1/query", query('strange{l=~"control.*"}'))
    yield one("series", "/api/v1/series", [("match[]", "strange"), *span])
    yield one("series by POST", "/api/v1/series", [("match[]", "strange"), ("match[]", "up"), *span], "POST")
    yield one("labels by POST", "/api/v1/labels", [("match[]", "strange"), *span], "POST")
    yield one("label values", "/api/v1/label/l/values", [("match[]", "strange"), *span])
    yield one("label values by an escaped name", "/api/v1/label/%6c/values", [("match[]", "strange"), *span])
    yield one("a selector of 60 kB in the URL", "/api/v1/series", [("match[]", f'strange{{l="{LONG[:60_000]}"}}'), *span])
    yield one("a regular expression of 20,000 values", "/api/v1/series",
              [("match[]", 'strange{l=~"%s"}' % "|".join(f"v{i}" for i in range(20_000))), *span], "POST")
    yield one("2,000 selectors", "/api/v1/series", [*(("match[]", f'strange{{l="v{i}"}}') for i in range(2000)), *span], "POST")
    yield one("no selector", "/api/v1/series", span)
    yield one("a selector of everything", "/api/v1/series", [("match[]", "{}"), *span])
    for text in (f"{now}.5", f"{now}.123456", rfc(now), rfc(now).replace("Z", ".25Z"), rfc(now).replace("Z", "+00:00"), "1e9", "-1"):
        yield one(f"time {text}", "/api/v1/query", [("query", "vector(1)"), ("time", text)])
    for text in ("1", "0.5", "1s", "500ms", "1h30m", "1e-3", "0", "-1", "x", "1.5s", "Inf", "9e18"):
        yield one(f"step {text}", "/api/v1/query_range", over(text))
    yield one("a range of RFC 3339", "/api/v1/query_range", over("1s", rfc(now - 4), rfc(now)))
    yield one("a range of fractions", "/api/v1/query_range", over("0.7", now - 4.25, now - 0.1))
    yield one("11,000 steps", "/api/v1/query_range", over("1", now - 11_000))
    yield one("11,001 steps", "/api/v1/query_range", over("1", now - 11_001))
    yield one("the end before the start", "/api/v1/query_range", over("1", now, now - 5))
    yield one("times out of all bounds", "/api/v1/query_range", over("1e14", "-9e15", "9e15"))
    for text in ("1s", "0.5", "1e9", "x"):
        yield one(f"timeout {text}", "/api/v1/query", query("vector(1)", timeout=text))
    for text in ("all", "1", ""):
        yield one(f"stats {text}", "/api/v1/query", query("up", stats=text))
    yield one("parameters in URL and form", f"/api/v1/query?time={now}", [("query", "1")], "POST")
    yield one("a parameter twice", f"/api/v1/query?time={now}&query=1&query=2")
    yield one("a plus and an escaped one", f"/api/v1/query?time={now}&query=1+%2b+1")
    yield one("a content type with its charset", "/api/v1/query", method="POST", data=f"query=1&time={now}".encode(), headers=form)
    yield one("a body that is no form", f"/api/v1/query?query=1&time={now}", method="POST", data=b"query=2", headers={"Content-Type": "text/plain"})
    yield one("invalid UTF-8", f"/api/v1/query?time={now}&query=%22%ff%22")
    yield one("HEAD of a query", "/api/v1/query", query("1"), "HEAD")
    yield one("HEAD of the health", "/-/healthy", method="HEAD")
    yield one("OPTIONS", "/api/v1/query", method="OPTIONS")
    yield one("PUT", "/api/v1/query", query("1"), "PUT")
    yield one("an unknown path", "/api/v1/nothing")
    yield one("two slashes in front", "//api/v1/query", query("1"))
    yield one("dots", "/api/v1/../v1/query", query("1"))
    yield one("a slash too many at the end", "/api/v2/", query("1"))


def ask(base, path, parameters, method, more):
    more, encoded = dict(more), urllib.parse.urlencode(parameters)
    if encoded and method == "POST":
        more["data"] = encoded.encode()
    elif encoded:
        path += ("&" if "?" in path else "?") + encoded
    status, _, body = fetch(base + path, method=method, **more)
    try:
        answer = json.loads(body)
    except ValueError:
        return status, None
    data = answer.get("data")
    if isinstance(data, dict):
        data.pop("stats", None)  # times
        data["result"] = sorted(data["result"], key=str)
    elif isinstance(data, list):
        answer["data"] = sorted(data, key=str)
    return status, answer


def compare(report, prometheus, query, now):
    for name, path, parameters, method, more in cases(now):
        with report.case(f"same answer: {name}"):
            theirs, ours = (ask(p.url, path, parameters, method, more) for p in (prometheus, query))
            assert theirs == ours, f"{str(theirs)[:500]} != {str(ours)[:500]}"


def curl(report, query, now):
    form = ["-d", f"query=1&time={now}"]
    for name, arguments in {"a chunked body": ["-H", "Transfer-Encoding: chunked", *form], "HTTP/1.0": ["--http1.0", *form],
                            "a body after 100 Continue": ["-H", "Expect: 100-continue", *form],
                            "a multipart form": ["-F", "query=1", "-F", f"time={now}"],
                            "an offer of HTTP/2": ["--http2", *form],
                            "compression": ["--compressed", "-G", "--data-urlencode", "query=1", "--data-urlencode", f"time={now}"]}.items():
        with report.case(f"curl with {name}"):
            done = subprocess.run(["curl", "-sS", "--max-time", "20", *arguments, f"{query.url}/api/v1/query"], capture_output=True, text=True)
            assert '"result":[%d,"1"]' % now in done.stdout, (done.returncode, done.stdout, done.stderr)


def check_limits(report, query, now):
    api = Api(query.url)
    for path in ("series", "labels", "label/l/values"):
        with report.case(f"{path} says that it is cut"):
            of = lambda limit: api.get(path, **{"match[]": "strange", "start": now - 30, "end": now, "limit": limit})
            whole = of(0)["data"]
            cut = of(len(whole) - 1)
            assert len(cut["data"]) == len(whole) - 1 and cut.get("warnings") == ["results truncated due to limit"], cut
            for limit in (len(whole), 2**63 - 1):
                assert of(limit)["data"] == whole and not of(limit).get("warnings"), limit


def check_descriptors(report, topology, endpoint):
    http_port, grpc_port = free_port(), free_port()
    url = f"http://127.0.0.1:{http_port}"
    few = topology.start("few-descriptors", ["prlimit", "--nofile=256:256", GAUNTLET, "query", f"--endpoint={endpoint}",
                                             f"--http-address=127.0.0.1:{http_port}", f"--grpc-address=127.0.0.1:{grpc_port}"], url + "/-/ready")
    with report.case("1,000 idle connections at 256 file descriptors"):
        idle = []
        for _ in range(1000):
            idle.append(socket.create_connection(("127.0.0.1", http_port), timeout=10))
            idle[-1].sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        answered = sum(b" 200 " in connection.recv(4096) for connection in idle)
        assert answered == 1000, answered
        for _ in range(3):
            assert Api(url).query("count(up)")["data"]["result"][0]["value"][1] == "2"
        for connection in idle:
            connection.close()
    with report.case("400 idle connections on the port of gRPC leave the querier above its answers"):
        idle = [socket.create_connection(("127.0.0.1", grpc_port), timeout=10) for _ in range(400)]
        above = topology.gauntlet("above", "query", f"--endpoint=127.0.0.1:{grpc_port}")
        wait_for("an answer", lambda: Api(above.url).query("count(up)")["data"]["result"])
        for connection in idle:
            connection.close()
    with report.case("SIGHUP and SIGPIPE leave it running, SIGINT ends it with 0"):
        for number in (signal.SIGHUP, signal.SIGPIPE):
            os.kill(few.pid, number)
            assert fetch(url + "/-/healthy")[0] == 200 and few.running()
        os.kill(few.pid, signal.SIGINT)
        assert few.child.wait(20) == 0


def main():
    interrupt_on_term()
    report = Report()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exposition)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Topology() as topology:
        prometheus = topology.prometheus("prometheus", {"replica": "a"}, {"self": ["self"], "strange": [f"127.0.0.1:{server.server_port}"]})
        sidecar = topology.sidecar("sidecar", prometheus)
        query = topology.gauntlet("query", "query", f"--endpoint={sidecar.grpc}", "--query.replica-label=replica")
        wait_for("data", lambda: len(Api(query.url).query("strange")["data"]["result"]) == len(STRANGE))
        time.sleep(6)  # no selector looks back over the start
        now = int(time.time()) - 3
        compare(report, prometheus, query, now)
        curl(report, query, now)
        check_limits(report, query, now)
        check_descriptors(report, topology, sidecar.grpc)
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
