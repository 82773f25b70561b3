#!/usr/bin/env bash
# A cluster on this machine, to try things on: a MariaDB of its own and N nodes. Ctrl-C or SIGTERM drains the nodes and stops all of it.
#
#   deploy/local-cluster.sh 3                    MQTT on 1883, 1884, 1885; health on 8081, 8082, 8083
#   deploy/local-cluster.sh 2 --front-ends 3     2 silos with the grains behind 3 gateways without; health of the silos on 8084, 8085
#
#   --data DIR          keeps database and logs there for the next time; otherwise both are temporary
#   --mqtt-port PORT    the first MQTT port, 1883 unless given
#   --admin-port PORT   the first admin port (health, HTTP API), 8081 unless given; the dashboard's is 10002 above
#   --no-build          takes what `dotnet build -c Release` has made before
#   --programs DIR      takes Broker.Gateway.dll and Broker.Silo.dll from there
#
# Settings in the environment, such as Broker__Mqtt__MaxInflight=64 before the command, hold for all nodes. Needs MariaDB and the .NET 10 SDK; installs nothing.
# The exit code is 0 if all ended in order. A further Ctrl-C kills the process that is waited for.
set -euo pipefail
umask 077

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
silos=0 gateways=0 mqtt_port=1883 admin_port=8081 data='' programs='' build=yes
temporary='' database=''
declare -A nodes=() # name by process id, of those that run
order=()            # process ids in the order in which they stop

die() { printf '%s\n' "$*" >&2; exit 1; }

# ------------------------------------------------------------------ command line
value() { if [ -n "${2:-}" ]; then printf %s "$2"; else die "$1 needs a value."; fi; }
number() { if [[ ${2:-} =~ ^[1-9][0-9]{0,4}$ ]]; then printf %s "$2"; else die "$1 needs a number, not '${2:-}'."; fi; }

read_arguments() {
    while [ "$#" -gt 0 ]; do
        case "$1" in
            --front-ends) gateways=$(number "$@"); shift ;;
            --mqtt-port) mqtt_port=$(number "$@"); shift ;;
            --admin-port) admin_port=$(number "$@"); shift ;;
            --data) data=$(value "$@"); shift ;;
            --programs) programs=$(value "$@"); build=no; shift ;;
            --no-build) build=no ;;
            [1-9]*) silos=$(number N "$1") ;;
            *) die "Unknown: $1. See the head of deploy/local-cluster.sh." ;;
        esac
        shift
    done
    [ "$silos" -gt 0 ] || die "How many nodes? For example: deploy/local-cluster.sh 3"
    listeners=$((gateways > 0 ? gateways : silos))
}

# ------------------------------------------------------------------ what has to be there
has() { command -v "$1" > /dev/null 2>&1; }
is_taken() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

check_ports() { # option, first port, how many
    local port
    for ((port = $2; port < $2 + $3; port++)); do
        [ "$port" -le 65535 ] || die "$1 $2 is too high for $3 ports."
        ! is_taken "$port" || die "Port $port is taken. Take others with $1 PORT."
    done
}

check_programs() {
    PATH=$PATH:/usr/sbin # where an ordinary user does not look for servers
    { has mariadbd && has mariadb-install-db; } || die "MariaDB is missing. As root: apt-get update && apt-get install -y --no-install-recommends mariadb-server"
    has dotnet || die "Missing: the .NET 10 SDK. See https://learn.microsoft.com/dotnet/core/install/linux"
    [ "$build" = no ] || dotnet build "$root/Gateway" -c Release -v quiet
    gateway_program=${programs:-$root/Gateway/bin/Release/net10.0}/Broker.Gateway.dll
    silo_program=${programs:-$root/Silo/bin/Release/net10.0}/Broker.Silo.dll
    [ -f "$gateway_program" ] && [ -f "$silo_program" ] || die "Not built: $gateway_program, $silo_program."
}

# ------------------------------------------------------------------ start
await() { # name, process, log, what has to succeed while the process lives
    local name=$1 process=$2 log=$3 until=$((SECONDS + 120))
    shift 3
    until "$@" 2> /dev/null; do
        kill -0 "$process" 2> /dev/null || die "$name has ended instead of starting: $(tail -n 20 "$log")"
        [ "$SECONDS" -lt "$until" ] || die "$name is not ready after two minutes: $(tail -n 20 "$log")"
        sleep 0.1
    done
}

# A database server speaks first.
greets() { (exec 3<> "/dev/tcp/127.0.0.1/$1" && read -r -t 2 -n 1 -u 3); }
is_ready() { (exec 3<> "/dev/tcp/127.0.0.1/$1" && printf 'GET /health/ready HTTP/1.0\r\n\r\n' >&3 && read -r -t 5 -u 3 line && [[ $line == *' 200 '* ]]); }

start_database() {
    local options=(--no-defaults "--datadir=$data/mariadb" --skip-name-resolve) log="$data/mariadb.log" password port
    [ "$(id -u)" != 0 ] || options+=(--user=root)
    # Its administrator is whoever started this, through the socket and without a password; the nodes have one of their own, new each time.
    [ -d "$data/mariadb/mysql" ] || mariadb-install-db "${options[@]}" --auth-root-authentication-method=socket "--auth-root-socket-user=$(id -un)" \
        --skip-test-db > "$log" 2>&1 || die "The database cannot be made: $(tail -n 20 "$log")"
    password=$(od -An -N 24 -t x1 /dev/urandom | tr -d ' \n')
    printf %s "$password" > "$data/password"
    printf '%s;\n' "CREATE DATABASE IF NOT EXISTS broker CHARACTER SET utf8mb4" \
        "CREATE OR REPLACE USER broker@'127.0.0.1' IDENTIFIED BY '$password'" "GRANT ALL ON broker.* TO broker@'127.0.0.1'" > "$data/accounts.sql"
    while port=$((20000 + RANDOM % 10000)) && is_taken "$port"; do :; done
    connection="Server=127.0.0.1;Port=$port;Database=broker;User ID=broker"
    # The socket lies in the data folder; each process may hold a hundred connections.
    mariadbd "${options[@]}" "--port=$port" --bind-address=127.0.0.1 --socket=socket --pid-file=pid "--init-file=$data/accounts.sql" --skip-log-bin \
        --max-allowed-packet=64M "--max-connections=$((110 * (silos + gateways)))" > "$log" 2>&1 &
    database=$!
    await MariaDB "$database" "$log" greets "$port"
}

start_node() { # name, program, MQTT port if any, admin port, further settings
    local name=$1 program=$2 mqtt=$3 admin=$4 log="$data/$1.log" dashboard=$(($4 + 10002))
    [ "$dashboard" -le 65535 ] || dashboard=0
    shift 4
    env "Broker__Cluster__ConnectionString=$connection" "Broker__Cluster__PasswordFile=$data/password" "Broker__Gateway__NodeName=$name@127.0.0.1" \
        "Broker__Gateway__Port=${mqtt:-0}" "Broker__Admin__Port=$admin" "Broker__Admin__DashboardPort=$dashboard" "$@" dotnet "$program" > "$log" 2>&1 &
    nodes[$!]=$name
    order=("$!" "${order[@]}")
    await "$name" "$!" "$log" is_ready "$admin"
    echo "$name: ${mqtt:+MQTT on port $mqtt, }health at http://localhost:$admin/health/ready, process $!"
}

start_nodes() {
    local i
    for ((i = 0; i < silos && gateways == 0; i++)); do start_node "node$((i + 1))" "$gateway_program" $((mqtt_port + i)) $((admin_port + i)); done
    for ((i = 0; i < silos && gateways > 0; i++)); do start_node "silo$((i + 1))" "$silo_program" "" $((admin_port + gateways + i)); done
    for ((i = 0; i < gateways; i++)); do
        start_node "gateway$((i + 1))" "$gateway_program" $((mqtt_port + i)) $((admin_port + i)) Broker__Cluster__HostGrains=false
    done
    echo "Logs in $data. Subscribe on one node, publish on another (no authentication: anybody who reaches the ports may use them):"
    echo "  mosquitto_sub -p $((mqtt_port + listeners - 1)) -t 'hello/#' -v"
    echo "  mosquitto_pub -p $mqtt_port -t hello/world -m hi -q 1"
    echo "Ctrl-C stops all."
}

# ------------------------------------------------------------------ until the end
# Nodes may be killed to see what happens: the others go on.
watch_nodes() {
    local process code
    while [ "${#nodes[@]}" -gt 0 ]; do
        for process in "${!nodes[@]}"; do
            ! kill -0 "$process" 2> /dev/null || continue
            await_end "$process" && code=0 || code=$?
            echo "${nodes[$process]} has ended with code $code; its log: $data/${nodes[$process]}.log"
            unset "nodes[$process]"
        done
        kill -0 "$database" 2> /dev/null || { kill -KILL "${!nodes[@]}" && die "MariaDB has ended, so the nodes are killed: $(tail -n 20 "$data/mariadb.log")"; }
        sleep 0.5
    done
    die "No node is left."
}

await_end() { # process; the code it ends with. A signal to this script ends `wait` too
    local code
    while wait "$1" 2> /dev/null && code=0 || code=$?; kill -0 "$1" 2> /dev/null; do :; done
    return "$code"
}

# One after the other, so that each has someone to hand over to, and gateways before the silos they need; the database last.
stop_all() {
    local code=$? process='' ended
    trap 'kill -KILL "$process" 2> /dev/null' INT TERM HUP
    trap '' PIPE # whoever read what this says may have gone
    set +e
    for process in "${order[@]}" $database; do
        [ "$process" = "$database" ] || [ -n "${nodes[$process]:-}" ] || continue
        echo "Stopping ${nodes[$process]:-MariaDB}"
        kill -TERM "$process" 2> /dev/null
        await_end "$process"
        ended=$?
        # 143 is SIGTERM before the program had begun to listen for it.
        [ "$ended" = 0 ] || [ "$ended" = 143 ] || { code=1; echo "${nodes[$process]:-MariaDB} has ended with code $ended."; }
    done
    [ -z "$temporary" ] || rm -rf "$temporary"
    exit "$code"
}

read_arguments "$@"
check_ports --mqtt-port "$mqtt_port" "$listeners"
check_ports --admin-port "$admin_port" $((silos + gateways))
check_programs
[ -n "$data" ] || data=$(mktemp -d) temporary=$data
mkdir -p "$data" && data=$(cd "$data" && pwd)
trap stop_all EXIT
trap 'exit 0' INT TERM HUP
trap 'exit 1' PIPE
start_database
start_nodes
watch_nodes
