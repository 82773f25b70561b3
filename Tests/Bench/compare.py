#!/usr/bin/env python3
"""Runs load scenarios against our broker and mosquitto alternately and prints a Markdown table.

Called by compare.sh, which builds what is needed.  Both brokers are started here, each on a free port,
and ended by their own process ids.
"""
import argparse
import json
import os
import re
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "loadgen"))
import measure  # noqa: E402

SCENARIOS = dict(measure.SUITE)
# Ours commits to disk before PUBACK; mosquitto, without persistence, keeps durable sessions in memory only.
SCENARIOS["durable-q1"] = "pairs -P 100 -q 1 -s 64 --dirty"

# How the cost of a message grows with connections at one total rate: half of them publish, half subscribe. Ours alone.
ALONE = {f"growth-{n}": f"rate -P {n // 2} -r 5000 -q 0 -s 64" for n in (10, 100, 1000, 10000)}

MOSQUITTO_CONF = """listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 100
persistence false
set_tcp_nodelay true
log_dest none
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Ours:
    name = "ours"

    def __init__(self, dll, folder, **settings):
        environment = dict(os.environ, Broker__Gateway__Port="0", Broker__Admin__Port="0", Broker__Admin__DashboardPort="0", Broker__Storage__DataDirectory=os.path.join(folder, "data"))
        environment.update({"Broker__" + key: str(value) for key, value in settings.items()})
        self.output = os.path.join(folder, "ours.log")
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(["dotnet", dll], stdout=output, stderr=output, env=environment, cwd=folder)
        self.port = self.wait_ready()

    def wait_ready(self):
        until = time.monotonic() + 30
        while time.monotonic() < until and self.process.poll() is None:
            with open(self.output) as output:
                text = output.read()
            if "Stop with" in text:
                self.ports = [int(port) for port in re.findall(r"^MQTT .* on port (\d+) ", text, re.M)]
                return self.ports[0]
            time.sleep(0.05)
        if self.process.poll() is None:
            stop(self)
        sys.exit("our broker is not ready:\n" + open(self.output).read())


class Mosquitto:
    name = "mosquitto"

    def __init__(self, folder, config=""):
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin") or sys.exit("no mosquitto")
        self.port = free_port()
        path = os.path.join(folder, "mosquitto.conf")
        with open(path, "w") as file:
            file.write(MOSQUITTO_CONF.format(port=self.port) + config)
        self.process = subprocess.Popen([program, "-c", path])
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("mosquitto was not ready in 10 s")


def stop(broker):
    broker.process.send_signal(signal.SIGTERM)
    try:
        broker.process.wait(15)
    except subprocess.TimeoutExpired:
        broker.process.kill()
        broker.process.wait()


def rate_of(run):
    for key in ("received_per_s", "connects_per_s", "subs_per_s"):
        if key in run:
            return run[key]
    return None


def cpu_of(run):
    for key, value in run.items():
        if key.startswith("broker_cpu_us_per_") and key != "broker_cpu_us_per_sent":
            return value
    return None


def faults(runs):
    """What went wrong over all runs; `clean` if nothing."""
    found = []
    for key in ("lost", "reordered", "duplicate", "malformed", "errors", "downgraded", "disconnects", "refused", "unacked"):
        total = sum(run.get(key, 0) for run in runs)
        if total:
            found.append(f"{key} {total}")
    for run in runs:
        if run.get("verify_sent", 0) != run.get("verify_received", 0):
            found.append(f"filters {run['verify_received']} of {run['verify_sent']}")
    failed = [run["error"] for run in runs if "error" in run]
    return ", ".join(found + failed) or "clean"


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def ratio(ours, theirs):
    return "-" if not ours or not theirs else f"{ours / theirs:.2f}"


def latency(median):
    found = median.get("latency_us") or median.get("connect_us") if median else None
    return f"{found['p50']:.0f} / {found['p99']:.0f}" if found else "-"


def row(name, results):
    medians = {}
    for who, runs in results.items():
        good = [run for run in runs if "error" not in run]
        medians[who] = measure.median(good) if good else {}
    ours, theirs = medians["ours"], medians.get("mosquitto", {})
    others = max((run.get("others", 0) for runs in results.values() for run in runs), default=0)
    checks = "; ".join(f"{who} {faults(runs)}" for who, runs in results.items())
    return "| " + " | ".join([
        name, number(rate_of(ours)), number(rate_of(theirs)), ratio(rate_of(ours), rate_of(theirs)),
        number(cpu_of(ours), 2), number(cpu_of(theirs), 2), ratio(cpu_of(ours), cpu_of(theirs)),
        latency(ours), latency(theirs), checks, f"{others:.2f}"]) + " |"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="compare.sh")
    p.add_argument("--broker", required=True, help=argparse.SUPPRESS)
    p.add_argument("--loadgen", required=True, help=argparse.SUPPRESS)
    p.add_argument("--repeat", type=int, default=3, help="runs of each scenario and broker (3)")
    p.add_argument("--quiet", type=float, default=0, help="seconds to wait at most for a quiet machine before each run")
    p.add_argument("--timeout", type=float, default=180, help="seconds allowed for one run")
    p.add_argument("--ours-only", action="store_true", help="without mosquitto")
    p.add_argument("--options", default="", help="added to each scenario for loadgen: '-d 1 -u 0.2'")
    p.add_argument("--json", help="also write every run to this file")
    p.add_argument("scenario", nargs="*", help="default: all. " + ", ".join([*SCENARIOS, *ALONE]))
    args = p.parse_args()
    names = args.scenario or [*SCENARIOS, *ALONE]
    for name in names:
        if name not in SCENARIOS and name not in ALONE:
            p.error(f"no scenario {name}")

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    folder = tempfile.mkdtemp(prefix="broker-compare-")
    brokers, log = [], []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        brokers.append(Ours(args.broker, folder))
        if not args.ours_only and any(name in SCENARIOS for name in names):
            brokers.append(Mosquitto(folder))
        print("| scenario | ours /s | mosquitto /s | ratio | ours CPU µs | mosquitto CPU µs | ratio | ours p50 / p99 µs | mosquitto p50 / p99 µs | correct | others, cores |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|", flush=True)
        for name in names:
            command = shlex.split((SCENARIOS.get(name) or ALONE[name]) + " " + args.options)
            chosen = [broker for broker in brokers if name in SCENARIOS or broker.name == "ours"]
            results = {broker.name: [] for broker in chosen}
            for turn in range(args.repeat):
                # Alternately, and the first one changes: what the machine does meanwhile hits both.
                for broker in chosen if turn % 2 == 0 else chosen[::-1]:
                    run = measure.run_once(
                        argparse.Namespace(quiet=args.quiet, loadgen=args.loadgen, port=str(broker.port), pid=str(broker.process.pid), timeout=args.timeout),
                        command)
                    results[broker.name].append(run)
                    log.append({"scenario": name, "broker": broker.name, "turn": turn, "run": run})
                    if broker.process.poll() is not None:
                        sys.exit(f"{broker.name} died during {name}")
            print(row(name, results), flush=True)
    finally:
        for broker in brokers:
            stop(broker)
        shutil.rmtree(folder, ignore_errors=True)
        if args.json:
            with open(args.json, "w") as file:
                json.dump(log, file, indent=1)


if __name__ == "__main__":
    main()
