#!/usr/bin/env bash
# Measures a cluster of two and of three nodes on this machine, beside a node alone and mosquitto; prints Markdown tables.
#
#   Tests/Bench/cluster.sh                    everything: about five minutes
#   Tests/Bench/cluster.sh pairs durable      some parts: pairs, durable, kill, join
#   Tests/Bench/cluster.sh --routes 1000000   routes that the killed node's shards have to recover (100,000)
#
# Needs what Tests/run.sh installs. All nodes, the load generator and MariaDB share the machine's processors.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
exec "$here/compare.sh" --script cluster.py "$@"
