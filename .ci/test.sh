# shellcheck shell=bash
# The `test` command: gather what is needed, build once, run each suite, sum up. Sourced, with $root set.
#
# A suite is a function that runs its tests and leaves JUnit XML in the file named by its first argument; what it
# prints goes to artifacts/. Adding one takes a three-line function and a line in `list_suites`.

# shellcheck source=.ci/needs.sh
source "$root/.ci/needs.sh"
# shellcheck source=.ci/packages.sh
source "$root/.ci/packages.sh"
# shellcheck source=.ci/results.sh
source "$root/.ci/results.sh"

solution=StatehouseOrleans.sln
suite_seconds=1200
# These mostly wait, for processes to start and for clocks: they run one after the other beside those that work.
suites_beside=" Cli.Tests LocalCluster.Tests Samples.Tests grpc-node grpc-python sdk-python "
lane=
filter=
wanted=()

test_usage() {
  cat <<'TEXT'
./statehouse test [--filter TEXT] [suite…]: builds everything once, then runs the test suites, some of them beside the others.

  --filter TEXT          only tests whose full name contains TEXT
  --timeout SECONDS      bound of each suite; default 1200
  suite…                 only these, by their folder under tests/, or sdk-python; default all

The last line is the sum over all suites: N passed, N failed, N skipped. Skipped tests are named above it with their
reason. Exit code 0: no failure; 1: a test failed, or a suite crashed, overran its bound or ran no test; 2: usage.
Output and results of each suite are left in artifacts/tests/. As root, packages that a suite needs are installed
with apt-get; otherwise what is missing is named.
TEXT
}

run_tests() {
  parse_test_arguments "$@"
  select_suites
  results=$(mktemp "${TMPDIR:-/tmp}/statehouse-results.XXXXXX")
  trap 'end_lane; rm -f "$results"' EXIT
  mkdir -p "$root/artifacts/tests"
  # A developer's own settings must not reach the servers that the tests start.
  local setting
  for setting in "${!STATEHOUSE_@}"; do
    case "$setting" in STATEHOUSE_TEST_*) ;; *) unset "$setting" ;; esac
  done

  gather_needs
  if ! require_sdk; then
    add_result failed "build" "the .NET SDK is missing"
  elif build_solution; then
    run_suites
  fi
  report_results
}

parse_test_arguments() {
  while [ $# -gt 0 ]; do
    case "$1" in
      help | -h | --help) test_usage; exit 0 ;;
      --filter | --timeout)
        [ $# -ge 2 ] && [ -n "$2" ] || die 2 "$1 needs a value; see ./statehouse test --help"
        if [ "$1" = --filter ]; then filter=$2; else suite_seconds=$2; fi
        shift 2
        ;;
      --filter=?*) filter=${1#*=}; shift ;;
      --timeout=?*) suite_seconds=${1#*=}; shift ;;
      -*) die 2 "there is no flag '$1'; see ./statehouse test --help" ;;
      *) wanted+=("${1%/}"); shift ;;
    esac
  done
  case "$suite_seconds" in
    *[!0-9]* | 0*) die 2 "--timeout takes whole seconds from 1; this is '$suite_seconds'" ;;
  esac
}

# One line per suite: its name and the function that runs it.
list_suites() {
  local project
  for project in "$root"/tests/*/*.csproj; do
    if grep -q 'Include="xunit.v3"' "$project"; then
      printf '%s csharp\n' "$(basename "$(dirname "$project")")"
    fi
  done
  for project in "$root"/tests/*/pytest.ini; do
    printf '%s python\n' "$(basename "$(dirname "$project")")"
  done
  for project in "$root"/tests/*/package.json; do
    printf '%s node\n' "$(basename "$(dirname "$project")")"
  done
  printf 'sdk-python sdk_python\n'
}

suite_csharp() {
  local project dll
  project=$(basename "$root/tests/$2"/*.csproj .csproj)
  dll="$root/tests/$2/bin/Release/net10.0/$project.dll"
  [ -f "$dll" ] || { echo "$dll was not built: is the project part of $solution?"; return 1; }
  "$dotnet" "$dll" ${filter:+-method "*$filter*"} -jUnit "$1" -noColor -noLogo -noAutoReporters -longRunning 120
}

# skip_suite XML SUITE REASON
skip_suite() {
  printf '<testsuite><testcase classname="%s" name="whole suite"><skipped message="%s"/></testcase></testsuite>\n' "$2" "$3" >"$1"
}

suite_python() {
  have_grpcio && have_pytest || { skip_suite "$1" "$2" "it needs python3-grpcio and python3-pytest"; return; }
  DOTNET=$dotnet PYTHONDONTWRITEBYTECODE=1 "$system_python" -m pytest "$root/tests/$2" ${filter:+-k "$filter"} --junitxml "$1" -o junit_suite_name="$2"
}

suite_node() {
  have_node && have_npm || { skip_suite "$1" "$2" "it needs Node.js 20 or later and npm"; return; }
  cd "$root/tests/$2" || return 1
  [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-fund --no-audit --ignore-scripts || return 1
  DOTNET=$dotnet node --test ${filter:+--test-name-pattern "$filter"} --test-reporter=junit --test-reporter-destination="$1" \
    --test-reporter=spec --test-reporter-destination=stdout
}

# pytest ends with 5 where the filter left it no test.
suite_sdk_python() {
  local code=0
  cd "$root/sdk/python" || return
  STATEHOUSE_TEST_DOTNET=$dotnet PYTHONDONTWRITEBYTECODE=1 \
    "$system_python" -m pytest ${filter:+--name-contains "$filter"} --junitxml "$1" || code=$?
  if [ "$code" -eq 5 ] && [ -n "$filter" ]; then return 0; fi
  return "$code"
}

select_suites() {
  local name known
  known=$(list_suites | cut -d' ' -f1)
  for name in ${wanted[@]+"${wanted[@]}"}; do
    grep -qxF -- "$name" <<<"$known" || die 2 "there is no suite '$name'; there are: $(tr '\n' ' ' <<<"$known")"
  done
}

is_wanted() {
  [ ${#wanted[@]} -eq 0 ] && return 0
  local name
  for name in "${wanted[@]}"; do
    [ "$name" = "$1" ] && return 0
  done
  return 1
}

# Restores the whole solution, or, where only Orleans packages are missing, the part that needs none; then builds it.
build_solution() {
  local log="$root/artifacts/restore.txt" missing
  if ! build_quietly "$log" restore "$root/$solution"; then
    missing=$(missing_orleans_packages "$log")
    if [ -z "$missing" ]; then
      build_failed "packages cannot be restored" "$log"
      return 1
    fi
    solution=Statehouse.SingleNode.slnf
    say "building $solution only: the package source lacks $missing, so everything that runs on Orleans is left out"
    if ! build_quietly "$log" restore "$root/$solution"; then
      build_failed "packages cannot be restored" "$log"
      return 1
    fi
  else
    say "building $solution (everything)"
  fi
  log="$root/artifacts/build.txt"
  build_quietly "$log" build "$root/$solution" -c Release --no-restore || {
    build_failed "the build failed" "$log"
    return 1
  }
}

build_failed() {
  say "$1; the last lines of $2:"
  tail -n 40 "$2" >&2
  add_result failed build "$1"
}

run_suites() {
  local said="$root/artifacts/tests/beside.txt"
  run_lane beside >"$said" 2>&1 &
  lane=$!
  run_lane here
  wait "$lane" || add_result failed "suites beside" "they were ended"
  lane=
  cat "$said"
}

# run_lane beside|here: its suites, one after the other.
run_lane() {
  local name kind where
  while read -r name kind <&3; do
    where=here
    case "$suites_beside" in *" $name "*) where=beside ;; esac
    [ "$where" = "$1" ] && is_wanted "$name" || continue
    if [ "$kind" = csharp ] && [ "$solution" != StatehouseOrleans.sln ] && ! grep -q "\"tests/$name/" "$root/$solution"; then
      add_result skipped "$name (whole suite)" "it needs Orleans packages"
      continue
    fi
    if [ "$kind" = sdk_python ] && ! { have_httpx && have_pytest; }; then
      add_result skipped "$name (whole suite)" "it needs Python 3.10 with httpx and pytest"
      continue
    fi
    run_suite "$name" "$kind"
  done 3< <(list_suites)
}

# Its own trap ends the suite that it is at.
end_lane() {
  [ -z "$lane" ] || { kill -TERM "$lane" 2>/dev/null && wait "$lane"; } || true
}

run_suite() {
  local log="$root/artifacts/tests/$1.txt" xml="$root/artifacts/tests/$1.xml" code=0 started=$SECONDS
  rm -f "$xml"
  printf '%s …\n' "$1"
  bounded "$suite_seconds" "suite_$2" "$xml" "$1" >"$log" 2>&1 </dev/null || code=$?
  read_junit "$xml" "$1" "$code"
  printf '%s: %s (%d s)\n' "$1" "$suite_sum" $((SECONDS - started))
  if [ "$suite_failed" -gt 0 ]; then
    printf -- '--- the last lines of %s\n' "$log"
    tail -n 60 "$log"
    printf -- '---\n'
  fi
}

# bounded SECONDS FUNCTION arguments…: runs it in a process group of its own. The whole group is ended when it overruns
# (exit code 124), when this script is ended, and when it is done: no server of a test outlives its suite.
bounded() {
  local bound=$1 code=0 began=$SECONDS
  shift
  set -m
  "$@" 3<&- &
  group=$!
  set +m
  trap 'end_group; exit 130' INT
  trap 'end_group; exit 143' TERM
  while kill -0 "$group" 2>/dev/null && [ $((SECONDS - began)) -lt "$bound" ]; do
    sleep 0.3
  done
  if kill -0 "$group" 2>/dev/null; then
    printf 'The suite overran its bound of %d s and was ended.\n' "$bound"
    code=124
  else
    wait "$group" || code=$?
  fi
  end_group
  trap - INT TERM
  return "$code"
}

end_group() {
  local tries=0
  kill -TERM -- "-$group" 2>/dev/null || return 0
  while kill -0 -- "-$group" 2>/dev/null && [ "$tries" -lt 30 ]; do
    sleep 0.3
    tries=$((tries + 1))
  done
  kill -KILL -- "-$group" 2>/dev/null || true
}
