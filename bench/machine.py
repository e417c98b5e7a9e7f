"""How fast this machine is just now, beside the one on which the originals were measured."""
import subprocess

from lib import ROOT
from topology import SHARED

PROBE_NS = 5.1  # of "counter, one by one" where anchors.md was measured


class Machine:
    """Runs the unchanged probe xor_decode.cc as anchors.md describes. Without it there is no scale, and `program` is None."""

    def __init__(self):
        source = SHARED / "probes" / "xor_decode.cc"
        folder = ROOT / "build" / "bench-data"
        folder.mkdir(parents=True, exist_ok=True)
        self.program = folder / "xor_decode" if source.exists() else None
        if self.program and (not self.program.exists() or self.program.stat().st_mtime < source.stat().st_mtime):
            subprocess.run(["g++", "-std=c++20", "-O3", source, "-o", self.program], check=True)

    def slowness(self):
        for line in subprocess.run([self.program], check=True, capture_output=True, text=True).stdout.splitlines():
            if line.startswith("counter "):
                ns = float(line.split("one by one")[1].split(",")[0])
                print(f"# probe: {ns:.2f} ns a sample, {ns / PROBE_NS:.2f} x the machine of the anchors", flush=True)
                return ns / PROBE_NS
        raise AssertionError("the probe did not say how fast it is")
