#!/usr/bin/env bash
# Compares our broker with mosquitto on this machine, in one run, alternately; prints a Markdown table.
#
#   Tests/Bench/compare.sh                            the whole suite, three runs each: about 25 minutes
#   Tests/Bench/compare.sh --repeat 5 pairs-q1        some scenarios
#   Tests/Bench/compare.sh --options '-d 1 -u 0.2' …  with other options for the load generator
#   Tests/Bench/compare.sh --help                     all scenarios and options
#
# Needs the .NET SDK, python3, a C compiler and mosquitto (Tests/run.sh installs them). Rates are messages received, connections or
# filters per second; CPU is the broker's, per message received, connection or filter. `others` is what neither of them used:
# above some tenths of a core the row is not worth much.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../.." && pwd)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/broker-tests"

script=compare.py
[ "${1:-}" != --script ] || { script=$2; shift 2; } # as cluster.sh does

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
case " $* " in
    *" --help "* | *" -h "*) exec python3 "$here/$script" --broker x --loadgen x --help ;;
esac
dotnet build "$root/Broker.sln" -c Release -v quiet >&2
mkdir -p "$cache"
if [ ! -x "$cache/loadgen" ] || [ "$here/loadgen/loadgen.c" -nt "$cache/loadgen" ]; then
    cc -O2 -Wall -Wextra -o "$cache/loadgen" "$here/loadgen/loadgen.c"
fi
exec python3 "$here/$script" --broker "$root/Gateway/bin/Release/net10.0/Broker.Gateway.dll" --loadgen "$cache/loadgen" "$@"
