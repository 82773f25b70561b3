#!/usr/bin/env bash
# Sets up what the tests need, checks the format, builds, and runs the tests, fastest first.
#
#   Tests/run.sh                     everything
#   Tests/run.sh unit protocol       only these groups: unit, protocol, cluster
#   Tests/run.sh --no-format ...     without the format check
#   Tests/run.sh --clauses           lists the clauses of the standard that have a test
#   Tests/run.sh --clauses-missing   lists the clauses the source names that have none
#
# The last line is "N passed, N failed"; the exit code is 0 only if something ran and nothing failed.
set -euo pipefail
cd "$(dirname "$0")/.."

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
cache="${XDG_CACHE_HOME:-$HOME/.cache}/broker-tests"
program=Tests/bin/Release/net10.0/Broker.Tests.dll
results=

say() { printf '\n== %s\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# ------------------------------------------------------------------ dependencies
# One function each: true if it is there, or it adds to `packages` what apt has it in.
packages=()

has() { command -v "$1" > /dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

need_dotnet() {
    has dotnet && dotnet --list-sdks | grep -q '^10\.' || die "Missing: the .NET 10 SDK. See https://learn.microsoft.com/dotnet/core/install/linux"
}
need_mosquitto() { has mosquitto || packages+=(mosquitto); }
need_mosquitto_clients() { { has mosquitto_sub && has mosquitto_pub; } || packages+=(mosquitto-clients); }
# The package serves the system's own Python, which need not be the first on the path: tests use $BROKER_TESTS_PYTHON.
need_paho() { find_python || packages+=(python3-paho-mqtt); }
find_python() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import paho.mqtt.client' 2> /dev/null; then
            export BROKER_TESTS_PYTHON="$python"
            return 0
        fi
    done
    return 1
}
need_compiler() { has gcc || packages+=(gcc libc6-dev); }
# The servers of the tests are their own; the package's is only where the program is.
need_mariadb() { { has mariadbd && has mariadb-install-db; } || packages+=(mariadb-server); }
need_postgresql() { compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || packages+=(postgresql); }
need_redis() { has redis-server || packages+=(redis-server); }
need_slapd() { has slapd || packages+=(slapd); }
need_node() {
    has node || packages+=(nodejs)
    has npm || packages+=(npm)
}
# A browser of any of these names will do.
need_chromium() { has chromium || has chromium-browser || has google-chrome || packages+=(chromium); }

install_packages() {
    [ "${#packages[@]}" -gt 0 ] || return 0
    local command="apt-get update && apt-get install -y --no-install-recommends ${packages[*]}"
    [ "$(id -u)" = 0 ] && has apt-get || die "Missing: ${packages[*]}. As root: $command"
    say "installing ${packages[*]}"
    apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}" >&2
    # They start what they bring, on its usual port, which no test asked for.
    local package
    for package in "${packages[@]}"; do
        case "$package" in
            mosquitto | postgresql | redis-server | slapd) stop_service "$package" ;;
            mariadb-server) stop_service mariadb ;;
        esac
    done
}

stop_service() {
    if has systemctl && [ -d /run/systemd/system ]; then
        systemctl disable --now "$1" >&2 || true
    elif has service; then
        service "$1" stop >&2 || true
    fi
}

# MQTT.js, in a folder of its own.
need_mqttjs() {
    if [ ! -d "$cache/node_modules/mqtt" ]; then
        say "installing MQTT.js into $cache"
        mkdir -p "$cache"
        npm install --prefix "$cache" --no-audit --no-fund --loglevel=error mqtt@5 >&2
    fi
    export BROKER_TEST_NODE="$cache"
}

set_up() {
    need_dotnet
    need_mosquitto
    need_mosquitto_clients
    need_paho
    need_mariadb
    need_postgresql
    need_redis
    need_slapd
    need_compiler
    need_node
    need_chromium
    install_packages
    find_python || die "Python still has no paho.mqtt."
    need_mqttjs
}

# ------------------------------------------------------------------ steps
build() {
    say "build"
    dotnet build Broker.sln -c Release -v quiet >&2
}

# Style and analyzers are the build's business: there a finding is an error.
check_format() {
    say "format"
    dotnet restore Broker.sln -v quiet >&2
    { dotnet format whitespace Broker.sln --verify-no-changes --no-restore &&
        dotnet format style Broker.sln --verify-no-changes --no-restore --diagnostics IMPORTS; } >&2 || die "The format differs: run 'dotnet format Broker.sln'."
}

clauses_tested() {
    dotnet "$program" -noLogo -noColor -list traits/json | grep -o '"\(3.1.1 \)\?MQTT-[^"]*"' | tr -d '"' | sort -uV
}

clauses_named() {
    grep -rhoE --include='*.cs' --exclude-dir=bin --exclude-dir=obj '(3\.1\.1 )?MQTT-[0-9.]+-[0-9]+(\.[0-9]+)*' Gateway Grains Grains.Interfaces Silo |
        sort -uV
}

passed=0
failed=0

# Reads a count from the result file's <assembly> element.
count() { sed -n "s/.*<assembly [^>]* $2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1; }

# What failed and the beginning of why, for the end of the output, where nobody has to look for it.
failures() {
    awk -v RS='<test ' '/^[^>]* result="Fail"/ {
        name = $0; sub(/>.*/, "", name); sub(/.* name="/, "", name); sub(/".*/, "", name)
        why = $0; sub(/.*<message>(<!\[CDATA\[)?/, "", why); sub(/(\]\]>)?<\/message>.*/, "", why)
        print "FAILED " name "\n  " substr(why, 1, 500)
    }' "$1"
}

run_group() {
    local name=$1 space=$2 file code=0 began=$SECONDS
    file="$results/$name.xml"
    say "tests: $name"
    # Test processes crash too: then there is no result file, or one without figures.
    # Tests of the protocol wait more than they compute.
    local threads=()
    [ "$name" != protocol ] || threads=(-maxThreads "$(($(nproc) + 1))")
    dotnet "$program" -noLogo -noColor "${threads[@]}" -namespace "$space" -namespace "$space.*" -xml "$file" >&2 || code=$?
    local ok bad errors
    ok=$(count "$file" passed 2> /dev/null || true)
    bad=$(count "$file" failed 2> /dev/null || true)
    errors=$(count "$file" errors 2> /dev/null || true)
    if [ -z "$ok" ] || [ -z "$bad" ]; then
        printf '%s: the test process ended without a result\n' "$name" >&2
        failed=$((failed + 1))
        return
    fi
    bad=$((bad + ${errors:-0}))
    # It may also fail after the last test.
    [ "$code" -eq 0 ] || [ "$bad" -gt 0 ] || [ "$ok" -eq 0 ] || bad=1
    passed=$((passed + ok))
    failed=$((failed + bad))
    [ "$bad" -eq 0 ] || failures "$file" >> "$results/failures"
    printf '%s: %d passed, %d failed, %d s\n' "$name" "$ok" "$bad" "$((SECONDS - began))" >&2
}

# ------------------------------------------------------------------ command line
format=yes
groups=()
for argument in "$@"; do
    case "$argument" in
        unit | protocol | cluster) groups+=("$argument") ;;
        --no-format) format=no ;;
        --clauses)
            need_dotnet
            build
            clauses_tested
            exit
            ;;
        --clauses-missing)
            need_dotnet
            build
            comm -13 <(clauses_tested | sort) <(clauses_named | sort) | sort -V
            exit
            ;;
        *) die "Unknown: $argument. See the head of Tests/run.sh." ;;
    esac
done
[ "${#groups[@]}" -gt 0 ] || groups=(unit protocol cluster)

set_up
[ "$format" = no ] || check_format
build
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
for group in unit protocol cluster; do
    case " ${groups[*]} " in
        *" $group "*) run_group "$group" "Broker.Tests.${group^}" ;;
    esac
done

[ ! -s "$results/failures" ] || cat "$results/failures" >&2
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
