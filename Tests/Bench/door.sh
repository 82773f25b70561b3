#!/usr/bin/env bash
# Measures what the front door costs, beside mosquitto where it has the like; prints Markdown tables.
#
#   Tests/Bench/door.sh                    everything: about 15 minutes
#   Tests/Bench/door.sh connect tls        some parts: connect, publish, tls, slow, garbage
#   Tests/Bench/door.sh --repeat 5 …       runs of each row of which the median is shown (3)
#
# Needs what Tests/run.sh installs, and openssl. Brokers, clients and redis share the machine's processors: rates are of little worth, the
# brokers' processor time is what to compare.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
exec "$here/compare.sh" --script door.py "$@"
