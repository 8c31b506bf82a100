#!/usr/bin/env bash
# What the library shows and what it holds: exported names begin with sc_, there are no mutable globals, and nothing in
# it ends the process, prints to standard output or sets the locale.
set -euo pipefail
lib=$SC_BUILD_DIR/libschedcast.a
[[ -e $lib ]] || lib=$SC_BUILD_DIR/libschedcast.so
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
# Every symbol as: flags, section, name (in an archive with the object it stands in).
objdump -t "$lib" | awk -F'\t' '/file format/ {object = $1; sub(/:.*/, "", object)}
  NF == 2 {flags = substr($1, 18, 7); gsub(/ /, "", flags); sub(/.* /, "", $1); sub(/.* /, "", $2)
           sub(/@.*/, "", $2); print flags "-", $1, $2, object}' >"$tmp"
bad=0
report() { [[ -z $2 ]] || { printf '%s:\n%s\n' "$1" "$2" && bad=1; }; }
report "exported without sc_" "$(nm $([[ $lib == *.a ]] || echo -D) -g --defined-only "$lib" 2>/dev/null |
  awk 'NF == 3 && $3 !~ /^(sc_|__odr_asan)/ {print $3}')"
report "mutable globals" "$(awk '$2 ~ /^\.(data|bss|tdata|tbss)(\.|$)/ && $2 !~ /\.rel\.ro/ &&
  $3 !~ /^(\.|__asan|__odr|completed\.|__TMC|__dso|__cpu_|_edata|_end|__bss_start|data_start|__data)/' "$tmp")"
report "called from the library" "$(awk '$2 == "*UND*" &&
  $3 ~ /^(exit|quick_exit|printf|__printf_chk|puts|putchar|perror|setlocale|rand|srand|strtok|system)$/' "$tmp")"
echo "$(wc -l <"$tmp") symbols of $lib looked at" && [[ $(wc -l <"$tmp") -gt 100 && $bad == 0 ]]
