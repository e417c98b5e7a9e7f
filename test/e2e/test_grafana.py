#!/usr/bin/env python3
"""Every request that Grafana sends to a Prometheus data source, answered as its `expects` says."""
import gzip
import json
import re
import sys
import time
import urllib.parse

from topology import SHARED, Api, Report, Topology, fetch, interrupt_on_term, wait_for

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text):
    unit = "ms" if text.endswith("ms") else text[-1]
    return int(text[:-len(unit)]) * UNITS[unit]


def fill(value, now):
    """Works out a {{now...}} placeholder: steps are applied from left to right."""
    def one(match):
        steps, t = match[1], now
        suffix = ""
        while steps:
            part = re.match(r"([-+@^*])(\d+(?:ms|[smhd])?)((?<=d)[-+]\d+[smhd])?|\.ms", steps)
            assert part, steps
            steps = steps[part.end():]
            if part[0] == ".ms":
                suffix = ".000"
                continue
            operator, amount = part[1], part[2]
            if operator == "*":
                t *= int(amount)
                continue
            n = seconds(amount)
            if operator == "-":
                t -= n
            elif operator == "+":
                t += n
            elif operator == "^":
                t = -(-t // n) * n
            else:
                zone = (1 if part[3][0] == "+" else -1) * seconds(part[3][1:]) if part[3] else 0
                t = (t - zone) // n * n + zone
        return f"{int(t) if t == int(t) else t}{suffix}"
    return re.sub(r"\{\{now([^}]*)\}\}", one, value)


def check_shape(path, status, headers, body):
    """What Grafana's readers rely on, whatever was asked."""
    if status != 200:
        return
    assert "json" in headers.get("Content-Type", ""), headers
    answer = json.loads(body)
    assert answer["status"] == "success", answer
    for key in ("warnings", "infos"):
        assert answer.get(key, []) is not None
    data = answer.get("data")
    if path.endswith(("/query", "/query_range")):
        assert list(data)[:2] == ["resultType", "result"], list(data)
        for item in data["result"] if data["resultType"] in ("vector", "matrix") else []:
            for t, v in [item["value"]] if "value" in item else item.get("values", []):
                assert isinstance(t, (int, float)) and isinstance(v, str)
                float(v)
            assert all(isinstance(v, str) for v in item["metric"].values())
    elif path.endswith(("/labels", "/values")):
        assert isinstance(data, list) and all(isinstance(v, str) for v in data)
    elif path.endswith("/series"):
        assert isinstance(data, list) and all(isinstance(s, dict) for s in data)
    elif path.endswith("/metadata"):
        assert all(entries and all(isinstance(e["type"], str) for e in entries) for entries in data.values())
    elif path.endswith("/query_exemplars"):
        assert isinstance(data, list)
    elif path.endswith("/rules"):
        assert isinstance(data["groups"], list) and all(isinstance(g["rules"], list) for g in data["groups"])
    elif path.endswith("/alerts"):
        assert isinstance(data["alerts"], list)
    elif path.endswith("/buildinfo"):
        assert re.match(r"v?\d+\.\d+\.\d+", data["version"]), data
        assert not data.get("features")


def main():
    interrupt_on_term()
    report = Report()
    requests = SHARED / "fixtures" / "grafana" / "requests.jsonl"
    if not requests.exists():
        report.skip("grafana requests", "no shared test data (GAUNTLET_SHARED)")
        return 0
    with Topology() as topology:
        rules = topology.folder / "rules.yml"
        rules.write_text("groups:\n- name: demo\n  rules:\n  - record: job:up:sum\n    expr: sum by (job) (up)\n"
                         "  - alert: AlwaysOn\n    expr: up == 1\n    labels: {severity: page}\n    annotations: {summary: on}\n")
        node = topology.node_exporter()
        prometheus = topology.prometheus("prometheus", {"replica": "a"}, {"node": [node], "prometheus": ["self"]},
                                         flags=["--enable-feature=exemplar-storage"], extra_config=f"rule_files: [{rules}]\n")
        sidecar = topology.sidecar("sidecar", prometheus)
        query = topology.gauntlet("query", "query", f"--endpoint={sidecar.grpc}", "--query.replica-label=replica")
        # The requests ask at whole seconds: the first samples have to lie before the one that is going on.
        wait_for("data", lambda: all(Api(query.url).query(q, time=int(time.time()) - 1)["data"]["result"]
                                     for q in ("job:up:sum", "node_cpu_seconds_total")), 30)
        for line in requests.read_text().splitlines():
            request = json.loads(line)
            with report.case(request["id"]):
                now = int(time.time())
                params = {k: [fill(v, now) for v in vs] for k, vs in request["query"].items()}
                form = {k: [fill(v, now) for v in vs] for k, vs in request["form"].items()}
                url = query.url + fill(request["path"], now) + ("?" + urllib.parse.urlencode(params, doseq=True) if params else "")
                data = urllib.parse.urlencode(form, doseq=True).encode() if request["method"] == "POST" else None
                status, headers, body = fetch(url, data, request["headers"], method=request["method"])
                if headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                assert status in request["expects"]["status"], f"{status} not {request['expects']['status']}: {body[:300]!r}"
                check_shape(request["path"], status, headers, body)
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
