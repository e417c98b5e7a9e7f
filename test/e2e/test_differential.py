#!/usr/bin/env python3
"""The same queries at Prometheus' own API and at `gauntlet query` over it: the same label sets, values within 1e-12."""
import itertools
import sys
import time

from answers import difference
from topology import Api, Report, Topology, interrupt_on_term, wait_for

SELECTORS = [
    "up", "up == 1", 'up{job="node"}', 'node_cpu_seconds_total{mode="idle"}', 'node_cpu_seconds_total{mode!~"idle|user"}',
    "node_memory_MemFree_bytes", 'node_filesystem_size_bytes{fstype=~".+"}', '{__name__=~"node_load.*"}',
    'prometheus_http_requests_total{code="200"}', "prometheus_tsdb_head_series", 'go_gc_duration_seconds{quantile=~"0|1"}',
    'node_network_receive_bytes_total{device="lo"}', "process_start_time_seconds", "nothing_of_this_name",
]
COUNTERS = ['node_cpu_seconds_total{mode=~"idle|user"}', 'prometheus_http_requests_total', 'process_cpu_seconds_total',
            "prometheus_tsdb_head_samples_appended_total", 'node_network_receive_bytes_total{device="lo"}']
GAUGES = ["node_memory_MemFree_bytes", "go_goroutines", "node_load1", "prometheus_tsdb_head_series"]
RANGE_ON_COUNTERS = ["rate", "increase", "irate", "resets", "changes", "idelta", "delta"]
RANGE_ON_GAUGES = ["avg_over_time", "sum_over_time", "min_over_time", "max_over_time", "count_over_time", "last_over_time",
                   "stddev_over_time", "stdvar_over_time", "present_over_time", "deriv", "delta", "changes"]
AGGREGATIONS = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]
MATH = ["abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "sgn", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh",
        "tanh", "asinh", "acosh", "atanh", "deg", "rad", "round"]
DATES = ["minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year", "timestamp"]
OTHERS = [
    "1 + 2 * 3 ^ 2 % 5", "-(2 ^ 3)", "time()", "pi()", "vector(3)", "scalar(up{job=\"node\"})", "absent(nothing_of_this_name{a=\"b\"})",
    "absent(up)", "absent_over_time(nothing_of_this_name[1m])", "clamp(node_load1, 0.1, 0.2)", "clamp_min(node_load1, 1)", "clamp_max(node_load1, 0)",
    "round(node_load1, 0.1)", "quantile_over_time(0.3, node_load1[20s])", "predict_linear(node_memory_MemFree_bytes[20s], 60)",
    "quantile(0.9, node_cpu_seconds_total)", "quantile by (cpu) (0.5, node_cpu_seconds_total)", "topk(3, node_cpu_seconds_total)",
    "bottomk by (cpu) (2, node_cpu_seconds_total)", 'count_values("v", up)', 'count_values by (job) ("v", up)',
    'label_replace(up, "host", "$1", "instance", "(.*):.*")', 'label_join(up, "both", "-", "job", "instance")', "sort(up)",
    "sort_desc(node_load1)", "node_load1 > bool 0.5", "node_load1 > 0.0001 < 1000", "up * 2", "2 - up", "up == bool 1", "up atan2 2",
    "node_memory_MemTotal_bytes - node_memory_MemFree_bytes", "node_memory_MemFree_bytes / on(instance) node_memory_MemTotal_bytes",
    "node_cpu_seconds_total / ignoring(mode) group_left sum without (mode) (node_cpu_seconds_total)",
    "node_cpu_seconds_total * on(instance, job) group_left up", "up and on(job) node_load1", "up or node_load1", "up unless on(job) node_load1",
    "up offset 5s", "node_load1 offset -2s", "rate(node_cpu_seconds_total[10s] offset 5s)", "node_load1 @ end()", "node_load1 @ start()",
    "max_over_time(node_load1[20s:3s])", "sum_over_time(rate(node_cpu_seconds_total[10s])[10s:2s])", "avg_over_time(up[10s:])",
    "min_over_time((node_load1 * 2)[15s:5s] offset 3s)", "sum(rate(node_cpu_seconds_total[10s])) by (mode) > 0",
    "histogram_quantile(0.9, rate(prometheus_http_request_duration_seconds_bucket[20s]))",
    "histogram_quantile(0.5, sum by (le) (rate(prometheus_http_request_duration_seconds_bucket[20s])))",
    "histogram_quantile(0.99, sum by (le, handler) (prometheus_http_response_size_bytes_bucket))", '"a string"',
    "sum without (cpu, instance) (node_cpu_seconds_total)", "count({job=~\".+\"}) by (job)", "group by (job) ({__name__=~\"node_.*\"})",
    "sum(up) / count(up)", "-node_load1", "+node_load1", "1 / 0", "0 / 0", "node_load1 % 0.3", "node_load1 ^ 2", "year(vector(0))", "hour()",
    "max(node_cpu_seconds_total) by (mode) - min(node_cpu_seconds_total) by (mode)", "stddev by (mode) (node_cpu_seconds_total)",
    "sgn(delta(node_load1[10s]))", "changes(node_load1[20s])", "(node_load1 > 1e9) or vector(0)", "sum(nothing_of_this_name)",
]


def queries():
    yield from SELECTORS
    for function, selector in itertools.product(RANGE_ON_COUNTERS, COUNTERS):
        yield f"{function}({selector}[12s])"
    for function, selector in itertools.product(RANGE_ON_GAUGES, GAUGES[:3]):
        yield f"{function}({selector}[12s])"
    for aggregation, selector in itertools.product(AGGREGATIONS, ["node_cpu_seconds_total", "rate(node_cpu_seconds_total[10s])", "up"]):
        yield f"{aggregation}({selector})"
        yield f"{aggregation} by (mode, job) ({selector})"
    for function in MATH:
        yield f"{function}(node_load1)"
    for function in DATES:
        yield f"{function}(node_time_seconds)"
    yield from OTHERS


def quiet_fraction(api):
    """A fraction of a second at which nobody scrapes: no sample then lies on a window's border, which 2.x counts in."""
    taken = [float(t) % 1 for series in api.query("up[60s]")["data"]["result"] for t, _ in series["values"]]
    distance = lambda f: min(min(abs(f - t), 1 - abs(f - t)) for t in taken)
    return max((n / 1000 for n in range(1000)), key=distance)


# Differences between Prometheus 2.42, which Debian has, and 3.x, whose language ours is.
KNOWN = {"up atan2 2": "2.x keeps the metric name"}


def main():
    interrupt_on_term()
    report = Report()
    with Topology() as topology:
        node = topology.node_exporter()
        prometheus = topology.prometheus("prometheus", {"replica": "a"}, {"node": [node], "prometheus": ["self"]})
        sidecar = topology.sidecar("sidecar", prometheus)
        query = topology.gauntlet("query", "query", f"--endpoint={sidecar.grpc}", "--query.replica-label=replica",
                                  "--query.default-evaluation-interval=1s")  # as Prometheus' evaluation_interval there
        theirs, ours = Api(prometheus.url), Api(query.url)
        wait_for("data through the querier", lambda: ours.query("up")["data"]["result"], 30)
        # Long enough that no window reaches back to the birth of a counter, where 2.x and 3.x extrapolate to zero in another order.
        time.sleep(75)
        end = round(int(time.time()) - 4 + quiet_fraction(theirs), 3)
        start = end - 30
        asked = list(dict.fromkeys(queries()))
        differences = []
        for expr in asked:
            pairs = [("instant", theirs.query(expr, time=end), ours.query(expr, time=end)),
                     ("range", theirs.query_range(expr, start, end, 3), ours.query_range(expr, start, end, 3))]
            for kind, a, b in pairs:
                found = difference(a, b)
                if found and expr in KNOWN:
                    print(f"# known difference {kind} {expr}: {KNOWN[expr]}", flush=True)
                elif found:
                    differences.append(f"{kind} {expr}: {found}")
                    print(f"# DIFFERS {kind} {expr}: {found}", flush=True)
        with report.case(f"{len(asked)} queries, instant and range, as Prometheus itself answers"):
            assert len(asked) >= 200, len(asked)
            assert not differences, f"{len(differences)} differ, first: {differences[0]}"
        with report.case("metadata calls as Prometheus itself answers"):
            for path, params in [("labels", {}), ("label/__name__/values", {}), ("label/job/values", {"match[]": "up"}),
                                 ("labels", {"match[]": 'node_load1{job="node"}'}), ("label/mode/values", {"start": start, "end": end})]:
                a, b = theirs.get(path, **params), ours.get(path, **params)
                assert a["data"] == b["data"], (path, params, set(a["data"]) ^ set(b["data"]))
            a, b = theirs.get("series", **{"match[]": "node_load1"}), ours.get("series", **{"match[]": "node_load1"})
            assert a["data"] == b["data"], (a["data"], b["data"])
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
