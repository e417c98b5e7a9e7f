#!/usr/bin/env python3
"""Our gRPC against other implementations of it, both ways: what test/interop/*/run says."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GRPC_TEST = ROOT / "build" / "release" / "src" / "net" / "grpc" / "net_grpc_test"


def main():
    failed = False
    for script in sorted(ROOT.glob("test/interop/*/run")):
        peer = script.parent.name
        if not GRPC_TEST.exists():
            print(f"skip {peer}: {GRPC_TEST.relative_to(ROOT)} is not built (./dev test)")
            continue
        run = subprocess.run([script, GRPC_TEST], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
        skipped = re.search(r"^SKIPPED: (.*)", run.stdout, re.M)
        cases = re.findall(r"^\[ +(OK|FAILED) +\] (\w+\.\w+) \(", run.stdout, re.M)
        if skipped:
            print(f"skip {peer}: {skipped[1]}")
        for outcome, name in cases:
            print(f"ok {peer} {name}" if outcome == "OK" else f"not ok {peer} {name}: see {script.relative_to(ROOT)}")
        if not skipped and (run.returncode or not cases):
            failed = True
            if not any(outcome == "FAILED" for outcome, _ in cases):
                print(f"not ok {peer}: {run.stdout[-500:]!r}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
