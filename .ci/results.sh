# shellcheck shell=bash
# Reads suites' JUnit XML and sums it up. Sourced; $results names the file that gathers every test's line.
# A line is: passed|failed|skipped TAB suite: test TAB reason.

suite_failed=0
suite_sum=

add_result() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$results"; }

# read_junit FILE SUITE CODE: adds the suite's tests, and a failure of its own where the suite crashed or ran nothing.
# Sets suite_failed and suite_sum.
read_junit() {
  local lines="$results.$2" count
  : >"$lines"
  if [ -s "$1" ]; then junit_lines "$1" "$2" >"$lines"; fi
  count=$(wc -l <"$lines")
  if [ "$3" -eq 124 ]; then
    printf 'failed\t%s\tit overran its bound of %s s\n' "$2" "$suite_seconds" >>"$lines"
  elif [ ! -s "$1" ]; then
    printf 'failed\t%s\tit crashed: exit code %s and no results\n' "$2" "$3" >>"$lines"
  elif [ "$3" -ne 0 ] && ! grep -q '^failed' "$lines"; then
    printf 'failed\t%s\tit ended with exit code %s although no test failed\n' "$2" "$3" >>"$lines"
  elif [ "$count" -eq 0 ] && [ -z "$filter" ]; then
    printf 'failed\t%s\tit ran no test\n' "$2" >>"$lines"
  fi
  suite_failed=$(grep -c '^failed' "$lines") || true
  suite_sum=$(sum_of "$lines")
  cat "$lines" >>"$results"
  rm -f "$lines"
}

# Each test case on a line of its own first: the files hold it all on one, or break lines inside of texts.
junit_lines() {
  tr '\n\t' '  ' <"$1" | awk '{ gsub(/<testcase /, "\n&"); print }' | awk -v suite="$2" '
    function attribute(text, name,    from) {
      from = index(text, " " name "=\"")
      if (from == 0) return ""
      text = substr(text, from + length(name) + 3)
      return plain(substr(text, 1, index(text, "\"") - 1))
    }
    function plain(text) {
      gsub(/&#xA;|&#10;/, " ", text); gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text)
      gsub(/&quot;/, "\"", text); gsub(/&apos;/, "\047", text); gsub(/&amp;/, "\\&", text)
      return text
    }
    /^<testcase / {
      opening = substr($0, 10)
      name = attribute(opening, "name"); class = attribute(opening, "classname")
      if (class != "" && index(name, class) != 1) name = class "." name
      outcome = "passed"; reason = ""
      if (/<failure|<error/) outcome = "failed"
      else if (at = index($0, "<skipped")) { outcome = "skipped"; reason = attribute(substr($0, at), "message") }
      printf "%s\t%s: %s\t%s\n", outcome, suite, name, reason
    }'
}

sum_of() {
  awk -F '\t' '{ n[$1]++ } END { printf "%d passed, %d failed, %d skipped\n", n["passed"], n["failed"], n["skipped"] }' "$1"
}

# Prints skipped tests, failures and the sum; exits 1 where anything failed or nothing ran.
report_results() {
  if [ ! -s "$results" ]; then
    add_result failed "all suites" "no test matched${filter:+ '$filter'}"
  fi
  awk -F '\t' '$1 == "skipped" { printf "skipped: %s: %s\n", $2, $3 }' "$results"
  awk -F '\t' '$1 == "failed" { printf "failed: %s%s\n", $2, ($3 == "" ? "" : ": " $3) }' "$results"
  local code=0
  if grep -q '^failed' "$results"; then code=1; fi
  sum_of "$results"
  exit "$code"
}
