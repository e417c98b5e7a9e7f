#!/usr/bin/env python3
"""`gauntlet compact` over a directory: the recorded bucket, what promtool and a store gateway see of the result, quarantine and repair."""
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

from bucket_blocks import metas, put_block, real_blocks, samples
from s3_bucket import S3, radosgw
from topology import GAUNTLET, SHARED, Api, Report, Topology, directory_config, fetch, interrupt_on_term, metric_sum, wait_for

GOLDEN = SHARED / "golden" / "compact"
MIXIN = SHARED / "fixtures" / "thanos-mixin"
START = 1767571200  # 2026-01-05, a border of 8 h
# What the mixin asks of other components that share these names' beginnings.
OTHERS = ("thanos_objstore_bucket_last_successful_upload_time", "thanos_objstore_bucket_failures_per_operation")


def compact(topology, bucket, *flags, code=0):
    done = subprocess.run([GAUNTLET, "compact", directory_config(bucket), f"--data-dir={topology.folder}/once", "--http-address=127.0.0.1:0",
                           "--consistency-delay=0s", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    assert done.returncode == code, (flags, done.returncode, done.stderr[-3000:].decode())
    return done.stderr.decode()


def repair(topology, bucket, *flags):
    done = subprocess.run([GAUNTLET, "tools", "bucket", "repair", directory_config(bucket), f"--data-dir={topology.folder}/repair", *flags],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == 0, (flags, done.stderr[-2000:].decode())
    return done.stdout.decode()


def recorded_bucket(to):
    shutil.copytree(GOLDEN / "bucket-before", to)
    names = json.loads((GOLDEN / "bucket-names.json").read_text())
    for path in (to / names["partial-old"]).rglob("*"):
        os.utime(path, (time.time() - 3 * 86400,) * 2)
    mark = to / names["deleted-now"] / "deletion-mark.json"
    content = json.loads(mark.read_text())
    content["deletion_time"] = int(time.time())
    mark.write_text(json.dumps(content))
    return names


def shape(bucket):
    """What a bucket holds, ids aside."""
    found = []
    for meta in metas(bucket, marked=True).values():
        marked = (pathlib.Path(bucket) / meta["ulid"] / "deletion-mark.json").exists()
        found.append((sorted(meta["thanos"]["labels"].items()), meta["minTime"], meta["maxTime"], meta["compaction"]["level"],
                      meta["compaction"]["sources"], meta["stats"]["numSamples"], meta["stats"]["numSeries"], marked))
    return sorted(found)


def answers(topology, name, bucket):
    """What a querier says of all of the bucket's times."""
    store = topology.gauntlet(f"store-{name}", "store", f"--data-dir={topology.folder}/store-{name}", directory_config(bucket),
                              "--ignore-deletion-marks-delay=0s")
    query = topology.gauntlet(f"query-{name}", "query", f"--endpoint={store.grpc}")
    wait_for("the store", lambda: sum(len(v) for v in Api(query.url).get("stores")["data"].values()) == 1)
    out = {}
    of = '{__name__=~".+",cluster=~"eu|us"}'
    for expression in (of, f"count by (cluster) ({of})", f"count_over_time({of}[1h])", f"max_over_time({of}[30m])"):
        answer = Api(query.url).query_range(expression, START, START + 10 * 3600, 300)
        assert answer["status"] == "success" and not answer.get("warnings"), answer
        out[expression] = {json.dumps(s["metric"], sort_keys=True): s.get("values", s.get("histograms")) for s in answer["data"]["result"]}
        assert out[expression], expression
    query.stop()
    store.stop()
    return out


def mixin_names():
    text = "".join(p.read_text() for p in MIXIN.rglob("*") if p.is_file())
    found = set(re.findall(r"thanos_(?:compact|blocks_meta|objstore_bucket)_[a-z_]+", text))
    return sorted(re.sub(r"_(bucket|count|sum)$", "", n) for n in found if n not in OTHERS)


def recorded(report, topology):
    bucket = topology.folder / "recorded"
    recorded_bucket(bucket)
    before = answers(topology, "before", bucket)
    with report.case("the recorded bucket becomes what Thanos made of it"):
        compact(topology, bucket, "--compact.enable-vertical-compaction")
        assert shape(bucket) == shape(GOLDEN / "bucket-after"), (shape(bucket), shape(GOLDEN / "bucket-after"))
    with report.case("a querier over a store gateway says the same before and after"):
        after = answers(topology, "after", bucket)
        for expression, expected in before.items():
            assert after[expression] == expected, expression
    with report.case("promtool lists and analyzes every block that was made"):
        folder = topology.folder / "made"
        made = [m["ulid"] for m in metas(bucket).values() if m["compaction"]["level"] > 1]
        assert len(made) == 2, made
        for ulid in made:
            shutil.copytree(bucket / ulid, folder / ulid)
        listed = subprocess.run(["promtool", "tsdb", "list", folder], stdout=subprocess.PIPE, check=True).stdout.decode()
        for ulid in made:
            assert ulid in listed, listed
            subprocess.run(["promtool", "tsdb", "analyze", folder, ulid], stdout=subprocess.DEVNULL, check=True)


def histograms(report, topology):
    bucket = topology.folder / "histograms"
    bucket.mkdir()
    with report.case("promtool lists and analyzes merged blocks of histograms, adjacent and overlapping"):
        for case in ("histograms-adjacent", "histograms-overlap"):
            ids = [put_block(bucket, block, {"case": case}) for block in sorted((GOLDEN / case / "in").glob("b?"))]
            text = repair(topology, bucket, "--action=merge", *[f"--id={i}" for i in ids])
            made = re.search(r"merged into (\w{26})", text)[1]
            folder = topology.folder / f"made-{case}"
            shutil.copytree(bucket / made, folder / made)
            assert made in subprocess.run(["promtool", "tsdb", "list", folder], stdout=subprocess.PIPE, check=True).stdout.decode()
            subprocess.run(["promtool", "tsdb", "analyze", folder, made], stdout=subprocess.DEVNULL, check=True)
            for file in ("index", "chunks/000001"):
                assert (folder / made / file).read_bytes() == (GOLDEN / case / "out" / "block" / file).read_bytes(), (case, file)


def quarantined(report, topology):
    bucket = topology.folder / "quarantined"
    names = recorded_bucket(bucket)
    with report.case("an overlap sets its group aside, the rest is compacted, and the exit code says that not all is done"):
        log = compact(topology, bucket, code=1)
        assert "quarantined" in log and names["eu-overlap"] in log, log[-2000:]
        assert any(m["compaction"]["level"] == 2 and m["thanos"]["labels"] == {"cluster": "us"} for m in metas(bucket).values())
        assert not (bucket / names["partial-old"]).exists() and not (bucket / names["deleted-long-ago"]).exists()
        listed = repair(topology, bucket)
        assert "overlapping-blocks" in listed and "--action=merge" in listed, listed
    with report.case("with --wait, --no-debug.halt-on-error ends the process when all else is done"):
        log = compact(topology, bucket, "--wait", "--no-debug.halt-on-error", code=1)
        assert "ended by an error" in log and "1 blocks or groups are quarantined" in log, log[-2000:]
    with report.case("tools bucket repair merges them, and then all is done"):
        repair(topology, bucket, "--action=merge", f"--id={names['eu-2']}", f"--id={names['eu-overlap']}")
        assert repair(topology, bucket) == ""
        compact(topology, bucket)
        assert len(metas(bucket)) == 4, metas(bucket)


def waiting(report, topology):
    bucket = topology.folder / "waiting"
    lines = ["# TYPE seq counter"] + [f'seq_total{{i="{i}"}} {n} {START + n * 60}' for i in range(3) for n in range(12 * 60)]
    blocks = real_blocks(topology.folder / "made-for-waiting", lines)
    bucket.mkdir()
    process = topology.gauntlet_http("compact", ["compact"], directory_config(bucket), f"--data-dir={topology.folder}/wait", "--wait",
                                     "--wait-interval=1s", "--consistency-delay=0s", "--compact.progress-interval=1s",
                                     "--block-viewer.global.sync-block-interval=1s", "--deduplication.replica-label=replica",
                                     "--web.external-prefix=/behind/a/proxy", "--deduplication.func=penalty")

    with report.case("--wait compacts what comes, and merges replicas"):
        for replica in "ab":
            for block in blocks:
                put_block(bucket, block, {"cluster": "eu", "replica": replica})
        wait_for("replicas merged and compacted", lambda: metric_sum(process, "thanos_compact_group_compactions_total") >= len(blocks)
                 and metric_sum(process, "thanos_compact_todo_compactions") == 0 and metric_sum(process, "thanos_compact_iterations_total") >= 2, 60)
        left = metas(bucket)
        assert all(m["thanos"]["labels"] == {"cluster": "eu"} for m in left.values()), left
        # Two replicas with the same samples: one has all of them.
        assert sum(m["stats"]["numSamples"] for m in left.values()) == 3 * 12 * 60, left
    with report.case("every metric of Thanos' mixin is there"):
        text = fetch(process.url + "/metrics")[2].decode()
        missing = [n for n in mixin_names() if not re.search(rf"^{n}(_bucket|_count)?[ {{]", text, re.M)]
        assert not missing, missing
        for labelled in ('thanos_compact_blocks_marked_total{marker="deletion-mark.json",reason=""}',
                         'thanos_compact_group_compactions_total{resolution="0"}', 'thanos_compact_downsample_total{resolution="0"}',
                         'thanos_blocks_meta_synced{state="loaded"}', "thanos_compact_halted 0", "thanos_compact_todo_downsample_blocks"):
            assert labelled in text, labelled
    with report.case("the block viewer tells what there is, and marks"):
        def seen(view):
            return {b["ulid"] for b in json.loads(fetch(process.url + f"/api/v1/blocks?view={view}")[2])["data"]["blocks"]}
        wait_for("all blocks", lambda: seen("global") >= set(metas(bucket)) and seen("loaded") >= set(metas(bucket)), 10)
        assert fetch(process.url + "/global")[0] == 200 and fetch(process.url + "/api/v1/status/flags")[0] == 200
        assert b'<base href="/behind/a/proxy/">' in fetch(process.url + "/")[2]
        chosen = sorted(metas(bucket))[0]
        status, _, body = fetch(process.url + "/api/v1/blocks/mark", {"id": chosen, "action": "NO_COMPACTION", "detail": "a test"}, method="POST")
        assert status == 200 and (bucket / chosen / "no-compact-mark.json").exists(), (status, body)
    with report.case("a second compactor in the same data directory refuses to start"):
        other = subprocess.run([GAUNTLET, "compact", directory_config(bucket), f"--data-dir={topology.folder}/wait", "--http-address=127.0.0.1:0"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        assert other.returncode == 1 and b"another process works in" in other.stderr, other.stderr[-500:]
    with report.case("routes under a prefix, and links as the proxy's header says"):
        routed = topology.gauntlet_http("compact-routed", ["compact"], directory_config(bucket), f"--data-dir={topology.folder}/routed", "--wait",
                                        "--web.route-prefix=/blocks-of", "--web.prefix-header=X-Prefix")
        assert b"<base" not in fetch(routed.url + "/blocks-of/global")[2] and fetch(routed.url + "/global")[0] == 404
        assert b'<base href="/p/">' in fetch(routed.url + "/blocks-of/global", headers={"X-Prefix": "/p"})[2]
        assert fetch(routed.url + "/blocks-of/api/v1/blocks")[0] == 200
        assert routed.stop(30) == 0
    with report.case("what a merge may not hold is put off, and said"):
        small = topology.folder / "small"
        small.mkdir()
        for block in blocks:
            put_block(small, block, {"cluster": "eu"})
        log = compact(topology, small, "--memory.limit=1MB", code=1)
        assert "process used" in log and len(metas(small)) == len(blocks), log[-2000:]
        compact(topology, small)
        assert len(metas(small)) < len(blocks)
    with report.case("SIGTERM ends it"):
        assert process.stop(30) == 0, process.log_tail()


def over_s3(report, topology):
    try:
        server = radosgw.Radosgw()
    except radosgw.Absent as why:
        report.skip("blocks in S3", str(why))
        return
    try:
        config = topology.folder / "s3.yml"
        config.write_text(S3(server.port, "merged").make().config())
        here, back = topology.folder / "for-s3", topology.folder / "from-s3"
        here.mkdir()
        random.seed(7)
        lines = ["# TYPE seq gauge"] + [f'seq{{i="{i}"}} {random.random()} {START + n * 10}' for i in range(40) for n in range(5 * 720)]
        ids = [put_block(here, block, {"cluster": "eu"}) for block in real_blocks(topology.folder / "made-for-s3", lines)]

        def run(*command):
            done = subprocess.run([GAUNTLET, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
            assert done.returncode == 0, (command, done.stderr[-2000:].decode())

        with report.case("blocks in S3 are merged in it, and no sample is lost"):
            run("tools", "bucket", "replicate", directory_config(here), f"--objstore-to.config-file={config}", "--single-run")
            run("compact", f"--objstore.config-file={config}", f"--data-dir={topology.folder}/s3", "--http-address=127.0.0.1:0",
                "--consistency-delay=0s", "--hash-func=SHA256")
            run("tools", "bucket", "replicate", f"--objstore.config-file={config}", directory_config(back, "--objstore-to.config"), "--single-run",
                "--ignore-marked-for-deletion")
            left = metas(back)
            assert len(ids) == 5 and len(left) < 4 and any(m["compaction"]["level"] == 2 for m in left.values()), left
            assert samples(back, left, topology.folder / "read-s3") == samples(here, ids, topology.folder / "read-here")
    finally:
        server.stop()


def downsampled(report, topology):
    bucket = topology.folder / "downsampled"
    bucket.mkdir()
    lines = ["# TYPE seq counter"] + [f"seq_total {n} {START + n * 600}" for n in range(15 * 24 * 6)]
    for block in real_blocks(topology.folder / "made-for-downsampling", lines):
        put_block(bucket, block, {"cluster": "eu"})
    with report.case("two weeks become one block, of which a 5m and a 1h block are made, and retention marks by resolution"):
        compact(topology, bucket, "--retention.resolution-raw=41h")
        by_resolution = {}
        for meta in metas(bucket, marked=True).values():
            if meta["compaction"]["level"] > 1 or meta["thanos"]["downsample"]["resolution"] > 0:
                by_resolution.setdefault(meta["thanos"]["downsample"]["resolution"], []).append(meta)
        assert {300000, 3600000} <= set(by_resolution), by_resolution.keys()
        assert all(m["thanos"]["downsample"]["resolution"] > 0 for m in metas(bucket).values()), metas(bucket)
        assert sum(m["maxTime"] - m["minTime"] for m in by_resolution[3600000]) >= 10 * 86400_000, by_resolution[3600000]
    with report.case("raw retention that would lose data before it is downsampled is refused"):
        log = compact(topology, bucket, "--retention.resolution-raw=1d", code=1)
        assert "40 hours" in log, log[-500:]


def main():
    interrupt_on_term()
    report = Report()
    with Topology() as topology:
        if (GOLDEN / "bucket-before").exists():
            recorded(report, topology)
            histograms(report, topology)
            quarantined(report, topology)
        else:
            report.skip("the recorded bucket", "no shared golden data")
        waiting(report, topology)
        over_s3(report, topology)
        downsampled(report, topology)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
