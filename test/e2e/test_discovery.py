#!/usr/bin/env python3
"""Endpoints from a real DNS server (SRV records), and from files that change while the querier runs."""
import json
import shutil
import sys

from topology import Api, Report, Topology, free_port, interrupt_on_term, wait_for


def names(api):
    return sorted(s["name"] for group in api.get("stores")["data"].values() for s in group if s["lastError"] is None)


def main():
    interrupt_on_term()
    report = Report()
    dnsmasq = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin")
    with Topology() as topology:
        prometheus = topology.prometheus("prometheus", {"replica": "a"}, {"prometheus": ["self"]})
        one, two = [topology.sidecar(f"sidecar-{i}", prometheus) for i in (1, 2)]

        if not dnsmasq:
            report.skip("dnssrv", "dnsmasq is not installed")
        else:
            with report.case("dnssrv finds what the DNS server says, and follows its change"):
                port = free_port()
                command = [dnsmasq, "--no-daemon", "--no-resolv", "--no-hosts", f"--port={port}", "--listen-address=127.0.0.1",
                           "--bind-interfaces", "--user=root", "--address=/one.test/127.0.0.1", "--address=/two.test/127.0.0.1"]
                records = [f"--srv-host=_grpc._tcp.sidecars.test,{host}.test,{process.grpc.rsplit(':', 1)[1]}"
                           for host, process in (("one", one), ("two", two))]
                server = topology.start("dnsmasq", command + records[:1])
                query = topology.gauntlet("query-dns", "query", "--endpoint=dnssrv+_grpc._tcp.sidecars.test",
                                          "--store.sd-dns-interval=1s", "--query.replica-label=replica",
                                          env={"GAUNTLET_DNS_SERVERS": f"127.0.0.1:{port}"})
                api = Api(query.url)
                wait_for("one endpoint by SRV", lambda: names(api) == [one.grpc], 20)
                wait_for("data", lambda: api.query("up")["data"]["result"], 20)
                server.stop()
                topology.start("dnsmasq-2", command + records)
                wait_for("both endpoints by SRV", lambda: names(api) == sorted([one.grpc, two.grpc]), 20)
            with report.case("a DNS server that is gone leaves the endpoints as they were"):
                topology.processes[-1].stop()
                import time
                time.sleep(3)
                assert names(api) == sorted([one.grpc, two.grpc]), names(api)
                assert api.query("up")["data"]["result"]

        with report.case("sd-files are followed without a restart"):
            file = topology.folder / "endpoints.json"
            file.write_text(json.dumps([{"targets": [one.grpc]}]))
            yaml = topology.folder / "more.yml"
            query = topology.gauntlet("query-files", "query", f"--store.sd-files={topology.folder}/endpoints.json",
                                      f"--store.sd-files={topology.folder}/mo*.yml", "--store.sd-interval=30s")
            api = Api(query.url)
            wait_for("the endpoint of the file", lambda: names(api) == [one.grpc], 20)
            yaml.write_text(f"- targets: ['{two.grpc}']\n")
            wait_for("the endpoint of a new file", lambda: names(api) == sorted([one.grpc, two.grpc]), 20)
            file.write_text("[]")
            wait_for("the first endpoint to go", lambda: names(api) == [two.grpc], 20)
        with report.case("a broken sd-file changes nothing and is reported"):
            file.write_text("[{]")
            yaml.write_text(f"- targets: ['{one.grpc}', '{two.grpc}']\n")
            wait_for("the good file's change", lambda: names(api) == sorted([one.grpc, two.grpc]), 20)
            assert "endpoints.json" in query.log.read_text(), query.log_tail()
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
