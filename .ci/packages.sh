# shellcheck shell=bash
# What a failed restore says. Sourced.

# The Orleans packages that a restore or build did not find, by its output in file $1; nothing where a project that needs
# none of them failed too. A project that lacks one fails in more ways: what came with the package is missing as well, or
# is resolved to other versions.
missing_orleans_packages() {
  local errors
  errors=$(grep -E '(^|[ :])error( |:)' "$1" | sort -u) || true
  awk '
    { project = $0; sub(/ : error.*/, "", project); failed[project] = 1 }
    /error NU110[123]: .*Microsoft\.Orleans\./ { lacks[project] = 1 }
    END { for (project in failed) if (!(project in lacks)) exit 1 }' <<<"$errors" || return 0
  grep -E 'error NU110[123]: ' <<<"$errors" | grep -oE 'package Microsoft\.Orleans\.[A-Za-z.]*[A-Za-z]' | sed 's/^package //' | sort -u | head -n 3 | paste -sd ' ' -
}
