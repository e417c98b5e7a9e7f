#!/usr/bin/env python3
"""Command lines as kube-prometheus, the Bitnami chart, kube-thanos and the operators write them: each component starts, answers its
probes, and ends with 0 on SIGTERM, though nothing that it is told of is there."""
import subprocess
import sys

from topology import GAUNTLET, Report, Topology, fetch, free_port, interrupt_on_term, wait_for

# {grpc} and {http} become ports, {dir} a folder; names that no server answers for stay what they are.
SIDECARS = {
    "the Prometheus operator": [
        "--prometheus.url=http://localhost:9/", "--grpc-address=:{grpc}", "--http-address=127.0.0.1:{http}",
        "--objstore.config=$(OBJSTORE_CONFIG)", "--tsdb.path={dir}", "--shipper.meta-file-name=thanos.shipper.json",
        "--shipper.ignore-unequal-block-size", "--tracing.config=$(TRACING_CONFIG)", "--log.level=info", "--log.format=logfmt",
        "--min-time=-2h", "--prometheus.ready_timeout=1d", "--prometheus.get_config_timeout=30s",
        "--prometheus.get_config_interval=1m", "--prometheus.http-client-file={dir}/prometheus.http-client-file.yaml"],
    "the Bitnami chart": [
        "--prometheus.url=http://localhost:9", "--grpc-address=0.0.0.0:{grpc}", "--http-address=0.0.0.0:{http}",
        "--tsdb.path={dir}/", "--objstore.config=$(OBJSTORE_CONFIG)"],
}
QUERIERS = {
    "kube-thanos": [
        "--grpc-address=0.0.0.0:{grpc}", "--http-address=0.0.0.0:{http}", "--log.level=debug", "--log.format=logfmt",
        "--query.replica-label=prometheus_replica", "--query.replica-label=rule_replica",
        "--endpoint=dnssrv+_grpc._tcp.thanos-sidecar.thanos.invalid", "--endpoint=dnssrv+_grpc._tcp.thanos-store.thanos.invalid",
        "--query.timeout=5m", "--query.lookback-delta=15m", "--query.auto-downsampling"],
    "the Thanos operator": [
        "--log.level=info", "--log.format=logfmt", "--grpc-address=0.0.0.0:{grpc}", "--http-address=0.0.0.0:{http}",
        "--query.timeout=15m", "--query.lookback-delta=5m", "--query.auto-downsampling", "--query.promql-engine=thanos",
        "--query.max-concurrent=20", "--web.route-prefix=", "--web.external-prefix=", "--web.prefix-header=",
        "--grpc.proxy-strategy=eager", "--query.telemetry.request-duration-seconds-quantiles=0.1",
        "--query.telemetry.request-duration-seconds-quantiles=0.25", "--query.telemetry.request-samples-quantiles=100",
        "--query.telemetry.request-series-seconds-quantiles=10", "--web.disable-cors", "--query.replica-label=replica",
        "--endpoint-group=thanos-store.thanos.invalid:10901", "--endpoint-group-strict=thanos-receive.thanos.invalid:10901",
        "--store.limits.request-samples=0", "--store.limits.request-series=0"],
    "the Bitnami chart": [
        "--log.level=info", "--log.format=logfmt", "--grpc-address=0.0.0.0:{grpc}", "--http-address=0.0.0.0:{http}",
        "--query.replica-label=replica", "--store.sd-files={dir}/servicediscovery.yml",
        "--endpoint=dnssrv+_grpc._tcp.kube-prometheus-prometheus-thanos.monitoring.svc.cluster.invalid",
        "--endpoint=thanos-storegateway-0.thanos.svc.cluster.invalid:10901", "--alert.query-url=http://thanos.invalid"],
    "spaces instead of equals signs, and flags of old releases": [
        "--grpc-address", "0.0.0.0:{grpc}", "--http-address", "0.0.0.0:{http}", "--store", "127.0.0.1:9", "--rule", "127.0.0.1:9",
        "--no-query.partial-response", "--query.lookback-delta", "1.5h", "--store.unhealthy-timeout", "1d",
        "--query.max-concurrent-select=4"],
}
STORES = {
    "kube-thanos": [
        "--log.level=info", "--log.format=logfmt", "--data-dir={dir}", "--grpc-address=0.0.0.0:{grpc}",
        "--http-address=0.0.0.0:{http}", "--objstore.config=$(OBJSTORE_CONFIG)", "--ignore-deletion-marks-delay=24h",
        "--index-cache.config=\"config\":\n  \"addresses\":\n  - \"127.0.0.1:9\"\n  \"max_async_buffer_size\": 10000\n"
        "  \"max_async_concurrency\": 20\n  \"max_get_multi_batch_size\": 0\n  \"max_get_multi_concurrency\": 100\n"
        "  \"max_idle_connections\": 100\n  \"max_item_size\": \"1MiB\"\n  \"timeout\": \"2s\"\n\"type\": \"memcached\"",
        "--store.caching-bucket.config=\"blocks_iter_ttl\": \"5m\"\n\"chunk_object_attrs_ttl\": \"24h\"\n\"chunk_subrange_size\": 16000\n"
        "\"chunk_subrange_ttl\": \"24h\"\n\"config\":\n  \"addresses\":\n  - \"127.0.0.1:9\"\n\"max_chunks_get_range_requests\": 3\n"
        "\"metafile_content_ttl\": \"24h\"\n\"metafile_doesnt_exist_ttl\": \"15m\"\n\"metafile_exists_ttl\": \"2h\"\n"
        "\"metafile_max_size\": \"1MiB\"\n\"type\": \"memcached\"",
        "--selector.relabel-config=- action: hashmod\n  source_labels: [\"__block_id\"]\n  target_label: shard\n  modulus: 3\n"
        "- action: keep\n  source_labels: [\"shard\"]\n  regex: 0\n"],
    "the Thanos operator": [
        "--grpc-address=0.0.0.0:{grpc}", "--http-address=0.0.0.0:{http}", "--objstore.config=$(OBJSTORE_CONFIG)", "--data-dir={dir}",
        "--ignore-deletion-marks-delay=24h", "--min-time=-2w", "--max-time=-1h", "--store.enable-index-header-lazy-reader",
        "--store.index-header-lazy-reader-idle-timeout=5m", "--store.index-header-lazy-download-strategy=lazy",
        "--index-cache.config=type: IN-MEMORY\nconfig:\n  max_size: 512MiB\n  max_item_size: 5MiB\n",
        "--store.caching-bucket.config=type: IN-MEMORY\nconfig:\n  max_size: 512MiB\n  max_item_size: 5MiB\n",
        "--block-discovery-strategy=concurrent", "--block-meta-fetch-concurrency=32"],
}
COMPACTORS = {
    "kube-thanos": [
        "--wait", "--log.level=info", "--log.format=logfmt", "--objstore.config=$(OBJSTORE_CONFIG)", "--data-dir={dir}",
        "--debug.accept-malformed-index", "--retention.resolution-raw=14d", "--retention.resolution-5m=365d",
        "--retention.resolution-1h=2y", "--delete-delay=48h", "--compact.concurrency=1", "--downsample.concurrency=1",
        "--downsampling.disable", "--deduplication.replica-label=prometheus_replica", "--deduplication.replica-label=rule_replica",
        "--http-address=0.0.0.0:{http}"],
    "the Thanos operator": [
        "--wait", "--http-address=0.0.0.0:{http}", "--objstore.config=$(OBJSTORE_CONFIG)", "--data-dir={dir}",
        "--block-discovery-strategy=recursive", "--block-files-concurrency=1", "--block-meta-fetch-concurrency=32",
        "--block-viewer.global.sync-block-interval=1m", "--block-viewer.global.sync-block-timeout=5m", "--compact.concurrency=1",
        "--compact.blocks-fetch-concurrency=1", "--compact.cleanup-interval=30m", "--consistency-delay=30m",
        "--compact.enable-vertical-compaction", "--deduplication.replica-label=replica", "--deduplication.func=penalty",
        "--debug.max-compaction-level=3", "--no-debug.halt-on-error", "--downsample.concurrency=1", "--retention.resolution-raw=30d",
        "--retention.resolution-5m=30d", "--retention.resolution-1h=30d"],
}
WEB = {
    "the Bitnami chart": [
        "bucket", "web", "--http-address=0.0.0.0:{http}", "--log.level=info", "--log.format=logfmt", "--objstore.config=$(OBJSTORE_CONFIG)",
        "--refresh=30m", "--timeout=5m", "--label=cluster_name"],
}
READY_ALONE = {"query", "store", "compact", "tools"}  # a sidecar waits for its Prometheus


def check(report, topology, command, whose, template):
    folder = topology.folder / f"{command}-{whose}".replace(" ", "-").replace("'", "")
    (folder / "bucket").mkdir(parents=True)
    (folder / "prometheus.http-client-file.yaml").write_text("tls_config:\n  insecure_skip_verify: true\n")
    (folder / "servicediscovery.yml").write_text('- targets: ["127.0.0.1:9"]\n')
    http = free_port()
    arguments = [part.format(grpc=free_port(), http=http, dir=folder) for part in template]
    # As the kubelet does it, variables are replaced before the process sees them.
    variables = {"$(OBJSTORE_CONFIG)": f"type: FILESYSTEM\nconfig:\n  directory: {folder}/bucket\nprefix: \"\"\n",
                 "$(TRACING_CONFIG)": "type: OTLP\nconfig:\n  client_type: grpc\n  endpoint: otel.invalid:4317\n  insecure: true\n"}
    for name, value in variables.items():
        arguments = [part.replace(name, value) for part in arguments]
    process = topology.start(folder.name, [GAUNTLET, command, *arguments])
    url = f"http://127.0.0.1:{http}"

    def answers(path):
        def ask():
            assert process.running(), f"ended with {process.child.returncode}: {process.log_tail(3)}"
            return fetch(url + path, timeout=5)[0] == 200
        return ask
    wait_for("healthy", answers("/-/healthy"))
    if command in READY_ALONE:
        wait_for("ready", answers("/-/ready"))
    assert answers("/metrics")()
    code = process.stop(20)
    assert code == 0, f"ended with {code} on SIGTERM: {process.log_tail(3)}"


def check_texts(report):
    for arguments in (["--version"], ["--help"], ["help"], ["query", "--help"], ["sidecar", "--help-long"], ["tools", "--help"],
                      ["tools", "bucket", "--help"], ["store", "-h"]):
        with report.case(f"`{' '.join(arguments)}` prints to standard output and ends with 0"):
            done = subprocess.run([GAUNTLET, *arguments], capture_output=True, text=True, timeout=30)
            assert done.returncode == 0 and done.stdout.strip() and not done.stderr, (done.returncode, done.stderr)


def main():
    interrupt_on_term()
    report = Report()
    check_texts(report)
    with Topology() as topology:
        for command, templates in {"sidecar": SIDECARS, "query": QUERIERS, "store": STORES, "compact": COMPACTORS, "tools": WEB}.items():
            for whose, template in templates.items():
                with report.case(f"{command} as {whose} starts it"):
                    check(report, topology, command, whose, template)
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
