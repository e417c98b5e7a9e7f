"""Random typed PromQL that Prometheus 2.42 and 3.x answer alike, over the series that `lines` writes.

What the two versions answer differently is not asked: samples lie between the seconds and subqueries on no border of a window, which 2.x
counts in; rates are of counters far from zero, to which 2.x extrapolates in another order; predict_linear has no @; stddev and
stdvar of one NaN or Inf are 0 there; no function takes series of two names."""
import random

INSTANCES = ("a:1", "b:1", "c:1")
COUNTERS = ("hits_total", "misses_total")
GAUGES = ("level", "depth")


def lines(begin, seconds, seed):
    """OpenMetrics: counters, those of misses with resets, gauges with gaps, NaN and Inf, buckets; every 10 s or so, at .357 of a second."""
    rng = random.Random(seed)

    def times(step):
        return [begin + 0.357 + t for t in range(rng.randrange(step), seconds, step)]

    for name in COUNTERS:
        yield f"# TYPE {name.removesuffix('_total')} counter"
        for instance in INSTANCES:
            for mode in ("x", "y"):
                value = rng.randrange(10**6, 10**7)
                for t in times(10):
                    reset = name == "misses_total" and rng.random() < 0.02
                    value = rng.randrange(10**6, 10**7) if reset else value + rng.randrange(9)
                    if rng.random() > 0.05:
                        yield f'{name}{{instance="{instance}",mode="{mode}"}} {value} {t:.3f}'
    for name in GAUGES:
        yield f"# TYPE {name} gauge"
        for n, instance in enumerate(INSTANCES):
            for mode in ("x", "y", "é"):
                gap, value = 0, 0
                for t in times(15):
                    gap = rng.randrange(5, 60) if rng.random() < 0.01 else gap - 1
                    value = rng.randrange(40, 840) / 4  # so that sums are exact, and none is rounding errors alone
                    if rng.random() < 0.01:
                        value = rng.choice(("NaN", "+Inf", "-Inf"))
                    if gap <= 0:
                        yield f'{name}{{instance="{instance}",mode="{mode}",zone="{n % 2}"}} {value} {t:.3f}'
    yield "# TYPE latency histogram"
    for instance in INSTANCES:
        counts = [0] * 5
        for t in times(10):
            for _ in range(rng.randrange(6)):
                counts[rng.randrange(5)] += 1
            for i, bound in enumerate(("0.1", "0.5", "1.0", "5.0", "+Inf")):
                yield f'latency_bucket{{instance="{instance}",le="{bound}"}} {sum(counts[:i + 1])} {t:.3f}'
            yield f'latency_count{{instance="{instance}"}} {sum(counts)} {t:.3f}'
            yield f'latency_sum{{instance="{instance}"}} {sum(counts) / 2} {t:.3f}'


class Maker:
    def __init__(self, seed, begin, seconds):
        self.random, self.begin, self.seconds = random.Random(seed), begin, seconds

    def one(self, *of):
        return self.random.choice(of)

    def chance(self, n):
        return self.random.randrange(n) == 0

    def selector(self, names=COUNTERS + GAUGES):
        matchers = ['mode="x"', 'mode!="x"', 'instance=~"a.*|b.*"', 'zone=""', 'zone!=""', 'zone=~"0|"', 'zone!~"1|"', 'mode=~"[xy]"', 'none!="z"',
                    'instance=~".:1"', 'mode=~"(x|é)"', 'none=~"|q"', 'mode!~""', 'mode=~"(?i)X"']
        name = self.one(*names, "nothing") if self.chance(20) else self.one(*names)
        return name + ("{" + ", ".join(self.random.sample(matchers, self.random.randrange(1, 3))) + "}" if self.chance(2) else "")

    def modifiers(self):
        parts = []
        if self.chance(6):
            parts.append("@ " + self.one("start()", "end()", str(self.begin + self.random.randrange(self.seconds))))
        if self.chance(6):
            parts.append("offset " + self.one("17s", "1m", "-30s", "5m", "-2m30s", "1h"))
        self.random.shuffle(parts)
        return "".join(" " + part for part in parts)

    def window(self, depth, names):
        if depth > 0 and self.chance(3):
            # Half a second beside all steps.
            return f"({self.vector(depth - 1)})[{self.one('1m', '95s', '5m')}:{self.one('10s', '25s', '7s', '1m', '')}] offset {self.one('', '-', '1m')}500ms"
        return f"{self.selector(names)}[{self.one('20s', '1m', '75s', '5m', '12s', '10m')}]{self.modifiers()}"

    def number(self):
        return self.one("2", "0.5", "3", "-1", "0", "1e3", "Inf", "NaN", "0x10", "time()", "pi()", 'scalar(level{instance="a:1",mode="x"})')

    def labels(self):
        return ", ".join(self.random.sample(("instance", "mode", "zone", "le", "none"), self.random.randrange(3)))

    def grouping(self):
        return self.one("", f"by ({self.labels()})", f"without ({self.labels()})", "by (mode)", "without (instance)")

    def matching(self):
        return self.one("", "on (instance)", "on (mode, instance)", "ignoring (zone)", "ignoring (mode)", "on ()", "on (zone)")

    def range_function(self, depth):
        steady = f"{self.one('rate', 'increase')}({self.window(0, ('hits_total',))})"
        counter = self.one("irate", "idelta", "delta", "resets", "changes")
        over = self.one("avg", "sum", "min", "max", "count", "last", "present", "stddev", "stdvar") + "_over_time"
        return self.one(steady, f"{counter}({self.window(0, COUNTERS)})", f"{over}({self.window(depth, GAUGES)})", f"{over}({self.window(depth, GAUGES)})",
                        f"changes({self.window(depth, GAUGES)})", f"deriv({self.window(0, GAUGES)})", f"predict_linear({self.selector(GAUGES)}[5m], 60)",
                        f"quantile_over_time({self.one('0.5', '0.9', '-1', '2', '0')}, {self.window(depth, GAUGES)})",
                        f"absent_over_time({self.window(0, GAUGES)})")

    def function(self, depth):
        v = self.vector(depth - 1)
        math = self.one("abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "sgn", "round", "sin", "cos", "tan",
                        "asin", "acos", "atan", "sinh", "cosh", "tanh",
                        "deg", "rad", "timestamp", "hour", "minute", "month", "year", "day_of_week", "days_in_month", "absent", "sort", "sort_desc")
        return self.one(f"{math}({v})", f"{math}({v})", f"round({v}, {self.one('0.5', '5', '3')})", f"clamp({v}, {self.number()}, {self.number()})",
                        f"clamp_{self.one('min', 'max')}({v}, {self.number()})", f"vector({self.number()})", f"vector(scalar({v}))", f"-{v}",
                        f'label_replace({v}, "{self.one("new", "mode")}", "{self.one("$1", "z", "", "${1}_$0", "$$")}", "instance", '
                        f'"{self.one("(.*):.*", "a.*", "(b)?.*", "")}")',
                        f'label_join({v}, "{self.one("new", "zone")}", "-", "instance", "mode")',
                        f"histogram_quantile({self.one('0.9', '0.5', '1', '0', '-1', 'NaN')}, {self.one('latency_bucket', 'sum by (le) (latency_bucket)')})")

    def aggregation(self, depth):
        v = self.vector(depth - 1)
        name = self.one("sum", "avg", "min", "max", "count", "group", "quantile", "count_values", "topk", "bottomk")
        if name in ("topk", "bottomk"):
            v = self.selector(COUNTERS)  # no two of which are equal
        before = {"quantile": self.one("0.5, ", "0.9, ", "2, "), "count_values": '"value", ', "topk": self.one("1, ", "3, ", "0, "), "bottomk": "2, "}
        return f"{name} {self.grouping()} ({before.get(name, '')}{v if name != 'count_values' else self.selector()})"

    def binary(self, depth):
        v, w = self.vector(depth - 1), self.vector(depth - 1)
        compare = self.one("==", "!=", ">", "<", ">=", "<=") + self.one("", " bool")
        op = self.one("+", "-", "*", "/", "%", "^", compare, compare)
        if self.chance(4):
            return f"({v} {self.one('and', 'or', 'unless')} {self.matching()} {w})"
        if self.chance(3):
            return f"({v} {op} {self.number()})" if self.chance(2) else f"({self.number()} {op} {v})"
        matching = self.matching()
        group = self.one("", "group_left", "group_right", "group_left (zone)", "group_right (mode)") if matching else ""
        return f"({v} {op} {matching} {group} {w})"

    def vector(self, depth):
        if depth <= 0:
            return self.selector() + self.modifiers()
        return self.one(self.range_function, self.range_function, self.aggregation, self.aggregation, self.function, self.function, self.binary,
                        self.binary)(depth)
