#!/usr/bin/env python3
"""Measures messages at a steady rate while the HTTP API is called, and while it is not.

Called by api.sh, which builds what is needed.
"""
import argparse
import re
import signal
import subprocess
import sys

import door

PAIRS, RATE, SECONDS = 100, 50_000, 10
ROWS = [
    ("nobody calls", None),
    ("200/s `/clients?_limit=20`", "clients?_limit=20"),
    ("200/s `/clients?_like_clientid=…&_limit=20`", "clients?_like_clientid=1&_limit=20"),
    ("200/s `/clients`, all 200 of them", "clients"),
    ("200/s `/emqx_prometheus?type=prometheus`", "emqx_prometheus?type=prometheus"),
]


def admin_port(broker):
    with open(broker.output) as output:
        return re.search(r"localhost:(\d+)/health", output.read())[1]


def one(bench, broker, path):
    """p50 and p99 of the messages, CPU µs a message, and what the callers saw."""
    callers = path and subprocess.Popen(
        ["dotnet", door.BENCH, "http", f"http://127.0.0.1:{admin_port(broker)}/api/v4/{path}", "admin:public", "200", str(SECONDS + 14)], stdout=subprocess.PIPE, text=True)
    run = bench.load(broker, f"rate -P {PAIRS} -r {RATE} -q 0 -s 64 -d {SECONDS} -u 2")
    said = callers.communicate(timeout=bench.args.timeout)[0] if callers else ""
    found = re.match(r"(\d+) answers, (\d+) failures, p50 ([\d.]+) ms, p99 ([\d.]+) ms", said)
    if callers and (not found or found[2] != "0"):
        sys.exit(f"{path}: {said}")
    return [run["latency_us"]["p50"], run["latency_us"]["p99"], *(float(found[at]) if found else 0 for at in (3, 4))]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="api.sh")
    p.add_argument("--broker", required=True, help=argparse.SUPPRESS)
    p.add_argument("--loadgen", required=True, help=argparse.SUPPRESS)
    p.add_argument("--repeat", type=int, default=3, help="runs of each row (3)")
    p.add_argument("--timeout", type=float, default=300, help="seconds allowed for one run")
    args = p.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with door.Bench(args) as bench:
        broker = bench.ours()
        one(bench, broker, ROWS[1][1])  # warm
        figures = bench.alternate(ROWS, lambda row: one(bench, broker, row[1]))
        base = figures[0][1]
        door.table((f"{RATE:,} messages/s over {PAIRS} pairs", "p50 µs", "p99 µs", "callers' p50 ms", "callers' p99 ms", "p99 to the first"),
                   [row[0] for row in ROWS], [[*row, row[1] / base] for row in figures], False)


if __name__ == "__main__":
    main()
