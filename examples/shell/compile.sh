#!/usr/bin/env bash
# compile.sh OBJECT [PROGRAM]: asks a service what a kernel makes of an object, shows the verdicts, and keeps the code of each
# accepted program in PROGRAM.bin. Needs curl and jq. Ends with 1 where a program is rejected.
set -euo pipefail
server=${BPF_JITD_SERVER:-http://localhost:8080}
object=$1
headers=()
[ -z "${BPF_JITD_API_KEY:-}" ] || headers=(-H "authorization: Bearer $BPF_JITD_API_KEY")

# --retry honours Retry-After; --fail-with-body shows the problem that a refusal comes with.
answer=$(curl --silent --show-error --fail-with-body --retry 3 --max-time 60 "${headers[@]}" \
  --data-binary "@$object" "$server/compile?logLevel=1&programs=${2:-}") || { jq . <<<"$answer" >&2; exit 2; }

jq -r '.programs[] | "\(.name): \(if .accepted then "accepted" else "rejected, errno \(.errno): \(.failure.message)" end)"' <<<"$answer"
jq -r '.programs[] | select(.accepted) | .name' <<<"$answer" | while read -r name; do
  jq -r --arg name "$name" '.programs[] | select(.name == $name).functions[0].code' <<<"$answer" | base64 -d >"$name.bin"
done
jq -e '[.programs[].accepted] | all' <<<"$answer" >/dev/null
