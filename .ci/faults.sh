# shellcheck shell=bash
# The `faults` command: build the fault harness, the cluster's where its packages are there, and hand over. Sourced, with
# $root set.

# shellcheck source=.ci/packages.sh
source "$root/.ci/packages.sh"

faults_usage() {
  cat <<'TEXT'
./statehouse faults --config NAME [flags]: runs clients against a Statehouse of real processes while faults come on a
seeded schedule, then checks what the clients were told against what is in the journal.
./statehouse faults check HISTORY: checks the history.jsonl of a run again.

  --config NAME          sqlite (one server), postgres (two servers on one PostgreSQL) or cluster (3 silos, 2 gateways)
  --minutes M            how long clients work; default 3. Starting, healing and checking come on top
  --seed S               the schedule and what clients do come from it; default a random one, which is printed
  --clients N            clients of each workload; default 4
  --faults A,B           only these; none: no faults; default all that the configuration has
  --workloads A,B        only these; default all
  --defect NAME          plants a defect in every server, which must then be found
  --report FILE          writes the report there too, as Markdown
  --keep                 keeps history and output of a clean run too; those of a run that is not clean are always kept
  --list                 prints the schedule of the seed, and runs nothing

The report goes to standard output, progress to standard error. Exit codes: 0 clean; 1 something that was promised was
broken, or could not be decided; 2 usage; 3 it cannot run here, and why. What the faults, workloads and rules are, and how to
read a report: docs/testing.md
TEXT
}

run_faults() {
  case "${1-help}" in
    help | -h | --help) faults_usage; return 0 ;;
    check | --*) ;;
    *) die 2 "there is no faults command '$1'; see ./statehouse faults --help" ;;
  esac
  local argument
  for argument in "$@"; do
    case "$argument" in
      -h | --help) faults_usage; return 0 ;;
    esac
  done
  require_sdk || exit 1
  local harness=Faults.Cluster
  restore_harness
  build_harness
  local verb=run
  if [ "$1" = check ]; then verb=check; shift; fi
  # exec: signals reach the harness itself, which then ends its servers.
  exec "$dotnet" "$root/tests/$harness/bin/Release/net10.0/Statehouse.$harness.dll" "$verb" "$@"
}

# Sets harness to the one whose packages are there.
restore_harness() {
  local log="$root/artifacts/restore-faults.txt" missing
  if build_quietly "$log" restore "$root/tests/$harness/Statehouse.$harness.csproj"; then return 0; fi
  missing=$(missing_orleans_packages "$log")
  if [ -z "$missing" ]; then
    cat "$log" >&2
    die 1 "the fault harness's packages cannot be restored; the output stands above and in $log"
  fi
  say "without --config cluster: the package source lacks $missing"
  harness=Faults
  build_quietly "$log" restore "$root/tests/$harness/Statehouse.$harness.csproj" && return 0
  cat "$log" >&2
  die 1 "the fault harness's packages cannot be restored; the output stands above and in $log"
}

build_harness() {
  local log="$root/artifacts/build-faults.txt"
  say "building the fault harness (the first time takes a minute)"
  build_quietly "$log" build "$root/tests/$harness/Statehouse.$harness.csproj" -c Release --no-restore && return 0
  cat "$log" >&2
  die 1 "the fault harness does not build; the compiler's output stands above and in $log"
}
