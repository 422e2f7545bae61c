# shellcheck shell=bash
# The `cluster` command: build what is missing, and hand over to the program that does it. Sourced, with $root set.

# shellcheck source=.ci/packages.sh
source "$root/.ci/packages.sh"

silo_project="$root/src/Silo/Statehouse.Silo.csproj"
silo_dll="$root/src/Silo/bin/Release/net10.0/Statehouse.Silo.dll"

cluster_usage() {
  cat <<'TEXT'
./statehouse cluster COMMAND [flags]: runs a cluster of real processes on this machine, on loopback.

  up [--silos N] [--gateways N] [--postgres STRING] [--limit NAME=VALUE]… [--timeout SECONDS]
                         starts 3 silos and 1 gateway, or as many as said, with a PostgreSQL of their own unless
                         one is given; waits until every agent route answers, at most 60 s; prints the addresses
  status [--json]        shows every process: number, role, process id, state, addresses
  env                    prints what an Orleans client or another process needs to know, as lines for eval
  add [--role silo|gateway] [--timeout SECONDS]
                         starts one more; default silo
  kill N [-9]            ends process N: SIGTERM, and waits until it has drained; -9 (--hard): SIGKILL
  restart N [-9] [--timeout SECONDS]
                         ends process N where it runs, and starts it again on its addresses
  down [--purge]         ends everything; the data stays, and up finds it again; --purge deletes it

  --data DIR             the cluster's folder; default ./cluster-data in the folder that you stand in

Exit codes: 0 ok; 1 failed; 2 usage; 3 the package source has no Orleans runtime, so there can be no cluster (status,
kill and down then still work on a cluster that DIR holds); 130 interrupted. More: docs/cluster-commands.md
TEXT
}

run_cluster() {
  local argument
  for argument in "$@"; do
    case "$argument" in
      -h | --help) cluster_usage; return 0 ;;
    esac
  done
  case "${1-help}" in
    help) cluster_usage; return 0 ;;
    up | add | restart | status | env | kill | down) ;;
    *) die 2 "there is no cluster command '$1'; ./statehouse cluster help lists them" ;;
  esac
  # Standard output belongs to the command's data.
  require_sdk || exit 1
  local missing=
  case "$1" in
    up | add | restart) build_silo ;;
    *) look_for_runtime ;;
  esac
  local dll="$root/src/LocalCluster/bin/Release/net10.0/Statehouse.LocalCluster.dll"
  build_program "$dll" LocalCluster "the cluster commands"
  exec "$dotnet" "$dll" "$@" --silo-program "$silo_dll" ${missing:+--missing-packages "$missing"}
}

build_silo() {
  if ! is_older_than_sources "$silo_dll" src sql; then return 0; fi
  local log="$root/artifacts/build-silo.txt"
  if ! build_quietly "$log" restore "$silo_project"; then
    missing=$(missing_orleans_packages "$log")
    if [ -n "$missing" ]; then
      die 3 "there is no Orleans runtime to run a cluster on: the package source lacks $missing"
    fi
    cat "$log" >&2
    die 1 "the silo program's packages cannot be restored; the output stands above and in $log"
  fi
  say "building the silo program (the first time takes a minute)"
  if ! build_quietly "$log" build "$silo_project" -c Release --no-restore; then
    cat "$log" >&2
    die 1 "the silo program does not build; the compiler's output stands above and in $log"
  fi
}

# status, kill and down need no silo program; but where it cannot even be had, there is no cluster to look at, and the
# program says so unless one is there.
look_for_runtime() {
  local log="$root/artifacts/restore-silo.txt"
  if [ -f "$silo_dll" ] || build_quietly "$log" restore "$silo_project"; then return 0; fi
  missing=$(missing_orleans_packages "$log")
}
