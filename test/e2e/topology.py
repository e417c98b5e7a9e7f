"""Real processes on loopback for tests, the demo and benchmarks: start, wait until ready, ask, kill, and clean up by pid."""
import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
GAUNTLET = os.environ.get("GAUNTLET_BINARY", str(ROOT / "build" / "release" / "gauntlet"))
SHARED = pathlib.Path(os.environ.get("GAUNTLET_SHARED", ROOT.parent / "shared"))


_given_ports = set()


def free_port():
    """Never the same twice: the kernel gives a port again as soon as it is let go."""
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port not in _given_ports:
            _given_ports.add(port)
            return port


def fetch(url, data=None, headers=None, timeout=60, method=None):
    """(status, headers, body) of a request; HTTP errors are answers, connection errors raise."""
    if isinstance(data, dict) or isinstance(data, list):
        data = urllib.parse.urlencode(data, doseq=True).encode()
    request = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def wait_for(what, check, seconds=30, pause=0.1):
    """Calls check() until it is true; AssertionError naming `what` and the last trouble after `seconds`."""
    end, trouble = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            value = check()
            if value:
                return value
        except (OSError, ValueError, KeyError) as error:
            trouble = error
        time.sleep(pause)
    raise AssertionError(f"not within {seconds} s: {what}" + (f" ({trouble})" if trouble else ""))


def make_blocks(lines, folder):
    """Blocks in `folder`, made by promtool of OpenMetrics lines with times."""
    with tempfile.NamedTemporaryFile("w", suffix=".om") as source:
        source.writelines(f"{line}\n" for line in itertools.chain(lines, ["# EOF"]))
        source.flush()
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", source.name, folder], check=True,
                       stdout=subprocess.DEVNULL)


def directory_config(folder, flag="--objstore.config"):
    """The flag that makes a directory the bucket."""
    return f"{flag}=type: FILESYSTEM\nconfig:\n  directory: {folder}\n"


def metrics(process):
    """{name{labels}: value} of /metrics, both as text."""
    lines = fetch(process.url + "/metrics")[2].decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))


def metric_sum(process, name):
    """Over all labels; `name` is a regular expression."""
    return sum(float(value) for key, value in metrics(process).items() if re.match(name + r"(\{|$)", key))


class Process:
    """One child process with its log file."""

    def __init__(self, name, command, folder, env=None):
        self.name, self.command, self.env = name, [str(part) for part in command], env
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.child = None

    def start(self):
        with self.log.open("ab") as out:
            self.child = subprocess.Popen(self.command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                          env={**os.environ, **(self.env or {})}, start_new_session=True)
        return self

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child is not None and self.child.poll() is None

    def kill(self):
        if self.running():
            self.child.kill()
            self.child.wait()

    def stop(self, seconds=10):
        """SIGTERM, and SIGKILL when that does not do. Returns the exit code."""
        if self.running():
            self.child.terminate()
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.child.returncode if self.child else None

    def log_tail(self, lines=15):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def status_kb(self, field):
        """A field of /proc/PID/status in kB: VmRSS, VmHWM, RssAnon, RssShmem."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        return 0

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Topology:
    """A set of processes under one temporary folder; everything is stopped and removed at the end."""

    def __init__(self, keep=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gauntlet-"))
        self.processes, self.keep = [], keep

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for process in reversed(self.processes):
            process.stop()
        if kind and not issubclass(kind, KeyboardInterrupt):
            for process in self.processes:
                print(f"-- last lines of {process.name}:\n{process.log_tail()}", flush=True)
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, command, ready_url=None, seconds=30, env=None):
        process = Process(name, command, self.folder, env).start()
        self.processes.append(process)
        if ready_url:
            self.wait_ready(process, ready_url, seconds)
        return process

    def wait_ready(self, process, url, seconds=30):
        def check():
            if not process.running():
                raise AssertionError(f"{process.name} ended with {process.child.returncode}:\n{process.log_tail()}")
            return fetch(url, timeout=5)[0] == 200
        wait_for(f"{process.name} ready at {url}", check, seconds)

    def node_exporter(self):
        port = free_port()
        self.start("node-exporter", ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}"],
                   f"http://127.0.0.1:{port}/metrics")
        return f"127.0.0.1:{port}"

    def prometheus(self, name, external_labels, jobs, interval="1s", flags=(), extra_config="", blocks=()):
        """jobs: {job name: [target, ...]}. The server's own port may be given as the target "self".
        blocks: lines of OpenMetrics with times, which become blocks before it starts."""
        port = free_port()
        folder = self.folder / name
        folder.mkdir()
        if blocks:
            make_blocks(blocks, folder / "data")
        lines = ["global:", f"  scrape_interval: {interval}", f"  evaluation_interval: {interval}"]
        if external_labels:
            lines += ["  external_labels:"] + [f"    {k}: {v!r}" for k, v in external_labels.items()]
        lines.append("scrape_configs:" if jobs else "scrape_configs: []")
        for job, targets in jobs.items():
            listed = ", ".join(repr(f"127.0.0.1:{port}" if t == "self" else t) for t in targets)
            lines += [f"- job_name: {job}", f"  static_configs: [{{targets: [{listed}]}}]"]
        (folder / "prometheus.yml").write_text("\n".join(lines) + "\n" + extra_config)
        defaults = ["--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h", "--web.enable-lifecycle"]
        process = self.start(name, ["prometheus", f"--config.file={folder}/prometheus.yml",
                                    f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}",
                                    *(f for f in defaults if not any(g.split("=")[0] == f.split("=")[0] for g in flags)), *flags], f"http://127.0.0.1:{port}/-/ready")
        process.url, process.data = f"http://127.0.0.1:{port}", folder / "data"
        return process

    def gauntlet(self, name, command, *flags, ready=True, seconds=30, env=None):
        """Starts `gauntlet COMMAND` with HTTP and gRPC on free ports; .http and .grpc are its addresses."""
        http, grpc = free_port(), free_port()
        addresses = [f"--http-address=127.0.0.1:{http}", f"--grpc-address=127.0.0.1:{grpc}"]
        process = self.start(name, [GAUNTLET, command, *addresses, *flags],
                             f"http://127.0.0.1:{http}/-/ready" if ready else None, seconds, env)
        process.url, process.http, process.grpc = f"http://127.0.0.1:{http}", f"127.0.0.1:{http}", f"127.0.0.1:{grpc}"
        return process

    def gauntlet_http(self, name, command, *flags, ready=True, seconds=30):
        """The same for a command without gRPC; `command` is a list: ["tools", "bucket", "web"]."""
        http = free_port()
        process = self.start(name, [GAUNTLET, *command, f"--http-address=127.0.0.1:{http}", *flags],
                             f"http://127.0.0.1:{http}/-/ready" if ready else None, seconds)
        process.url, process.http = f"http://127.0.0.1:{http}", f"127.0.0.1:{http}"
        return process

    def sidecar(self, name, prometheus, *flags, **kw):
        return self.gauntlet(name, "sidecar", f"--prometheus.url={prometheus.url}", f"--tsdb.path={prometheus.data}", *flags, **kw)


class Api:
    """Prometheus' HTTP API at a base URL."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def get(self, path, **params):
        query = urllib.parse.urlencode(params, doseq=True)
        status, _, body = fetch(f"{self.url}/api/v1/{path}" + (f"?{query}" if query else ""))
        answer = json.loads(body)
        answer["http"] = status
        return answer

    def query(self, expr, **params):
        return self.get("query", query=expr, **params)

    def query_range(self, expr, start, end, step, **params):
        return self.get("query_range", query=expr, start=start, end=end, step=step, **params)


class Report:
    """Prints one line per result, in the form that tools/run_tests.py counts."""

    def __init__(self):
        self.failures = 0

    @contextlib.contextmanager
    def case(self, name):
        """Failed assertions and errors inside become `not ok`; the script goes on."""
        try:
            yield
            print(f"ok {name}", flush=True)
        except Exception as error:  # noqa: BLE001: every trouble is this case's result
            self.failures += 1
            text = " ".join(str(error).split())[:1500]
            print(f"not ok {name}: {type(error).__name__} {text}", flush=True)

    def skip(self, name, why):
        print(f"skip {name}: {why}", flush=True)


def interrupt_on_term():
    """SIGTERM ends a script as Ctrl-C does, so that `with Topology()` cleans up."""
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
