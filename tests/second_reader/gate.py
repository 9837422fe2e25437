#!/usr/bin/env python3
"""A client of gates, written from src/gate/PROTOCOL.md and FORMAT.md alone: it asks, and checks every answer before it uses one.

    gate.py --card CARD [--identity FILE]... [--passphrase TEXT] [--kept FOLDER] [--unnamed] FILE      opens an envelope
    gate.py --card CARD --identity FILE --say revoke|expire|deny|allow [--who ID] [--until TIME] FILE  says it as its owner
    gate.py --card CARD --identity FILE --log FILE                                                     reads the log as its owner

The first identity is the one that asks. The folder keeps the last checkpoint of each gate. The answer is one line of JSON, as that of
reader.py. More classes than those of envelopes: "unreachable", "gate-forked", "not-an-owner".
"""

import argparse
import hashlib
import json
import os
import re
import secrets
import struct
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import reader
from reader import Refused, acceptable, b64, known, list_of, members, moment, number, require, sha, text, verifies

ANSWER_BYTES, ITEMS, PROOF_HASHES = 1_310_720, 256, 129
TEN_DIGITS = number(0, 9_999_999_999)
WORDS = ("blocked", "unknown", "revoked", "denied", "early", "expired", "frozen", "clock", "limit", "broken", "full")


def to_b64(raw):
    return b64encode(raw).decode()


def line_of(value):
    return json.dumps(value, separators=(",", ":")).encode()


def sign(seed, label, message):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(label + b"\0" + message)


def public_of(seed):
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def base64_to(limit):
    def take(value):
        raw = reader.from_b64(text()(value))
        require(raw is not None and len(raw) <= limit, "not base64 within its limit")
        return raw

    return take


def only_true(value):
    require(value is True, "something else than true")
    return True


# ---- Sealing ----------------------------------------------------------------------------------------------------


def seal(public, info, plaintext):
    """HPKE SealBase to an X-Wing key: enc, ct."""
    mlkem_ss, mlkem_ct = MLKEM768PublicKey.from_public_bytes(public[:-32]).encapsulate()
    ephemeral = X25519PrivateKey.generate()
    point = ephemeral.public_key().public_bytes_raw()
    dh = reader.x25519(ephemeral.private_bytes_raw(), public[-32:])
    shared = hashlib.sha3_256(mlkem_ss + dh + point + public[-32:] + bytes.fromhex("5c2e2f2f5e5c")).digest()
    suite = b"HPKE" + struct.pack(">HHH", 0x647A, 1, 2)
    context = b"\0" + reader.labeled_extract(suite, b"", b"psk_id_hash", b"")
    context += reader.labeled_extract(suite, b"", b"info_hash", info)
    secret = reader.labeled_extract(suite, shared, b"secret", b"")
    key = reader.labeled_expand(suite, secret, b"key", context, 32)
    nonce = reader.labeled_expand(suite, secret, b"base_nonce", context, 12)
    return mlkem_ct + point, AESGCM(key).encrypt(nonce, plaintext, b"")


def key_id(public):
    return sha(b"encl/1 key\0", struct.pack(">H", 0x647A), public)


# ---- The log ----------------------------------------------------------------------------------------------------


def forked(why):
    return Refused("gate-forked", why)


def node(left, right):
    return sha(b"\1", left, right)


def included(leaf, index, size, proof, root):
    """RFC 9162, 2.1.3.2."""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def consistent(first, first_root, second, second_root, proof):
    """RFC 9162, 2.1.4.2."""
    if first > second:
        return False
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root == sha()
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_root and sr == second_root


def read_checkpoint(raw, card):
    """Size and root, of a checkpoint that the gate with this card signed."""
    try:
        note = raw.decode()
    except UnicodeDecodeError:
        raise forked("a checkpoint that is not text") from None
    body, empty_line, signatures = note.rpartition("\n\n")
    if not empty_line or not signatures.endswith("\n"):
        raise forked("a checkpoint without signatures")
    signed = (body + "\n").encode()
    key_hash = sha(card["origin"].encode(), b"\n\1", card["log"])[:4]
    holds = False
    for line in signatures[:-1].split("\n"):
        found = re.fullmatch("\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)", line)
        blob = found and reader.from_b64(found.group(2))
        if not blob or len(blob) < 5:
            raise forked("a signature line of another form")
        if found.group(1) == card["origin"] and blob[:4] == key_hash:
            # Without a label: the message is what `verifies` puts together otherwise.
            if len(blob) != 68 or not verifies_bare(card["log"], signed, blob[4:]):
                raise forked("the signature of a checkpoint")
            holds = True
    if not holds:
        raise forked("a checkpoint that the gate did not sign")
    lines = body.split("\n")
    root = reader.from_b64(lines[2]) if len(lines) >= 3 else None
    if root is None or len(root) != 32 or not re.fullmatch("0|[1-9][0-9]*", lines[1]) or not all(lines[3:]):
        raise forked("a checkpoint of another form")
    if lines[0] != card["origin"]:
        raise forked("the checkpoint of another log")
    return int(lines[1]), root


def verifies_bare(key, message, signature):
    label, zero, rest = message.partition(b"\0")
    if zero:
        return False
    if not reader.acceptable_key(key) or not reader.acceptable_point(signature[:32]):
        return False
    if int.from_bytes(signature[32:], "little") >= reader.GROUP_ORDER:
        return False
    try:
        reader.Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (reader.InvalidSignature, ValueError):
        return False
    return True


ENTRY_OPS = ("open", "refuse", "statement", "block", "unblock", "erase", "start", "freeze", "thaw", "card")


def read_entry(line):
    table = {
        "entry": known("encl/1"),
        "seq": TEN_DIGITS,
        "at": moment,
        "salt": b64(16),
        "op": known(*ENTRY_OPS),
        "ticket": b64(32),
        "n": TEN_DIGITS,
        "who": b64(32),
        "request": b64(32),
        "item": number(0, 255),
        "mark": b64(16),
        "reason": known(*WORDS),
        "statement": b64(32),
        "lease": moment,
        "card": b64(32),
        "before": base64_to(2048),
    }
    return members(reader.parse_json(line), table, tuple(table)[:5])


def read_statement(raw):
    require(len(raw) > 65 and raw[-65:-64] == b"\n", "no line and signature")
    line, signature = raw[:-65], raw[-64:]
    table = {
        "statement": known("encl/1"),
        "ticket": b64(32),
        "op": known("revoke", "expire", "deny", "allow"),
        "at": moment,
        "by": b64(32),
        "blind": b64(32),
        "who": acceptable,
        "until": moment,
    }
    found = members(reader.parse_json(line), table, tuple(table)[:6])
    require(("who" in found) == (found["op"] in ("deny", "allow")), "who")
    require(("until" in found) == (found["op"] == "expire"), "until")
    if not verifies(found["by"], b"encl/1 gate statement", line, signature):
        raise Refused("signature", "of a statement")
    found["hash"] = sha(line)
    return found


# ---- Requests ---------------------------------------------------------------------------------------------------


class Request:
    """One item for one gate."""

    def __init__(self, card, op, envelope, more, proof_seed, person, told=None, seen=None, keep=False):
        self.card, self.op, self.envelope = card, op, envelope
        self.who = person[0] if person else None
        self.reply = reader.Key("x-wing", secrets.token_bytes(32))
        self.salt = secrets.token_bytes(16)
        head = {
            "request": "encl/1",
            "op": op,
            "gate": to_b64(card["id"]),
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "reply": to_b64(self.reply.id),
            "items": [to_b64(sha(b"encl/1 gate item\0", self.salt, envelope.ticket))],
        }
        head |= {"told": told} if told else {}
        head |= {"who": to_b64(self.who)} if person else {}
        head |= {"keep": True} if keep else {}
        head = line_of(head)
        item = {
            "salt": to_b64(self.salt),
            "policy": to_b64(envelope.id),
            "lock": envelope.gate_number,
            "terms": to_b64(envelope.terms),
        } | {name: value if isinstance(value, int) else to_b64(value) for name, value in more.items()}
        body = {"reply": to_b64(self.reply.public), "items": [item]}
        body |= {"seen": to_b64(seen)} if seen and person else {}
        self.hash = sha(b"encl/1 gate head\0", head)
        signatures = sign(person[1], b"encl/1 gate request", head) if person else b""
        if proof_seed:
            signatures += sign(proof_seed, b"encl/1 gate proof", self.hash + struct.pack(">H", 0))
        plain = head + b"\n" + line_of(body) + b"\n" + signatures
        enc, ct = seal(card["newest"], b"encl/1 gate ask\0" + card["id"], plain)
        self.bytes = key_id(card["newest"]) + enc + ct

    def post(self):
        return fetch(self.card["url"] + "/gate", self.bytes, ANSWER_BYTES)

    def open(self, raw):
        """The answer's members, of the gate and to this request."""
        plain = self.reply.open(raw[:1120], b"encl/1 gate reply\0" + self.hash, raw[1120:])
        if plain is None or plain[-65:-64] != b"\n":
            raise forked("an answer that does not open")
        line = plain[:-65]
        if not verifies(self.card["log"], b"encl/1 gate answer", line, plain[-64:]):
            raise forked("an answer that the gate did not sign")
        answer = read_answer(line, self.op)
        if answer["request"] != self.hash:
            raise forked("the answer to another request")
        return answer


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def fetch(address, body, limit):
    """What a server answers with status 200; a card's address, and no proxy and no redirect."""
    opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))
    kind = {"Content-Type": "application/octet-stream"} if body is not None else {}
    try:
        with opener.open(urllib.request.Request(address, body, kind), timeout=15) as response:
            raw = response.read(limit + 1)
            status = response.status
    except urllib.error.HTTPError as error:
        raise Silence(f"status {error.code}") from None
    except OSError as error:
        raise Silence(str(error)) from None
    if status != 200 or len(raw) > limit:
        raise Silence("another status, or too long")
    return raw


class Silence(Exception):
    """No answer: none of the classes."""


PROOF = list_of(PROOF_HASHES, b64(32))


def read_answer(line, op):
    word = known(*WORDS)
    entry = {"entry": base64_to(4096), "proof": PROOF}
    page = {
        "erased": b64(32),
        "seq": TEN_DIGITS,
        "n": TEN_DIGITS,
        "head": base64_to(16_384),
        "who_sig": b64(64),
        "proof_sig": b64(64),
        "statement": base64_to(2048),
    }
    tables = {
        "open": entry | {"share": b64(32, 33), "keep": moment, "refused": word, "statement": base64_to(2048)},
        "state": entry | {"refused": word},
        "log": {
            "refused": word,
            "entries": list_of(1024, lambda one: members(one, entry | page, ("proof",))),
            "more": only_true,
        },
    }
    table = {
        "answer": known("encl/1"),
        "request": b64(32),
        "at": moment,
        "refused": word,
        "items": list_of(ITEMS, lambda one: members(one, tables[op], ())),
        "checkpoint": base64_to(8192),
        "consistency": PROOF,
    }
    found = members(reader.parse_json(line), table, tuple(table)[:3])
    rest = {"items", "checkpoint", "consistency"} & set(found)
    require(not rest if "refused" in found else rest >= {"items", "checkpoint"}, "neither refused nor answered")
    for item in found.get("items", ()):
        check_item_shape(item, op)
    return found


def check_item_shape(item, op):
    names = set(item)
    require(("entry" in names) == ("proof" in names), "an entry without a proof, or a proof alone")
    if "refused" in names:
        require(names <= {"refused", "entry", "proof", "statement"}, "a refusal that gives something")
        return
    due = {"open": {"share", "entry", "proof"}, "state": {"entry", "proof"}, "log": {"entries"}}[op]
    allowed = due | {"open": {"keep"}, "state": set(), "log": {"more"}}[op]
    require(due <= names <= allowed, "an answer that fits no item")


class Asking:
    """The gates that may be asked, who asks, and what is kept of their logs."""

    def __init__(self, cards, person, kept_folder=None):
        self.cards = {card["id"]: card for card in cards}
        self.person, self.kept_folder = person, kept_folder
        self.said = []

    def knows(self, one):
        return one["kind"] == "server" and one["id"] in self.cards

    # What is kept: one checkpoint for each log.

    def kept_path(self, card):
        name = sha(card["id"], card["log"], card["origin"].encode()).hex()
        return os.path.join(self.kept_folder, name) if self.kept_folder else None

    def kept(self, card):
        path = self.kept_path(card)
        return reader.read_file(path) if path and os.path.exists(path) else None

    def exchange(self, gate, op, envelope, more, proof_seed):
        """The answer to one item, after all checks but that of the part."""
        card, told = self.cards[gate["id"]], None
        seen = self.kept(card) if self.person else None
        for _ in range(2):
            request = Request(card, op, envelope, more, proof_seed, self.person, told, seen)
            answer = request.open(request.post())
            if answer.get("refused") != "clock" or told:
                break
            told = answer["at"]
        if "refused" in answer:
            return {"refused": answer["refused"]}
        if len(answer["items"]) != 1:
            raise forked("as many answers as items")
        size, root = self.check_log(card, answer, seen)
        item = answer["items"][0]
        if "entry" in item:
            check_entry(request, item, size, root, more)
        for line in item.get("entries", ()):
            check_page_line(envelope, line, size, root)
        if "statement" in item:
            item["proven"] = proves(request, item, answer["at"])
        if self.kept_folder:
            with open(self.kept_path(card) + ".new", "wb") as file:
                file.write(answer["checkpoint"])
                file.flush()
                os.fsync(file.fileno())
            os.replace(self.kept_path(card) + ".new", self.kept_path(card))
        return item

    def check_log(self, card, answer, seen):
        size, root = read_checkpoint(answer["checkpoint"], card)
        kept = self.kept(card)
        proof = answer.get("consistency", [])
        if seen is not None:
            if not consistent(*read_checkpoint(seen, card), size, root, proof):
                raise forked("the log is not what it was")
        else:
            require(not proof, "a proof that was not asked for")
            if kept is not None:
                old_size, old_root = read_checkpoint(kept, card)
                if old_size == size and old_root != root:
                    raise forked("two logs of one size")
        return size, root

    def ask(self, envelope, parts):
        """Adds parts of servers until there are enough; the answers may be refusals."""
        lock_ = envelope.gate
        seed = envelope.holder_seed()
        if public_of(seed) != lock_["holder"]:
            raise Refused("slot", "the gates would ask for another holder")
        refused, wrong, silent = [], [], []
        for j, gate in enumerate(lock_["gates"]):
            if len(parts) >= lock_["need"]:
                return
            if j in parts or not self.knows(gate):
                continue
            slot = next(slot for slot in envelope.slots if slot.get("gate") == j)
            more = {"enc": slot["enc"], "ct": slot["ct"]}
            own = envelope.own_pass(self.person[0]) if self.person and "members" in lock_ else None
            more |= {"pass": own} if own else {}
            try:
                item = self.exchange(gate, "open", envelope, more, seed)
            except Silence as silence:
                silent.append(str(silence))
                continue
            self.said.append(item.get("refused", "share"))
            if "refused" in item:
                refused.append(item["refused"])
                if item.get("proven"):
                    break
            elif envelope.is_part(j, item["share"]):
                parts[j] = item["share"]
            else:
                wrong.append(j)
        if len(parts) >= lock_["need"]:
            return
        for found, name in ((refused, "refused"), (wrong, "slot"), (silent, "unreachable")):
            if found:
                raise Refused(name, f"by the gates: {found}")

    def state(self, envelope, gate, op, more=None):
        """Says something of the ticket; whoever asks is the owner."""
        statement = {
            "statement": "encl/1",
            "ticket": to_b64(envelope.ticket),
            "op": op,
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "by": to_b64(self.person[0]),
            "blind": to_b64(self.blind(envelope)),
        } | (more or {})
        line = line_of(statement)
        signed = line + b"\n" + sign(self.person[1], b"encl/1 gate statement", line)
        return self.exchange(gate, "state", envelope, {"statement": signed}, None)

    def log(self, envelope, gate, start=1):
        more = {"by": self.person[0], "blind": self.blind(envelope), "from": start}
        return self.exchange(gate, "log", envelope, more, self.person[1])

    def blind(self, envelope):
        own = reader.expand(self.person[1], b"encl/1 gate blind\0" + envelope.gate["commit"])
        for blind in (bytes(32), own):
            if sha(b"encl/1 gate owner\0", blind, self.person[0]) in envelope.gate["owners"]:
                return blind
        raise Refused("not-an-owner")


def gates_of(envelope, asking):
    return [one for one in envelope.gate["gates"] if asking.knows(one)]


def identity(path):
    """Root key, seed and keys."""
    line = reader.read_file(path).removesuffix(b"\n")
    root, keys = reader.read_root_and_keys(line)
    return root, dict(reader.parse_json(line))["seed"], keys


def opened(given, asking, keys, source):
    released = reader.Released()
    now = reader.this_moment(given.now)
    try:
        admission = reader.open_envelope(source, keys, given.passphrase, (), now, released, asking)
        return reader.answer("ok", released, admission=admission, said=asking.said)
    except Refused as refused:
        return reader.answer(refused.name, released, why=refused.why, said=asking.said)


def said(given, asking, source):
    envelope = reader.Envelope(source)
    more = {"who": to_b64(bytes.fromhex(given.who))} if given.who else {}
    more |= {"until": given.until} if given.until else {}
    items = [asking.state(envelope, gate, given.say, more) for gate in gates_of(envelope, asking)]
    return {"class": "ok", "said": [item.get("refused", "taken over") for item in items]}


def logged(asking, source):
    envelope = reader.Envelope(source)
    lines = []
    for gate in gates_of(envelope, asking):
        start = 1
        while True:
            item = asking.log(envelope, gate, start)
            if "refused" in item:
                return {"class": "refused", "why": item["refused"]}
            lines += item["entries"]
            if "more" not in item or not item["entries"]:
                break
            last = item["entries"][-1]
            start = last.get("n", last.get("read", {}).get("n")) + 1
    entries = [line["read"] | {"proved": line["proved"]} for line in lines if "read" in line]
    shown = [{"n": one["n"], "op": one["op"], "who": one.get("who", b"").hex(), "proved": one["proved"]} for one in entries]
    return {"class": "ok", "entries": shown, "erased": len(lines) - len(shown)}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--card", action="append", required=True)
    options.add_argument("--identity", action="append", default=[])
    options.add_argument("--passphrase")
    options.add_argument("--now")
    options.add_argument("--kept")
    options.add_argument("--unnamed", action="store_true")
    options.add_argument("--say")
    options.add_argument("--who")
    options.add_argument("--until")
    options.add_argument("--log", action="store_true")
    options.add_argument("file")
    given = options.parse_args()
    people = [identity(path) for path in given.identity]
    person = None
    if people and not given.unnamed:
        person = people[0][0], reader.from_b64(people[0][1])
    try:
        cards = [reader.read_gate_card(reader.read_file(path)) for path in given.card]
        asking = Asking(cards, person, given.kept)
        with open(given.file, "rb") as source:
            if given.say:
                found = said(given, asking, source)
            elif given.log:
                found = logged(asking, source)
            else:
                found = opened(given, asking, [key for one in people for key in one[2]], source)
    except Refused as refused:
        found = {"class": refused.name, "why": refused.why}
    except Silence as silence:
        found = {"class": "unreachable", "why": str(silence)}
    print(json.dumps(found))


def in_tree(line, entry, proof, size, root):
    return included(sha(b"\0", line), entry["seq"], size, proof, root)


def check_entry(request, item, size, root, more):
    try:
        entry = read_entry(item["entry"])
    except Refused as refused:
        raise forked(f"an entry that is none: {refused.why}") from None
    if entry.get("ticket") != request.envelope.ticket:
        raise forked("the entry of another ticket")
    if not in_tree(item["entry"], entry, item["proof"], size, root):
        raise forked("an entry that is not in the log")
    if request.op == "state" and "refused" not in item:
        statement = read_statement(more["statement"])
        due = {"op": "statement", "statement": statement["hash"], "who": statement["by"]}
    else:
        due = {"op": "refuse" if "refused" in item else "open", "request": request.hash, "item": 0}
        due |= {"mark": request.salt, "who": request.who, "reason": item.get("refused"), "lease": item.get("keep")}
    for name, value in due.items():
        if entry.get(name) != value:
            raise forked(f"an entry with another {name}")


def check_page_line(envelope, line, size, root):
    if "erased" in line:
        require(set(line) == {"erased", "seq", "n", "proof"}, "an erased entry with more")
        if not included(line["erased"], line["seq"], size, line["proof"], root):
            raise forked("an erased entry that is not in the log")
        return
    require("entry" in line and not {"seq", "n"} & set(line), "neither an entry nor an erased one")
    entry = read_entry(line["entry"])
    if entry.get("ticket") != envelope.ticket or not in_tree(line["entry"], entry, line["proof"], size, root):
        raise forked("an entry of another ticket, or not in the log")
    line["read"] = entry
    line["proved"] = "head" in line and proves_asking(envelope, entry, line)


def proves_asking(envelope, entry, line):
    """Whether a third party can see that this was asked, and by whom."""
    try:
        head = dict(reader.parse_json(line["head"]))
        item = reader.from_b64(head["items"][entry["item"]])
        who = reader.from_b64(head["who"]) if "who" in head else None
    except (Refused, KeyError, IndexError, TypeError):
        return False
    if sha(b"encl/1 gate head\0", line["head"]) != entry.get("request") or "mark" not in entry:
        return False
    if item != sha(b"encl/1 gate item\0", entry["mark"], envelope.ticket):
        return False
    if who is not None:
        return "who_sig" in line and verifies(who, b"encl/1 gate request", line["head"], line["who_sig"])
    message = entry["request"] + struct.pack(">H", entry["item"])
    return "proof_sig" in line and verifies(envelope.gate["holder"], b"encl/1 gate proof", message, line["proof_sig"])


def proves(request, item, at):
    """Whether an owner's statement is the reason for a refusal."""
    envelope = request.envelope
    try:
        found = read_statement(item["statement"])
    except Refused:
        return False
    owner = sha(b"encl/1 gate owner\0", found["blind"], found["by"])
    if found["ticket"] != envelope.ticket or owner not in envelope.gate["owners"]:
        return False
    if item["refused"] == "denied":
        return found["op"] == "deny" and found["who"] == request.who
    if item["refused"] == "expired":
        return found["op"] == "expire" and found["until"] <= at
    return item["refused"] == "revoked" and found["op"] == "revoke"


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    main()
