#!/usr/bin/env python3
"""A real Prometheus' configuration and rules through versions as Kubernetes mounts them, good and broken, and through kills."""
import gzip
import os
import pathlib
import random
import shutil
import sys
import time

from topology import Api, Report, Topology, fetch, free_port, interrupt_on_term, metrics, wait_for

# As kubelet's folders: `..data` is a link to the version, files are links through it.


class Mount:
    def __init__(self, folder):
        self.folder, self.version = pathlib.Path(folder), 0
        self.folder.mkdir()

    def swap(self, files):
        """files: {name: bytes}. The new version shows at once, the old one goes."""
        old = self.folder / f"..v{self.version}"
        self.version += 1
        new = self.folder / f"..v{self.version}"
        new.mkdir()
        for name, content in files.items():
            (new / name).write_bytes(content)
        (self.folder / "..data_tmp").symlink_to(new.name)
        (self.folder / "..data_tmp").rename(self.folder / "..data")
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        for link in self.folder.iterdir():
            if not link.name.startswith("..") and link.name not in files:
                link.unlink()
        shutil.rmtree(old, ignore_errors=True)


def config(version, rules, replica="$(REPLICA)", filler=0):
    return (f"global:\n  scrape_interval: 1s\n  external_labels: {{cluster: eu, replica: '{replica}', version: 'v{version}'}}\n"
            f"rule_files: ['{rules}/*.yml']\n" + "# a line that makes it long\n" * filler + f"# end of v{version}\n").encode()


def rule(name):
    return f"groups: [{{name: {name}, rules: [{{record: 'rule:{name}', expr: '1'}}]}}]\n".encode()


class Case:
    """One Prometheus that runs with what the sidecar's reloader writes."""

    def __init__(self, topology, name, method="http"):
        self.topology, self.name, self.method = topology, name, method
        self.folder = topology.folder / name
        self.folder.mkdir()
        self.config, self.rules = Mount(self.folder / "config"), Mount(self.folder / "rules")
        self.output = self.folder / "out.yml"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.program = f"prom-{os.getpid() % 100000}-{method[:3]}"  # 15 bytes of it are what the kernel keeps
        self.sidecars = 0

    def sidecar(self, *flags, ready=True):
        self.sidecars += 1
        return self.topology.gauntlet(
            f"{self.name}-sidecar-{self.sidecars}", "sidecar", f"--prometheus.url={self.url}", f"--tsdb.path={self.folder}/data",
            "--prometheus.get_config_interval=1s", f"--reloader.config-file={self.config.folder}/prometheus.yml",
            f"--reloader.config-envsubst-file={self.output}", f"--reloader.rule-dir={self.rules.folder}",
            "--reloader.retry-interval=500ms", f"--reloader.method={self.method}", f"--reloader.process-name={self.program}",
            *flags, ready=ready, env={"REPLICA": "a"})

    def prometheus(self):
        program = self.folder / self.program
        program.symlink_to(shutil.which("prometheus"))
        lifecycle = ["--web.enable-lifecycle"] if self.method == "http" else []
        return self.topology.start(
            f"{self.name}-prometheus",
            [str(program), f"--config.file={self.output}", f"--storage.tsdb.path={self.folder}/data", "--storage.tsdb.min-block-duration=2h",
             "--storage.tsdb.max-block-duration=2h", f"--web.listen-address=127.0.0.1:{self.port}", *lifecycle], f"{self.url}/-/ready")

    def swap(self, version, content=None):
        self.config.swap({"prometheus.yml": content if content is not None else config(version, self.rules.folder)})

    def loaded(self):
        return Api(self.url).get("status/config")["data"]["yaml"]

    def wait_loaded(self, version):
        wait_for(f"version {version} loaded", lambda: f"version: v{version}\n" in self.loaded(), 20)

    def rule_groups(self):
        return {g["name"] for g in Api(self.url).get("rules")["data"]["groups"]}


def told(sidecar):
    prefix = "thanos_sidecar_reloader_"
    return {name.removeprefix(prefix): float(value) for name, value in metrics(sidecar).items() if name.startswith(prefix)}


def swap_cases(report, topology):
    case = Case(topology, "swaps")
    case.swap(0)
    case.rules.swap({"one.yml": rule("first")})
    sidecar = case.sidecar(ready=False)
    wait_for("the first configuration", case.output.exists, 20)
    case.prometheus()
    topology.wait_ready(sidecar, sidecar.url + "/-/ready")
    with report.case("the configuration is there before Prometheus is, with its variables filled in"):
        case.wait_loaded(0)
        assert "replica: a\n" in case.loaded(), case.loaded()
        assert case.rule_groups() == {"first"}
        wait_for("the first reload", lambda: told(sidecar)["last_reload_successful"] == 1, 20)
    broken = {4: b"global: {scrape_interval: [}\n", 7: config(7, case.rules.folder, "$(NO_SUCH_VARIABLE)")}
    with report.case("ten versions, two of them broken: the last good one stays loaded, metrics tell"):
        good = 0
        for version in range(1, 11):
            before, text = told(sidecar), case.output.read_bytes()
            if version == 5:
                case.swap(5, gzip.compress(config(5, case.rules.folder)))
            else:
                case.swap(version, broken.get(version))
            if version == 4:
                wait_for("a refusal", lambda: told(sidecar)["reloads_failed_total"] > before["reloads_failed_total"], 20)
                assert told(sidecar)["last_reload_successful"] == 0
            elif version == 7:
                wait_for("an error", lambda: told(sidecar)["config_apply_operations_failed_total"] >
                         before["config_apply_operations_failed_total"], 20)
                now = told(sidecar)
                assert now["config_environment_variable_expansion_errors"] == 1 and now["last_reload_successful"] == 1, now
                assert now["reloads_total"] == before["reloads_total"], (before, now)
                assert case.output.read_bytes() == text
            else:
                case.wait_loaded(version)
                wait_for("the metric", lambda: told(sidecar)["last_reload_successful"] == 1, 20)
                now = told(sidecar)
                assert now["last_reload_success_timestamp_seconds"] > time.time() - 60, now
                assert now["config_environment_variable_expansion_errors"] == 0, now
                good = version
            assert f"version: v{good}\n" in case.loaded(), (version, case.loaded())
        now = told(sidecar)
        assert now['info{method="http"}'] == 1 and now["watches"] >= 4 and now["watch_events_total"] >= 10, now
        assert now["watch_errors_total"] == 0, now
    with report.case("rules that change are loaded; a version of the same contents is not told"):
        case.rules.swap({"one.yml": rule("first"), "two.yml": rule("second")})
        wait_for("the rule", lambda: case.rule_groups() == {"first", "second"}, 20)
        case.rules.swap({"two.yml": rule("second")})
        wait_for("the rule gone", lambda: case.rule_groups() == {"second"}, 20)
        before = told(sidecar)
        case.rules.swap({"two.yml": rule("second")})
        wait_for("a look", lambda: told(sidecar)["config_apply_operations_total"] > before["config_apply_operations_total"], 20)
        assert told(sidecar)["reloads_total"] == before["reloads_total"]
    with report.case("the sidecar serves with the labels of the new configuration"):
        query = topology.gauntlet("swaps-query", "query", f"--endpoint={sidecar.grpc}")
        wait_for("the label", lambda: "v10" in Api(query.url).get("label/version/values")["data"], 20)


def kill_cases(report, topology):
    case = Case(topology, "kills")
    case.rules.swap({"one.yml": rule("first")})
    case.swap(0, config(0, case.rules.folder, filler=40_000))
    dice = random.Random(7)
    with report.case("killed at any moment: what Prometheus would read is whole"):
        whole = 0
        for version in range(1, 13):
            sidecar = case.sidecar(ready=False)
            if dice.random() < 0.5:
                wait_for("a sidecar", lambda: fetch(sidecar.url + "/-/healthy")[0] == 200, 20, 0.01)
            case.swap(version, config(version, case.rules.folder, filler=40_000))
            time.sleep(dice.random() * 0.15)
            sidecar.kill()
            if case.output.exists():
                lines = case.output.read_text().splitlines()
                name = lines[2].split("version: '")[1].split("'")[0]
                assert lines[-1] == f"# end of {name}" and len(lines) == 40_005, (lines[:3], lines[-1], len(lines))
                whole += 1
        assert whole >= 6, whole
    with report.case("the next one goes on with the latest version"):
        sidecar = case.sidecar(ready=False)
        wait_for("the output", lambda: case.output.read_text().endswith("# end of v12\n"), 20)
        case.prometheus()
        wait_for("a reload", lambda: told(sidecar)["last_reload_successful"] == 1, 20)
        case.wait_loaded(12)


def signal_cases(report, topology):
    case = Case(topology, "signals", "signal")
    case.rules.swap({"one.yml": rule("first")})
    case.swap(0)
    sidecar = case.sidecar(ready=False)
    wait_for("the first configuration", case.output.exists, 20)
    case.prometheus()
    with report.case("by signal: good versions are loaded, a broken one is told"):
        wait_for("the first reload", lambda: told(sidecar)["last_reload_successful"] == 1, 20)
        case.swap(1)
        case.wait_loaded(1)
        wait_for("the metric", lambda: told(sidecar)["reloads_total"] - told(sidecar)["reloads_failed_total"] >= 2, 20)
        case.swap(2, b"rule_files: 3\nglobal: []\n")
        wait_for("a refusal", lambda: told(sidecar)["last_reload_successful"] == 0, 20)
        assert "version: v1\n" in case.loaded()
        case.swap(3)
        case.wait_loaded(3)
        wait_for("the metric", lambda: told(sidecar)["last_reload_successful"] == 1, 20)
        assert told(sidecar)['info{method="signal"}'] == 1


def start_cases(report, topology):
    case = Case(topology, "starts")
    case.rules.swap({})
    with report.case("a first configuration that cannot be used ends the start with the reason"):
        for content, why in ((b"x: $(NO_SUCH_VARIABLE)\n", 'unset environment variable "NO_SUCH_VARIABLE"'),
                             (gzip.compress(b"x: 1\n")[:-3], "unzip")):
            case.swap(1, content)
            sidecar = case.sidecar(ready=False)
            wait_for("its end", lambda: not sidecar.running(), 20)
            assert sidecar.child.returncode == 1 and why in sidecar.log_tail().replace('\\"', '"'), sidecar.log_tail()
            assert not case.output.exists()


def main():
    interrupt_on_term()
    report = Report()
    if not shutil.which("prometheus"):
        report.skip("reloader", "prometheus is not installed")
        return 0
    with Topology() as topology:
        swap_cases(report, topology)
        kill_cases(report, topology)
        signal_cases(report, topology)
        start_cases(report, topology)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
