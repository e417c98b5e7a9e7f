#!/usr/bin/env python3
"""Compactors on one bucket with every kind of damage, killed at random moments while blocks arrive: nothing is lost, all that can be
compacted is, and each bad block is named.

    test_compact_chaos.py [KILLS]      default $GAUNTLET_KILLS, or 10; $GAUNTLET_SEED repeats a run
"""
import json
import os
import random
import shutil
import subprocess
import sys
import time

from bucket_blocks import HOUR, flip, metas, new_ulid, put_block, real_blocks, samples, unorder_chunks
from topology import GAUNTLET, Report, Topology, directory_config, interrupt_on_term, metric_sum, wait_for

KILLS = int(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("GAUNTLET_KILLS", "10"))
SEED = int(os.environ.get("GAUNTLET_SEED", str(time.time_ns() % 1_000_000)))
START = 1767571200  # a border of 8 h
BLOCKS, PER_BLOCK = 5, 720  # of 2 h, a sample each 10 s: several chunks a series


class Compactor:
    """One that is killed and starts again with its data directory."""

    def __init__(self, topology, bucket, number, flags):
        self.topology, self.number, self.starts = topology, number, 0
        self.flags = [directory_config(bucket), f"--data-dir={topology.folder}/data-{number}",
                      "--wait", "--wait-interval=200ms", "--consistency-delay=0s", "--delete-delay=2s", "--compact.cleanup-interval=1s",
                      "--compact.progress-interval=1s", "--compact.lease-time=3s", "--compact.concurrency=2", "--log.level=warn", *flags]
        self.start()

    def start(self):
        self.starts += 1
        self.process = self.topology.gauntlet_http(f"compact-{self.number}", ["compact"], *self.flags, ready=False)


def overlap_alone(action):
    return f"--selector.relabel-config=[{{source_labels: [cluster], regex: overlap, action: {action}}}]"


def arrive(bucket, blocks, labels):
    return [put_block(bucket, block, labels) for block in blocks]


def damaged_groups(bucket, blocks, rng):
    """A group for each kind, whose second block is bad: {cluster: the block that must be named}, of "overlap" both of them; all blocks of that
    one; and an upload that was given up."""
    bad = {}

    def group(kind, damage):
        ids = arrive(bucket, blocks, {"cluster": kind})
        damage(ids[1])
        bad[kind] = ids[1]

    group("cut-index", lambda i: os.truncate(bucket / i / "index", 100))
    group("flipped-index", lambda i: flip(bucket / i / "index", 12))
    group("no-index", lambda i: (bucket / i / "index").unlink())
    group("flipped-chunk", lambda i: flip(bucket / i / "chunks" / "000001", 60))
    group("cut-chunks", lambda i: os.truncate(bucket / i / "chunks" / "000001", 500))
    group("no-chunks", lambda i: (bucket / i / "chunks" / "000001").unlink())
    group("unordered", lambda i: unorder_chunks(bucket / i))
    group("bad-meta", lambda i: (bucket / i / "meta.json").write_text("{"))
    # Two blocks of the same time, where overlaps are not merged: the group is set aside, and nothing of it touched.
    ids = arrive(bucket, blocks, {"cluster": "overlap"})
    bad["overlap"] = {ids[1], put_block(bucket, blocks[1], {"cluster": "overlap"})}
    overlap = set(ids) | bad["overlap"]
    # The same id in two directories; a block twice under ids of its own, of which one goes; an upload that was given up.
    copy = new_ulid(START * 1000, rng)
    ids = arrive(bucket, blocks, {"cluster": "copied"})
    shutil.copytree(bucket / ids[0], bucket / copy)
    bad["copied"] = copy
    ids = arrive(bucket, blocks, {"cluster": "twice"})
    put_block(bucket, blocks[0], {"cluster": "twice"}, change=lambda m: m["compaction"].update(sources=[ids[0]]))
    partial = bucket / new_ulid(START * 1000, rng) / "chunks"
    partial.mkdir(parents=True)
    (partial / "000001").write_bytes(b"x")
    for path in (partial / "000001", partial, partial.parent):
        os.utime(path, (time.time() - 3 * 86400,) * 2)
    return bad, overlap, partial.parent


def expected(series):
    return {(name, (START + n * 10) * 1000): float(n) for name in series for n in range(BLOCKS * PER_BLOCK)}


def quiet(compactors, bucket, groups):
    """Nothing left to do, as both say, and the good groups show it."""
    if any(metric_sum(c.process, "thanos_compact_todo_compactions") or metric_sum(c.process, "thanos_compact_iterations_total") < 2 for c in compactors):
        return False
    by_cluster = {}
    for meta in metas(bucket).values():
        by_cluster.setdefault(meta["thanos"]["labels"]["cluster"], []).append(meta)
    return all(len(by_cluster.get(g, [])) == 2 for g in groups)


def main():
    interrupt_on_term()
    report, rng = Report(), random.Random(SEED)
    random.seed(SEED)
    print(f"# {KILLS} kills, GAUNTLET_SEED={SEED}", flush=True)
    with Topology() as topology:
        bucket = topology.folder / "bucket"
        bucket.mkdir()
        lines = ["# TYPE seq gauge"] + [f'seq{{i="{i}"}} {n} {START + n * 10}' for i in "ab" for n in range(BLOCKS * PER_BLOCK)]
        blocks = real_blocks(topology.folder / "made", lines)
        assert len(blocks) == BLOCKS, blocks
        bad, overlap, partial = damaged_groups(bucket, blocks, rng)
        good = ["twice"]
        # Two that share the work, and one for a group in which overlaps are not merged.
        compactors = [Compactor(topology, bucket, n, ["--deduplication.replica-label=replica", overlap_alone("drop")]) for n in range(2)]
        compactors.append(Compactor(topology, bucket, 2, [overlap_alone("keep")]))
        for kill in range(KILLS):
            name = f"good-{kill}"
            good.append(name)
            if kill % 3 == 2:  # replicas, in any order
                for replica in "ab":
                    arrive(bucket, blocks, {"cluster": name, "replica": replica})
            else:
                arrive(bucket, blocks, {"cluster": name})
            time.sleep(rng.uniform(0.02, 0.8))
            victim = rng.choice(compactors)
            victim.process.kill()
            if rng.random() < 0.3:
                time.sleep(rng.uniform(0, 0.5))
            victim.start()
        with report.case(f"after {KILLS} kills the backlog reaches zero"):
            wait_for("both compactors are done", lambda: quiet(compactors, bucket, good), 60 + 3 * KILLS, 0.5)
        with report.case("each bad block is named, with what to do, and nothing else is"):
            marks = {p.stem: json.loads(p.read_text()) for p in (bucket / "compactor" / "quarantine").glob("*.json")}
            groups = [m for m in marks if "@" in m]
            assert len(groups) == 1 and marks[groups[0]]["reason"] == "overlapping-blocks", groups
            assert set(marks[groups[0]]["blocks"]) == bad["overlap"], (marks[groups[0]], bad["overlap"])
            assert set(marks) == {b for b in bad.values() if isinstance(b, str)} | set(groups), (marks, bad)
            for mark in marks.values():
                assert mark["reason"] and mark["details"] and mark["repair"], mark
            assert "seq" in marks[bad["unordered"]]["series"], marks[bad["unordered"]]
        with report.case("what is around a bad block is compacted"):
            for kind in ("cut-index", "flipped-index", "no-index", "flipped-chunk", "cut-chunks", "no-chunks", "unordered"):
                spans = sorted((m["minTime"] - START * 1000) // (HOUR * 1000) for m in metas(bucket).values()
                               if m["thanos"]["labels"]["cluster"] == kind)
                assert spans == [0, 2, 4, 8], (kind, spans)
            assert overlap == {i for i, m in metas(bucket).items() if m["thanos"]["labels"]["cluster"] == "overlap"}
        with report.case("no sample is lost, and none is there twice"):
            live = metas(bucket)
            for group in good + ["cut-index"]:
                ids = [i for i, m in live.items() if m["thanos"]["labels"] == {"cluster": group} and i not in bad.values()]
                got = samples(bucket, ids, topology.folder / "read")
                names = {series for series, _ in got}
                want = expected(names)
                if group not in good:  # but for the bad block
                    want = {k: v for k, v in want.items() if not START + 2 * HOUR <= k[1] // 1000 < START + 4 * HOUR}
                assert len(names) == 2 and got == want, (group, len(got), len(want))
                total = sum(live[i]["stats"]["numSamples"] for i in ids)
                assert total == len(want), (group, total, len(want))
        with report.case("what was replaced is deleted, and an upload that was given up, and leases of the dead"):
            def clean():
                leases = bucket / "compactor" / "leases"
                return (not partial.exists() and set(metas(bucket, marked=True)) == set(metas(bucket))
                        and not (leases.exists() and list(leases.rglob("*.json"))))
            wait_for("deleted", clean, 60, 0.5)
        with report.case("no process ended by itself"):
            for compactor in compactors:
                assert compactor.process.running(), compactor.process.log_tail()
                assert compactor.process.stop(30) == 0
        once = subprocess.run([GAUNTLET, "compact", *compactors[0].flags[:2], "--http-address=127.0.0.1:0", "--consistency-delay=0s"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120)
        with report.case("a run to the end finds nothing to do, and says that blocks are quarantined"):
            text = once.stderr.decode()
            assert once.returncode == 1 and f"{len(bad)} blocks or groups are quarantined" in text, text[-1500:]
            assert "compacted blocks" not in text, text[-3000:]
        print(f"# compactors were started {[c.starts for c in compactors]} times", flush=True)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
