#!/usr/bin/env python3
"""A second reader of encl/1 envelopes, approvals and cards, written from src/envelope/FORMAT.md alone.
(What it asks a gate is in gate.py.)

It is there to disagree: the test suite gives it the cases that the Rust reader gets, and compares classes and plaintext.
CPython 3.11 and the package `cryptography` (48 or later, for ML-KEM-768) are all it needs.

    reader.py [--identity FILE]... [--passphrase TEXT] [--now TIME] FILE
    reader.py --batch FILE      one JSON object a line: {"file", "identities", "approvals", "passphrase", "now"}
    reader.py --card FILE       checks a card
    reader.py --kit FOLDER      answers every case of a test kit, and tells those that it answers otherwise

Each answer is one line of JSON: {"class": "ok" or the class, "bytes": N, "sha256": of all plaintext released, "why": text}.
Without a passphrase where one is asked for the class is "locked", which is no class of the format.
"""

import argparse
import base64
import functools
import hashlib
import hmac
import io
import ipaddress
import json
import os
import re
import struct
import sys
import time
import unicodedata

try:
    from cryptography.exceptions import InvalidSignature, InvalidTag
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
except ImportError as missing:
    sys.exit(f"reader.py needs the package `cryptography`, 48 or later: {missing}")

MIB = 1 << 20
CHUNK = 16_384


class Refused(Exception):
    """The first failure, with its class."""

    def __init__(self, name, why=""):
        super().__init__(f"{name}: {why}")
        self.name, self.why = name, why


def malformed(why):
    return Refused("malformed", why)


def require(holds, why):
    if not holds:
        raise malformed(why)


# ---- Hashes, keys, signatures ---------------------------------------------------------------------------------


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def extract(salt, ikm):
    return hmac.new(salt, ikm, hashlib.sha256).digest()


def expand(key, info, size=32, hash_=hashlib.sha256):
    out, block, counter = b"", b"", 1
    while len(out) < size:
        block = hmac.new(key, block + info + bytes([counter]), hash_).digest()
        out, counter = out + block, counter + 1
    return out[:size]


P25519 = (1 << 255) - 19
SMALL_ORDER = {
    bytes(32),
    b"\1" + bytes(31),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    b"\xec" + b"\xff" * 30 + b"\x7f",
}
GROUP_ORDER = (1 << 252) + 27742317777372353535851937790883648493
EDWARDS_D = -121665 * pow(121666, P25519 - 2, P25519) % P25519


def acceptable_point(point):
    bare = point[:31] + bytes([point[31] & 0x7F])
    return int.from_bytes(bare, "little") < P25519 and bare not in SMALL_ORDER


def on_curve(point):
    """Whether some x belongs to this y: the library tells it only when it verifies."""
    y = int.from_bytes(point, "little") & ((1 << 255) - 1)
    x2 = (y * y - 1) * pow(EDWARDS_D * y * y + 1, P25519 - 2, P25519) % P25519
    return x2 == 0 or pow(x2, (P25519 - 1) // 2, P25519) == 1


def acceptable_key(key):
    return acceptable_point(key) and on_curve(key)


def verifies(key, label, message, signature):
    if not acceptable_key(key) or not acceptable_point(signature[:32]):
        return False
    if int.from_bytes(signature[32:], "little") >= GROUP_ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, label + b"\0" + message)
    except (InvalidSignature, ValueError):
        return False
    return True


def x25519(private, public):
    """The shared secret, or None when it is all zeros."""
    try:
        dh = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return None
    return dh if any(dh) else None


KEMS = {"x25519": (0x0020, 32, 32), "x-wing": (0x647A, 1216, 1120)}  # number, public key, enc


class Key:
    """A private key of the reader's."""

    def __init__(self, kem, secret):
        self.kem, self.secret = kem, secret
        self.number, _, self.enc_bytes = KEMS[kem]
        if kem == "x-wing":
            expanded = hashlib.shake_256(secret).digest(96)
            self.x = expanded[64:]
            self.mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        else:
            self.x = secret
        self.x_public = X25519PrivateKey.from_private_bytes(self.x).public_key().public_bytes_raw()
        self.public = self.x_public
        if kem == "x-wing":
            self.public = self.mlkem.public_key().public_bytes_raw() + self.x_public
        self.id = sha(b"encl/1 key\0", struct.pack(">H", self.number), self.public)

    def shared_secret(self, enc):
        if len(enc) != self.enc_bytes:
            return None
        ct_x = enc[-32:]
        dh = x25519(self.x, ct_x)
        if dh is None:
            return None
        if self.kem == "x-wing":
            ss = self.mlkem.decapsulate(enc[:-32])
            return hashlib.sha3_256(ss + dh + ct_x + self.x_public + bytes.fromhex("5c2e2f2f5e5c")).digest()
        suite = b"KEM" + struct.pack(">H", self.number)
        prk = labeled_extract(suite, b"", b"eae_prk", dh)
        return labeled_expand(suite, prk, b"shared_secret", enc + self.x_public, 32)

    def open(self, enc, info, ct):
        """HPKE OpenBase; None when it does not open."""
        shared = self.shared_secret(enc)
        if shared is None:
            return None
        suite = b"HPKE" + struct.pack(">HHH", self.number, 1, 2)
        context = b"\0" + labeled_extract(suite, b"", b"psk_id_hash", b"")
        context += labeled_extract(suite, b"", b"info_hash", info)
        secret = labeled_extract(suite, shared, b"secret", b"")
        key = labeled_expand(suite, secret, b"key", context, 32)
        nonce = labeled_expand(suite, secret, b"base_nonce", context, 12)
        try:
            return AESGCM(key).decrypt(nonce, ct, b"")
        except InvalidTag:
            return None


def labeled_extract(suite, salt, label, ikm):
    return extract(salt, b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite, key, label, info, size):
    return expand(key, struct.pack(">H", size) + b"HPKE-v1" + suite + label + info, size)


@functools.lru_cache(maxsize=4096)
def stretched(passphrase, salt, cost):
    """Remembered: thousands of changed envelopes have one passphrase slot."""
    return Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=1 << cost).derive(passphrase)


# ---- GF(2^8) --------------------------------------------------------------------------------------------------


def gf_mul(a, b):
    product = 0
    for _ in range(8):
        product ^= a * (b & 1)
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def gf_inverse(a):
    result = 1
    for _ in range(254):
        result = gf_mul(result, a)
    return result


def join_shares(shares):
    """Lagrange at 0 over {x: y}."""
    secret = bytes(32)
    for x, y in shares.items():
        factor = 1
        for other in shares:
            if other != x:
                factor = gf_mul(factor, gf_mul(other, gf_inverse(other ^ x)))
        secret = bytes(s ^ gf_mul(factor, b) for s, b in zip(secret, y))
    return secret


# ---- JSON -----------------------------------------------------------------------------------------------------

FORBIDDEN = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")
NUMBER = re.compile(rb"[0-9]+")
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
ESCAPE = re.compile(rb'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')


class Scan:
    """One walk over the line from left to right: the first fault counts."""

    def __init__(self, line):
        self.line, self.at = line, 0
        self.objects = []  # where each object stands, in the order in which they close

    def blanks(self):
        while self.line[self.at : self.at + 1] == b" ":
            self.at += 1

    def peek(self):
        return self.line[self.at : self.at + 1]

    def expect(self, byte):
        require(self.peek() == byte, f"not JSON at byte {self.at}")
        self.at += 1

    def value(self, level):
        head = self.peek()
        if head in (b"{", b"["):
            require(level <= 8, "nested over 8 levels")
            start = self.at
            self.items(level, head == b"{")
            if head == b"{":
                self.objects.append((start, self.at))
            return None
        if head == b'"':
            return self.string()
        if head.isdigit():
            return self.number()
        for word in (b"true", b"false"):
            if self.line.startswith(word, self.at):
                self.at += len(word)
                return None
        raise malformed(f"not JSON at byte {self.at}")

    def items(self, level, is_object):
        close = b"}" if is_object else b"]"
        names = set()
        self.at += 1
        self.blanks()
        if self.peek() == close:
            self.at += 1
            return
        while True:
            if is_object:
                self.name(names)
            self.value(level + 1)
            self.blanks()
            if self.peek() == close:
                self.at += 1
                return
            self.expect(b",")
            self.blanks()

    def name(self, names):
        require(self.peek() == b'"', f"not JSON at byte {self.at}")
        name = self.string()
        require(name not in names, "a name twice")
        names.add(name)
        if len(names) > 64:
            raise Refused("over-limit", "members")
        self.blanks()
        self.expect(b":")
        self.blanks()

    def string(self):
        token = STRING.match(self.line, self.at)
        require(token, "a text without an end")
        self.at = token.end()
        raw = token.group()
        if b"\\" in raw:
            require(b"\\" not in ESCAPE.sub(b"", raw), "an escape that is none")
        try:
            text = json.loads(raw)
            text.encode("utf-8")
        except (ValueError, UnicodeEncodeError):
            raise malformed("an escape that is none") from None
        require(text, "an empty text")
        require(not FORBIDDEN.search(text), "a forbidden character")
        return text

    def number(self):
        digits = NUMBER.match(self.line, self.at).group()
        self.at += len(digits)
        fits = len(digits) == 1 or (digits[:1] != b"0" and len(digits) <= 10)
        require(fits and self.peek() not in (b".", b"e", b"E"), "a number in another form")


class Object(list):
    """An object's members as they stand: (name, value) pairs; `span` is where it stands in its line."""

    span = (0, 0)

    def length(self):
        return self.span[1] - self.span[0]


def parse_json(line):
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        raise malformed("invalid UTF-8") from None
    require(not re.search(rb"[\0-\x1f\x7f]", line), "a control character")
    scan = Scan(line)
    scan.blanks()
    scan.value(1)
    scan.blanks()
    require(scan.at == len(line), "text behind the object")
    spans = iter(scan.objects)

    def hook(pairs):
        taken = Object(pairs)
        taken.span = next(spans)
        return taken

    value = json.loads(line, object_pairs_hook=hook)
    require(isinstance(value, Object), "not an object")
    return value


def members(value, table, due):
    """Takes an object's members in the order of the line, each by its own function."""
    require(isinstance(value, Object), "something else where an object is due")
    found = {}
    for name, item in value:
        if name not in table:
            raise Refused("newer", f"member {name}")
        found[name] = table[name](item)
    for name in due:
        require(name in found, f"{name} is missing")
    return found


def text(limit=None):
    def take(value):
        require(isinstance(value, str), "something else where a text is due")
        if limit is not None and len(value.encode()) > limit:
            raise Refused("over-limit", "a text")
        return value

    return take


def known(*names):
    def take(value):
        if text()(value) not in names:
            raise Refused("newer", value)
        return value

    return take


def boolean(value):
    require(isinstance(value, bool), "something else where a boolean is due")
    return value


def number(low, high):
    def take(value):
        require(isinstance(value, int) and not isinstance(value, bool), "something else where a number is due")
        require(low <= value <= high, "a number out of range")
        return value

    return take


def b64(*lengths):
    def take(value):
        raw = from_b64(text()(value))
        require(raw is not None and len(raw) in lengths, "not base64 of the length due")
        return raw

    return take


def from_b64(value):
    try:
        raw = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    return raw if base64.b64encode(raw).decode() == value else None


TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", re.ASCII)


def moment(value):
    """A time stays a text: in this form texts sort as times do."""
    fields = TIME.fullmatch(text()(value))
    require(fields, "not a time")
    year, month, day, hour, minute, second = map(int, fields.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    require(year >= 1970 and 1 <= month <= 12 and 1 <= day <= days[month - 1], "not a date")
    require(hour <= 23 and minute <= 59 and second <= 59, "not a time of day")
    return value


def list_of(limit, item):
    def take(value):
        require(isinstance(value, list) and not isinstance(value, Object), "something else where a list is due")
        taken = []
        for one in value:
            if len(taken) == limit:
                raise Refused("over-limit", "a list")
            taken.append(item(one))
        return taken

    return take


def distinct(items):
    items = list(items)
    require(len(set(items)) == len(items), "something twice")


# ---- The three objects ----------------------------------------------------------------------------------------

PERSON = {"name": text(256), "address": text(320), "id": b64(32)}


def recipient(value):
    return members(value, PERSON | {"key": b64(32)}, ("name", "id", "key"))


RECIPIENTS = list_of(16_384, recipient)


def gate(value):
    table = {"kind": known("server", "person"), "id": b64(32), "key": b64(32), "name": text(256), "url": text(255)}
    return members(value, table, ("kind", "id", "key"))


BOTH_KINDS = {
    "kind": known("recipients", "gate"),
    "need": number(1, 255),
    "commit": b64(32),
    "shares": list_of(255, b64(32)),
}
ONE_KIND = {
    "recipients": {"passphrase": number(16, 20), "passphrase_commit": b64(32), "recipients": RECIPIENTS},
    "gate": {
        "gates": list_of(8, gate),
        "owners": list_of(16, b64(32)),
        "holder": b64(32),
        "members": b64(32),
        "not_before": moment,
        "expires": moment,
        "lease": number(1, 2_592_000),
    },
}


def lock(value):
    table = BOTH_KINDS | ONE_KIND["recipients"] | ONE_KIND["gate"]
    found = members(value, table, ("kind", "need", "commit"))
    require(set(found) <= set(BOTH_KINDS) | set(ONE_KIND[found["kind"]]), "a member of the other kind")
    require(found.get("shares") != [], "shares is empty")
    if found["kind"] == "gate":
        require(all(name in found for name in ("gates", "owners", "holder")), "a member of a gate lock is missing")
        require(found["gates"], "gates is empty")
        if value.length() > 8192:
            raise Refused("over-limit", "a gate lock")
        found["span"] = value.span
    return found


def of_people(policy):
    """The recipients' locks, which come first."""
    return [lock_ for lock_ in policy["locks"] if lock_["kind"] == "recipients"]


def gate_lock(policy):
    last = policy["locks"][-1]
    return last if last["kind"] == "gate" else None


def labels(value):
    require(isinstance(value, Object), "something else where an object is due")
    require(value, "labels is empty")
    for name, item in value:
        if len(name.encode()) > 64:
            raise Refused("over-limit", "a label's name")
        text(4096)(item)
    return value


def read_policy(line):
    table = {
        "locks": list_of(8, lock),
        "signed": boolean,
        "private": boolean,
        "padding": known("none", "padme"),
        "signer": b64(32),
        "created": moment,
        "not_before": moment,
        "expires": moment,
        "labels": labels,
    }
    policy = members(parse_json(line), table, ("locks", "signed", "private", "padding"))
    require(policy["locks"], "no lock")
    require(("signer" in policy) == (policy["signed"] and not policy["private"]), "signer")
    require(sum("passphrase" in lock for lock in policy["locks"]) <= 1, "two passphrases")
    for i, lock_ in enumerate(policy["locks"]):
        check_lock(lock_, policy["private"])
        require(lock_["kind"] != "gate" or 0 < i == len(policy["locks"]) - 1, "a gate lock that is not the last, or alone")
    if sum(len(lock_.get("recipients", [])) for lock_ in policy["locks"]) > 16_384:
        raise Refused("over-limit", "recipients")
    return policy


def check_lock(lock_, private):
    several = lock_["need"] > 1
    require(("shares" in lock_) == several, "shares")
    require(not several or lock_["need"] <= len(lock_["shares"]), "need is over n")
    if lock_["kind"] == "gate":
        check_gates(lock_, private)
        return
    require(not (several and "passphrase" in lock_), "a passphrase where need is over 1")
    require("passphrase" in lock_ or "passphrase_commit" not in lock_, "passphrase_commit without a passphrase")
    require(("recipients" in lock_) != private, "recipients")
    if not private:
        check_list(lock_, lock_["recipients"])


def check_gates(lock_, private):
    gates = lock_["gates"]
    require(lock_["need"] == 1 or len(gates) == len(lock_["shares"]), "not one gate for each share")
    distinct(one["id"] for one in gates)
    distinct(one["key"] for one in gates)
    distinct(lock_["owners"])
    require(not (private and any("name" in one or "url" in one for one in gates)), "a name in a private envelope")


def check_list(lock_, people):
    require(len({one["key"] for one in people}) == len(people), "a key twice")
    require(people or "passphrase" in lock_, "a lock for nobody")
    if lock_["need"] > 1:
        require(len(people) == len(lock_["shares"]), "not one recipient for each share")
        require(len({one["id"] for one in people}) == len(people), "a person twice")


def read_access(line, policy):
    grant_table = PERSON | {"by": b64(32), "at": moment, "sig": b64(64)}
    table = {
        "lock": number(0, len(policy["locks"]) - 1),
        "key": b64(32),
        "enc": b64(32, 1120),
        "ct": b64(48, 49, 104),
        "grant": lambda value: members(value, grant_table, ("name", "id", "by", "at", "sig")),
        "salt": b64(16),
        "gate": number(0, 7),
    }

    def slot(value):
        found = members(value, table, ("lock", "ct"))
        if "gate" in found:
            require(set(found) == {"lock", "gate", "enc", "ct"}, "a gate slot of no shape")
            return found
        allowed = {"lock", "salt", "ct"} if "salt" in found else {"lock", "key", "enc", "ct", "grant"}
        require(set(found) <= allowed and ("salt" in found or "enc" in found), "a slot of no shape")
        require("salt" not in found or len(found["ct"]) == 104, "a passphrase slot of another length")
        return found

    line_table = {"slots": list_of(16_384, slot), "passes": list_of(16_384, b64(80))}
    access = members(parse_json(line), line_table, ("slots",))
    seen = set()
    for one in access["slots"]:
        check_slot(one, policy)
        mark = (one["lock"], one.get("gate", one.get("key")))
        if "key" in one or "salt" in one or "gate" in one:
            require(mark not in seen, "two slots for one key, passphrase or gate")
            seen.add(mark)
    for i, lock_ in enumerate(policy["locks"]):
        require("passphrase" not in lock_ or (i, None) in seen, "no passphrase slot")
        require(all((i, j) in seen for j in range(len(lock_.get("gates", ())))), "the slot of a gate is missing")
    require(("passes" in access) == ("members" in (gate_lock(policy) or ())), "passes")
    return access


def check_slot(one, policy):
    lock_ = policy["locks"][one["lock"]]
    if "salt" in one:
        require("passphrase" in lock_, "a passphrase slot")
        return
    require(("gate" in one) == (lock_["kind"] == "gate"), "a slot of the other kind")
    if "gate" in one:
        require(one["gate"] < len(lock_["gates"]), "a slot for a gate that the lock has not")
        require(len(one["ct"]) == (49 if lock_["need"] > 1 else 48), "the length of ct")
        return
    require(len(one["ct"]) == (49 if lock_["need"] > 1 else 48), "the length of ct")
    require(("key" in one) != policy["private"], "key")
    require(not (policy["private"] and "grant" in one), "a grant in a private envelope")


def mail(value):
    pair = list_of(2, text())

    def header(item):
        taken = pair(item)
        require(len(taken) == 2, "not a pair")
        return taken

    part = number(1, 4_294_967_295)
    table = {
        "mode": text(),
        "outer": list_of(256, header),
        "part": part,
        "parts": part,
        "eol": known("lf", "crlf", "mixed"),
        "skeleton": b64(32),
    }
    found = members(value, table, ("mode",))
    shapes = {"message": {"mode", "outer"}, "attachment": {"mode", "part", "parts", "eol", "skeleton"}}
    if found["mode"] not in shapes:
        raise Refused("newer", "mail mode")
    require(set(found) == shapes[found["mode"]], "mail has not the members of its mode")
    require(found.get("part", 0) <= found.get("parts", 0), "part is over parts")
    return found


def read_private(line, policy):
    table = {
        "name": text(255),
        "type": text(255),
        "modified": moment,
        "subject": text(4096),
        "created": moment,
        "recipients": list_of(8, RECIPIENTS),
        "signer": b64(32),
        "mail": mail,
    }
    private = members(parse_json(line), table, ())
    require(("signer" in private) == (policy["private"] and policy["signed"]), "signer")
    require(("recipients" in private) == policy["private"], "recipients")
    lists = private.get("recipients")
    if lists is not None:
        require(len(lists) == len(of_people(policy)), "not one list for each lock")
        if sum(map(len, lists)) > 16_384:
            raise Refused("over-limit", "recipients")
        for lock_, people in zip(of_people(policy), lists):
            check_list(lock_, people)
    return private


# ---- Input and armor ------------------------------------------------------------------------------------------

BEGIN, END = b"-----BEGIN ENCL/1-----", b"-----END ENCL/1-----"


class Armor:
    """Decodes line by line, and only when bytes are needed."""

    def __init__(self, source):
        self.source, self.ready, self.line_end = source, b"", None
        self.begun = self.short = self.ended = False

    def read(self, size):
        out = []
        while size and (taken := self.read1(size)):
            out.append(taken)
            size -= len(taken)
        return b"".join(out)

    def read1(self, size):
        """What one line of armor holds at most."""
        while not self.ready and not self.ended:
            self.decode()
        taken, self.ready = self.ready[:size], self.ready[size:]
        return taken

    def decode(self):
        if not self.begun:
            if self.line():
                raise Refused("mangled", "text behind BEGIN")
            self.begun = True
        line = self.line()
        if line == END:
            self.ended = True
            if self.source.read(-1).strip(b" \t\r\n"):
                raise Refused("mangled", "text behind END")
            return
        if self.short or not line or line[:1] == b"-":
            raise Refused("mangled", "a line that may not stand here")
        try:
            self.ready = from_b64(line.decode("ascii"))
        except UnicodeDecodeError:
            self.ready = None
        if self.ready is None:
            raise Refused("mangled", "not base64")
        self.short = len(self.ready) < 48

    def line(self):
        raw = b""
        while True:
            byte = self.source.read(1)
            if not byte:
                if raw == END:
                    return raw
                raise Refused("truncated", "no END line")
            if byte == b"\n":
                break
            if len(raw) == 66:
                raise Refused("mangled", "more than 64 columns")
            raw += byte
        end = b"\r\n" if raw.endswith(b"\r") else b"\n"
        self.line_end = self.line_end or end
        if end != self.line_end:
            raise Refused("mangled", "mixed line ends")
        raw = raw.removesuffix(b"\r")
        if len(raw) > 64:
            raise Refused("mangled", "more than 64 columns")
        return raw


class Reading:
    """A source of bytes of which some may be given back."""

    def __init__(self, source):
        self.source, self.pending = source, b""

    def read(self, size):
        out, self.pending = self.pending[:size], self.pending[size:]
        return out + self.source.read(size - len(out)) if len(out) < size else out

    def line(self, limit, over):
        pieces, room = [], limit + 1
        while room and (piece := self.some(room)):
            line, lf, rest = piece.partition(b"\n")
            pieces.append(line)
            if lf:
                self.pending = rest + self.pending
                break
            room -= len(piece)
        else:
            raise Refused("truncated" if room else over, "a line without its end")
        line = b"".join(pieces)
        if b"\r" in line:
            raise Refused("mangled", "a CR in a line")
        return line

    def some(self, size):
        """Between 1 and `size` bytes; armor is taken off no further than needed."""
        taken, self.pending = self.pending[:size], self.pending[size:]
        return taken or self.source.read1(size)


def recognise(head):
    if head == b"encl/1\n":
        return
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) or head == b"encl/1\r":
        raise Refused("mangled", "line 1")
    digits = re.match(rb"encl/([0-9]+)", head)
    if digits and digits.group(1) != b"1":
        raise Refused("newer", "another version")
    if head and len(head) < 7 and b"encl/1\n".startswith(head):
        raise Refused("truncated", "in line 1")
    raise Refused("not-an-envelope")


def open_input(source):
    """Step 1: what stands behind line 1."""
    head = source.read(7)
    if head != b"-----BE":
        recognise(head)
        return Reading(source)
    head += source.read(15)
    if head != BEGIN:
        if len(head) < len(BEGIN) and BEGIN.startswith(head):
            raise Refused("truncated", "in the first line of the armor")
        if head[:16] == BEGIN[:16] and head[16:17].isdigit():
            raise Refused("newer", "armor of another version")
        raise Refused("not-an-envelope")
    reading = Reading(Armor(source))
    recognise(reading.read(7))
    return reading


# ---- chunked-encryption ---------------------------------------------------------------------------------------


def chunks(source, input_key, context):
    """Yields the plaintext of each chunk."""
    head = source.read(56)
    if len(head) < 56:
        raise Refused("truncated", "the head of the payload")
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + head[:24] + context
    secrets = expand(input_key, info, 76, hashlib.sha512)
    if not hmac.compare_digest(secrets[44:], head[24:]):
        raise Refused("damaged", "the commitment")
    cipher, nonce = AESGCM(secrets[:32]), int.from_bytes(secrets[32:44], "big")
    index = 0
    while True:
        sealed = source.read(CHUNK + 16)
        if len(sealed) < 16:
            raise Refused("truncated", f"in chunk {index}")
        if index == 1 << 32:
            raise Refused("over-limit", "chunks")
        try:
            plain = cipher.decrypt((nonce ^ index).to_bytes(12, "big"), sealed, b"")
        except InvalidTag:
            raise Refused("damaged", f"chunk {index}") from None
        yield plain
        if len(plain) < CHUNK:
            return
        index += 1


# ---- Opening --------------------------------------------------------------------------------------------------


class Envelope:
    """Steps 1 to 7."""

    def __init__(self, source):
        self.input = open_input(source)
        line2 = self.input.line(8 * MIB, "over-limit")
        line3 = self.input.line(40 * MIB, "over-limit")
        line4 = self.input.line(44, "malformed")
        require(len(line4) == 44, "line 4")
        self.policy = read_policy(line2)
        access = read_access(line3, self.policy)
        self.slots, self.passes = access["slots"], access.get("passes", [])
        try:
            self.mac = from_b64(line4.decode("ascii"))
        except UnicodeDecodeError:
            self.mac = None
        require(self.mac is not None and len(self.mac) == 32, "line 4")
        self.id = sha(b"encl/1\n", line2, b"\n")
        self.access = sha(b"encl/1\n", line2, b"\n", line3, b"\n")
        self.gate = gate_lock(self.policy)
        if self.gate:
            start, end = self.gate["span"]
            self.terms, self.gate_number = line2[start:end], len(self.policy["locks"]) - 1
            self.ticket = sha(b"encl/1 gate ticket\0", self.id, struct.pack(">H", self.gate_number), self.terms)

    def key_slots(self, i):
        return [slot for slot in self.slots if slot["lock"] == i and "salt" not in slot and "gate" not in slot]

    def might_open(self, key, slot):
        if self.policy["private"]:
            return len(slot["enc"]) == key.enc_bytes
        return slot["key"] == key.id

    def refuse_hopeless(self, keys):
        """Step 4."""
        hope = [
            "passphrase" in lock_
            or any(self.might_open(key, slot) for key in keys for slot in self.key_slots(i))
            or any(self.helpers(key) for key in keys if lock_["kind"] == "gate")
            or any(approval["lock"] == i for approval in self.approvals)
            for i, lock_ in enumerate(self.policy["locks"])
        ]
        if self.gate and any(hope) and self.may_ask():
            hope[-1] = True
        if not any(hope):
            raise Refused("no-key", "nothing is for me")
        if not all(hope):
            raise Refused("quorum", f"lock {hope.index(False)} is for others")

    def helpers(self, key):
        """The positions of a gate lock whose slot is for this key of a person."""
        gates = enumerate(self.gate["gates"])
        return [j for j, one in gates if one["kind"] == "person" and one["key"] == key.id]

    def may_ask(self):
        return self.asking is not None and any(self.asking.knows(one) for one in self.gate["gates"])

    def unlock(self, keys, passphrase, approvals=(), asking=None):
        """Steps 4 to 6: CK."""
        self.asking = asking
        mine = {key.id for key in keys}
        usable = lambda one: one["policy"] == self.id and one["key"] in mine and one["lock"] < len(self.policy["locks"])
        self.approvals = [one for one in approvals if usable(one)]
        self.refuse_hopeless(keys)
        self.opened_by, self.helped_by = [], []
        secrets = [self.open_lock(i, keys, passphrase) for i in range(len(of_people(self.policy)))]
        if not all(secrets):
            raise Refused("quorum" if any(secrets) else "no-key", "private slots that do not open")
        if self.gate:
            self.others = extract(b"encl/1 gate others\0", b"".join(secrets))
            secrets.append(self.open_gate_lock(keys))
        self.content_key = extract(self.id, b"".join(secrets))
        mac = hmac.new(expand(self.content_key, b"encl/1 mac"), self.access, hashlib.sha256).digest()
        if not hmac.compare_digest(mac, self.mac):
            raise Refused("header")

    def open_lock(self, i, keys, passphrase):
        lock_ = self.policy["locks"][i]
        found, commit_due = [], None
        enough = lambda: found and (lock_["need"] == 1 or len(self.shares(found, lock_)) == lock_["need"])
        for key in keys:
            plain = None if enough() else self.open_with_key(i, key)
            if plain is not None:
                found.append(plain)
                self.opened_by.append((i, key.id))
        for approval in self.approvals:
            if approval["lock"] == i and not enough():
                found.append(self.open_approval(approval, keys))
                self.helped_by.append(approval["key"])
        if not found and "passphrase" in lock_:
            plain, commit_due = self.open_with_passphrase(i, lock_["passphrase"], passphrase)
            found.append(plain)
            self.opened_by.append((i, None))
        if not found:
            return None
        secret = self.join(found, lock_)
        if sha(b"encl/1 lock\0", secret) != lock_["commit"]:
            raise Refused("slot", "another secret than the policy commits to")
        if commit_due and not hmac.compare_digest(commit_due, lock_.get("passphrase_commit", commit_due)):
            raise Refused("slot", "the passphrase's slot is not the author's")
        return secret

    def open_gate_lock(self, keys):
        lock_, i, parts = self.gate, self.gate_number, {}
        enough = lambda: len(parts) >= lock_["need"]
        for key in keys:
            for j in self.helpers(key):
                if not enough():
                    parts[j] = self.open_helper_slot(key, j)
        for approval in self.approvals:
            if approval["lock"] == i and not enough():
                plain = self.open_approval(approval, keys)
                if lock_["need"] > 1:
                    parts[next(iter(self.shares([plain], lock_))) - 1] = plain
                else:
                    parts[0] = plain
        if not enough() and self.may_ask():
            self.asking.ask(self, parts)
        if not enough():
            raise Refused("quorum", f"{len(parts)} of {lock_['need']}")
        secret = self.join(list(parts.values()), lock_)
        if sha(b"encl/1 lock\0", secret) != lock_["commit"]:
            raise Refused("slot", "another secret than the policy commits to")
        return secret

    def open_helper_slot(self, key, j):
        slot = next(slot for slot in self.slots if slot.get("gate") == j)
        part = key.open(slot["enc"], b"encl/1 gate slot\0" + self.ticket + bytes([j]), slot["ct"])
        if part is None or not self.is_part(j, part):
            raise Refused("slot", "my slot of the gate lock")
        return part

    def is_part(self, j, part):
        """Whether this is what gate j has to give."""
        if self.gate["need"] == 1:
            return sha(b"encl/1 lock\0", part) == self.gate["commit"]
        shares = self.gate["shares"]
        return len(part) == 33 and part[0] == j + 1 and sha(b"encl/1 share\0", part) == shares[j]

    def holder_seed(self):
        return expand(self.others, b"encl/1 gate holder\0")

    def own_pass(self, who):
        """The pass of the person with this root key, or None."""
        mask = expand(self.others, b"encl/1 gate mask\0" + who, 80)
        for entry in self.passes:
            found = bytes(a ^ b for a, b in zip(entry[16:], mask[16:]))
            if entry[:16] == mask[:16] and verifies(self.gate["members"], b"encl/1 gate pass", self.ticket + who, found):
                return found
        return None

    def open_with_key(self, i, key):
        info = b"encl/1 slot\0" + self.id + struct.pack(">H", i)
        for slot in self.key_slots(i):
            if self.might_open(key, slot):
                plain = key.open(slot["enc"], info, slot["ct"])
                if plain is not None:
                    return plain
                if not self.policy["private"]:
                    raise Refused("slot", "my slot does not open")
        return None

    def open_approval(self, approval, keys):
        key = next(key for key in keys if key.id == approval["key"])
        info = b"encl/1 approval\0" + self.id + struct.pack(">H", approval["lock"])
        plain = key.open(approval["enc"], info, approval["ct"])
        if plain is None:
            raise Refused("slot", "an approval that does not open")
        return plain

    def open_with_passphrase(self, i, cost, passphrase):
        """The secret, and what the policy has to commit to if it commits."""
        if passphrase is None:
            raise Refused("locked", "the passphrase was not given")
        normal = unicodedata.normalize("NFC", passphrase).encode()
        if not 1 <= len(normal) <= 1024:
            raise Refused("passphrase", "its length")
        slot = next(slot for slot in self.slots if slot["lock"] == i and "salt" in slot)
        context = b"encl/1 passphrase\0" + self.id + struct.pack(">H", i)
        key = stretched(normal, slot["salt"], cost)
        try:
            secret = b"".join(chunks(io.BytesIO(slot["ct"]), key, context))
        except Refused:
            raise Refused("passphrase") from None
        return secret, sha(b"encl/1 passphrase commit\0", slot["salt"], key, secret)

    @staticmethod
    def shares(found, lock_):
        shares = {}
        for share in found:
            x = share[0]
            if not 1 <= x <= len(lock_["shares"]) or sha(b"encl/1 share\0", share) != lock_["shares"][x - 1]:
                raise Refused("slot", "a share that the policy does not know")
            shares[x] = share[1:]
        return shares

    def join(self, found, lock_):
        if lock_["need"] == 1:
            return found[0]
        shares = self.shares(found, lock_)
        if len(shares) < lock_["need"]:
            raise Refused("quorum", f"{len(shares)} of {lock_['need']}")
        return join_shares(shares)

    def decide(self, now):
        """Step 7."""
        if now < self.policy.get("not_before", now) or now >= self.policy.get("expires", "~"):
            raise Refused("refused", "by the conditions")

    # Who let me in: never an error, but another reader's answer can be compared with it.

    def admission(self, private):
        worst = {"named": 0, "granted": 1, "unrecorded": 2}
        if not self.opened_by:
            lists = private["recipients"] if self.policy["private"] else [one["recipients"] for one in of_people(self.policy)]
            people = {one["key"] for people in lists for one in people}
            return "named" if people.issuperset(self.helped_by) else "unrecorded"
        return max((self.admission_to(i, key, private) for i, key in self.opened_by), key=worst.get)

    def admission_to(self, i, key, private):
        if self.policy["private"]:
            people = private["recipients"][i]
        else:
            people = self.policy["locks"][i]["recipients"]
        if key is None:
            return "named" if "passphrase_commit" in self.policy["locks"][i] else "unrecorded"
        if any(one["key"] == key for one in people):
            return "named"
        if self.policy["private"]:
            return "unrecorded"
        own = next(slot for slot in self.key_slots(i) if slot["key"] == key)
        return "granted" if self.path(own) else "unrecorded"

    def path(self, own):
        authors = {one["id"] for lock_ in of_people(self.policy) for one in lock_["recipients"]}
        authors.add(self.policy.get("signer"))
        layer, unused = [own], [slot for slot in self.slots if "grant" in slot and slot is not own]
        for _ in range(16):
            layer = [slot for slot in layer if "grant" in slot and self.grant_holds(slot)]
            sought = {slot["grant"]["by"] for slot in layer}
            if sought & authors:
                return True
            layer = [slot for slot in unused if slot["grant"]["id"] in sought]
            unused = [slot for slot in unused if slot["grant"]["id"] not in sought]
        return False

    def grant_holds(self, slot):
        grant = slot["grant"]
        message = self.id + struct.pack(">H", slot["lock"]) + slot["key"] + grant["id"]
        for part in (grant["at"], grant["name"], grant.get("address", "")):
            message += struct.pack(">I", len(part.encode())) + part.encode()
        return verifies(grant["by"], b"encl/1 grant", message, grant["sig"])


def padme(n):
    e = n.bit_length() - 1
    mask = (1 << e - e.bit_length()) - 1
    return n + mask & ~mask


class Body:
    """Steps 8 to 12: M in one pass, with pad and sig kept back."""

    def __init__(self, envelope, release):
        self.envelope, self.policy, self.release = envelope, envelope.policy, release
        self.signature_bytes = 64 if self.policy["signed"] else 0
        self.kept, self.zeros = b"", None  # what may be sig; zeros behind a marker that may be pad
        self.root, self.block, self.d_bytes, self.m_bytes = hashlib.sha256(), b"", 0, 0
        self.line, self.private = b"", None

    def read(self):
        key = expand(self.envelope.content_key, b"encl/1 payload")
        for chunk in chunks(self.envelope.input, key, self.envelope.id):
            self.m_bytes += len(chunk)
            self.kept += chunk
            surplus = max(0, len(self.kept) - self.signature_bytes)
            fresh, self.kept = self.kept[:surplus], self.kept[surplus:]
            self.certain(self.unpadded(fresh))
        self.end()

    def unpadded(self, data):
        """What has become content with these bytes of D and pad."""
        if self.policy["padding"] == "none":
            return data
        bare = data.rstrip(b"\0")
        if not bare and self.zeros is not None:
            self.zeros += len(data)
            return b""
        if not bare:
            return data
        before = b"" if self.zeros is None else b"\x80" + bytes(self.zeros)
        self.zeros = None
        if bare[-1] == 0x80:
            self.zeros = len(data) - len(bare)
            data = bare[:-1]
        return before + data

    def certain(self, data):
        self.d_bytes += len(data)
        if self.policy["signed"]:
            self.hash(data)
        if self.private is not None:
            self.release(data)
            return
        self.line += data
        end = self.line.find(b"\n")
        if end > 8 * MIB or (end < 0 and len(self.line) > 8 * MIB):
            raise Refused("over-limit", "the private line")
        if end >= 0:
            self.private = read_private(self.line[:end], self.policy)
            self.release(self.line[end + 1 :])

    def hash(self, data):
        self.block += data
        while len(self.block) >= CHUNK:
            self.root.update(sha(self.block[:CHUNK]))
            self.block = self.block[CHUNK:]

    def end(self):
        if self.m_bytes < self.signature_bytes:
            raise Refused("damaged", "shorter than its signature")
        if self.policy["padding"] == "padme":
            bare = self.d_bytes + 1 + self.signature_bytes
            if self.zeros is None or self.zeros != padme(bare) - bare:
                raise Refused("damaged", "the padding")
        require(self.private is not None, "no private line")
        if self.policy["signed"]:
            self.verify()

    def verify(self):
        if self.block:
            self.root.update(sha(self.block))
        message = self.envelope.id + struct.pack(">Q", self.d_bytes) + self.root.digest()
        signer = self.policy.get("signer") or self.private["signer"]
        if not verifies(signer, b"encl/1 signature", message, self.kept):
            raise Refused("signature")


# ---- Identities and cards -------------------------------------------------------------------------------------

SERIAL = number(1, 4_294_967_295)
KEY_TABLE = {"kem": known(*KEMS), "serial": SERIAL, "created": moment, "expires": moment}


def read_identity(line):
    return read_root_and_keys(line)[1]


def read_root_and_keys(line):
    secret_key = lambda value: members(value, KEY_TABLE | {"secret": b64(32)}, ("kem", "secret", "serial", "created"))
    table = {"identity": known("encl/1"), "id": b64(32), "seed": b64(32), "keys": list_of(16, secret_key)}
    identity = members(parse_json(line), table, tuple(table))
    require(identity["keys"], "no key")
    distinct(key["serial"] for key in identity["keys"])
    keys = [Key(key["kem"], key["secret"]) for key in identity["keys"]]
    distinct(key["secret"] for key in identity["keys"])
    public = Ed25519PrivateKey.from_private_bytes(identity["seed"]).public_key().public_bytes_raw()
    require(public == identity["id"], "the id is not the seed's")
    return public, keys


# Unicode's White_Space, without what no text may hold.
WHITE_SPACE = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def address(value):
    taken = text(320)(value)
    local, at, domain = taken.partition("@")
    require(local and domain and "@" not in domain and not WHITE_SPACE.search(taken), "an address")
    return taken


def read_carried(prefix, raw, other):
    if len(raw) > 262_144:
        raise Refused("over-limit", "the text")
    lines = [re.sub(rb"[ \t\r]", b"", line.lstrip(b"> \t")) for line in raw.split(b"\n")]
    bare = b"".join(lines)
    if not bare.startswith(prefix):
        raise Refused(other)
    bare, content = bare[len(prefix) :], b""
    for g in range(-(-len(bare) // 62)):
        group, check = bare[g * 62 : g * 62 + 62][:-2], bare[g * 62 : g * 62 + 62][-2:]
        due = base64.urlsafe_b64encode(sha(b"encl/1 check\0", struct.pack(">H", g), group))[:2]
        if not group or check != due:
            raise Refused("mangled", f"group {g + 1}")
        content += group
    try:
        whole = base64.b64decode(content + b"=" * (-len(content) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise Refused("mangled", "not base64url") from None
    if base64.urlsafe_b64encode(whole).rstrip(b"=") != content:
        raise Refused("mangled", "not canonical")
    if len(whole) > 65_536:
        raise Refused("over-limit", "the content")
    return whole


def read_carrier(prefix, raw):
    whole = read_carried(prefix, raw, "not-a-card")
    if whole[-65:-64] != b"\n":
        raise Refused("mangled", "no line feed before the signature")
    return whole[:-65], whole[-64:]


def read_approval(raw):
    if len(raw) > 262_144:
        raise Refused("over-limit", "the text")
    if raw.startswith(b"{"):
        line = raw.removesuffix(b"\n")
        if len(line) > 65_536:
            raise Refused("over-limit", "the line")
    else:
        content = read_carried(b"encl-approval1:", raw, "not-an-approval")
        if not content.endswith(b"\n"):
            raise Refused("mangled", "no line feed")
        line = content[:-1]
    table = {
        "approval": known("encl/1"),
        "policy": b64(32),
        "lock": number(0, 7),
        "key": b64(32),
        "enc": b64(32, 1120),
        "ct": b64(48, 49),
    }
    return members(parse_json(line), table, tuple(table))


def read_card(raw):
    line, signature = read_carrier(b"encl-card1:", raw)
    public_key = lambda value: members(
        value, KEY_TABLE | {"key": b64(32, 1216)}, ("kem", "key", "serial", "created")
    )
    predecessor = lambda value: members(value, {"id": b64(32), "sig": b64(64)}, ("id", "sig"))
    table = {
        "card": known("encl/1"),
        "id": b64(32),
        "name": text(256),
        "addresses": list_of(16, address),
        "serial": SERIAL,
        "created": moment,
        "keys": list_of(16, public_key),
        "replaces": list_of(4, predecessor),
    }
    card = members(parse_json(line), table, tuple(table)[:-1])
    require("replaces" not in card or card["replaces"], "an empty list")
    replaces = card.get("replaces", [])
    distinct([one["id"] for one in replaces] + [card["id"]])
    require(card["addresses"] and card["keys"], "an empty list")
    lower = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
    distinct(one.translate(lower) for one in card["addresses"])
    distinct(key["serial"] for key in card["keys"])
    distinct(key["key"] for key in card["keys"])
    if not verifies(card["id"], b"encl/1 card", line, signature):
        raise Refused("signature")
    for one in replaces:
        if not verifies(one["id"], b"encl/1 succession", card["id"], one["sig"]):
            raise Refused("signature")
    for key in card["keys"]:
        check_public_key(key)
    return card


def group_name(value):
    name = text(64)(value)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    require(name and name[0] in letters and all(one in letters + "._-" for one in name), "a group's name")
    return name


def group_address(value):
    found = text(320)(value)
    local, at, domain = found.rpartition("@")
    require(at and local and domain and not WHITE_SPACE.search(found), "an address")
    return found


def read_group(raw):
    line, signature = read_carrier(b"encl-group1:", raw)
    table = {
        "group": known("encl/1"),
        "keeper": b64(32),
        "name": group_name,
        "serial": number(1, 9_999_999_999),
        "created": moment,
        "members": list_of(1_024, b64(32)),
        "address": group_address,
    }
    group = members(parse_json(line), table, tuple(table)[:-1])
    require(group["members"], "an empty list")
    distinct(group["members"])
    if not verifies(group["keeper"], b"encl/1 group", line, signature):
        raise Refused("signature")
    return group


def read_revocation(raw):
    line, signature = read_carrier(b"encl-revocation1:", raw)
    table = {"revocation": known("encl/1"), "id": b64(32), "created": moment}
    revocation = members(parse_json(line), table, tuple(table))
    if not verifies(revocation["id"], b"encl/1 revocation", line, signature):
        raise Refused("signature")
    return revocation


def check_public_key(key):
    raw = key["key"]
    if len(raw) != KEMS[key["kem"]][1]:
        raise Refused("key", "its length")
    if x25519(b"\1" * 32, raw[-32:]) is None:
        raise Refused("key", "low order")
    coefficients = raw[:-64] if key["kem"] == "x-wing" else b""
    for a, b, c in zip(coefficients[0::3], coefficients[1::3], coefficients[2::3]):
        if a | (b & 15) << 8 >= 3329 or b >> 4 | c << 4 >= 3329:
            raise Refused("key", "the ML-KEM half is not reduced")


# A gate's card: src/gate/PROTOCOL.md.

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


def gate_url(value):
    found = re.fullmatch(r"(https?)://(\[[0-9a-f:.]*\]|[^\[\]:/]*)(?::([1-9][0-9]{0,4}))?", text(255)(value))
    require(found, "not the address of a gate")
    scheme, host, port = found.groups()
    require(port is None or int(port) <= 65_535 and int(port) != {"http": 80, "https": 443}[scheme], "the port")
    require(is_host(host), "the host")
    return value


def is_host(host):
    try:
        if host.startswith("["):
            return f"[{ipaddress.IPv6Address(host[1:-1])}]" == host
        if host.rpartition(".")[2][:1].isdigit():
            return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False
    return all(LABEL.fullmatch(label) for label in host.split("."))


def origin(value):
    name = text()(value)
    require(len(name.encode()) <= 255, "an origin that is too long")
    require("+" not in name and not any(one.isspace() for one in name), "an origin with a blank or a plus")
    return name


def acceptable(value):
    key = b64(32)(value)
    require(acceptable_key(key), "not a key that signs")
    return key


def read_gate_card(raw):
    line, signature = read_carrier(b"encl-gate1:", raw)
    key_table = KEY_TABLE | {"key": b64(32, 1216)}
    table = {
        "gate": known("encl/1"),
        "id": b64(32),
        "name": text(256),
        "url": gate_url,
        "serial": number(1, 9_999_999_999),
        "created": moment,
        "log": acceptable,
        "origin": origin,
        "keys": list_of(16, lambda one: members(one, key_table, ("kem", "key", "serial", "created"))),
    }
    card = members(parse_json(line), table, tuple(table))
    require(card["keys"], "an empty list")
    distinct(key["serial"] for key in card["keys"])
    distinct(key["key"] for key in card["keys"])
    if not verifies(card["id"], b"encl/1 gate card", line, signature):
        raise Refused("signature")
    for key in card["keys"]:
        check_public_key(key)
    require(all(key["kem"] == "x-wing" for key in card["keys"]), "a key that is not an X-Wing key")
    card["newest"] = max(card["keys"], key=lambda key: key["serial"])["key"]
    return card


# ---- The program ----------------------------------------------------------------------------------------------


class Released:
    """Counts and hashes plaintext instead of keeping it."""

    def __init__(self):
        self.bytes, self.hash = 0, hashlib.sha256()

    def __call__(self, data):
        self.bytes += len(data)
        self.hash.update(data)


def answer(name, released, **more):
    return {"class": name, "bytes": released.bytes, "sha256": released.hash.hexdigest()} | more


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def judge(path, identities, passphrase, now, approvals=()):
    released = Released()
    try:
        keys = keys_of(identities)
        approvals = [read_approval(read_file(one)) for one in approvals]
        with open(path, "rb") as source:
            admission = open_envelope(source, keys, passphrase, approvals, now, released)
            return answer("ok", released, admission=admission)
    except Refused as refused:
        return answer(refused.name, released, why=refused.why)


def open_envelope(source, keys, passphrase, approvals, now, release, asking=None):
    envelope = Envelope(source)
    envelope.unlock(keys, passphrase, approvals, asking)
    envelope.decide(now)
    body = Body(envelope, release)
    body.read()
    return envelope.admission(body.private)


IDENTITIES = {}


def keys_of(paths):
    """All keys of all identities, in the order given."""
    for path in paths:
        if path not in IDENTITIES:
            with open(path, "rb") as file:
                IDENTITIES[path] = read_identity(file.read().removesuffix(b"\n"))
    return [key for path in paths for key in IDENTITIES[path]]


def this_moment(now):
    return moment(now) if now else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def batch(path):
    with open(path, encoding="utf-8") as cases:
        for line in filter(str.strip, cases):
            case = json.loads(line)
            identities = case.get("identities") or []
            now, approvals = this_moment(case.get("now")), case.get("approvals", ())
            yield judge(case["file"], identities, case.get("passphrase"), now, approvals)


def card(path):
    with open(path, "rb") as file:
        raw = file.read()
    try:
        found = read_card(raw)
    except Refused as refused:
        return {"class": refused.name, "why": refused.why}
    return {"class": "ok", "id": found["id"].hex(), "name": found["name"]}


# FORMAT.md, "A test kit".


def read_case(path):
    head, _, raw = read_file(path).partition(b"\n\n")
    case = {"identity": [], "approval": []}
    for line in head.decode().split("\n"):
        name, value = line.split(": ", 1)
        if name in ("identity", "approval"):
            case[name].append(value)
        else:
            case[name] = value
    return case, raw


def answer_case(folder, kind, case, raw):
    """What the case's header lines have to be."""
    released = Released()
    found = {}
    try:
        if kind == "card":
            found["fingerprint"] = read_card(raw)["id"].hex()
        elif kind == "gate":
            found["fingerprint"] = read_gate_card(raw)["id"].hex()
        elif kind == "group":
            found["fingerprint"] = read_group(raw)["keeper"].hex()
        elif kind == "revocation":
            found["fingerprint"] = read_revocation(raw)["id"].hex()
        elif kind == "approval":
            read_approval(raw)
        elif kind == "identity" and raw.startswith(b"{"):
            found["fingerprint"] = read_root_and_keys(raw.removesuffix(b"\n"))[0].hex()
        else:
            content = []
            release = content.append if kind == "identity" else released
            keys = keys_of([os.path.join(folder, "keys", name) for name in case["identity"]])
            files = [os.path.join(folder, "approval", name) for name in case["approval"]]
            approvals = [read_approval(read_case(file)[1]) for file in files]
            now = this_moment(case.get("now"))
            admission = open_envelope(io.BytesIO(raw), keys, case.get("passphrase"), approvals, now, release)
            if kind == "envelope":
                found["admission"] = admission
            else:
                found["fingerprint"] = read_root_and_keys(b"".join(content).removesuffix(b"\n"))[0].hex()
        found["expect"] = "success"
    except Refused as refused:
        found["expect"] = refused.name
    if kind == "envelope":
        found["payload"] = released.hash.hexdigest()
    return found


def kit(folder):
    """Tells each case that is answered otherwise, and how many there are."""
    count = wrong = 0
    for kind in ("approval", "card", "envelope", "gate", "group", "identity", "revocation"):
        for name in sorted(os.listdir(os.path.join(folder, kind))):
            case, raw = read_case(os.path.join(folder, kind, name))
            found = answer_case(folder, kind, case, raw)
            due = {key: case[key] for key in ("expect", "payload", "admission", "fingerprint") if key in case}
            count += 1
            if found != due:
                wrong += 1
                print(f"{kind}/{name}: due {due}, found {found}")
    print(f"{count} cases, {wrong} answered otherwise")
    return wrong == 0


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--identity", action="append", default=[])
    options.add_argument("--passphrase")
    options.add_argument("--now")
    options.add_argument("--batch")
    options.add_argument("--card")
    options.add_argument("--kit")
    options.add_argument("file", nargs="?")
    given = options.parse_args()
    if given.kit:
        sys.exit(0 if kit(given.kit) else 1)
    if given.batch:
        answers = batch(given.batch)
    elif given.card:
        answers = [card(given.card)]
    elif given.file:
        answers = [judge(given.file, given.identity, given.passphrase, this_moment(given.now))]
    else:
        options.error("a file, --batch, --card or --kit is needed")
    for one in answers:
        print(json.dumps(one), flush=True)


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    main()
