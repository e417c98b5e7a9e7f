"""What scenarios share: goals, peak memory of processes, machine facts."""
import argparse
import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test" / "e2e"))
ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS = ROOT / "build" / "release" / "bench"


class Goals:
    """Prints `goal NAME: VALUE UNIT (target <= or >= LIMIT) met|short` at the end, and writes the same as JSON."""

    def __init__(self, scenario):
        args = argparse.ArgumentParser(description=scenario)
        args.add_argument("--json", help="write the goals to this file")
        args.add_argument("--quick", action="store_true", help="a tenth of the data: to see that the scenario works")
        args.add_argument("--only", metavar="PART", help="one part of the scenario")
        self.args = args.parse_args()
        self.scenario, self.goals = scenario, []

    def at_most(self, name, value, unit, limit):
        self._add(name, value, unit, "<=", limit, value <= limit)

    def at_least(self, name, value, unit, limit):
        self._add(name, value, unit, ">=", limit, value >= limit)

    def absent(self, name, unit, sign, limit, why):
        """A peer is missing: says so, and counts as short."""
        print(f"# {name}: {why}")
        self.goals.append({"name": name, "value": None, "unit": unit, "target": f"{sign} {limit}", "met": False, "why": why})

    def _add(self, name, value, unit, sign, limit, met):
        self.goals.append({"name": name, "value": value, "unit": unit, "target": f"{sign} {limit}", "met": bool(met)})

    def finish(self):
        for g in self.goals:
            value = "none" if g["value"] is None else f"{g['value']:.4g}"
            print(f"goal {g['name']}: {value} {g['unit']} (target {g['target']}) {'met' if g['met'] else 'short'}")
        if self.args.json:
            facts = {"scenario": self.scenario, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "goals": self.goals}
            pathlib.Path(self.args.json).write_text(json.dumps(facts, indent=1) + "\n")
        return 0


class PeakMemory:
    """Peak of RssAnon + RssShmem of a process, sampled every 5 ms, in MB, while the block runs."""

    def __init__(self, process):
        self.process, self.peak_mb, self._stop = process, 0.0, threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.wait(0.005):
            kb = 0
            try:
                for line in open(f"/proc/{self.process.pid}/status"):
                    if line.startswith(("RssAnon:", "RssShmem:")):
                        kb += int(line.split()[1])
            except OSError:
                return
            self.peak_mb = max(self.peak_mb, kb / 1024)
