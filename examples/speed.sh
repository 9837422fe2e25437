#!/usr/bin/env bash
# How fast encl is beside cp, and beside age and rage where they are installed: examples/speed.sh [MIB [FOLDER]].
# Prints what the README says of speed: medians of five rounds, the tools in turns, so that what changes meanwhile hits them alike; every
# output is compared with its input. FOLDER (/dev/shm) needs room for six such files. Ratios travel between machines, seconds do not.
set -euo pipefail
cd "$(dirname "$0")/.."
mib=${1:-256} rounds=5
cargo build --release --locked --quiet
PATH="${CARGO_TARGET_DIR:-$PWD/target}/release:$PATH"
desk=$(mktemp -d -p "${2:-/dev/shm}")
trap 'rm -rf "$desk"' EXIT
cd "$desk"
unset ENCL_IDENTITY ENCL_PASSPHRASE_FILE
export ENCL_KEYSTORE=$desk/keys

encl key new me@example.org --no-passphrase --quiet > card
head -c "${mib}M" /dev/urandom > in
encl wrap in --to me@example.org --anonymous --quiet -o in.encl
encl wrap in --to me@example.org --quiet -o in.signed
echo "cp" > tools
for tool in age rage; do
    command -v "$tool" > /dev/null || continue
    "$tool-keygen" -o "$tool.key" 2> /dev/null
    grep -o 'age1.*' "$tool.key" > "$tool.to"
    "$tool" -R "$tool.to" -o "in.$tool" in
    echo "$tool" >> tools
done

# The command line of one OPERATION by one TOOL.
command_line() {
    case "$1 $2" in
        *" cp") echo "cp in out" ;;
        "wrap encl") echo "encl wrap in --to me@example.org --anonymous --quiet -o out" ;;
        "unwrap encl") echo "encl unwrap in.encl --quiet -o out" ;;
        "wrap-signed encl") echo "encl wrap in --to me@example.org --quiet -o out" ;;
        "unwrap-signed encl") echo "encl unwrap in.signed --quiet -o out" ;;
        wrap*) echo "$2 -R $2.to -o out in" ;;
        unwrap*) echo "$2 -d -i $2.key -o out in.$2" ;;
    esac
}

# Milliseconds of one run.
once() {
    local begun ended
    rm -f out
    begun=$(date +%s%N)
    $(command_line "$1" "$2")
    ended=$(date +%s%N)
    case "$1 $2" in
        "wrap encl" | "wrap-signed encl") encl unwrap out --quiet -o - | cmp - in ;;
        wrap*" cp" | unwrap*) cmp out in ;;
    esac
    echo $(((ended - begun) / 1000000))
}

printf '%s MiB in %s\n%-16s%8s' "$mib" "${desk%/*}" "operation" "encl ms"
while read -r tool; do printf '%8s' "x $tool"; done < tools
echo
for operation in wrap unwrap wrap-signed unwrap-signed; do
    rm -f times.*
    for _ in $(seq "$rounds"); do
        for tool in encl $(cat tools); do once "$operation" "$tool" >> "times.$tool"; done
    done
    for tool in encl $(cat tools); do sort -n "times.$tool" | sed -n "$((rounds / 2 + 1))p" > "median.$tool"; done
    printf '%-16s%8s' "$operation" "$(cat median.encl)"
    while read -r tool; do
        awk -v a="$(cat median.encl)" -v b="$(cat "median.$tool")" 'BEGIN { printf "%8.2f", a / (b ? b : 1) }'
    done < tools
    echo
done
