#!/usr/bin/env bash
# Measures what callers of the HTTP API cost the messages that flow meanwhile; prints a Markdown table.
#
#   Tests/Bench/api.sh                 about three minutes
#   Tests/Bench/api.sh --repeat 5      runs of each row of which the median is shown (3)
#
# Broker, clients and callers share the machine's processors. `Tests/Bench clients` lists the clients of a broker that has a million.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
exec "$here/compare.sh" --script api.py "$@"
