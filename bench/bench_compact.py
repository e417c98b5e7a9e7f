#!/usr/bin/env python3
"""Compaction: twelve blocks into one from a bucket into it, replicas merged with penalty, a block downsampled; per CPU second, scaled to the
machine of the anchors."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import PROGRAMS, ROOT, Goals, PeakMemory
from machine import Machine

END_MS = 1_767_744_000_000  # a border of 48 h
NO_PROBE = "no probe xor_decode.cc to scale by: GAUNTLET_SHARED is where it would be"


def make(folder, series, blocks, replicas, distinct):
    folder.mkdir(parents=True)
    subprocess.run([PROGRAMS / "compact_blocks", "make", folder, str(series), str(blocks), str(replicas), str(distinct)], check=True)


def merge(folder, out, kind):
    """Chunk bytes, samples, CPU seconds and peak memory in MB of one merge."""
    process = subprocess.Popen([PROGRAMS / "compact_blocks", "merge", folder, out, kind], stdout=subprocess.PIPE, text=True)
    with PeakMemory(process) as memory:
        text = process.communicate()[0]
    if process.returncode != 0:
        raise AssertionError(f"the merge ended with {process.returncode}")
    chunk_bytes, samples, cpu, wall, left, charged = text.split()
    print(f"# {kind}: {int(chunk_bytes) / 1e6:.0f} MB of chunks, {int(samples) / 1e6:.1f} M samples, {int(left) / 1e6:.1f} M left, "
          f"{float(cpu):.2f} CPU seconds, {float(wall):.2f} s, {memory.peak_mb:.0f} MB, {int(charged) / 1e6:.0f} MB charged", flush=True)
    shutil.rmtree(out)
    return int(chunk_bytes), int(samples), float(cpu), memory.peak_mb


def scaled(goals, machine, name, unit, limit, measure, runs=2):
    """The best of some runs, as it would be on the machine of the anchors; what measure() gives is (amount, CPU seconds)."""
    best = 0.0
    for _ in range(1 if goals.args.quick else runs):
        with machine.measured() as here:
            amount, cpu = measure()
        print(f"# {name}: {amount / cpu:.4g} {unit} here", flush=True)
        best = max(best, amount / cpu * here.slowness)
    if machine.program:
        goals.at_least(name, best, unit, limit)
    else:
        goals.absent(name, unit, ">=", limit, NO_PROBE)


def copy(goals, machine, folder):
    series = 20_000 if goals.args.quick else 200_000
    make(folder / "copy", series, 12, 1, 2000)
    peaks = []

    def measure():
        chunk_bytes, _, cpu, peak = merge(folder / "copy", folder / "out", "chain")
        peaks.append(peak)
        return chunk_bytes / 1e6, cpu

    scaled(goals, machine, f"12 blocks x {series} series x 2 h into one", "MB of chunks per CPU second", 400, measure)
    goals.at_most("its memory", max(peaks), "MB", 300)
    shutil.rmtree(folder / "copy")


def penalty(goals, machine, folder):
    series = 2000 if goals.args.quick else 20_000
    make(folder / "penalty", series, 4, 2, series)
    for kind in ("penalty", "penalty-exact"):
        def measure():
            _, samples, cpu, _ = merge(folder / "penalty", folder / "out", kind)
            return samples / 1e6, cpu

        scaled(goals, machine, f"deduplication of two replicas, {kind}", "M samples per CPU second", 35, measure)
    shutil.rmtree(folder / "penalty")


def downsample(goals, machine, folder):
    series = 1000 if goals.args.quick else 10_000
    raw = folder / "raw"
    ulid = subprocess.run([PROGRAMS / "make_blocks", raw, str(END_MS), str(series), "48", "15000", "1", "m"], check=True,
                          capture_output=True, text=True).stdout.strip()

    def measure():
        out = subprocess.run([PROGRAMS / "downsample_block", raw / ulid, folder / "low"], check=True, capture_output=True, text=True).stdout
        samples, left, cpu, wall = out.split()
        print(f"# downsample: {int(samples) / 1e6:.1f} M samples, {int(left) / 1e6:.1f} M left, {float(cpu):.2f} CPU seconds, {float(wall):.2f} s",
              flush=True)
        shutil.rmtree(folder / "low")
        return int(samples) / 1e6, float(cpu)

    scaled(goals, machine, f"48 h x {series} series downsampled to 5 m", "M samples per CPU second", 60, measure)
    shutil.rmtree(raw)


PARTS = {"copy": copy, "penalty": penalty, "downsample": downsample}


def main():
    goals = Goals("compact")
    data = ROOT / "build" / "bench-data"
    data.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="compact-", dir=data))
    try:
        machine = Machine()
        for name, part in PARTS.items():
            if goals.args.only in (None, name):
                part(goals, machine, folder)
    finally:
        shutil.rmtree(folder)
    return goals.finish()


if __name__ == "__main__":
    sys.exit(main())
