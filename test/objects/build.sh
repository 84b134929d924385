#!/usr/bin/env bash
# Builds the objects of this folder with Debian's clang 19: build.sh [FILE.c…], all of them without names.
set -euo pipefail
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- *.c refused/*.c
for file in "$@"; do
  clang-19 -O2 -g -mcpu=v3 -target bpf -Wall -Wno-unused-variable -Wno-unused-const-variable -Wno-unused-function -Werror \
    -fdebug-prefix-map="$PWD"=. -c "$file" -o "${file%.c}.o"
done
