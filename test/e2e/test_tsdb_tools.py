#!/usr/bin/env python3
"""`gauntlet tools tsdb`: the recorded PromQL answers over `serve`; list, dump and blocks beside those of promtool."""
import gzip
import json
import random
import shutil
import subprocess
import sys
import urllib.parse

from topology import GAUNTLET, SHARED, Report, Topology, fetch, interrupt_on_term

GOLDEN = SHARED / "golden"
BLOCKS = GOLDEN / "blocks"
FEATURES = "promql-experimental-functions,promql-extended-range-selectors,promql-binop-fill-modifiers"
# (recorded answers, features beside FEATURES, blocks)
RECORDED = [
    ("queries", "", ["float-2h", "hist-2h", "many-2h"]),
    ("queries-delayed-name-removal", ",promql-delayed-name-removal", ["float-2h", "hist-2h", "many-2h"]),
    ("queries-start-timestamps", ",use-start-timestamps", ["st-xor2-2h"]),
    ("queries-start-timestamps-flag-off", "", ["st-xor2-2h"]),
]


def database(folder, blocks):
    """A data folder with copies of recorded blocks, and the empty WAL without which promtool opens none."""
    (folder / "wal").mkdir(parents=True)
    for block in blocks:
        ulid = json.loads((BLOCKS / block / "meta.json").read_text())["ulid"]
        shutil.copytree(BLOCKS / block, folder / ulid)
    return folder


def comparable(answer):
    """Vectors and matrices are sets; so are messages."""
    result = answer.get("result")
    if answer.get("resultType") in ("vector", "matrix") and isinstance(result, list):
        result = sorted(json.dumps(element, sort_keys=True) for element in result)
    return answer.get("resultType"), json.dumps(result, sort_keys=True)


def differs(recorded, url):
    parameters = {"query": recorded["query"]}
    if recorded["kind"] == "instant":
        path, parameters["time"] = "query", recorded["time"]
    else:
        path = "query_range"
        parameters.update(start=recorded["start"], end=recorded["end"], step=recorded["step"])
    _, _, body = fetch(f"{url}/api/v1/{path}", data=parameters)
    answer = json.loads(body)
    if answer["status"] != recorded["status"]:
        return True
    if any(sorted(answer.get(key) or []) != sorted(recorded.get(key) or []) for key in ("warnings", "infos")):
        return True
    return answer["status"] == "success" and comparable(answer["data"]) != comparable(recorded)


def run(*command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == 0, (command, done.returncode, done.stderr[-1000:])
    return done.stdout.decode()


def ours(*arguments):
    return run(GAUNTLET, "tools", "tsdb", *arguments)


def promtools(*arguments):
    return run("promtool", "tsdb", *arguments)


def open_metrics(path):
    rng = random.Random(3)
    with open(path, "w", encoding="utf-8") as out:
        for series in range(40):
            value = 0
            for i in range(900):
                value += rng.randrange(50)
                out.write(f'm_total{{s="{series}",text="a\\"b"}} {value} {1767571200 + i * 15}\n')
        out.write("# EOF\n")


def main():
    interrupt_on_term()
    report = Report()
    if not GOLDEN.exists():
        report.skip("tools tsdb", "no shared golden data")
        return 0
    with Topology() as topology:
        for name, features, blocks in RECORDED:
            with report.case(f"serve answers the recorded queries of {name}"):
                folder = database(topology.folder / f"data-{name}", blocks)
                process = topology.gauntlet_http(name, ["tools", "tsdb", "serve", folder], f"--enable-feature={FEATURES}{features}")
                url = process.url
                with gzip.open(GOLDEN / "promql" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
                    recorded = [json.loads(line) for line in lines]
                wrong = [r["query"] for r in recorded if differs(r, url)]
                assert not wrong, f"{len(wrong)} of {len(recorded)}: {wrong[:5]}"
                _, _, body = fetch(f"{url}/api/v1/series?" + urllib.parse.urlencode({"match[]": "{__name__=~'.+'}"}))
                assert len(json.loads(body)["data"]) > 20
                assert process.stop() == 0

        if shutil.which("promtool") is None:
            report.skip("beside promtool", "promtool is not installed")
            return 1 if report.failures else 0
        data = database(topology.folder / "floats", ["float-2h", "many-2h", "ooo", "ooo-inorder-part"])
        with report.case("list is promtool's"):
            assert ours("list", data) == promtools("list", data)
            assert ours("list", "-r", data) == promtools("list", "-r", data)
        with report.case("dump is promtool's, for floats"):
            for match in ('{__name__=~"constant|edge|special|disk_io_bytes_total"}', '{__name__="aa_total"}', '{job="apiserver",le="+Inf"}'):
                mine, theirs = (f("dump", "--match", match, data) for f in (ours, promtools))
                assert mine == theirs and mine.count("\n") > 100, match
        source, mine, theirs = (topology.folder / name for name in ("input.om", "ours", "promtools"))
        open_metrics(source)
        with report.case("create-blocks-from openmetrics makes the blocks that promtool makes"):
            tables = [f("create-blocks-from", "openmetrics", source, folder).splitlines() for f, folder in
                      ((ours, mine), (promtools, theirs))]
            # All columns but the ULID and the size, which depends on the version.
            assert [line.split()[1:-1] for line in tables[0]] == [line.split()[1:-1] for line in tables[1]], tables
        for folder in (mine, theirs):
            (folder / "wal").mkdir()
        with report.case("promtool reads what we write as what it writes itself"):
            assert promtools("dump", mine) == promtools("dump", theirs) == ours("dump", theirs)
            assert promtools("analyze", mine).splitlines()[1:6] == promtools("analyze", theirs).splitlines()[1:6]
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
