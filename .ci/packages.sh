# shellcheck shell=bash
# What a failed restore says. Sourced.

# The Orleans packages that a restore or build did not find, by its output in file $1; nothing where anything else was
# wrong with it too.
missing_orleans_packages() {
  local errors
  errors=$(grep -E '(^|[ :])error( |:)' "$1" | sort -u) || true
  if [ -z "$errors" ] || grep -qvE 'error NU110[123]: .*Microsoft\.Orleans\.' <<<"$errors"; then
    return 0
  fi
  grep -oE 'Microsoft\.Orleans\.[A-Za-z.]*[A-Za-z]' <<<"$errors" | sort -u | head -n 3 | paste -sd ' ' -
}
