#!/usr/bin/env python3
"""The store gateway: ready with many blocks, Series over a day of a million series, one long aggregation, many heavy queries under a limit."""
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import time

from lib import PROGRAMS, Goals, PeakMemory
from s3_bucket import S3, radosgw
from topology import Api, Topology, directory_config, fetch, free_port, metric_sum, wait_for

HOUR_MS = 3_600_000
END_MS = 1_767_571_200_000
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def make_blocks(folder, end_ms, series, hours, step_ms, blocks, metric):
    folder.mkdir(parents=True, exist_ok=True)
    out = subprocess.run([PROGRAMS / "make_blocks", folder, str(end_ms), str(series), str(hours), str(step_ms), str(blocks), metric],
                         check=True, capture_output=True, text=True).stdout
    return out.split()


def ulid(time_ms, number):
    text = ""
    value = (time_ms << 80) | number
    for _ in range(26):
        text = CROCKFORD[value & 31] + text
        value >>= 5
    return text


def meta_of(meta, i):
    """The i-th block's name and meta: those of a block, with times and an id of its own."""
    name = ulid(END_MS + i * 1000, i)
    return name, {**meta, "ulid": name, "compaction": {**meta["compaction"], "sources": [name]},
                  "minTime": END_MS + i * 2 * HOUR_MS, "maxTime": END_MS + (i + 1) * 2 * HOUR_MS}


def many_blocks(folder, template, count):
    """`count` blocks that share the files of one, each with its own times and id."""
    source = folder / "template" / template
    meta = json.loads((source / "meta.json").read_text())
    bucket = folder / f"bucket-{count}"
    for i in range(count):
        name, mine = meta_of(meta, i)
        (bucket / name / "chunks").mkdir(parents=True)
        os.link(source / "index", bucket / name / "index")
        os.link(source / "chunks" / "000001", bucket / name / "chunks" / "000001")
        (bucket / name / "meta.json").write_text(json.dumps(mine))
    return bucket


def s3_blocks(port, template_folder, template, name, count):
    """The same in a bucket of an S3 server; of index and chunks, which nothing reads here, the beginning."""
    source = template_folder / template
    meta = json.loads((source / "meta.json").read_text())
    start = [(source / file).read_bytes()[:64] for file in ("index", "chunks/000001")]
    S3(port, name).make()

    def fill(part, parts):
        server = S3(port, name)
        for i in range(part, count, parts):
            block, mine = meta_of(meta, i)
            server.put(f"{block}/chunks/000001", start[1])
            server.put(f"{block}/index", start[0])
            server.put(f"{block}/meta.json", json.dumps(mine).encode())

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(fill, range(8), [8] * 8))


def start_until_ready(topology, name, *flags):
    """Seconds from the start of the process to its readiness, and its CPU seconds until then."""
    begin = time.monotonic()
    store = topology.gauntlet(name, "store", *flags, "--block-discovery-strategy=recursive",
                              "--store.index-header-lazy-download-strategy=lazy", ready=False)
    wait_for(f"{name} to be ready", lambda: fetch(store.url + "/-/ready", timeout=5)[0] == 200, 120, 0.005)
    took, cpu = time.monotonic() - begin, store.cpu_seconds()
    blocks = metric_sum(store, "thanos_bucket_store_blocks_loaded")
    store.stop()
    return took, cpu, int(blocks)


def ready_with(topology, goals, where, count, bucket_config):
    data = topology.folder / f"data-{where}-{count}"
    cold = start_until_ready(topology, f"store-{where}-{count}-cold", f"--data-dir={data}", bucket_config)
    # The best of three: a start is short, and so is what disturbs it.
    warm = min(start_until_ready(topology, f"store-{where}-{count}-warm-{i}", f"--data-dir={data}", bucket_config) for i in range(3))
    assert cold[2] == warm[2] == count, (cold, warm)
    print(f"# {where}, {count} blocks: cold {cold[0]:.2f} s ({cold[1]:.2f} CPU seconds of the store), warm {warm[0]:.2f} s ({warm[1]:.2f})")
    goals.at_most(f"{count} blocks ready, {where}", cold[0], "s", 5 if count == 1000 else 30)
    goals.at_most(f"{count} blocks ready again, with its data directory, {where}", warm[0], "s", 1)


def ready(topology, goals):
    counts = (1000,) if goals.args.quick else (1000, 20_000)
    template = make_blocks(topology.folder / "template", END_MS, 100, 2, 60_000, 1, "ready")[0]
    for count in counts:
        bucket = many_blocks(topology.folder, template, count)
        ready_with(topology, goals, "filesystem", count, directory_config(bucket))
        shutil.rmtree(bucket)


def ready_s3(topology, goals):
    counts = (1000,) if goals.args.quick else (1000, 20_000)
    template = make_blocks(topology.folder / "template-s3", END_MS, 100, 2, 60_000, 1, "ready")[0]
    try:
        server = radosgw.Radosgw()
    except radosgw.Absent as why:
        for count in counts:
            goals.absent(f"{count} blocks ready, radosgw", "s", "<=", 5 if count == 1000 else 30, str(why))
        return
    try:
        for count in counts:
            s3_blocks(server.port, topology.folder / "template-s3", template, f"blocks-{count}", count)
            ready_with(topology, goals, "radosgw", count, "--objstore.config=" + S3(server.port, f"blocks-{count}").config())
    finally:
        server.stop()


def series(topology, goals):
    count, hours = (100_000, 24) if goals.args.quick else (1_000_000, 24)
    bucket = topology.folder / "bucket-series"
    make_blocks(bucket, END_MS, count, hours, 60_000, 1, "wide")
    store = topology.gauntlet("store-series", "store", f"--data-dir={topology.folder}/data-series", directory_config(bucket))

    def read():
        cpu = store.cpu_seconds()
        out = subprocess.run([PROGRAMS / "store_read", store.grpc, "wide", str(END_MS - hours * HOUR_MS), str(END_MS), "1"], check=True,
                             capture_output=True, text=True).stdout.split()
        return int(out[1]), store.cpu_seconds() - cpu, int(out[3])

    read()
    with PeakMemory(store) as memory:
        chunk_bytes, cpu, got = max((read() for _ in range(2)), key=lambda r: r[0] / r[1])
    assert got == count, got
    print(f"# {chunk_bytes / 1e6:.0f} MB of chunks of {got} series in {cpu:.2f} CPU seconds of the store")
    goals.at_least("Series over a day", chunk_bytes / 1e6 / cpu, "MB of chunks per CPU second", 300)
    goals.at_most("memory of it", memory.peak_mb, "MB", 512)

    def values():
        begin = time.monotonic()
        answer = fetch(f"{query.url}/api/v1/label/pod/values?limit=1000&start={(END_MS - hours * HOUR_MS) / 1000}&end={END_MS / 1000}")
        assert answer[0] == 200 and len(json.loads(answer[2])["data"]) == 1000, answer[2][:300]
        return time.monotonic() - begin

    query = topology.gauntlet("query-series", "query", f"--endpoint={store.grpc}")
    wait_for("the store", lambda: Api(query.url).get("stores")["data"])
    values()
    goals.at_most(f"label values over {count} values, limited to 1,000", min(values() for _ in range(5)) * 1000, "ms", 50)
    for process in (query, store):
        process.stop()
    shutil.rmtree(bucket)


def aggregation(topology, goals):
    count = 2000 if goals.args.quick else 20_000
    bucket = topology.folder / "bucket-long"
    make_blocks(bucket, END_MS, count, 2, 15_000, 24, "long")
    store = topology.gauntlet("store-long", "store", f"--data-dir={topology.folder}/data-long", directory_config(bucket))
    query = topology.gauntlet("query-long", "query", f"--endpoint={store.grpc}", "--query.replica-label=replica")
    wait_for("the store", lambda: Api(query.url).get("stores")["data"])
    span = 47 * 3600
    start = END_MS / 1000 - span

    def ask(timeout=300):
        status, _, body = fetch(f"{query.url}/api/v1/query_range", {"query": "sum by (zone) (rate(long[5m]))", "start": start, "end": start + span,
                                                                    "step": span / 1000}, timeout=timeout)
        return status, body

    runs = []
    with PeakMemory(store) as store_memory, PeakMemory(query) as query_memory:
        for _ in range(3):
            cpu = store.cpu_seconds() + query.cpu_seconds()
            status, body = ask()
            assert status == 200 and len(json.loads(body)["data"]["result"]) == 3, body[:300]
            runs.append(store.cpu_seconds() + query.cpu_seconds() - cpu)
    goals.at_most(f"sum by (rate) of {count} series x 48 h, 1,000 steps: memory of query and store", store_memory.peak_mb + query_memory.peak_mb, "MB", 400)
    goals.at_most("its CPU seconds", min(runs), "s", 4)
    for process in (query, store):
        process.stop()

    store = topology.gauntlet("store-heavy", "store", f"--data-dir={topology.folder}/data-long", directory_config(bucket), "--memory.limit=1GB")
    # All at once they are minutes of work for two cores: longer than a query may take by default, and its wait counts.
    query = topology.gauntlet("query-heavy", "query", f"--endpoint={store.grpc}", "--memory.limit=1GB", "--query.max-concurrent=100",
                              "--query.timeout=20m")
    wait_for("the store", lambda: Api(query.url).get("stores")["data"])
    with PeakMemory(store) as store_memory, PeakMemory(query) as query_memory:
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            begin = time.monotonic()
            answers = list(pool.map(lambda _: ask(1200), range(20 if goals.args.quick else 100)))
            took = time.monotonic() - begin
    refused = [body for status, body in answers if status != 200]
    for body in sorted({body[:300] for body in refused}):
        print(f"# refused: {body}")
    cpu = store.cpu_seconds() + query.cpu_seconds()
    print(f"# {len(answers)} heavy queries at once took {took:.0f} s and {cpu:.0f} CPU seconds")
    goals.at_most("many heavy queries at once: refused", len(refused), "of " + str(len(answers)), 0)
    goals.at_most("many heavy queries at once: memory of the store", store_memory.peak_mb, "MB", 1000)
    goals.at_most("and of the querier", query_memory.peak_mb, "MB", 1000)
    for process in (query, store):
        process.stop()
    shutil.rmtree(bucket)


def sidecar(topology, goals):
    """The same aggregation over six hours that a real Prometheus has in blocks: asked directly, and through a sidecar that reads them itself."""
    count = 2000 if goals.args.quick else 20_000
    if not shutil.which("prometheus"):
        goals.absent("6 h through the sidecar, of Prometheus' own time", "times", "<=", 0.5, "no prometheus here")
        return
    end_ms = (int(time.time()) // 7200 - 1) * 7200 * 1000
    folder, port = topology.folder / "prometheus-own", free_port()
    make_blocks(folder / "data", end_ms, count, 2, 15_000, 3, "long")
    # It scrapes itself, so that it has a head.
    (folder / "prometheus.yml").write_text(
        "global:\n  scrape_interval: 1s\n  external_labels: {cluster: bench, replica: a}\nscrape_configs:\n"
        f"- job_name: self\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n")
    prometheus = topology.start("prometheus-own", ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                                   "--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h",
                                                   "--storage.tsdb.retention.time=30d", f"--web.listen-address=127.0.0.1:{port}"],
                                f"http://127.0.0.1:{port}/-/ready", 60)
    prometheus.url, prometheus.data = f"http://127.0.0.1:{port}", folder / "data"
    sidecar = topology.sidecar("sidecar-own", prometheus)
    query = topology.gauntlet("query-own", "query", f"--endpoint={sidecar.grpc}", "--query.replica-label=replica")
    wait_for("the sidecar", lambda: Api(query.url).get("stores")["data"])
    span = 6 * 3600 - 600
    # No step stands on a sample: whether a range has the one at its beginning differs between Prometheus 2 and 3.
    start = end_ms / 1000 - span - 7.5

    def ask(url):
        begin = time.monotonic()
        status, _, body = fetch(f"{url}/api/v1/query_range", {"query": "sum by (zone) (rate(long[5m]))", "start": start,
                                                              "end": start + span, "step": span / 1000}, timeout=300)
        assert status == 200 and len(json.loads(body)["data"]["result"]) == 3, body[:300]
        return time.monotonic() - begin, [float(v) for series in json.loads(body)["data"]["result"] for _, v in series["values"]]

    wait_for("the sidecar to read the blocks itself",
             lambda: metric_sum(sidecar, "gauntlet_sidecar_blocks_readable_until_seconds") >= end_ms / 1000, 120)
    direct, through = ask(prometheus.url), ask(query.url)
    assert len(direct[1]) == len(through[1]) and all(abs(a - b) <= 1e-9 * abs(a) for a, b in zip(direct[1], through[1])), (direct[1][:5], through[1][:5])
    before = prometheus.cpu_seconds()
    direct = min(ask(prometheus.url)[0] for _ in range(3))
    asked = prometheus.cpu_seconds() - before
    before, own = prometheus.cpu_seconds(), sidecar.cpu_seconds() + query.cpu_seconds()
    through = min(ask(query.url)[0] for _ in range(3))
    print(f"# directly {direct:.2f} s ({asked / 3:.2f} CPU seconds); through the sidecar {through:.2f} s "
          f"({(sidecar.cpu_seconds() + query.cpu_seconds() - own) / 3:.2f} of sidecar and querier, {(prometheus.cpu_seconds() - before) / 3:.2f} of Prometheus)")
    goals.at_most("6 h through the sidecar, of Prometheus' own time", through / direct, "times", 0.5)
    for process in (query, sidecar, prometheus):
        process.stop()


def main():
    goals = Goals("store")
    with Topology() as topology:
        for name, run in (("ready", ready), ("ready-s3", ready_s3), ("series", series), ("aggregation", aggregation), ("sidecar", sidecar)):
            if goals.args.only in (None, name):
                run(topology, goals)
    return goals.finish()


if __name__ == "__main__":
    sys.exit(main())
