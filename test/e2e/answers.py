"""Two answers of the Query API compared: the same label sets, times, and values within a tolerance."""
import math


def close(a, b, tolerance=1e-12):
    x, y = float(a), float(b)
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    return x == y or abs(x - y) <= tolerance * max(abs(x), abs(y))


def series(result):
    found = {}
    for item in result:
        key = tuple(sorted(item["metric"].items()))
        assert key not in found, f"{key} twice"
        found[key] = [item["value"]] if "value" in item else item["values"]
    return found


def difference(theirs, ours, tolerance=1e-12):
    """None, or what differs between the two answers."""
    if theirs["status"] != ours["status"]:
        return f"status {theirs.get('error')} / {ours.get('error')}"
    if theirs["status"] == "error":
        return None if theirs["errorType"] == ours["errorType"] else f"{theirs['errorType']} / {ours['errorType']}"
    a, b = theirs["data"], ours["data"]
    if a["resultType"] != b["resultType"]:
        return f"type {a['resultType']} / {b['resultType']}"
    if a["resultType"] in ("scalar", "string"):
        same = a["result"][1] == b["result"][1] or (a["resultType"] == "scalar" and close(a["result"][1], b["result"][1]))
        return None if same and a["result"][0] == b["result"][0] else f"{a['result']} / {b['result']}"
    left, right = series(a["result"]), series(b["result"])
    if left.keys() != right.keys():
        return f"only theirs {sorted(left.keys() - right.keys())[:2]}, only ours {sorted(right.keys() - left.keys())[:2]}"
    for key, points in left.items():
        if [t for t, _ in points] != [t for t, _ in right[key]]:
            return f"{dict(key)}: times {len(points)} / {len(right[key])}"
        for (t, v), (_, w) in zip(points, right[key]):
            if not close(v, w, tolerance):
                return f"{dict(key)} at {t}: {v} / {w}"
    return None
