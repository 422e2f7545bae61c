# shellcheck shell=bash
# What the suites need beside the SDK: installed where we may, named where we may not. Sourced, with $root set.

# One line per need: what it is | the function that sees it | its apt package | what goes without it
list_needs() {
  cat <<'TEXT'
PostgreSQL server programs|have_postgres|postgresql|the tests of the PostgreSQL journal
libfaketime|have_faketime|faketime|the fault of the harness that fakes a process's time
curl|have_curl|curl|the tests of the documents' commands
Python's gRPC library|have_grpcio|python3-grpcio|the tests of gRPC with a Python client
Node.js 20 or later|have_node|nodejs|the tests of gRPC with a Node client
npm|have_npm|npm|the tests of gRPC with a Node client
pytest for the system's Python|have_pytest|python3-pytest|the tests of the Python SDK and of gRPC with a Python client
httpx for the system's Python|have_httpx|python3-httpx|the tests of the Python SDK
mypy for the system's Python|have_mypy|mypy|the check of the Python SDK's types
the wheel builder of the system's Python|have_wheel_builder|python3-build|the build of the Python SDK's wheel
setuptools and wheel of the system's Python|have_setuptools|python3-wheel|the build of the Python SDK's wheel
TEXT
}

have_faketime() {
  local candidate
  for candidate in /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib/faketime/libfaketimeMT.so.1 /usr/lib64/faketime/libfaketimeMT.so.1; do
    if [ -f "$candidate" ]; then return 0; fi
  done
  return 1
}

have_curl() { command -v curl >/dev/null 2>&1; }

# The system's own interpreter: packages of the system are not seen by another one that stands in PATH before it.
system_python=/usr/bin/python3
[ -x "$system_python" ] || system_python=python3

have_grpcio() { "$system_python" -c 'import grpc, google.protobuf' >/dev/null 2>&1; }

have_pytest() { "$system_python" -c 'import pytest' >/dev/null 2>&1; }

# 20 is the first whose test runner writes JUnit XML.
have_node() { [ "$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 20 ]; }

have_npm() { command -v npm >/dev/null 2>&1; }

have_httpx() { "$system_python" -c 'import sys, httpx; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; }

have_mypy() { "$system_python" -c 'import mypy' >/dev/null 2>&1; }

# A folder named build in the working folder would pass for the module, but has no __main__.
have_wheel_builder() { "$system_python" -c 'import build.__main__' >/dev/null 2>&1; }

have_setuptools() { "$system_python" -c 'import setuptools, wheel' >/dev/null 2>&1; }

# Debian keeps the server programs out of PATH.
have_postgres() {
  local candidate
  for candidate in "$(command -v initdb || true)" /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then return 0; fi
  done
  return 1
}

gather_needs() {
  local what seen_by package without
  while IFS='|' read -r what seen_by package without <&4; do
    if "$seen_by"; then continue; fi
    install_package "$what" "$package"
    if ! "$seen_by"; then
      say "missing: $what, for $without. Get it with: apt-get install $package (or what your system calls it)"
    fi
  done 4< <(list_needs)
}

# Says nothing where we may not install: the caller names what is missing.
install_package() {
  local log="$root/artifacts/apt-$2.txt"
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then return 0; fi
  say "installing $2 ($1)"
  export DEBIAN_FRONTEND=noninteractive
  if apt-get install -y -q --no-install-recommends "$2" >"$log" 2>&1 </dev/null 4<&-; then return 0; fi
  # The package lists of a fresh container are empty or old.
  if apt-get update -q >"$log" 2>&1 </dev/null 4<&- \
    && apt-get install -y -q --no-install-recommends "$2" >>"$log" 2>&1 </dev/null 4<&-; then return 0; fi
  say "apt-get could not install $2; its output is in $log"
}
