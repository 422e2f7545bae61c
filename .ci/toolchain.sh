# shellcheck shell=bash
# What every command of ./statehouse shares: messages, the SDK, quiet builds. Sourced, with $root set.

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_UI_LANGUAGE=en
# The tools write below HOME; a service manager or a container may start us without one.
if [ -z "${HOME-}" ]; then
  unset HOME
  HOME=$(cd ~ 2>/dev/null && pwd || printf '/tmp')
fi
export HOME

dotnet=dotnet
child=

say() { printf 'statehouse: %s\n' "$*" >&2; }

# die CODE MESSAGE
die() {
  say "$2"
  exit "$1"
}

# Where a dotnet may be, one a line: PATH first, then where its installers put it.
sdk_places() {
  printf '%s\n' dotnet ${DOTNET_ROOT:+"$DOTNET_ROOT/dotnet"} "$HOME/.dotnet/dotnet" /usr/share/dotnet/dotnet /usr/lib/dotnet/dotnet
}

# Finds an SDK that global.json accepts, or says what is missing and how to get it.
require_sdk() {
  local candidate found= why=
  while read -r candidate; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    if why=$(cd "$root" && "$candidate" --version 2>&1 </dev/null); then
      dotnet=$candidate
      return 0
    fi
    found="$found $("$candidate" --list-sdks 2>/dev/null </dev/null | cut -d' ' -f1 | tr '\n' ' ')"
  done < <(sdk_places)
  say "missing: the .NET SDK 10.0 (10.0.100 or later); found here:${found:- none}"
  # It may be there and not start, for instance without a home directory: then only it knows why.
  if [ -n "$why" ]; then say "the last of them says: ${why%%$'\n'*}"; fi
  say "get it with 'apt-get install dotnet-sdk-10.0' where your distribution has it, or from https://dotnet.microsoft.com/download/dotnet/10.0"
  return 1
}

# build_quietly LOG dotnet-arguments…: output goes to LOG only. One build of a clone at a time.
# The lock stays with this script: a compiler server that outlives the build would go on holding it.
build_quietly() {
  local log=$1 code=0
  shift
  mkdir -p "$root/artifacts"
  exec 9>"$root/artifacts/build.lock"
  if command -v flock >/dev/null 2>&1; then flock 9; fi
  "$dotnet" "$@" -v quiet -tl:off -nodeReuse:false >"$log" 2>&1 </dev/null 9>&- &
  wait_for_child $! || code=$?
  exec 9>&-
  return "$code"
}

# build_program DLL PROJECT NAME: builds the program of src/PROJECT where its sources are newer, or dies. A command lives
# for a moment; asking the build each time would take seconds.
build_program() {
  local log="$root/artifacts/build-$2.txt"
  if ! is_older_than_sources "$1" "src/$2"; then return 0; fi
  if build_quietly "$log" build "$root/src/$2/Statehouse.$2.csproj" -c Release; then return 0; fi
  cat "$log" >&2
  die 1 "$3: it does not build; the compiler's output stands above and in $log"
}

# is_older_than_sources FILE FOLDER…: whether it is missing, or anything in the folders is newer.
is_older_than_sources() {
  local file=$1
  shift
  [ ! -f "$file" ] || [ -n "$(find "${@/#/$root/}" "$root"/Directory.*.props -newer "$file" -not -path '*/bin/*' -not -path '*/obj/*' -type f -print -quit)" ]
}

# Waits for a background child, so that a signal to this script ends the child at once and not after it is done.
wait_for_child() {
  child=$1
  trap 'end_child; exit 130' INT
  trap 'end_child; exit 143' TERM
  local code=0
  wait "$child" || code=$?
  trap - INT TERM
  child=
  return "$code"
}

end_child() {
  [ -n "$child" ] || return 0
  kill -TERM "$child" 2>/dev/null || return 0
  wait "$child" 2>/dev/null || true
}
