#!/usr/bin/env python3
"""Distributed mode: two leaf queriers over a real Prometheus and its sidecar each, one querier above that gives them
parts of queries, and one that evaluates by itself; both must answer alike."""
import json
import math
import sys

from topology import Api, Report, Topology, interrupt_on_term, wait_for

START, STEP = 1_700_000_000, 15
QUERIES = [
    "requests_total", "rate(requests_total[2m])", "sum(rate(requests_total[2m]))", "sum by (pod) (rate(requests_total[2m]))",
    "avg by (pod) (temperature)", "max(temperature) - min(temperature)", "count by (region) (requests_total)",
    "topk(2, rate(requests_total[2m]))", "topk(2, sum by (pod) (temperature))", "quantile(0.5, temperature)",
    "sum by (region) (requests_total) / on (region) count by (region) (requests_total)",
    "requests_total / ignoring (region) group_left () sum without (region) (requests_total)", "stddev(temperature)",
    "max_over_time(sum(rate(requests_total[1m]))[5m:1m])", "absent(nothing)", "absent(temperature{pod='p9'})",
    "count_values('v', temperature)", "label_replace(temperature, 'r', '$1', 'region', '(.*)')", "group(temperature)",
    "sum(temperature @ 1700000300)", "temperature offset 1m", "sum(temperature offset 1m) or vector(0)",
    "rate(temperature[2m]) > 0", "sort_desc(sum by (pod) (temperature))", "sum(nothing)", "1 + 1",
    "label_replace(temperature, 'pod', '', '', '')",
]


def samples(region, salt):
    """Thirty minutes of a counter and a gauge for three pods."""
    lines = ["# TYPE requests counter"]
    for pod in range(3):
        for i in range(120):
            lines.append(f'requests_total{{pod="p{pod}"}} {i * (pod + salt) * 3} {START + i * STEP}')
    lines.append("# TYPE temperature gauge")
    for pod in range(3):
        for i in range(120):
            lines.append(f'temperature{{pod="p{pod}"}} {20 + salt + pod / 8 + math.sin(i / 7 + pod):.3f} {START + i * STEP}')
    return lines


def near(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(near(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(near(x, y) for x, y in zip(a, b))
    try:
        return a == b or math.isclose(float(a), float(b), rel_tol=1e-12)
    except (TypeError, ValueError):
        return False


def shape(answer):
    """What of an answer must be alike; series of an instant query in the order of their labels unless it is sorted."""
    data = answer.get("data", {})
    result = data.get("result")
    return {"http": answer["http"], "errorType": answer.get("errorType"), "type": data.get("resultType"), "result": result,
            "warnings": sorted(answer.get("warnings", [])), "infos": sorted(answer.get("infos", []))}


def by_labels(answer):
    if answer["type"] == "vector":
        answer["result"] = sorted(answer["result"], key=lambda s: json.dumps(s["metric"], sort_keys=True))
    return answer


def main():
    interrupt_on_term()
    report = Report()
    with Topology() as topology:
        leaves = []
        for region, salt in (("eu", 1), ("us", 4)):
            prometheus = topology.prometheus(f"prometheus-{region}", {"region": region, "replica": "a"}, {},
                                             blocks=samples(region, salt),
                                             flags=("--storage.tsdb.retention.time=100y",))
            sidecar = topology.sidecar(f"sidecar-{region}", prometheus)
            leaves.append(topology.gauntlet(f"leaf-{region}", "query", f"--endpoint={sidecar.grpc}",
                                            "--query.replica-label=replica"))
        endpoints = [f"--endpoint={leaf.grpc}" for leaf in leaves]
        for leaf in leaves:
            wait_for("the leaf's data", lambda: Api(leaf.url).query("temperature", time=START + 600)["data"]["result"], 30)
        local = topology.gauntlet("local", "query", *endpoints, "--query.replica-label=replica")
        root = topology.gauntlet("distributed", "query", *endpoints, "--query.replica-label=replica",
                                 "--query.mode=distributed", "--query.partition-label=region")
        here, there = Api(local.url), Api(root.url)
        for api in (here, there):
            wait_for("both regions", lambda: len(api.query("temperature", time=START + 600)["data"]["result"]) == 6, 30)

        with report.case("the plan says what leaves evaluate"):
            plan = json.dumps(there.get("query_explain", query="sum(rate(requests_total[2m]))", time=START + 600))
            assert "remote at " in plan and all(leaf.grpc in plan for leaf in leaves), plan
            assert "remote at" not in json.dumps(here.get("query_explain", query="sum(requests_total)", time=START + 600))
        for query in QUERIES:
            with report.case(f"as locally: {query}"):
                order = (lambda a: a) if query.startswith(("sort", "topk")) else by_labels
                one, two = (order(shape(api.query(query, time=START + 600))) for api in (here, there))
                assert near(one, two), f"instant: {one} and {two}"
                one, two = (shape(api.query_range(query, START, START + 1500, 30)) for api in (here, there))
                assert near(one, two), f"range: {one} and {two}"

        with report.case("a leaf that dies is a warning in a partial answer, and the error of a whole one"):
            leaves[1].kill()
            partial = there.query("sum(temperature)", time=START + 600, partial_response="true")
            assert partial["http"] == 200 and partial["data"]["result"], partial
            assert any(leaves[1].grpc in w for w in partial.get("warnings", [])), partial
            whole = there.query("sum(temperature)", time=START + 600, partial_response="false")
            assert whole["http"] != 200 and whole["status"] == "error", whole
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
