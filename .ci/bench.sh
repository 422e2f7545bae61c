# shellcheck shell=bash
# The `bench` command: build what is missing, and hand over to the program that measures. Sourced, with $root set.

# shellcheck source=.ci/cluster.sh
source "$root/.ci/cluster.sh"

bench_usage() {
  cat <<'TEXT'
./statehouse bench [flags]: measures Statehouse on this machine, with servers and a PostgreSQL of its own in temporary
folders and on free loopback ports. Needs Linux, and takes about half an hour.

  --quick                a smoke run: every figure in a few seconds, on little data; its numbers mean nothing
  --only F1,F4,…         only these; --list names them
  --peers [NAMES]        Statehouse beside other stores, all or upsert,journal,redis,restate,langgraph; no figure but what --only names.
                         Installs npm packages into a temporary folder, and as root Debian's redis-server where it is missing
  --results FILE         Markdown, for instance bench/RESULTS.md: the part about this kind of run is written anew
  --json FILE            one JSON object a line: figure, case, unit, median, min, max, p50_ms, p99_ms, runs, p90_ms, p999_ms
  --seconds N            measured time of one run; default 5
  --runs N               measured runs of each case, after a warm-up; default 3
  --seed N               of values, choices and arrivals
  --charts DIR           folder of the growth curves; default bench/results of the clone
  --list                 names the figures and ends

./statehouse bench COMMAND [flags] measures one thing by itself; each explains itself with --help:

  commits                durable one-key commits in process, on a database of your choice
  store COMMAND          a journal store alone: queries, appends, removals, bodies
  executions COMMAND     workflow runs: checkpoints, load, query, claim, bytes

Exit codes: 0 ok; 1 a request failed, a commit that was acknowledged is missing, or a figure or peer that was asked for by
name cannot be had here; 2 usage; 130 or 143 interrupted. Goals that are not reached are printed, and no failure. More: bench/README.md
TEXT
}

run_bench() {
  case "${1-}" in
    help | -h | --help) bench_usage; return 0 ;;
  esac
  require_sdk || exit 1
  local dll="$root/bench/Statehouse.Bench/bin/Release/net10.0/Statehouse.Bench.dll" log="$root/artifacts/build-bench.txt" missing=
  if is_older_than_sources "$dll" bench/Statehouse.Bench src sql tests/Testing; then
    say "building the benchmark and the server (the first time takes a minute)"
    if ! build_quietly "$log" build "$root/bench/Statehouse.Bench/Statehouse.Bench.csproj" -c Release; then
      cat "$log" >&2
      die 1 "the benchmark does not build; the compiler's output stands above and in $log"
    fi
  fi
  if needs_silo "$@"; then build_silo_where_possible; fi
  exec "$dotnet" "$dll" "$@" ${missing:+--missing-packages "$missing"}
}

# Whether these arguments come to F10: without it among those named, --peers does not.
needs_silo() {
  local argument only=
  for argument in "$@"; do
    case "$argument" in
      commits | store | executions | --list | --help | -h) return 1 ;;
      --only | --only=* | --peers | --peers=*) only=yes ;;
    esac
  done
  [ -z "$only" ] || grep -qE '(^|[ ,=])F10([ ,]|$)' <<<"$*"
}

# Sets missing where the package source has no Orleans; the other figures need none.
build_silo_where_possible() {
  local log="$root/artifacts/restore-silo.txt"
  if ! build_quietly "$log" restore "$silo_project"; then missing=$(missing_orleans_packages "$log"); fi
  if [ -n "$missing" ]; then
    say "F10 is left out: the package source lacks $missing"
  else
    build_silo
  fi
}
