#!/usr/bin/env python3
"""The page of blocks and its API: over a bucket, behind a prefix, in a store gateway; drawn by a real browser where there is one."""
import json
import re
import shutil
import subprocess
import sys
import time

from topology import GAUNTLET, Report, Topology, directory_config, fetch, interrupt_on_term, make_blocks, wait_for

HOUR = 3600
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


def fill(topology, bucket):
    """Six hours of one counter as blocks, uploaded under two label sets; one block that is not whole."""
    now = int(time.time()) // (2 * HOUR) * 2 * HOUR
    lines = ["# TYPE seen counter"] + [f"seen_total {i} {now - 8 * HOUR + i * 60}" for i in range(6 * 60)]
    for cluster in ("eu", "us"):
        data = topology.folder / f"data-{cluster}"
        make_blocks(lines, data)
        subprocess.run([GAUNTLET, "tools", "bucket", "upload-blocks", f"--path={data}", f'--label=cluster="{cluster}"', directory_config(bucket)],
                       check=True, stderr=subprocess.DEVNULL)
    partial = bucket / "01KE71G5QP82N9XAJMRQ6Z5E00"
    partial.mkdir()
    (partial / "index").write_text("half")
    return {p.parent.name: json.loads(p.read_text()) for p in bucket.glob("01*/meta.json")}


def web(topology, name, bucket, *flags):
    return topology.gauntlet_http(name, ["tools", "bucket", "web"], directory_config(bucket), *flags)


def ask(url, **kw):
    status, headers, body = fetch(url, **kw)
    return status, json.loads(body)


def looked(base):
    return wait_for("a look at the bucket", lambda: (d := ask(base + "/api/v1/blocks")[1]["data"])["blocks"] and d, 20)


def drawn(url):
    """The page as a browser has it after its script ran."""
    done = subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000", "--dump-dom", url],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120)
    return done.stdout.decode()


def main():
    interrupt_on_term()
    report = Report()
    if not shutil.which("promtool"):
        report.skip("block viewer", "promtool is not installed")
        return 0
    with Topology() as topology:
        bucket = topology.folder / "bucket"
        metas = fill(topology, bucket)
        page = web(topology, "web", bucket, "--label=cluster", "--refresh=1s")
        with report.case("the API answers the metas of the bucket as they are there"):
            data = looked(page.url)
            assert {b["ulid"]: b for b in data["blocks"]} == metas, data
            assert data["label"] == "cluster" and data["err"] is None and data["refreshedAt"].endswith("Z"), data
            assert [p["ulid"] for p in data["partial"]] == ["01KE71G5QP82N9XAJMRQ6Z5E00"], data["partial"]
            assert ask(page.url + "/api/v1/blocks?view=loaded")[1]["data"]["blocks"] == []
            assert ask(page.url + "/api/v1/status/flags")[1]["data"]["label"] == "cluster"
        with report.case("a block is marked, bad marks are refused"):
            block = sorted(metas)[0]
            answer = ask(page.url + "/api/v1/blocks/mark", data={"id": block, "action": "DELETION", "detail": "too old"})
            assert answer == (200, {"status": "success"}), answer
            mark = json.loads((bucket / block / "deletion-mark.json").read_text())
            assert mark["id"] == block and mark["details"] == "too old" and abs(mark["deletion_time"] - time.time()) < 60, mark
            answer = ask(page.url + "/api/v1/blocks/mark", data={"id": block, "action": "EAT"})
            assert answer[0] == 400 and answer[1]["errorType"] == "bad_data", answer
        with report.case("behind a prefix, without admin operations, as told by flags"):
            other = web(topology, "prefixed", bucket, "--web.external-prefix=/thanos", "--disable-admin-operations", "--max-time=1999-01-01T00:00:00Z")
            status, _, body = fetch(other.url + "/thanos/")
            assert status == 200 and b'data-admin="false"' in body, (status, body[:300])
            assert fetch(other.url + "/thanos/blocks.js")[0] == 200 and fetch(other.url + "/blocks.js")[0] == 404
            answer = ask(other.url + "/thanos/api/v1/blocks/mark", data={"id": block, "action": "DELETION"})
            assert answer[0] == 400 and "disabled" in answer[1]["error"], answer
            wait_for("a look", lambda: not ask(other.url + "/thanos/api/v1/blocks")[1]["data"]["refreshedAt"].startswith("0001"), 20)
            assert ask(other.url + "/thanos/api/v1/blocks")[1]["data"]["blocks"] == []
        with report.case("the store gateway shows what it has loaded"):
            store = topology.gauntlet("store", "store", directory_config(bucket), f"--data-dir={topology.folder}/store", "--bucket-web-label=cluster")
            data = ask(store.url + "/api/v1/blocks?view=loaded")[1]["data"]
            assert {b["ulid"] for b in data["blocks"]} == metas.keys() and data["label"] == "cluster", data
            assert b'data-view="loaded"' in fetch(store.url + "/")[2]
        if not BROWSER:
            report.skip("drawn by a browser", "chromium is not installed")
        else:
            with report.case("a browser draws each block once, in its group"):
                for url in (page.url + "/", store.url + "/loaded"):
                    html = drawn(url)
                    assert sorted(re.findall(r'<button class="block"[^>]*data-id="(\w+)"', html)) == sorted(metas), html[-3000:]
                    assert len(re.findall(r"<h2>cluster=", html)) == 2, html[-3000:]
                    assert "01KE71G5QP82N9XAJMRQ6Z5E00" in html or url.endswith("loaded"), html[-1000:]
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
