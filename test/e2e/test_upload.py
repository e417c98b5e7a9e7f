#!/usr/bin/env python3
"""Blocks of a real Prometheus travel to a bucket: a directory, and a real S3 server."""
import datetime
import hashlib
import json
import subprocess
import sys
import time

from bucket_blocks import local_blocks
from s3_bucket import S3, radosgw
from topology import Report, Topology, directory_config, interrupt_on_term, make_blocks, metrics, wait_for

HOUR = 3600


def openmetrics(start, hours):
    """Lines of one counter each minute."""
    return ["# TYPE travelled counter"] + [f'travelled_total{{seat="{seat}"}} {i} {start + i * 60}'
                                           for seat in ("a", "b") for i in range(hours * 60)]


def check_block(local, objects):
    """`objects`: path below the block -> bytes."""
    meta = json.loads(objects["meta.json"])
    mine = json.loads((local / "meta.json").read_text())
    thanos = meta.pop("thanos")
    assert meta == mine, (meta, mine)
    assert thanos["labels"] == {"cluster": "eu", "replica": "a"}, thanos
    assert thanos["source"] == "sidecar" and thanos["downsample"] == {"resolution": 0}, thanos
    assert thanos["segment_files"] == sorted(p.name for p in (local / "chunks").iterdir()), thanos
    files = {f["rel_path"]: f for f in thanos["files"]}
    # Beside what a block must have, the index header that our store gateway reads.
    assert set(files) | {"gauntlet.index-header"} == set(objects), (files, objects.keys())
    for path, entry in files.items():
        if path == "meta.json":
            continue
        content = (local / path).read_bytes()
        assert objects[path] == content, path
        assert entry["size_bytes"] == len(content) and entry["hash"] == {
            "hashFunc": "SHA256", "value": hashlib.sha256(content).hexdigest()}, entry
    uploaded = datetime.datetime.fromisoformat(thanos["upload_time"].replace("Z", "+00:00")).timestamp()
    assert abs(uploaded - time.time()) < 600, thanos


def directory_cases(report, topology, now):
    bucket = topology.folder / "bucket"
    config = directory_config(bucket)
    prometheus = topology.prometheus("prometheus", {"cluster": "eu", "replica": "a"}, {},
                                     blocks=openmetrics(now - 12 * HOUR, 6))
    sidecar = topology.sidecar("sidecar", prometheus, config, "--hash-func=SHA256")

    def in_bucket():
        return {p.parent.name for p in bucket.glob("01*/meta.json")}

    with report.case("blocks that are there go to a directory, with their thanos section and hashes"):
        blocks = local_blocks(prometheus.data)
        assert len(blocks) >= 3, blocks
        wait_for("all blocks in the bucket", lambda: in_bucket() == set(blocks), 20)
        for name, local in blocks.items():
            folder = bucket / name
            check_block(local, {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()})
    with report.case("thanos.shipper.json names them; Prometheus' own files are untouched"):
        state = wait_for("the file", lambda: json.loads((prometheus.data / "thanos.shipper.json").read_text()), 10)
        assert state["version"] == 1 and set(state["uploaded"]) == set(blocks), state
        assert all("thanos" not in json.loads((b / "meta.json").read_text()) for b in blocks.values())
        assert not list((prometheus.data / "thanos" / "upload").glob("*"))
    with report.case("shipper and bucket tell what they did"):
        told = metrics(sidecar)
        assert float(told["thanos_shipper_uploads_total"]) == len(blocks), told
        assert float(told["thanos_shipper_dir_syncs_total"]) >= 1 and float(told["thanos_shipper_upload_failures_total"]) == 0
        labels = f'{{bucket="fs: {bucket}",operation="upload"}}'
        assert float(told["thanos_objstore_bucket_operations_total" + labels]) == 4 * len(blocks), told
        assert float(told["thanos_objstore_bucket_operation_failures_total" + labels]) == 0
        assert float(told[f'thanos_objstore_bucket_last_successful_upload_time{{bucket="fs: {bucket}"}}']) > now - 600
    with report.case("at its end the sidecar ships what was finished last, and passes over a bad block"):
        (prometheus.data / "01BAD0000000000000000000XX").mkdir()
        (prometheus.data / "01BAD0000000000000000000XX" / "meta.json").write_text("{broken")
        make_blocks(openmetrics(now - 5 * HOUR, 2), prometheus.data)
        more = set(local_blocks(prometheus.data)) - {"01BAD0000000000000000000XX"}
        assert len(more) > len(blocks)
        sidecar.stop(30)
        assert in_bucket() == more, (in_bucket(), more)
    with report.case("promtool reads the blocks of the bucket"):
        listed = subprocess.run(["promtool", "tsdb", "list", bucket], check=True, stdout=subprocess.PIPE).stdout.decode()
        assert all(name in listed for name in more), listed
    with report.case("a Prometheus that compacts by itself is refused, unless told otherwise"):
        compacting = topology.prometheus("compacting", {"cluster": "eu"}, {}, flags=["--storage.tsdb.max-block-duration=31h"])
        refused = topology.sidecar("refused", compacting, config, ready=False)
        wait_for("the end of the sidecar", lambda: not refused.running(), 20)
        assert refused.child.returncode != 0 and "Compaction needs to be disabled" in refused.log_tail(), refused.log_tail()
        topology.sidecar("ignoring", compacting, config, "--shipper.ignore-unequal-block-size").stop()


def s3_cases(report, topology, now):
    try:
        server = radosgw.Radosgw()
    except radosgw.Absent as why:
        report.skip("blocks go to S3", str(why))
        return
    try:
        bucket = S3(server.port, "blocks").make()
        config = topology.folder / "objstore.yml"
        config.write_text(bucket.config("eu/one", "$(S3_KEY)"))
        prometheus = topology.prometheus("prometheus-s3", {"cluster": "eu", "replica": "a"}, {},
                                         blocks=openmetrics(now - 12 * HOUR, 4))
        blocks = local_blocks(prometheus.data)
        sidecar = topology.sidecar("sidecar-s3", prometheus, f"--objstore.config-file={config}", "--hash-func=SHA256",
                                   "--shipper.upload-concurrency=4", env={"S3_KEY": radosgw.ACCESS_KEY})
        with report.case("blocks go to S3, below the prefix, with their thanos section and hashes"):
            wait_for("all uploads", lambda: float(metrics(sidecar)["thanos_shipper_uploads_total"]) == len(blocks), 30)
            for name, local in blocks.items():
                prefix = f"eu/one/{name}/"
                check_block(local, {k.removeprefix(prefix): v for k, v in bucket.objects(prefix).items()})
        with report.case("a second sidecar finds them there and sends nothing"):
            sidecar.stop(30)
            (prometheus.data / "thanos.shipper.json").unlink()
            again = topology.sidecar("sidecar-s3-again", prometheus, f"--objstore.config-file={config}",
                                     env={"S3_KEY": radosgw.ACCESS_KEY})
            wait_for("a pass", lambda: float(metrics(again)["thanos_shipper_dir_syncs_total"]) >= 1, 20)
            told = metrics(again)
            assert float(told["thanos_shipper_uploads_total"]) == 0, told
            assert float(told['thanos_objstore_bucket_operations_total{bucket="blocks",operation="upload"}']) == 0
            assert set(json.loads((prometheus.data / "thanos.shipper.json").read_text())["uploaded"]) == set(blocks)
    finally:
        server.stop()


def main():
    interrupt_on_term()
    report = Report()
    now = int(time.time()) // (2 * HOUR) * 2 * HOUR
    with Topology() as topology:
        directory_cases(report, topology, now)
        s3_cases(report, topology, now)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
