#!/usr/bin/env bash
# A gate from the first command to the last: Alice encrypts for Bob and Carol behind a gate of her own, takes access back, and reads
# who opened what; then behind three gates, one of which is killed. Every step is printed as it would be typed, with its output.
# Needs cargo; the gates listen on loopback; leaves nothing behind but target/.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${ENCL_GATE_BIN:-}" ]; then
    echo "gate: building encl and encl-gate, about 5 minutes the first time" >&2
    cargo build --release --locked --quiet --features gate
    ENCL_GATE_BIN="${CARGO_TARGET_DIR:-$PWD/target}/release"
fi
PATH="$(realpath "$ENCL_GATE_BIN"):$PATH"

desk=$(mktemp -d)
gates=()
end() {
    for gate in "${gates[@]}"; do kill "$gate" 2>/dev/null || true; done
    rm -rf "$desk"
}
trap end EXIT
cp tests/data/report.pdf "$desk/"
cd "$desk"
unset ENCL_IDENTITY ENCL_PASSPHRASE_FILE

# Prints a command as PERSON types it and runs it with that person's keystore; it has to exit with CODE.
as() {
    local person=$1 code=$2 line=$3 exit=0
    printf '\n%s$ %s\n' "$person" "$line"
    ENCL_KEYSTORE="$desk/keys-of-$person" bash -c "$line" || exit=$?
    [ "$exit" -eq 0 ] || printf '(exit %s)\n' "$exit"
    [ "$exit" -eq "$code" ] || { echo "gate: exit $exit, expected $code" >&2; exit 1; }
}

# Makes the gate NAME on a free port and starts it.
gate() {
    local name=$1 port
    port=$(python3 - <<'FREE' 2>/dev/null || shuf -i 20000-40000 -n 1
import socket
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    print(free.getsockname()[1])
FREE
    )
    printf '\n%s$ encl-gate init %s --url http://127.0.0.1:%s\n' server "$name" "$port"
    encl-gate init "$name" --url "http://127.0.0.1:$port" --name "$name" | head -n 3
    serve "$name" "$port"
    eval "port_of_$name=$port"
}

# Starts the gate NAME, and waits until it listens.
serve() {
    local name=$1 port=$2
    printf '\n%s$ encl-gate serve %s --listen 127.0.0.1:%s &\n' server "$name" "$port"
    encl-gate serve "$name" --listen "127.0.0.1:$port" >"$name.log" 2>&1 &
    gates+=($!)
    eval "process_of_$name=$!"
    for _ in $(seq 100); do
        if grep -q listening "$name.log"; then return; fi
        sleep 0.1
    done
    cat "$name.log" >&2
    exit 1
}

gate work
as alice 0 'encl key new alice@example.org --no-passphrase -o alice.card'
as bob 0 'encl key new bob@example.org --no-passphrase -o bob.card'
as carol 0 'encl key new carol@example.org --no-passphrase -o carol.card'
for person in alice bob carol; do
    as "$person" 0 "encl gate add http://127.0.0.1:$port_of_work --name work --yes"
done
as alice 0 'encl contact add bob.card --yes && encl contact add carol.card --yes'
as bob 0 'encl contact add alice.card --yes'
as carol 0 'encl contact add alice.card --yes'

as alice 0 'encl wrap report.pdf --to bob@example.org --to carol@example.org --gate work --expires 30d'
as bob 0 'encl inspect report.pdf.encl'
as bob 0 'encl unwrap report.pdf.encl -o bobs.pdf && cmp report.pdf bobs.pdf && echo the same bytes'

# One person, then everybody.
as alice 0 'encl gate revoke report.pdf.encl --who bob@example.org --yes'
as bob 5 'encl unwrap report.pdf.encl -o again.pdf'
as carol 0 'encl unwrap report.pdf.encl -o carols.pdf'
as alice 0 'encl gate revoke report.pdf.encl --yes'
as carol 5 'encl unwrap report.pdf.encl -o again.pdf'
as alice 0 'encl audit report.pdf.encl'

# A date by the gate's clock: the reader's does not count.
as alice 0 'encl wrap report.pdf --to bob@example.org --gate work --expires 1s -o short.encl'
sleep 2
as bob 5 'encl unwrap short.encl -o short.pdf'

# Three gates, of which two have to answer; one of them is killed.
gate north
gate south
for person in alice bob; do
    as "$person" 0 "encl gate add http://127.0.0.1:$port_of_north --name north --yes"
    as "$person" 0 "encl gate add http://127.0.0.1:$port_of_south --name south --yes"
done
as alice 0 'encl wrap report.pdf --to bob@example.org --gates 2:work,north,south -o three.encl'
printf '\nserver$ kill -9 %s\n' "$process_of_work"
kill -9 "$process_of_work"
as bob 0 'encl unwrap three.encl -o three.pdf && cmp report.pdf three.pdf && echo the same bytes'
as alice 0 'encl gate revoke three.encl --yes'
as bob 5 'encl unwrap three.encl -o again.pdf'
serve work "$port_of_work"
as alice 0 'encl gate status three.encl'
printf '\ngate: all as expected\n'
