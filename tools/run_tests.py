#!/usr/bin/env python3
"""Builds and runs every test, lists what was skipped and why, and ends with one line: N passed, N failed, N skipped."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
JOBS = str(os.cpu_count() or 2)


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []

    def add(self, name, outcome, reason=""):
        {"passed": self.passed, "failed": self.failed, "skipped": self.skipped}[outcome].append((name, reason))


def step(title):
    print(f"== {title}", flush=True)


def configure(preset):
    log = ROOT / "build" / f"{preset}.configure.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as out:
        subprocess.run(["cmake", "--preset", preset], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, check=True)


def build_command(preset, *targets):
    return (["cmake", "--build", f"build/{preset}"] + (["--target", *targets] if targets else []) +
            ["--", "-j", JOBS, "--quiet"])


def build(preset, *targets):
    started = time.monotonic()
    configure(preset)
    subprocess.run(build_command(preset, *targets), cwd=ROOT, check=True)
    print(f"built {preset} in {time.monotonic() - started:.0f} s", flush=True)


def skip_reason(output):
    found = re.search(r"Skipped\n(.*)", output or "")
    return found[1].strip() if found else "no reason given"


def ctest(preset, tally, prefix="", pattern=None, exclude=None):
    """Runs ctest in build/<preset>, one tally entry per test."""
    report = ROOT / "build" / f"{preset}.junit.xml"
    report.unlink(missing_ok=True)
    command = ["ctest", "--test-dir", f"build/{preset}", "-j", JOBS, "--output-junit", str(report), "--output-on-failure",
               "--timeout", "600", "--progress", "-Q" if not sys.stdout.isatty() else "--no-label-summary"]
    command += ["-R", pattern] if pattern else []
    command += ["-E", exclude] if exclude else []
    subprocess.run(command, cwd=ROOT)
    if not report.exists():
        tally.add(f"{prefix}ctest {preset}", "failed", "ctest wrote no report")
        return
    for case in xml.parse(report).getroot().iter("testcase"):
        name, status = prefix + case.get("name"), case.get("status")
        output = case.findtext("system-out") or ""
        if status == "run":
            tally.add(name, "passed")
        elif status == "fail":
            tally.add(name, "failed", output[-3000:])
        else:
            tally.add(name, "skipped", skip_reason(output))


def end_to_end(tally, pattern=None):
    """Each script test/e2e/test_*.py prints lines `ok NAME`, `not ok NAME: WHY`, `skip NAME: WHY`, and exits with their truth.
    As many run at once as there are cores: most of their time is waiting for servers."""
    scripts = [script for script in sorted((ROOT / "test" / "e2e").glob("test_*.py"))
               if not pattern or re.search(pattern, script.name)]

    def run(script):
        started = time.monotonic()
        done = subprocess.run([sys.executable, str(script)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        return script, done, time.monotonic() - started

    with concurrent.futures.ThreadPoolExecutor(int(JOBS)) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run, script) for script in scripts]):
            script, done, seconds = future.result()
            step(f"end to end: {script.name} ({seconds:.0f} s)")
            seen = 0
            for line in done.stdout.splitlines():
                print("  " + line, flush=True)
                match = re.match(r"(ok|not ok|skip) ([^:\n]+)(?:: (.*))?", line)
                if match:
                    seen += 1
                    tally.add(f"{script.stem}:{match[2]}",
                              {"ok": "passed", "not ok": "failed", "skip": "skipped"}[match[1]], match[3] or "")
            failed = any(name.startswith(script.stem + ":") for name, _ in tally.failed)
            if done.returncode and not failed or not seen:
                tally.add(script.stem, "failed", f"exit code {done.returncode} after {seen} results")


def main():
    args = argparse.ArgumentParser()
    args.add_argument("pattern", nargs="?", help="only tests whose name matches")
    args.add_argument("--only", choices=["unit", "asan", "e2e"])
    args = args.parse_args()
    tally, started = Tally(), time.monotonic()
    want = lambda part: args.only in (None, part)
    setup = None
    if args.only is None:
        setup = subprocess.Popen([ROOT / "tools" / "setup"])  # what tests run beside ours, while ours is compiled
    if args.only is None:
        step("layers and homes")
        code = subprocess.run([sys.executable, "tools/check_includes.py"], cwd=ROOT).returncode
        tally.add("check_includes", "failed" if code else "passed")
    if want("e2e"):
        step("release binary")
        build("release", "gauntlet")
    if want("unit"):
        step("unit tests, on the objects of that binary")
        build("release")
    if setup and setup.wait():
        sys.exit("the packages that the tests need were not installed")
    if want("asan"):  # compiled while tests wait for servers
        configure("asan")
        decoders = subprocess.Popen(["nice", *build_command("asan", "decoders")], cwd=ROOT)
    if want("unit"):
        ctest("release", tally, pattern=args.pattern)
    if want("e2e"):
        end_to_end(tally, args.pattern)
    if want("asan"):
        step("decoders under address and undefined-behaviour sanitizers")
        if decoders.wait():
            tally.add("asan:build", "failed")
        ctest("asan", tally, prefix="asan:", pattern=args.pattern or "_fuzz_replay$")
    for name, reason in tally.skipped:
        print(f"skipped {name}: {reason}")
    for name, reason in tally.failed:
        print(f"FAILED {name}" + (f"\n    {reason}" if reason else "").replace("\n", "\n    "))
    print(f"took {time.monotonic() - started:.0f} s")
    print(f"{len(tally.passed)} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")
    return bool(tally.failed) or not tally.passed


if __name__ == "__main__":
    sys.exit(main())
