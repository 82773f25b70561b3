#!/usr/bin/env python3
"""Measures what the front door costs: authentication, access rules, limits, TLS, a slow source, garbage.

Called by door.sh, which builds what is needed.
"""
import argparse
import contextlib
import http.server
import os
import re
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import compare
import measure

BENCH = os.path.join(compare.HERE, "bin", "Release", "net10.0", "Broker.Bench.dll")
BUILT_IN = {"Security__AllowAnonymous": "false", "Security__BuiltIn__Users__0__UserName": "u", "Security__BuiltIn__Users__0__Password": "p"}
SHARED = "user=u", "password=p"


class Bench:
    """The brokers of one part, each in a folder of its own, and what they need."""

    def __init__(self, args):
        self.args, self.stack = args, contextlib.ExitStack()
        self.folder = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="broker-door-"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, "w") as file:
                file.write(text)
        return path

    def keep(self, broker):
        self.stack.callback(compare.stop, broker)
        return broker

    def new_folder(self):
        return tempfile.mkdtemp(dir=self.folder)

    def ours(self, **settings):
        return self.keep(compare.Ours(self.args.broker, self.new_folder(), **settings))

    def mosquitto(self, config="", tls=False):
        """A mosquitto with a second listener, of TLS or not."""
        port = compare.free_port()
        config += f"listener {port} 127.0.0.1\n"
        if tls:
            config += "keyfile {}\ncertfile {}\n".format(*self.certificate())
        broker = self.keep(compare.Mosquitto(self.new_folder(), config))
        broker.ports = [broker.port, port]
        return broker

    def certificate(self):
        """A certificate of its own and its key, PEM: ECDSA P-256, as most servers have today."""
        key, certificate = self.path("key.pem"), self.path("certificate.pem")
        if not os.path.exists(key):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
            os.chmod(key, 0o644)  # mosquitto reads it as its own user
            os.chmod(self.folder, 0o755)
        return key, certificate

    def redis(self):
        """A redis-server that knows the user u with the password p and rules for the topics of loadgen."""
        port = compare.free_port()
        process = subprocess.Popen([shutil.which("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder], stdout=subprocess.DEVNULL)
        self.stack.callback(process.wait)
        self.stack.callback(process.terminate)
        until = time.monotonic() + 10
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as connection:
                    connection.sendall(b"HSET mqtt_user:u password p is_superuser 0\r\nHSET mqtt_acl:u # 3\r\n")
                    if connection.recv(100).startswith(b":"):
                        return {"Security__AllowAnonymous": "false", "Security__Redis__Server": f"127.0.0.1:{port}", "Security__Redis__PasswordHash": "plain"}
            except OSError:
                pass
            if time.monotonic() > until:
                sys.exit("redis-server was not ready in 10 s")
            time.sleep(0.05)

    def run(self, *arguments):
        done = subprocess.run(["dotnet", BENCH, *map(str, arguments)], capture_output=True, text=True, timeout=self.args.timeout)
        if done.returncode:
            sys.exit(f"{' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def connects(self, broker, *options):
        """CPU µs a connection, connections a second, and bytes of memory if they are held."""
        text = self.run("connects", broker.process.pid, *options)
        figures = re.search(r"(\d+) a second, (\d+) µs(?:.*?, (-?\d+) bytes)?", text)
        return [int(figure) for figure in figures.groups() if figure]

    def load(self, broker, scenario):
        run = measure.run_once(
            argparse.Namespace(quiet=10, loadgen=self.args.loadgen, port=str(broker.ports[-1]), pid=str(broker.process.pid), timeout=self.args.timeout), shlex.split(scenario))
        if "error" in run or compare.faults([run]) != "clean":
            sys.exit(f"{scenario}: {run}")
        return run

    def alternate(self, rows, measure_one):
        """Every row in turn, and then again: what the machine does meanwhile hits all. The medians of each row's figures."""
        found = [[] for _ in rows]
        for turn in range(self.args.repeat):
            for at in range(len(rows)) if turn % 2 == 0 else reversed(range(len(rows))):
                found[at].append(measure_one(rows[at]))
        return [[statistics.median(column) for column in zip(*runs)] for runs in found]


def table(heads, names, figures, first_is_base=True):
    print("| " + " | ".join(heads) + " |\n|---|" + "---:|" * (len(heads) - 1))
    for name, row in zip(names, figures):
        cells = [compare.number(one, 3 if one < 10 else 0) for one in row]
        print(f"| {name} | " + " | ".join(cells) + (f" | {row[0] / figures[0][0]:.2f} |" if first_is_base else " |"))
    print(flush=True)


def connect(bench):
    redis = bench.redis()
    rows = [
        ("nobody is asked", bench.ours(), []),
        ("built-in user", bench.ours(**BUILT_IN), SHARED),
        ("redis, remembered", bench.ours(**redis, Security__Redis__UserCacheTime="01:00:00", Security__Redis__RuleCacheTime="01:00:00"), SHARED),
        ("redis, asked each time", bench.ours(**redis), SHARED),
        ("mosquitto, nobody is asked", bench.mosquitto(), []),
        ("mosquitto, password file", bench.mosquitto(f"allow_anonymous false\npassword_file {password_file(bench)}\n"), SHARED),
    ]
    figures = bench.alternate(rows, lambda row: bench.connects(row[1], row[1].port, "count=20000", *row[2])[::-1])
    table(("CONNECT", "CPU µs", "a second", "to the first"), [row[0] for row in rows], figures)


def password_file(bench):
    path = bench.path("passwords", "")
    os.chmod(bench.folder, 0o755)
    os.chmod(path, 0o644)
    subprocess.run(["mosquitto_passwd", "-b", path, "u", "p"], check=True)
    os.chmod(path, 0o644)
    return path


def publish(bench):
    rules = bench.path("access.rules", "".join(f"deny all subscribe other/{n}/#\n" for n in range(20)) + "allow all pubsub #\n")
    rows = [
        ("nothing", bench.ours()),
        ("access file of 21 rules", bench.ours(Security__AclFile__Path=rules, Security__NoMatch="deny")),
        ("limits", bench.ours(Mqtt__MessageRate="10000000/s", Mqtt__ByteRate="500MB/s")),
    ]
    for qos in 0, 1:
        figures = bench.alternate(rows, lambda row: [compare.cpu_of(run := bench.load(row[1], f"pairs -P 100 -q {qos} -s 64 -d 4 -u 1")), compare.rate_of(run)])
        table((f"PUBLISH, QoS {qos}, 100 pairs", "CPU µs", "a second", "to the first"), [row[0] for row in rows], figures)


def tls(bench):
    key, certificate = bench.certificate()
    settings = dict(Listeners__a__Kind="tcp", Listeners__a__Port=0, Listeners__b__Kind="tls", Listeners__b__Port=0, Listeners__b__Tls__Certificate=certificate, Listeners__b__Tls__Key=key)
    rows = [("ours", bench.ours(**settings)), ("mosquitto", bench.mosquitto(tls=True))]
    figures = bench.alternate(rows, lambda row: bench.connects(row[1], row[1].ports[1], "count=3000", "tls")[::-1])
    table(("full TLS 1.3 handshake and CONNECT, ECDSA P-256", "CPU µs", "a second"), [row[0] for row in rows], figures, False)

    def held(row):
        make, options, at = row
        broker = make()
        try:
            bench.connects(broker, broker.ports[at], "count=5000", *options)  # what it needs once is then there
            return [bench.connects(broker, broker.ports[at], "count=15000", "hold", *options)[2]]
        finally:
            compare.stop(broker)

    kinds = [(who, make, kind) for who, make in (("ours", lambda: bench.ours(**settings)), ("mosquitto", lambda: bench.mosquitto(tls=True))) for kind in ("plain", "tls")]
    figures = bench.alternate([(make, ["tls"] if kind == "tls" else [], 1 if kind == "tls" else 0) for _, make, kind in kinds], held)
    table(("resident memory of a connection, 15,000 held", "bytes"), [f"{who}, {kind}" for who, _, kind in kinds], figures, False)


def slow(bench):
    """Clients that wait for a source which takes two seconds, beside others' traffic."""
    class Slow(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            time.sleep(2)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    bench.stack.callback(server.shutdown)
    broker = bench.ours(
        Security__Http__Auth__Url=f"http://127.0.0.1:{server.server_port}/auth", Security__Http__PoolSize=64, Security__BruteForce__Failures=0,
        Listeners__a__Kind="tcp", Listeners__a__Port=0, Listeners__b__Kind="tcp", Listeners__b__Port=0, Listeners__b__Authentication="false")
    connected = []

    def knock(stop):
        while not stop.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", broker.ports[0]), 10) as client:
                client.settimeout(10)
                client.sendall(b"\x10\x12\0\4MQTT\4\xc2\0\0\0\0\0\1u\0\1p")
                if client.recv(4) == b" \2\0\0":
                    connected.append(1)

    def one(row):
        stop = threading.Event()
        threads = [threading.Thread(target=knock, args=(stop,)) for _ in range(row[1])]
        for thread in threads:
            thread.start()
        run = bench.load(broker, "rate -P 50 -r 5000 -q 0 -s 64 -d 6 -u 3")
        stop.set()
        for thread in threads:
            thread.join()
        return [run["latency_us"]["p50"], run["latency_us"]["p99"]]

    rows = [("nobody waits", 0), ("64 clients wait for a source of 2 s, all the time", 64)]
    figures = bench.alternate(rows, one)
    table(("5,000 messages/s of others", "p50 µs", "p99 µs"), [row[0] for row in rows], figures, False)
    print(f"{len(connected)} of those who waited were let in.\n", flush=True)


def garbage(bench):
    key, certificate = bench.certificate()
    rows = []
    for who, kinds in ("ours", ("tcp", "ws", "tls")), ("mosquitto", ("tcp", "tls")):
        for kind in kinds:
            if who == "ours":
                settings = {"Listeners__a__Kind": "tcp", "Listeners__a__Port": 0, "Listeners__b__Kind": kind, "Listeners__b__Port": 0}
                if kind == "tls":
                    settings.update(Listeners__b__Tls__Certificate=certificate, Listeners__b__Tls__Key=key)
                broker = bench.ours(**settings)
            else:
                broker = bench.mosquitto(tls=kind == "tls")
            text = bench.run("garbage", broker.process.pid, *broker.ports)
            compare.stop(broker)
            trips = re.findall(r"p50 (\d+) µs, p99 (\d+) µs", text)
            memory = re.findall(r"broker (\d+) MiB", text)
            rows.append((f"{who}, {kind}", [*(int(one) for trip in trips for one in trip), int(re.search(r"(\d+) µs of the broker", text)[1]), *map(int, memory)]))
    table(("100,000 connections of garbage, 2,000/s", "before p50 µs", "p99", "meanwhile p50", "p99", "after p50", "p99", "CPU µs each", "before MiB", "after MiB"),
          [row[0] for row in rows], [row[1] for row in rows], False)


PARTS = {"connect": connect, "publish": publish, "tls": tls, "slow": slow, "garbage": garbage}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="door.sh")
    p.add_argument("--broker", required=True, help=argparse.SUPPRESS)
    p.add_argument("--loadgen", required=True, help=argparse.SUPPRESS)
    p.add_argument("--repeat", type=int, default=3, help="runs of each row (3)")
    p.add_argument("--timeout", type=float, default=300, help="seconds allowed for one run")
    p.add_argument("part", nargs="*", choices=[[], *PARTS], help="default: all")
    args = p.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in args.part or PARTS:
        with Bench(args) as bench:
            PARTS[name](bench)


if __name__ == "__main__":
    main()
