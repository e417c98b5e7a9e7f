#!/usr/bin/env python3
"""Every metric that Thanos' dashboards and alerts read of a querier, a sidecar, a store and a compactor exists there, with the labels they use."""
import json
import re
import sys

from topology import SHARED, Api, Report, Topology, directory_config, fetch, interrupt_on_term, wait_for

MIXIN = SHARED / "fixtures" / "thanos-mixin"
# Of Prometheus itself.
OTHERS = re.compile(r"^prometheus_")
WORDS = {"rate", "sum", "by", "histogram_quantile", "irate", "increase", "max", "min", "count", "on", "ignoring", "or", "and", "unless", "job", "le",
         "group_left", "clamp_max", "avg", "without", "max_over_time", "time", "absent", "label_replace", "vector", "offset", "bool"}


# Names that the mixin does not read, but Thanos' documentation and other people's alerts do.
ALSO = {"sidecar": {
    **{f"thanos_shipper_{name}": set() for name in ("dir_syncs_total", "dir_sync_failures_total", "uploads_total", "upload_failures_total",
                                                    "corrupted_blocks_total", "upload_compacted_done")},
    **{f"thanos_sidecar_reloader_{name}": set() for name in (
        "reloads_total", "reloads_failed_total", "last_reload_successful", "last_reload_success_timestamp_seconds", "config_apply_operations_total",
        "config_apply_operations_failed_total", "config_environment_variable_expansion_errors", "watches", "watch_events_total",
        "watch_errors_total")},
    "thanos_sidecar_reloader_info": {"method"}, "thanos_sidecar_last_heartbeat_success_time_seconds": set()}}


def names_and_labels(expr):
    """Metric names of an expression with the label names of their matchers."""
    for name, matchers in re.findall(r"\b([a-z_][a-z0-9_]*:?[a-z0-9_:]*)\s*\{([^}]*)\}", expr):
        if name not in WORDS and ":" not in name and "_" in name:
            yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))


def wanted(component):
    found = {}
    dashboard = json.loads((MIXIN / "dashboards" / f"{component}.json").read_text())
    exprs = re.findall(r'"expr": "((?:[^"\\]|\\.)*)"', json.dumps(dashboard))
    alerts = (MIXIN / "alerts" / "alerts.yaml").read_text()
    for group in re.split(r"\n- name: ", alerts):
        if group.split("\n")[0].strip() == f"thanos-{component}":
            exprs.append(group)
    for expr in exprs:
        for name, labels in names_and_labels(expr.replace('\\"', '"')):
            if not OTHERS.match(name):
                found.setdefault(name, set()).update(labels)
    return found


def exposed(url):
    """{name: set of label names} of /metrics."""
    found = {}
    for line in fetch(url + "/metrics")[2].decode().splitlines():
        match = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ", line)
        if match and not line.startswith("#"):
            found.setdefault(match[1], set()).update(re.findall(r'(\w+)="', match[2] or ""))
    return found


def main():
    interrupt_on_term()
    report = Report()
    if not MIXIN.exists():
        report.skip("mixin metrics", "no shared test data (GAUNTLET_SHARED)")
        return 0
    with Topology() as topology:
        prometheus = topology.prometheus("prometheus", {"replica": "a"}, {"prometheus": ["self"]})
        bucket = directory_config(topology.folder / "bucket")
        sidecar = topology.sidecar("sidecar", prometheus, bucket)
        store = topology.gauntlet("store", "store", f"--data-dir={topology.folder}/store", bucket)
        compact = topology.gauntlet_http("compact", ["compact"], "--wait", f"--data-dir={topology.folder}/compact", bucket)
        query = topology.gauntlet("query", "query", f"--endpoint={sidecar.grpc}", f"--endpoint={store.grpc}", "--query.replica-label=replica")
        api = Api(query.url)
        wait_for("data", lambda: api.query("up")["data"]["result"], 30)
        api.query_range("up", 1, 100, 1)
        for component, process in (("query", query), ("sidecar", sidecar), ("store", store), ("compact", compact)):
            have = exposed(process.url)
            with report.case(f"{component}: every name of the mixin, with its labels"):
                names = {**wanted(component), **ALSO.get(component, {})}
                assert len(names) >= 5, names
                # job, instance, namespace and the like are given by whoever scrapes.
                given = {"job", "instance", "namespace", "pod", "cluster", "severity"}
                missing = {n: sorted(labels - given) for n, labels in names.items() if n not in have or not labels - given <= have[n]}
                assert not missing, f"{missing}; there: { {n: sorted(have.get(n, [])) for n in missing} }"
                print(f"# {component}: {len(names)} names", flush=True)
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
