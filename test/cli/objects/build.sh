#!/usr/bin/env bash
# Builds the objects of this folder with Debian's clang 19.
set -euo pipefail
cd "$(dirname "$0")"
for file in *.c; do
  clang-19 -O2 -g -mcpu=v3 -target bpf -Wall -Werror -fdebug-prefix-map="$PWD"=. -c "$file" -o "${file%.c}.o"
done
