#!/usr/bin/env python3
"""`gauntlet tools bucket` over a bucket that real Thanos wrote (directory and S3)."""
import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from s3_bucket import S3, radosgw
from topology import GAUNTLET, SHARED, Report, Topology, directory_config, interrupt_on_term, metrics, wait_for

GOLDEN = SHARED / "golden" / "compact" / "bucket-before"
FOREVER = ["--consistency-delay=0s"]


def run(*arguments, code=0):
    done = subprocess.run([GAUNTLET, "tools", "bucket", *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == code, (arguments, done.returncode, done.stdout[-500:], done.stderr[-1500:])
    return done.stdout.decode()


def metas(bucket):
    return {p.parent.name: json.loads(p.read_text()) for p in pathlib.Path(bucket).glob("01*/meta.json")}


def tree(bucket):
    return {str(p.relative_to(bucket)): p.read_bytes() for p in pathlib.Path(bucket).rglob("*") if p.is_file()}


def main():
    interrupt_on_term()
    report = Report()
    if not GOLDEN.exists():
        report.skip("tools bucket", "no shared golden data")
        return 0
    with Topology() as topology:
        bucket = topology.folder / "bucket"
        shutil.copytree(GOLDEN, bucket)
        config = directory_config(bucket)
        here = metas(bucket)

        with report.case("ls lists what has a meta.json, in each format, by time and relabelling"):
            assert run("ls", config).split() == sorted(here)
            printed = json.loads("[" + run("ls", config, "-o", "json").replace("}\n{", "},\n{") + "]")
            assert {m["ulid"]: m for m in printed} == here
            wide = run("ls", config, "--output=wide").splitlines()
            assert len(wide) == len(here) and all(" Compaction: " in line for line in wide), wide
            lines = run("ls", config, "-o", "{{.ULID}} {{.Thanos.Labels.cluster}}").split("\n")
            assert f"{sorted(here)[0]} {here[sorted(here)[0]]['thanos']['labels']['cluster']}" in lines, lines
            eu = run("ls", config, "--selector.relabel-config=- action: keep\n  source_labels: [cluster]\n  regex: eu\n").split()
            assert eu == sorted(i for i, m in here.items() if m["thanos"]["labels"]["cluster"] == "eu"), eu
            first = min(m["minTime"] for m in here.values())
            late = run("ls", config, "--min-time=2026-01-05T05:00:00Z").split()
            assert 0 < len(late) < len(here) and first not in [here[i]["minTime"] for i in late]
        with report.case("inspect prints the table"):
            rows = list(csv.DictReader(io.StringIO(run("inspect", config, "--output=csv", "--selector=cluster=\"eu\""))))
            assert rows and all(r["LABELS"].startswith("cluster=eu") for r in rows), rows
            assert [r["FROM"] for r in rows] == sorted(r["FROM"] for r in rows)
            assert {r["ULID"]: int(r["#SAMPLES"].replace(",", "")) for r in rows} == \
                {i: here[i]["stats"]["numSamples"] for i in (r["ULID"] for r in rows)}
        with report.case("verify finds the overlap and no trouble in indexes"):
            out = run("verify", config, "-i", "index_known_issues", "-i", "overlapped_blocks")
            assert "overlapped_blocks" in out and "index_known_issues" not in out, out
        with report.case("mark sets and removes each marker"):
            block = sorted(here)[2]
            for marker in ("deletion-mark.json", "no-compact-mark.json", "no-downsample-mark.json"):
                run("mark", config, f"--id={block}", f"--marker={marker}", "--details=by hand")
                written = json.loads((bucket / block / marker).read_text())
                assert written["id"] == block and written["version"] == 1 and written["details"] == "by hand", written
                run("mark", config, f"--id={block}", f"--marker={marker}", "--remove")
                assert not (bucket / block / marker).exists()
            run("mark", config, f"--id={block}", "--marker=deletion-mark.json", code=1)
            run("mark", config, "--id=nonsense", "--marker=deletion-mark.json", "--details=x", code=1)
        with report.case("replicate copies blocks, not marks, and again nothing"):
            copy = topology.folder / "copy"
            run("replicate", config, directory_config(copy, "--objstore-to.config"), "--single-run")
            expected = {n: b for n, b in tree(bucket).items() if n.split("/")[0] in here and
                        n.split("/")[1] in ("chunks", "index", "meta.json")}
            assert tree(copy) == expected, tree(copy).keys() ^ expected.keys()
            stamps = {p: p.stat().st_mtime_ns for p in copy.rglob("*")}
            run("replicate", config, directory_config(copy, "--objstore-to.config"), "--single-run")
            assert stamps == {p: p.stat().st_mtime_ns for p in copy.rglob("*")}
        with report.case("replicate to S3 and back gives the same bytes"):
            try:
                server = radosgw.Radosgw()
            except radosgw.Absent as why:
                report.skip("replicate to S3", str(why))
            else:
                try:
                    s3 = topology.folder / "s3.yml"
                    s3.write_text(S3(server.port, "copies").make().config("here"))
                    run("replicate", config, f"--objstore-to.config-file={s3}", "--single-run")
                    assert run("ls", f"--objstore.config-file={s3}").split() == sorted(here)
                    back = topology.folder / "back"
                    run("replicate", f"--objstore.config-file={s3}", directory_config(back, "--objstore-to.config"), "--single-run")
                    assert tree(back) == expected
                finally:
                    server.stop()
        with report.case("replicate goes on by itself, ready and with metrics"):
            third = topology.folder / "third"
            process = topology.gauntlet_http("replicate", ["tools", "bucket", "replicate"], config,
                                             directory_config(third, "--objstore-to.config"))
            wait_for("the copy", lambda: third.exists() and metas(third).keys() == here.keys(), 20)
            wait_for("the run's end", lambda: metrics(process).get('thanos_replicate_replication_runs_total{result="success"}') == "1", 20)
            assert process.stop(20) == 0
        with report.case("rewrite tells, then makes a block without some series, and marks the old one"):
            rewritten = topology.folder / "rewritten"
            block = sorted(here)[0]
            shutil.copytree(GOLDEN / block, rewritten / block)
            asked = [directory_config(rewritten), f"--id={block}", f"--tmp.dir={topology.folder / 'scratch'}",
                     "--rewrite.to-delete-config=- matchers: '{__name__=~\".+\"}'\n  intervals:\n  - mint: 0\n    maxt: "
                     f"{(here[block]['minTime'] + here[block]['maxTime']) // 2}\n",
                     "--rewrite.to-relabel-config=- action: labeldrop\n  regex: nothing_of_the_kind\n"]
            told = run("rewrite", *asked)
            assert told.startswith("Deleted {") and metas(rewritten).keys() == {block}, told[:300]
            run("rewrite", *asked, "--no-dry-run", "--delete-blocks")
            new, = metas(rewritten).keys() - {block}
            meta = metas(rewritten)[new]
            assert meta["thanos"]["source"] == "bucket.rewrite" and meta["compaction"]["sources"] == [new], meta
            assert meta["thanos"]["rewrites"][0]["sources"] == here[block]["compaction"]["sources"], meta["thanos"]
            assert 0 < meta["stats"]["numSamples"] < here[block]["stats"]["numSamples"], meta["stats"]
            assert (rewritten / block / "deletion-mark.json").exists()
            assert (topology.folder / "scratch" / new / "change.log").read_text() == told
            assert run("verify", directory_config(rewritten)) == ""
            run("rewrite", directory_config(rewritten), f"--id={block}", code=1)
        with report.case("downsample makes blocks of 5m that are as those of the real one"):
            golden = SHARED / "golden" / "downsample" / "floats"
            lower = topology.folder / "lower"
            raw = json.loads((golden / "raw" / "meta.json").read_text())["ulid"]
            shutil.copytree(golden / "raw", lower / raw)
            process = topology.gauntlet_http("downsample", ["tools", "bucket", "downsample"], directory_config(lower),
                                             f"--data-dir={topology.folder / 'downsample-data'}")
            wait_for("the block", lambda: len(metas(lower)) == 2, 30)
            assert process.stop(20) == 0
            new, = metas(lower).keys() - {raw}
            for name in ("index", "chunks/000001"):
                assert (lower / new / name).read_bytes() == (golden / "5m" / name).read_bytes(), name
            made, recorded = metas(lower)[new], json.loads((golden / "5m" / "meta.json").read_text())
            assert made["stats"] == recorded["stats"] and made["compaction"] == recorded["compaction"], made
            assert made["thanos"]["downsample"]["resolution"] == 300_000 and made["thanos"]["source"] == "compactor", made
        with report.case("retention marks what is old, cleanup deletes marked blocks and given-up uploads"):
            names = json.loads((GOLDEN.parent / "bucket-names.json").read_text())
            partial = {n for n in (p.name for p in bucket.glob("01*")) if n not in here}
            assert partial, names
            old = sorted(partial)[0]
            for path in [bucket / old, *(bucket / old).rglob("*")]:
                os.utime(path, (time.time() - 3 * 86400,) * 2)
            for path in (bucket / sorted(partial)[-1]).rglob("*"):
                os.utime(path)
            run("retention", config, "--retention.resolution-raw=1d", *FOREVER)
            marked = {p.parent.name for p in bucket.glob("01*/deletion-mark.json")}
            ages = {i: time.time() - m["maxTime"] / 1000 for i, m in here.items()}
            assert all(i in marked for i, age in ages.items() if age > 86400), (marked, ages)
            run("cleanup", config, "--delete-delay=30d", *FOREVER)
            left = {p.name for p in bucket.glob("01*")}
            assert old not in left and sorted(partial)[-1] in left, (old, left)
            run("cleanup", config, "--delete-delay=0s", *FOREVER)
            time.sleep(1.1)  # marks are of whole seconds
            run("cleanup", config, "--delete-delay=0s", *FOREVER)
            assert not metas(bucket), metas(bucket).keys()
        with report.case("upload-blocks brings local blocks"):
            local, target = topology.folder / "local", topology.folder / "target"
            block = sorted(here)[0]
            shutil.copytree(GOLDEN / block, local / block)
            run("upload-blocks", directory_config(target), f"--path={local}", code=1)
            run("upload-blocks", directory_config(target), f"--path={local}", "--label=cluster=\"eu\"", "--label=replica=\"b\"")
            meta = metas(target)[block]
            assert meta["thanos"]["source"] == "bucket.upload" and meta["thanos"]["labels"]["replica"] == "b", meta
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
