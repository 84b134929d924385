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
# Makes the symbol table name no section of strings.
without_strings() { # without_strings OBJECT
  python3 - "$1" <<'PYTHON'
import struct, sys
path = sys.argv[1]
image = bytearray(open(path, 'rb').read())
(table,), (size, count) = struct.unpack_from('<Q', image, 40), struct.unpack_from('<HH', image, 58)
for header in range(table, table + size * count, size):
    if struct.unpack_from('<I', image, header + 4)[0] == 2:  # SHT_SYMTAB
        struct.pack_into('<I', image, header + 40, 0)  # sh_link
open(path, 'wb').write(image)
PYTHON
}
for file in "$@"; do
  compile bpf "$file" "${file%.c}.o"
  case $file in */strings*) without_strings "${file%.c}.o" ;; esac
  case $file in */*) ;; *) compile bpfeb "$file" "bpfeb/${file%.c}.o" ;; esac
done
