#!/usr/bin/env bash
# The whole job on a real file: builds encl, lets Alice encrypt a report for Bob, and shows what everybody else gets.
# Every step is printed as it would be typed, with its output. Needs cargo; leaves nothing behind but target/.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "quickstart: building encl, about 4 minutes the first time" >&2
cargo build --release --locked --quiet
PATH="${CARGO_TARGET_DIR:-$PWD/target}/release:$PATH"

desk=$(mktemp -d)
trap 'rm -rf "$desk"' EXIT
cp tests/data/report.pdf "$desk/"
cd "$desk"
unset ENCL_IDENTITY ENCL_PASSPHRASE_FILE

# Prints a command as PERSON types it and runs it with that person's keystore; it has to exit with CODE.
as() {
    local person=$1 code=$2 line=$3 exit=0
    printf '\n%s$ %s\n' "$person" "$line"
    ENCL_KEYSTORE="$desk/keys-of-$person" bash -c "$line" || exit=$?
    [ "$exit" -eq 0 ] || printf '(exit %s)\n' "$exit"
    [ "$exit" -eq "$code" ] || { echo "quickstart: exit $exit, expected $code" >&2; exit 1; }
}

as bob 0 'encl key new bob@example.org --no-passphrase -o bob.card'
as alice 0 'encl key new alice@example.org --no-passphrase -o alice.card'
as carol 0 'encl key new carol@example.org --no-passphrase -o carol.card'

as alice 0 'encl wrap report.pdf --to bob.card'
as alice 0 'sed -n 2p report.pdf.encl'
as alice 0 'head -n 2 report.pdf.encl | sha256sum'

as bob 0 'encl contact add alice.card --yes'
as bob 0 'mkdir inbox && encl unwrap report.pdf.encl -C inbox'
as bob 0 'cmp report.pdf inbox/report.pdf && echo the same bytes'

as carol 3 'encl unwrap report.pdf.encl -o stolen.pdf'

size=$(wc -c < report.pdf.encl)
as bob 0 "cp report.pdf.encl damaged.encl && printf XXXX | dd of=damaged.encl bs=1 seek=$((size - 50)) conv=notrunc status=none"
as bob 4 'encl unwrap damaged.encl -o damaged.pdf'
as bob 0 'ls'
[ ! -e stolen.pdf ] && [ ! -e damaged.pdf ]
printf '\nquickstart: everything worked as expected\n'
