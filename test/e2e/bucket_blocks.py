"""Blocks in a bucket that is a directory: real ones made by promtool, given another id and labels, damaged, read back."""
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess

from topology import GAUNTLET, make_blocks

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
HOUR = 3600


def new_ulid(ms, rng=random):
    value = (ms << 80) | rng.getrandbits(80)
    return "".join(ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))


def real_blocks(folder, lines):
    """Block directories by time, of OpenMetrics lines with times."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    make_blocks(lines, folder / "data")
    found = [p.parent for p in (folder / "data").glob("01*/meta.json")]
    return sorted(found, key=lambda p: json.loads((p / "meta.json").read_text())["minTime"])


def put_block(bucket, block, labels, ulid=None, change=None):
    """Copies a block into the bucket as a sidecar would: meta.json last. Returns its id."""
    meta = json.loads((block / "meta.json").read_text())
    ulid = ulid or new_ulid(meta["maxTime"] + random.randrange(1000))
    to = pathlib.Path(bucket) / ulid
    (to / "chunks").mkdir(parents=True)
    for segment in (block / "chunks").iterdir():
        shutil.copyfile(segment, to / "chunks" / segment.name)
    shutil.copyfile(block / "index", to / "index")
    # promtool's blocks reach from their first sample to their last; a server's from border to border.
    meta["minTime"] -= meta["minTime"] % (2 * HOUR * 1000)
    meta["maxTime"] += -meta["maxTime"] % (2 * HOUR * 1000)
    meta["ulid"] = ulid
    meta["compaction"] = {"level": 1, "sources": [ulid]}
    meta["thanos"] = {"version": 1, "labels": labels, "downsample": {"resolution": 0}, "source": "sidecar",
                      "segment_files": sorted(p.name for p in (to / "chunks").iterdir()),
                      "files": [{"rel_path": f"chunks/{p.name}", "size_bytes": p.stat().st_size} for p in sorted((to / "chunks").iterdir())]
                      + [{"rel_path": "index", "size_bytes": (to / "index").stat().st_size}, {"rel_path": "meta.json"}]}
    if change:
        change(meta)
    aside = to / "meta.json.new"
    aside.write_text(json.dumps(meta))
    os.rename(aside, to / "meta.json")
    return ulid


def local_blocks(data):
    """{id: directory} of the blocks of a database."""
    return {p.parent.name: p.parent for p in pathlib.Path(data).glob("01*/meta.json")}


def metas(bucket, marked=False):
    """Metas of blocks by id; without those that are marked for deletion, unless asked for."""
    found = {}
    for path in pathlib.Path(bucket).glob("01*/meta.json"):
        try:
            meta = json.loads(path.read_text())
        except (ValueError, OSError):
            continue
        if meta["ulid"] == path.parent.name and (marked or not (path.parent / "deletion-mark.json").exists()):
            found[meta["ulid"]] = meta
    return found


def samples(bucket, ids, folder):
    """(series, time in ms) -> value, of these blocks, read by `gauntlet tools tsdb dump`."""
    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for ulid in ids:
        shutil.copytree(pathlib.Path(bucket) / ulid, folder / ulid)
    dumped = subprocess.run([GAUNTLET, "tools", "tsdb", "dump", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert dumped.returncode == 0, dumped.stderr[-2000:]
    out = {}
    for line in dumped.stdout.decode().splitlines():
        series, value, at = line.rsplit(" ", 2)
        out[(series, int(at))] = float(value)
    return out


def uvarint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def put_uvarint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def zigzag(value):
    return put_uvarint(value << 1 ^ (-1 if value < 0 else 0))


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def unorder_chunks(block):
    """The second and third chunk of the first series change places in the index."""
    path = pathlib.Path(block) / "index"
    data = bytearray(path.read_bytes())
    start = struct.unpack(">Q", data[-44:-36])[0] + 15 & ~15  # the series section of the table of contents
    length, body = uvarint(data, start)
    at = body
    labels, at = uvarint(data, at)
    for _ in range(2 * labels):
        _, at = uvarint(data, at)
    head = bytes(data[body:at])
    count, at = uvarint(data, at)
    chunks, maxt, ref = [], 0, 0
    for i in range(count):
        a, at = uvarint(data, at)
        width, at = uvarint(data, at)
        r, at = uvarint(data, at)
        mint = (a >> 1 ^ -(a & 1)) if i == 0 else maxt + a
        ref = r if i == 0 else ref + (r >> 1 ^ -(r & 1))
        maxt = mint + width
        chunks.append((mint, maxt, ref))
    assert count >= 4, count
    room = (body + length + 4 - start + 15) & ~15
    chunks[1], chunks[2] = chunks[2], chunks[1]
    while True:
        entry, maxt, ref = bytearray(head + put_uvarint(len(chunks))), 0, 0
        for i, (mint, end, where) in enumerate(chunks):
            entry += zigzag(mint) if i == 0 else put_uvarint(mint - maxt)
            entry += put_uvarint(end - mint) + (put_uvarint(where) if i == 0 else zigzag(where - ref))
            maxt, ref = end, where
        made = put_uvarint(len(entry)) + bytes(entry) + struct.pack(">I", crc32c(bytes(entry)))
        if len(made) <= room:
            break
        chunks.pop()
        assert len(chunks) > 2
    data[start:start + room] = made + bytes(room - len(made))
    path.write_bytes(data)


def flip(path, at):
    data = bytearray(pathlib.Path(path).read_bytes())
    data[at] ^= 0x10
    pathlib.Path(path).write_bytes(data)
