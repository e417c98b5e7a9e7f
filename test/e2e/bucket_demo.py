"""The part of the demo with a bucket: short blocks travel from Prometheus' disk to the bucket, are merged, and expire."""
import contextlib
import json
import subprocess
import time

from s3_bucket import S3, radosgw
from topology import GAUNTLET, Api, fetch, wait_for

BLOCK_SECONDS = 20
# Prometheus keeps two minutes, the bucket five.
PROMETHEUS_FLAGS = [f"--storage.tsdb.min-block-duration={BLOCK_SECONDS}s", f"--storage.tsdb.max-block-duration={BLOCK_SECONDS}s",
                    "--storage.tsdb.retention.time=2m"]
RETENTION = "5m"


class Bucket:
    """A bucket and what works on it. Use as a context: a server of S3 ends with it."""

    def __init__(self, topology, kind="directory"):
        self.topology, self.kind, self._server = topology, kind, None
        self._stack = contextlib.ExitStack()
        if kind == "s3":
            self._server = radosgw.Radosgw()
            self._stack.callback(self._server.stop)
            self.text = S3(self._server.port, "demo").make().config()
            self.place = f"bucket demo at 127.0.0.1:{self._server.port}"
        else:
            self.folder = topology.folder / "bucket"
            self.folder.mkdir()
            self.text = f"type: FILESYSTEM\nconfig:\n  directory: {self.folder}\n"
            self.place = str(self.folder)
        self.flag = f"--objstore.config={self.text}"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stack.close()

    def start(self):
        """A store gateway, a compactor and the page of blocks; the sidecars are the caller's."""
        folder = self.topology.folder
        self.store = self.topology.gauntlet("store", "store", self.flag, f"--data-dir={folder}/store", "--sync-block-duration=5s",
                                            "--ignore-deletion-marks-delay=10s")
        self.web = self.topology.gauntlet_http("bucket-web", ["tools", "bucket", "web"], self.flag, "--refresh=3s", "--timeout=1m")
        self.compact = self.topology.gauntlet_http(
            "compact", ["compact"], self.flag, f"--data-dir={folder}/compact", "--wait", "--wait-interval=5s", "--consistency-delay=5s",
            "--delete-delay=20s", "--deduplication.replica-label=replica", "--deduplication.func=penalty", "--compact.enable-vertical-compaction",
            "--compact.cleanup-interval=10s", "--downsampling.disable", "--block-viewer.global.sync-block-interval=5s", "--compact.progress-interval=1m",
            f"--retention.resolution-raw={RETENTION}", f"--retention.resolution-5m={RETENTION}", f"--retention.resolution-1h={RETENTION}")

    def blocks(self):
        """{id: meta} as the page of blocks shows them."""
        status, _, body = fetch(self.web.url + "/api/v1/blocks?view=global")
        assert status == 200, body
        data = json.loads(body)["data"]
        return {b["ulid"]: b for b in data["blocks"]}


def told(block):
    """One line about a block."""
    span = (block["maxTime"] - block["minTime"]) / 1000
    labels = ", ".join(f'{k}="{v}"' for k, v in sorted(block["thanos"]["labels"].items()))
    begin = time.strftime("%H:%M:%S", time.localtime(block["minTime"] / 1000))
    return (f"{block['ulid']} {begin} + {span:.0f} s, level {block['compaction']['level']}, {block['thanos']['source']}, "
            f"{block['stats'].get('numSamples', 0)} samples, {{{labels}}}")


class Journal:
    """What changed among the blocks since it was last asked."""

    def __init__(self, bucket):
        self.bucket, self.known = bucket, {}

    def news(self):
        now = self.bucket.blocks()
        lines = [f"+ {told(now[b])}" for b in sorted(now.keys() - self.known.keys())]
        lines += [f"- {told(self.known[b])}" for b in sorted(self.known.keys() - now.keys())]
        self.known = now
        return lines


def missing():
    """Why there cannot be a demo with a bucket; "" if there can."""
    done = subprocess.run([GAUNTLET, "compact", "--help"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return "" if done.returncode == 0 else "this gauntlet has no compactor"


def check(topology, report, bucket, check_matrix):
    """Follows the first blocks; `check_matrix` is the demo's."""
    journal, seen = Journal(bucket), {}

    def look():
        for line in journal.news():
            print(f"# {line}", flush=True)
        seen.update(journal.known)

    def replicas():
        look()
        return {b["thanos"]["labels"]["replica"] for b in seen.values() if b["thanos"]["source"] == "sidecar"} == {"a", "b"}

    with report.case("short blocks of both replicas arrive in the bucket"):
        wait_for("a block of each", replicas, 180, 1)
        shipped = [b for b in seen.values() if b["thanos"]["source"] == "sidecar"]
        assert all(b["compaction"]["level"] == 1 for b in shipped), shipped
    only = topology.gauntlet("query-bucket", "query", f"--endpoint={bucket.store.grpc}", "--query.replica-label=replica")
    api = Api(only.url)
    begin = max(min(b["minTime"] for b in shipped if b["thanos"]["labels"]["replica"] == r) for r in "ab") // 1000 + 2
    end = min(max(b["maxTime"] for b in shipped if b["thanos"]["labels"]["replica"] == r) for r in "ab") // 1000 - 2

    def whole():
        answer = api.query_range('up{job="node"}', begin, end, 1)
        check_matrix(answer, begin, end, 1)
        assert not answer.get("warnings"), answer["warnings"]
        return answer["data"]["result"]

    def answered():
        try:
            return whole()
        except AssertionError as why:
            raise ValueError(str(why)) from None

    with report.case("what the bucket has is answered from it alone"):
        first = wait_for("an answer without a gap", answered, 60, 1)
    with report.case("the compactor makes one block of those of the replicas"):
        def merged():
            look()
            return [b for b in seen.values() if b["thanos"]["source"] == "compactor" and "replica" not in b["thanos"]["labels"]]
        blocks = wait_for("a merged block", merged, 90, 1)
        assert all(b["thanos"]["labels"] == {"cluster": "demo"} and b["compaction"]["level"] >= 2 for b in blocks), blocks
        made_of = {p["ulid"] for b in blocks for p in b["compaction"]["parents"]}
        assert made_of <= seen.keys(), (made_of, seen.keys())
    with report.case("the answer is the same while they are merged, and those that were merged go"):
        def gone():
            look()
            now = whole()
            assert now == first, (now, first)
            return not made_of & journal.known.keys()
        wait_for("the merged ones gone", gone, 120, 1)
    with report.case("the store gateway and the bucket's page show the blocks"):
        for url, view in ((bucket.store.url, "loaded"), (bucket.web.url, "global")):
            status, headers, page = fetch(url + "/")
            assert status == 200 and b"<title>Blocks</title>" in page, (status, page[:200])
            data = json.loads(fetch(f"{url}/api/v1/blocks?view={view}")[2])["data"]
            assert data["blocks"] and data["err"] is None, data
