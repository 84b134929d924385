#!/usr/bin/env bash
# Builds the objects of this folder with Debian's clang 19: build.sh [NAME…], all of them without names.
set -euo pipefail
cd "$(dirname "$0")"
for source in "${@:-*.c}"; do
  for file in ${source%.c}.c; do
    clang-19 -O2 -g -mcpu=v3 -target bpf -Wall -Wno-unused-variable -Wno-unused-const-variable -Werror -c "$file" -o "${file%.c}.o"
  done
done
