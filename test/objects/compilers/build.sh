#!/usr/bin/env bash
# Builds the objects of this folder: SOURCE.VARIANT.o, a variant being a compiler with its flags. Debian: clang-14, clang-15, clang-16,
# clang-19, llvm-19, gcc-bpf.
set -euo pipefail
cd "$(dirname "$0")"

build() { # VARIANT SOURCES COMMAND…
  local variant=$1 sources=$2
  shift 2
  for source in $sources; do
    "$@" -Wall -fdebug-prefix-map="$PWD"=. -c "$source.c" -o "$source.$variant.o"
  done
}

clang() { # VERSION FLAGS…
  local version=$1
  shift
  "clang-$version" --target=bpf "$@"
}

all='maps packets core'
build gcc12-O2 "$all" bpf-gcc -O2 -gbtf -mco-re
build gcc12-Os 'maps packets' bpf-gcc -Os -gbtf
build gcc12-g0 'maps packets' bpf-gcc -O2
build clang14-O2 "$all" clang 14 -O2 -g
build clang14-v1 'packets' clang 14 -O2 -g -mcpu=v1
build clang15-O1 "$all" clang 15 -O1 -g
build clang15-v3 'maps packets' clang 15 -O2 -g -mcpu=v3
build clang16-Os "$all" clang 16 -Os -g
build clang16-v2 'packets core' clang 16 -O2 -g -mcpu=v2
build clang19-v1 'packets' clang 19 -O2 -g -mcpu=v1
build clang19-v4 "$all" clang 19 -O2 -g -mcpu=v4
build clang19-g0 'maps packets' clang 19 -O2
build clang19-types 'maps' clang 19 -O2 -g -fdebug-types-section
build clang19-noext 'maps packets' clang 19 -O2 -g
for source in maps packets; do llvm-objcopy-19 --remove-section .BTF.ext --remove-section .rel.BTF.ext $source.clang19-noext.o; done
