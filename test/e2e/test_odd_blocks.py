#!/usr/bin/env python3
"""Buckets as they are after years: blocks of every odd kind and things that are none, served, listed and rewritten."""
import json
import shutil
import struct
import subprocess
import sys
import urllib.parse

from bucket_blocks import HOUR, crc32c, new_ulid, put_block, real_blocks
from s3_bucket import S3, radosgw
from topology import GAUNTLET, SHARED, Api, Report, Topology, directory_config, fetch, interrupt_on_term, metrics, wait_for

GOLDEN = SHARED / "golden" / "blocks"
BEGIN = 1767571200  # where the golden blocks begin
LONG = "x" * 300_000
ODD_LABELS = {"block": 'o"d\\d,=\n{}', "ключ": "значение", "with.dot": "x y/z%20+&"}


def tool(*arguments, code=0):
    done = subprocess.run([GAUNTLET, "tools", "bucket", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == code, (arguments, done.returncode, done.stderr[-1500:])
    return done.stdout.decode()


def replace_symbol(block, old, new):
    """Another value of the same length and place in the order, in the symbols and in the postings table."""
    path = block / "index"
    data = bytearray(path.read_bytes())
    toc = struct.unpack(">6Q", data[-52:-4])
    for at in (toc[0], toc[5]):
        end = at + 4 + struct.unpack(">I", data[at:at + 4])[0]
        assert old in data[at + 4:end]
        data[at + 4:end] = data[at + 4:end].replace(old, new)
        data[end:end + 4] = struct.pack(">I", crc32c(bytes(data[at + 4:end])))
    path.write_bytes(data)


def golden(topology, bucket, name):
    copy = topology.folder / name
    shutil.copytree(GOLDEN / name, copy, copy_function=shutil.copyfile)
    return put_block(bucket, copy, {"block": name})


def fill(topology, bucket):
    """{name: id} of good blocks, and the ids of bad ones."""
    one = real_blocks(topology.folder / "one", ["# TYPE lonely gauge", f'lonely{{v="{LONG}"}} 1 {BEGIN + 60}'])[0]
    old = real_blocks(topology.folder / "old", ["# TYPE old gauge", f'old{{v="a"}} 2 {BEGIN + 60}', f'old{{v="zz_A_B"}} 1 {BEGIN + 60}'])[0]
    replace_symbol(old, b"zz_A_B", b"zz\xff\xfe\xc3(")
    good = {name: golden(topology, bucket, name) for name in ("float-2h", "hist-2h", "index-v1", "multi-segment", "st-xor2-2h")}
    good["one"], good["old"] = put_block(bucket, one, {"block": "one"}), put_block(bucket, old, {"block": "old"})
    good["odd"] = put_block(bucket, one, ODD_LABELS)

    def unknown_keys(meta):
        meta["thanos"].update(future={"a": [1, {"b": "}"}]}, segment_files=None, files=None, extensions={"z": 1})
        meta["later"], meta["compaction"]["other"] = [1, 2], None
    good["unknown"] = put_block(bucket, one, {"block": "unknown"}, change=unknown_keys)
    good[""] = put_block(bucket, one, {}, change=lambda meta: meta.pop("thanos"))
    bad = [put_block(bucket, one, {"block": "bad"}, change=lambda meta: meta.update(version=2)),
           put_block(bucket, one, {"block": "bad"}, change=lambda meta: meta["thanos"].update(version=9))]
    return good, bad


def strew(bucket, good):
    """What else lies about in a bucket."""
    (bucket / "debug" / "metas").mkdir(parents=True)
    (bucket / "debug" / "metas" / f"{new_ulid(5)}.json").write_text("{}")
    (bucket / new_ulid(6)).write_text("a file that is called as a block")
    gone = bucket / new_ulid(7)
    gone.mkdir()
    (gone / "deletion-mark.json").write_text(json.dumps({"id": gone.name, "version": 1, "deletion_time": 1}))
    aside = bucket / f"{new_ulid(8)}.tmp"
    aside.mkdir()
    (aside / "meta.json").write_text("{}")
    block = bucket / good["one"]
    (block / "debug").mkdir()
    (block / "debug" / "x").write_text("x")
    (block / "chunks" / "000001.tmp").write_text("x")
    (block / "no-compact-mark.json").write_text("{broken")
    (bucket / good["old"] / "deletion-mark.json").write_text(json.dumps({"id": good["old"], "version": 7, "deletion_time": 1}))
    for i in range(40):
        (bucket / f"stray{i:03}").mkdir()
        for j in range(250):
            (bucket / f"stray{i:03}" / f"{j}").touch()
            (bucket / f"{i:03}{j:03}").touch()


def vector(api, query, at):
    answer = api.query(query, time=at)
    assert answer["status"] == "success" and not answer.get("warnings"), answer
    return answer["data"]["result"]


def served(report, topology, config, good, strategy):
    store = topology.gauntlet(f"store-{strategy}", "store", f"--data-dir={topology.folder}/data-{strategy}", config,
                              f"--block-discovery-strategy={strategy}")
    query = topology.gauntlet(f"query-{strategy}", "query", f"--endpoint={store.grpc}")
    above = topology.gauntlet(f"above-{strategy}", "query", f"--endpoint={query.grpc}")
    for process in (query, above):
        wait_for("the endpoint", lambda p=process: Api(p.url).get("stores")["data"])
    api = Api(above.url)
    with report.case(f"{strategy}: good blocks are served, whatever their metas and labels; bad ones and strays are counted and passed over"):
        counts = {r["metric"].get("block", ""): r["value"][1] for r in vector(api, 'count by (block) (last_over_time({__name__=~".+"}[2h]))', BEGIN + 2 * HOUR - 1)}
        assert counts == {"float-2h": counts["float-2h"], "hist-2h": "51", "multi-segment": "30", "st-xor2-2h": counts["st-xor2-2h"], "one": "1",
                          "old": "2", ODD_LABELS["block"]: "1", "unknown": "1", "": "1"}, counts
        assert vector(api, 'count(last_over_time({block="index-v1"}[2h]))', 2 * HOUR - 1)[0]["value"][1] == "102"
        told = metrics(store)
        states = {s: told[f'thanos_blocks_meta_synced{{state="{s}"}}'] for s in ("loaded", "corrupted-meta-json", "no-meta-json", "failed")}
        assert states == {"loaded": str(len(good)), "corrupted-meta-json": "2", "no-meta-json": "1", "failed": "0"}, states
    with report.case(f"{strategy}: odd external labels are selected, listed and shown"):
        assert vector(api, '{"ключ"="значение","with.dot"=~"x y/z%20.+"}', BEGIN + 60)[0]["metric"]["block"] == ODD_LABELS["block"]
        for name, value in ODD_LABELS.items():
            assert value in api.get(f"label/{urllib.parse.quote(name)}/values", start=BEGIN, end=BEGIN + HOUR)["data"], name
        assert fetch(store.url + "/loaded")[0] == 200
        blocks = Api(store.url).get("blocks", view="loaded")["data"]["blocks"]
        assert ODD_LABELS in [b["thanos"]["labels"] for b in blocks], blocks
    with report.case(f"{strategy}: a value that is no UTF-8 is matched, counted and shown with replacement characters"):
        shown = "zz\ufffd\ufffd\ufffd("
        assert [r["metric"]["v"] for r in vector(api, "sort(old)", BEGIN + 60)] == [shown, "a"]
        assert len(vector(api, 'old{v!="a"}', BEGIN + 60)) == 1
        assert api.get("label/v/values", **{"match[]": "old", "start": BEGIN, "end": BEGIN + HOUR})["data"] == ["a", shown]
        assert api.get("series", **{"match[]": 'old{v=~"zz.*"}', "start": BEGIN, "end": BEGIN + HOUR})["data"][0]["v"] == shown
    with report.case(f"{strategy}: a value of 300,000 bytes comes whole, and where a block has nothing there is nothing"):
        assert vector(api, 'lonely{block="one"}', BEGIN + 60)[0]["metric"]["v"] == LONG
        assert vector(api, 'lonely{block="one"}', BEGIN + HOUR) == []
    for process in (above, query, store):
        process.stop()


def tools(report, topology, bucket, config, good, bad):
    with report.case("ls, inspect, verify and cleanup pass over what is none, and name what is bad"):
        assert tool("ls", config).split() == sorted(good.values())
        assert "with.dot=x y/z%20+&" in tool("inspect", config)
        found = tool("verify", config)
        assert all(f"{block} bad_block" in found for block in bad) and not any(g in found for g in good.values()), found
        before = {p for p in bucket.rglob("*")}
        tool("cleanup", config)
        gone = before - {p for p in bucket.rglob("*")}
        assert len(gone) == 2 and any(p.name == "deletion-mark.json" for p in gone), gone  # what was left of a deletion that was broken off
    with report.case("rewrite and replicate take odd blocks as they take others"):
        for name in ("old", "one", "odd", "unknown", "hist-2h", "index-v1"):
            relabel = "--rewrite.to-relabel-config=- action: labeldrop\n  regex: nothing\n"
            tool("rewrite", config, f"--id={good[name]}", f"--tmp.dir={topology.folder}/scratch", "--no-dry-run", relabel)
        copy = topology.folder / "copy"
        tool("replicate", config, directory_config(copy, "--objstore-to.config"), "--single-run")
        kept = set(good.values()) - {good[""]}  # a block without labels is nobody's
        there = {p.parent.name for p in copy.glob("0*/meta.json")}
        assert kept <= there and not there & set(bad), kept ^ there
        assert json.loads((copy / good["unknown"] / "meta.json").read_text())["later"] == [1, 2]


def prefixes(report, topology, now):
    """A prefix that has to be quoted in addresses and in listings."""
    name = "S3: prefixes with characters that are quoted"
    try:
        server = radosgw.Radosgw()
    except radosgw.Absent as why:
        report.skip(name, str(why))
        return
    try:
        block = real_blocks(topology.folder / "s3", ["# TYPE a gauge", f"a 1 {now - 4 * HOUR}"])[0]
        s3 = S3(server.port, "quoted").make()
        with report.case(name):
            for i, prefix in enumerate(["a b", "plus+and&amp", "per%cent%20", "ünï/côdé", "quote'\"<x>", "tilde~=*()!"]):
                local = topology.folder / f"local-{i}"
                local.mkdir()
                ulid = put_block(local, block, {"prefix": prefix})
                file = topology.folder / f"prefix-{i}.yml"
                file.write_text(s3.config(json.dumps(prefix, ensure_ascii=False)))
                config = f"--objstore.config-file={file}"
                tool("replicate", directory_config(local), f"--objstore-to.config-file={file}", "--single-run")
                assert tool("ls", config).split() == [ulid], prefix
                for strategy in ("recursive", "concurrent"):
                    store = topology.gauntlet(f"prefix-{i}-{strategy}", "store", f"--data-dir={topology.folder}/prefix-{i}-{strategy}", config,
                                              f"--block-discovery-strategy={strategy}")
                    assert metrics(store)["thanos_bucket_store_blocks_loaded"] == "1", (prefix, strategy)
                    store.stop()
    finally:
        server.stop()


def main():
    interrupt_on_term()
    report = Report()
    if not GOLDEN.exists():
        report.skip("odd blocks", "no shared golden data")
        return 0
    with Topology() as topology:
        bucket = topology.folder / "bucket"
        bucket.mkdir()
        good, bad = fill(topology, bucket)
        strew(bucket, good)
        config = directory_config(bucket)
        for strategy in ("concurrent", "recursive"):
            served(report, topology, config, good, strategy)
        tools(report, topology, bucket, config, good, bad)
        prefixes(report, topology, 1767571200)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
