#!/usr/bin/env python3
"""Measures clusters that deploy/local-cluster.sh starts.

Called by cluster.sh, which builds what is needed.
"""
import argparse
import os
import random
import re
import resource
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import compare
from compare import HERE, Mosquitto, Ours, cpu_of, latency, measure, number, rate_of, ratio, stop

ROOT = os.path.dirname(os.path.dirname(HERE))
PROBES = 64
LIMIT = 120


class Cluster:
    """N nodes and their database; `nodes` holds (MQTT port, health port, process id) of each."""

    def __init__(self, count, programs, folder):
        self.data = tempfile.mkdtemp(prefix="cluster-", dir=folder)
        self.output = open(os.path.join(self.data, "output"), "w+")
        first = random.choice([port for port in range(11000, 20000, 200) if are_free(port, count) and are_free(port + 100, count)])
        self.process = subprocess.Popen(
            [os.path.join(ROOT, "deploy", "local-cluster.sh"), str(count), "--programs", programs, "--data", self.data,
             "--mqtt-port", str(first), "--admin-port", str(first + 100)],
            stdout=self.output, stderr=subprocess.STDOUT, env=dict(os.environ, Broker__Mqtt__MaxQueueLength="0", Broker__Mqtt__SysInterval="00:00:00"))
        wait_until(lambda: "Ctrl-C stops all" in self.text() or self.process.poll() is not None, "a cluster")
        found = re.findall(r"MQTT on port (\d+), health at http://localhost:(\d+)/\S+ process (\d+)", self.text())
        self.nodes = [tuple(int(part) for part in node) for node in found]
        if len(self.nodes) < count:
            sys.exit("the cluster did not start:\n" + self.text())

    def text(self):
        with open(self.output.name) as output:
            return output.read()

    def log(self, node):
        with open(os.path.join(self.data, f"node{node + 1}.log")) as log:
            return log.read()

    def start_another(self, programs):
        """One more node, as an operator would start it. Its process, and when it was started."""
        with open(f"/proc/{self.nodes[0][2]}/environ") as file:
            environment = dict(entry.split("=", 1) for entry in file.read().split("\0") if "=" in entry)
        environment.update(Broker__Gateway__Port="0", Broker__Admin__Port="0", Broker__Admin__DashboardPort="0", Broker__Gateway__NodeName="another@127.0.0.1")
        started = time.monotonic()
        log = open(os.path.join(self.data, "another.log"), "w")
        return subprocess.Popen(["dotnet", os.path.join(programs, "Broker.Gateway.dll")], env=environment, stdout=log, stderr=log), started


def are_free(first, count):
    for port in range(first, first + count):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return False
    return True


def wait_until(reached, what):
    until = time.monotonic() + LIMIT
    while not reached():
        if time.monotonic() > until:
            sys.exit(f"{what}: not within {LIMIT} s")
        time.sleep(0.02)


def run(args, command, ports, pids):
    return measure.run_once(
        argparse.Namespace(quiet=0, loadgen=args.loadgen, port=ports, pid=",".join(str(pid) for pid in pids), timeout=180), shlex.split(command))


# ---------------------------------------------------------------- rates
def pairs(args, folder):
    cluster, alone, mosquitto = Cluster(2, args.programs, folder), Ours(args.broker, folder), Mosquitto(folder)
    try:
        (one, _, first), (two, _, second) = cluster.nodes
        print("| 100 pairs, 64 B | two nodes /s | one node /s | mosquitto /s | two nodes / mosquitto | CPU µs: two nodes | one node | mosquitto | two nodes p50 / p99 µs | correct |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|", flush=True)
        for qos in (0, 1, 2):
            command = f"pairs -P 100 -q {qos} -s 64 {args.options}"
            both = run(args, f"{command} --sub-ports {two}", str(one), [first, second])
            single = run(args, command, str(alone.port), [alone.process.pid])
            theirs = run(args, command, str(mosquitto.port), [mosquitto.process.pid])
            print("| " + " | ".join([
                f"QoS {qos}, publishers on one node, subscribers on the other", number(rate_of(both)), number(rate_of(single)), number(rate_of(theirs)),
                ratio(rate_of(both), rate_of(theirs)), number(cpu_of(both), 2), number(cpu_of(single), 2), number(cpu_of(theirs), 2), latency(both),
                compare.faults([both])]) + " |", flush=True)
    finally:
        for broker in (cluster, alone, mosquitto):
            stop(broker)


def durable(args, folder):
    cluster = Cluster(2, args.programs, folder)
    try:
        (one, _, first), (two, _, second) = cluster.nodes
        print("\n| durable sessions, store in MariaDB, publishers on one node, subscribers on the other | messages/s | CPU µs | p50 / p99 µs to the subscriber | correct |")
        print("|---|---:|---:|---:|---|", flush=True)
        for name, command in (("QoS 1, 1,000/s in all", "rate -P 50 -r 1000 -q 1"), ("QoS 1, as fast as it goes", "pairs -P 100 -q 1"),
                              ("QoS 2, 500/s in all", "rate -P 50 -r 500 -q 2"), ("QoS 2, as fast as it goes", "pairs -P 100 -q 2")):
            found = run(args, f"{command} -s 64 --dirty --sub-ports {two} {args.options}", str(one), [first, second])
            print(f"| {name} | {number(rate_of(found))} | {number(cpu_of(found), 2)} | {latency(found)} | {compare.faults([found])} |", flush=True)
    finally:
        stop(cluster)


# ---------------------------------------------------------------- deaths and joins
class Probe:
    """A 3.1.1 client that publishes or takes QoS 1 messages on the probe topics."""

    def __init__(self, port, client_id):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.buffer = b""
        self.send(0x10, text("MQTT") + bytes([4, 2, 0, 0]) + text(client_id))
        self.read()

    def send(self, first, body):
        length, size = b"", len(body)
        while True:
            length += bytes([size % 128 | (128 if size > 127 else 0)])
            size //= 128
            if not size:
                break
        self.socket.sendall(bytes([first]) + length + body)

    def read(self):
        """The next packet: first byte and body; all of the probe's are short."""
        while len(self.buffer) < 2 or len(self.buffer) < 2 + self.buffer[1]:
            part = self.socket.recv(65536)
            if not part:
                raise OSError("closed")
            self.buffer += part
        size = 2 + self.buffer[1]
        packet, self.buffer = self.buffer[:size], self.buffer[size:]
        return packet[0], packet[2:]


def text(value):
    return struct.pack(">H", len(value)) + value.encode()


class Service:
    """Publishes to all probe topics in turn, and notes when each message was acknowledged and taken."""

    def __init__(self, publish_at, subscribe_at):
        self.sent, self.acknowledged, self.taken = {}, {}, {}
        self.ends = False
        self.subscriber, self.publisher = Probe(subscribe_at, "probe-s"), Probe(publish_at, "probe-p")
        self.subscriber.send(0x82, b"\0\1" + b"".join(text(f"probe{n}/x") + b"\1" for n in range(0, 8)))
        self.subscriber.read()
        for n in range(8, PROBES):
            self.subscriber.send(0x82, b"\0\1" + text(f"probe{n}/x") + b"\1")
            self.subscriber.read()
        for work in (self.publish, self.acknowledgements, self.take):
            threading.Thread(target=work, daemon=True).start()

    def publish(self):
        number = 1
        while not self.ends and number < 60000:
            self.sent[number] = time.monotonic()
            self.publisher.send(0x32, text(f"probe{number % PROBES}/x") + struct.pack(">H", number) + b"%d" % number)
            number += 1
            time.sleep(0.001)

    def acknowledgements(self):
        while not self.ends:
            first, body = self.publisher.read()
            if first == 0x40:
                self.acknowledged[struct.unpack(">H", body)[0]] = time.monotonic()

    def take(self):
        while not self.ends:
            first, body = self.subscriber.read()
            topic = struct.unpack(">H", body[:2])[0]
            self.taken.setdefault(int(body[4 + topic:]), time.monotonic())
            self.subscriber.send(0x40, body[2 + topic:4 + topic])

    def gap(self, since):
        """Seconds after `since` from which on each message on each topic was acknowledged and taken within 0.1 s."""
        late = [max(self.taken.get(n, time.monotonic()), self.acknowledged.get(n, time.monotonic()))
                for n, at in list(self.sent.items()) if at > since - 1 and n in self.sent
                and max(self.taken.get(n, time.monotonic()), self.acknowledged.get(n, time.monotonic())) > max(at, since) + 0.1]
        return max(late, default=since) - since

    def is_well(self, since):
        now = time.monotonic()
        recent = [n for n, at in list(self.sent.items()) if now - 2 < at < now - 0.5]
        return now > since + 5 and len(recent) > PROBES and all(n in self.taken and n in self.acknowledged for n in list(self.sent) if self.sent[n] < now - 0.5)


def kill(args, folder):
    print("\n| a node of three is killed; its shards come up elsewhere | until each QoS 1 message on every topic arrives again, s | ready again, s |")
    print("|---|---:|---:|", flush=True)
    for routes in dict.fromkeys((0, args.routes)):
        cluster = Cluster(3, args.programs, folder)
        load, before = None, sum(resident(node[2]) for node in cluster.nodes)
        try:
            if routes:
                load = subprocess.Popen([args.loadgen, "subscribe", "-N", "100", "-M", str(routes // 100), "-p", f"{cluster.nodes[0][0]},{cluster.nodes[1][0]}",
                                         "--hold", "600", "--verify", "0"], stdout=subprocess.DEVNULL)
                await_routes(cluster, routes, before)
            service = Service(cluster.nodes[0][0], cluster.nodes[1][0])
            time.sleep(3)
            since = time.monotonic()
            os.kill(cluster.nodes[2][2], signal.SIGKILL)
            wait_until(lambda: service.is_well(since), "full service")
            wait_until(lambda: all(is_ready(node[1]) for node in cluster.nodes[:2]), "readiness")
            ready = time.monotonic() - since
            print(f"| with {number(routes)} routes of others | {service.gap(since):.1f} | ≤ {ready:.1f} |", flush=True)
            service.ends = True
        finally:
            if load:
                load.kill()
                load.wait()
            stop(cluster)


def resident(process):
    with open(f"/proc/{process}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def await_routes(cluster, routes, before):
    """Until the memory of all nodes has grown by what the routes need at least, and grows no more."""
    def now():
        return sum(resident(node[2]) for node in cluster.nodes)

    def settled():
        first = now()
        time.sleep(2)
        return now() - before > routes * 200 and now() - first < first * 0.005
    wait_until(settled, f"{routes} routes")


def is_ready(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as client:
            client.sendall(b"GET /health/ready HTTP/1.0\r\n\r\n")
            return b" 200 " in client.recv(100)
    except OSError:
        return False


def join(args, folder):
    cluster = Cluster(2, args.programs, folder)
    another = None
    try:
        another, started = cluster.start_another(args.programs)

        def spread():
            return re.search(r"spread evenly over 3 silos", "".join(cluster.log(node) for node in (0, 1)) + open(os.path.join(cluster.data, "another.log")).read())
        wait_until(spread, "a spread over three")
        print(f"\nA third node has its share of all shards {time.monotonic() - started:.1f} s after its process was started.", flush=True)
    finally:
        if another:
            another.send_signal(signal.SIGTERM)
            another.wait()
        stop(cluster)


PARTS = {"pairs": pairs, "durable": durable, "kill": kill, "join": join}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="cluster.sh")
    p.add_argument("--broker", required=True, help=argparse.SUPPRESS)
    p.add_argument("--loadgen", required=True, help=argparse.SUPPRESS)
    p.add_argument("--options", default="-d 5 -u 3", help="added to each load: '-d 5 -u 3'")
    p.add_argument("--routes", type=int, default=100_000, help="routes of others when a node is killed (100,000)")
    p.add_argument("part", nargs="*", help="default: all. " + ", ".join(PARTS))
    args = p.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    folder = tempfile.mkdtemp(prefix="broker-cluster-")
    # The script wants both programs in one folder.
    args.programs = os.path.join(folder, "programs")
    shutil.copytree(os.path.dirname(args.broker), args.programs)
    shutil.copytree(os.path.join(ROOT, "Silo", "bin", "Release", "net10.0"), args.programs, dirs_exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        for name in args.part or PARTS:
            PARTS[name](args, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
