# What the tests of the tools share: $S VERB runs a verb in a folder of its own; checks that say what they expected.
set -uo pipefail
S=${SCHEDCAST:?the program}
export SCHEDCAST_CACHE=${SCHEDCAST_CACHE:-$SC_BUILD_DIR/test-cache}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0 checks=0

fail() { echo "FAILED: $*" >&2 && failures=$((failures + 1)); }
# expect CODE COMMAND...: its exit code; its output is in out and err
expect() {
  local code=$1 got=0
  shift
  checks=$((checks + 1))
  "$@" >out 2>err </dev/null || got=$?
  [[ $got == "$code" ]] || { fail "$* ended with $got instead of $code:" && head -20 err >&2; }
}
# says FILE TEXT: FILE holds TEXT
says() { checks=$((checks + 1)) && grep -qF -- "$2" "$1" || { fail "no '$2' in $1:" && head -20 "$1" >&2; }; }
silent() { checks=$((checks + 1)) && [[ ! -s $1 ]] || { fail "$1 should be empty:" && head -5 "$1" >&2; }; }
json() { checks=$((checks + 1)) && python3 -m json.tool <"$1" >/dev/null || { fail "$1 is no JSON:" && head -5 "$1" >&2; }; }
# field EXPRESSION FILE: a Python expression over the JSON document d
field() { python3 -c "import json,sys; d=json.load(open(sys.argv[1])); print($1)" "$2"; }
equal() { checks=$((checks + 1)) && [[ $1 == "$2" ]] || fail "$3: '$1' instead of '$2'"; }
finish() {
  echo "$checks checks, $failures failures"
  [[ $failures == 0 && $checks -gt 0 ]]
  exit
}
