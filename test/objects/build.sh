#!/usr/bin/env bash
# Builds the objects of this folder with Debian's clang 19: build.sh [FILE.c…], all of them without names.
# Those of the folder itself are built for big-endian machines, too (bpfeb/NAME.o).
set -euo pipefail
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- *.c refused/*.c
compile() { # compile TARGET FILE.c OUTPUT
  clang-19 -O2 -g -mcpu=v3 -target "$1" -Wall -Wno-unused-variable -Wno-unused-const-variable -Wno-unused-function -Werror \
    -fdebug-prefix-map="$PWD"=. -c "$2" -o "$3"
}
for file in "$@"; do
  compile bpf "$file" "${file%.c}.o"
  case $file in */*) ;; *) compile bpfeb "$file" "bpfeb/${file%.c}.o" ;; esac
done
