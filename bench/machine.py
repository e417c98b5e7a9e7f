"""How fast this machine is just now, beside the one on which the originals were measured."""
import contextlib
import subprocess

from lib import ROOT
from topology import SHARED

PROBE_NS = 5.1  # of "counter, one by one" where anchors.md was measured


class Reading:
    """How many times slower than the machine of the anchors this one was; there when the measurement is over."""
    slowness = None


class Machine:
    """Runs the unchanged probe xor_decode.cc as anchors.md describes. Without it there is no scale, and `program` is None."""

    def __init__(self):
        source = SHARED / "probes" / "xor_decode.cc"
        folder = ROOT / "build" / "bench-data"
        folder.mkdir(parents=True, exist_ok=True)
        self.program = folder / "xor_decode" if source.exists() else None
        if self.program and (not self.program.exists() or self.program.stat().st_mtime < source.stat().st_mtime):
            subprocess.run(["g++", "-std=c++20", "-O3", source, "-o", self.program], check=True)

    @contextlib.contextmanager
    def measured(self):
        """A Reading for what is measured within: 1 without a probe.

        The probe tells wall time, before and after: the faster run counts, so that load on the machine flatters nobody."""
        reading = Reading()
        before = self._slowness()
        yield reading
        reading.slowness = min(before, self._slowness())

    def _slowness(self):
        if self.program is None:
            return 1.0
        for line in subprocess.run([self.program], check=True, capture_output=True, text=True).stdout.splitlines():
            if line.startswith("counter "):
                ns = float(line.split("one by one")[1].split(",")[0])
                print(f"# probe: {ns:.2f} ns a sample, {ns / PROBE_NS:.2f} x the machine of the anchors", flush=True)
                return ns / PROBE_NS
        raise AssertionError("the probe did not say how fast it is")
