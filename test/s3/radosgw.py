#!/usr/bin/env python3
"""A real S3 server that checks signatures: Ceph's radosgw over one monitor and one OSD in memory, on loopback.

As a program: prints "ready PORT" (or "absent WHY" and exit code 3), serves until its standard input closes, and ends its
processes by pid. Keys: testkey / testsecret. Buckets are named in the path, or in the host below "localhost". The same by Swift's protocol: /auth/v1.0, user test:swift.
"""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

ACCESS_KEY, SECRET_KEY = "testkey", "testsecret"
PROGRAMS = ["monmaptool", "ceph-mon", "ceph-osd", "ceph", "radosgw", "radosgw-admin"]

CONF = """[global]
fsid = {fsid}
mon_initial_members = a
mon_host = v1:127.0.0.1:{mon_port}/0
public_network = 127.0.0.0/8
ms_bind_ipv6 = false
ms_bind_msgr2 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 2000
osd_objectstore = memstore
memstore_device_bytes = 4294967296
log_file = {folder}/log/$name.log
admin_socket = {folder}/run/$name.asok
run_dir = {folder}/run
[mon.a]
host = localhost
mon_addr = 127.0.0.1:{mon_port}
mon_data = {folder}/mon
[osd.0]
osd_data = {folder}/osd0
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
[client.rgw.a]
rgw_frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw_data = {folder}/rgw
rgw_dns_name = localhost
rgw_crypt_require_ssl = false
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = key-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
"""


class Absent(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Radosgw:
    def __init__(self):
        missing = [p for p in PROGRAMS if shutil.which(p) is None]
        if missing:
            raise Absent(f"{missing[0]} is not installed (packages ceph-mon, ceph-osd, ceph-common, radosgw)")
        for left in (2, 1, 0):
            self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gauntlet-radosgw-"))
            self.children = []
            try:
                self._start()
                return
            except (OSError, RuntimeError, subprocess.SubprocessError):  # another one may have taken a port meanwhile
                self.stop()
                if not left:
                    raise
            except BaseException:
                self.stop()
                raise

    def _run(self, *command, timeout=60):
        done = subprocess.run([str(c) for c in command], cwd=self.folder, stdin=subprocess.DEVNULL, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout.decode(errors='replace')[-500:]}")

    def _spawn(self, name, *command):
        with open(self.folder / "log" / f"{name}.out", "ab") as out:
            child = subprocess.Popen([str(c) for c in command], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=out, start_new_session=True)
        self.children.append(child)
        return child

    def _start(self):
        for name in ("mon", "osd0", "rgw", "log", "run"):
            (self.folder / name).mkdir()
        fsid, mon_port, self.port = uuid.uuid4(), free_port(), free_port()
        conf = self.folder / "ceph.conf"
        conf.write_text(CONF.format(fsid=fsid, mon_port=mon_port, port=self.port, folder=self.folder))
        self._run("monmaptool", "--create", "--clobber", "--addv", "a", f"[v1:127.0.0.1:{mon_port}]", "--fsid", fsid, "monmap")
        self._run("ceph-mon", "-c", conf, "--mkfs", "-i", "a", "--monmap", "monmap")
        self._spawn("mon", "ceph-mon", "-c", conf, "-i", "a", "-f")
        self._until(lambda: self._run("ceph", "-c", conf, "-s", timeout=5), 30)
        self._run("ceph-osd", "-c", conf, "-i", "0", "--mkfs", "--osd-uuid", uuid.uuid4())
        self._run("ceph", "-c", conf, "osd", "new", (self.folder / "osd0" / "fsid").read_text().strip())
        for _ in range(5):  # one that starts too early ends with "wrong fsid"
            osd = self._spawn("osd", "ceph-osd", "-c", conf, "-i", "0", "-f")
            with contextlib.suppress(subprocess.TimeoutExpired):
                osd.wait(1.5)
                continue
            break
        self._run("ceph", "-c", conf, "osd", "crush", "add", "osd.0", "1.0", "host=localhost", "root=default")
        self._run("radosgw-admin", "-c", conf, "user", "create", "--uid=test", "--display-name=test",
                  f"--access-key={ACCESS_KEY}", f"--secret={SECRET_KEY}", timeout=90)
        self._run("radosgw-admin", "-c", conf, "subuser", "create", "--uid=test", "--subuser=test:swift", "--access=full",
                  "--key-type=swift", f"--secret={SECRET_KEY}", timeout=90)
        self._spawn("rgw", "radosgw", "-c", conf, "-n", "client.rgw.a", "-f")
        self._until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5).read(), 60)

    @staticmethod
    def _until(attempt, seconds):
        end = time.monotonic() + seconds
        while True:
            try:
                return attempt()
            except (OSError, RuntimeError, subprocess.TimeoutExpired):
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def stop(self):
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
            child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        server = Radosgw()
    except Absent as why:
        print(f"absent {why}", flush=True)
        return 3
    try:
        print(f"ready {server.port}", flush=True)
        while os.read(0, 4096):
            pass
    finally:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
