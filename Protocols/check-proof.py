#!/usr/bin/env python3
"""Checks proofs, checkpoints and exported logs of Varde without Varde, as log.md describes them.

    check-proof.py proof FILE [--charter-hash HASH]     the file of 'varde prove'
    check-proof.py checkpoint FILE --vkey KEY           a signed head, C2SP tlog-checkpoint
    check-proof.py tiles FOLDER --vkey KEY              a log as C2SP tlog-tiles: every leaf, tile and the head

Python's standard library only; Ed25519 is left to 'openssl pkeyutl'. Ends with status 1 and a sentence where anything is
wrong. It was written apart from Varde's own readers and shares nothing with them, so that each can be held against the
other. What it leaves out of the rules of the charter is said at Chain.
"""

import argparse
import base64
import datetime
import hashlib
import json
import os
import subprocess
import sys
import tempfile


class Refused(Exception):
    """Something is wrong, said in a sentence."""


def require(condition, sentence):
    if not condition:
        raise Refused(sentence)


def sha256(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


def unbase64(text):
    """Base64 with one spelling for each value."""
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("this is no base64: " + str(text)[:60])
    written = base64.b64encode(value).decode()
    require(written == (text if isinstance(text, str) else text.decode()), "base64 is written in an odd way")
    return value


def ed25519(public_key, message, signature):
    """Whether OpenSSL takes the signature for valid."""
    with tempfile.TemporaryDirectory() as folder:
        def put(name, value):
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(value)
            return path
        key = put("key", bytes.fromhex("302a300506032b6570032100") + public_key)
        call = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", key, "-rawin",
                "-in", put("message", message), "-sigfile", put("signature", signature)]
        return subprocess.run(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


# Merkle trees, RFC 9162, section 2.1

def leaf_hash(leaf):
    return sha256(b"\x00", leaf)


def node_hash(left, right):
    return sha256(b"\x01", left, right)


def tree_root(hashes):
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256()
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(tree_root(hashes[:split]), tree_root(hashes[split:]))


def root_by_inclusion(index, size, leaf, path):
    """RFC 9162, section 2.1.3.2."""
    require(0 <= index < size, "the index is not below the size of the head")
    node, last, result = index, size - 1, leaf
    for other in path:
        require(last > 0, "the inclusion proof is too long")
        if node & 1 or node == last:
            result = node_hash(other, result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, other)
        node, last = node >> 1, last >> 1
    require(last == 0, "the inclusion proof is too short")
    return result


def check_consistency(old_size, old_root, new_size, new_root, path):
    """RFC 9162, section 2.1.4.2."""
    require(0 < old_size <= new_size, "the sizes of the two heads are in the wrong order")
    if old_size == new_size:
        require(not path and old_root == new_root, "two heads of one size differ")
        return
    if old_size & (old_size - 1) == 0:
        path = [old_root] + path
    require(path, "the consistency proof is empty")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for other in path[1:]:
        require(last > 0, "the consistency proof is too long")
        if node & 1 or node == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, other)
        node, last = node >> 1, last >> 1
    require(last == 0, "the consistency proof is too short")
    require(old == old_root and new == new_root, "the two heads do not agree with each other")


# Signed notes and checkpoints, C2SP

def key_id(name, kind, public_key):
    return sha256(name.encode(), b"\n", bytes([kind]), public_key)[:4]


def read_vkey(text):
    parts = text.split("+", 2)
    require(len(parts) == 3, "a verifier key has the form <name>+<key id>+<base64>")
    material = unbase64(parts[2])
    require(len(material) == 33 and material[0] in (1, 4), "the verifier key is no Ed25519 key")
    require(key_id(parts[0], material[0], material[1:]).hex() == parts[1], "the key id is not that of the key")
    return parts[0], material[0], material[1:]


class Checkpoint:
    def __init__(self, note):
        require(note.endswith(b"\n"), "the checkpoint is cut off")
        text, blank, lines = note.rpartition(b"\n\n")
        require(blank, "the checkpoint has no signatures")
        self.text = text + b"\n"
        rows = self.text[:-1].decode().split("\n")
        require(len(rows) >= 3 and all(rows), "the checkpoint has not three lines")
        require(rows[1] == str(int(rows[1])) if rows[1].isdigit() else False, "the size is no number")
        self.origin, self.size, self.root = rows[0], int(rows[1]), unbase64(rows[2])
        require(len(self.root) == 32, "the root has not 32 bytes")
        self.signatures = []
        for line in lines[:-1].decode().split("\n"):
            parts = line.split(" ")
            require(len(parts) == 3 and parts[0] == "\u2014", "a signature line is malformed")
            value = unbase64(parts[2])
            require(len(value) > 4, "a signature line is too short")
            self.signatures.append((parts[1], value[:4], value[4:]))

    def is_signed_by(self, public_key):
        """Whether the log's own key signed; a wrong signature under its name and id is an error."""
        for name, ident, value in self.signatures:
            if name == self.origin and ident == key_id(name, 1, public_key):
                require(ed25519(public_key, self.text, value), "the signature of the log does not fit")
                return True
        return False

    def cosigned(self, name, public_key):
        """The time of the witness's valid cosignature; None where there is none."""
        for found, ident, value in self.signatures:
            if found == name and ident == key_id(name, 4, public_key):
                require(len(value) == 72, "a cosignature has not 72 bytes")
                seconds = int.from_bytes(value[:8], "big")
                message = b"cosignature/v1\ntime %d\n" % seconds + self.text
                require(ed25519(public_key, message, value[8:]), "the cosignature of %s does not fit" % name)
                return seconds
        return None


# Protocol buffers: just enough to read headers and charters

def fields(message):
    """Pairs of field number and value; numbers as int, everything else as bytes."""
    place = 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            require(place < len(message) and shift < 70, "a message is cut off")
            byte = message[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(message):
        tag = varint()
        if tag & 7 == 0:
            value = varint()
        else:
            length = {1: 8, 5: 4}.get(tag & 7)
            if length is None:
                require(tag & 7 == 2, "a message is malformed")
                length = varint()
            require(place + length <= len(message), "a message is cut off")
            value = message[place:place + length]
            place += length
        yield tag >> 3, value


def one(message, number, default=None):
    found = [value for field, value in fields(message) if field == number]
    return found[-1] if found else default


def every(message, number):
    return [value for field, value in fields(message) if field == number]


def version(message, what):
    first = next(iter(fields(message)), (0, None))
    require(first == (1, 0), "the %s is of a version that is not known here" % what)


# The charter

class Charter:
    def __init__(self, signed):
        version(signed, "charter")
        self.bytes = one(signed, 2, b"")
        version(self.bytes, "charter")
        self.hash = sha256(b"varde/charter/0", self.bytes)
        self.signatures = [(one(s, 1), one(s, 2)) for s in every(signed, 3)]
        self.network = one(self.bytes, 2, b"").decode()
        self.number = one(self.bytes, 3, 0)
        self.previous = one(self.bytes, 4)
        self.administrators = every(self.bytes, 7)
        self.settles = every(self.bytes, 8)
        self.nodes = {}
        for node in every(self.bytes, 5):
            self.nodes[one(node, 1, b"").decode()] = {
                "name": one(node, 2, b"").decode(), "signing": one(node, 4), "witness": one(node, 6),
                "keys": (one(node, 4), one(node, 5), one(node, 6)),
                "admitted": one(node, 7, 0) == 1,
                "accepted": {one(h, 1): (one(h, 2, 0), one(h, 3)) for h in every(node, 8)}}

    def check_signatures(self, signers):
        valid = set()
        for key, value in self.signatures:
            if key in signers and key not in valid:
                require(ed25519(key, b"varde/charter-signature/0" + self.hash, value),
                        "a signature of version %d of the charter does not fit" % self.number)
                valid.add(key)
        require(len(valid) > len(signers) // 2, "version %d of the charter has too few signatures" % self.number)


class Chain:
    """All versions that a file holds, each checked against the one before: number, hash, network, signatures of more than half.

    Left out are the rules that only keep administrators from mistakes, such as keys given twice.
    """

    def __init__(self, signed_versions, founding_hash):
        require(signed_versions, "there is no charter")
        self.versions = []
        for signed in signed_versions:
            self.add(Charter(signed), founding_hash)
        self.undisputed = [self.versions[0]]
        while True:
            after = [v for v in self.versions if v.previous == self.undisputed[-1].hash]
            counting = [v for v in after if all(other is v or other.hash in v.settles for other in after)]
            if not counting:
                break
            self.undisputed.append(counting[0])
        self.number = max(version.number for version in self.versions)
        self.nodes = self.undisputed[-1].nodes
        if after:
            self.nodes = self.disputed_nodes(self.undisputed[-1])
        self.network = self.versions[0].network

    def add(self, new, founding_hash):
        if not self.versions:
            require(new.number == 0 and new.previous is None, "the first version of the charter is not version 0")
            require(founding_hash in (None, new.hash), "this is another network's charter")
            new.check_signatures(new.administrators)
        else:
            before = [version for version in self.versions if version.hash == new.previous]
            require(before, "a version of the charter follows one that is not here")
            follows = new.number - before[0].number
            require(follows > 1 if new.settles else follows == 1, "the versions of the charter do not follow one another")
            require(new.network == before[0].network, "the charter changes its network")
            new.check_signatures(before[0].administrators)
        self.versions.append(new)

    def disputed_nodes(self, last):
        """What counts of rivals between which nothing settles: every revocation, and no admission."""
        found, later = {last.hash}, []
        for version in self.versions:
            if version.previous in found:
                found.add(version.hash)
                later.append(version)
        nodes = {}
        for name, node in last.nodes.items():
            changed = [v.nodes[name] for v in later if any(v.nodes[name][key] != node[key] for key in
                                                           ("admitted", "keys", "accepted"))]
            nodes[name] = node
            if not changed or not node["admitted"]:
                continue
            given = {other["keys"] for other in changed if other["keys"] != node["keys"]}
            stays = len(given) <= 1 and all(other["admitted"] for other in changed)
            accepted = dict(changed[0]["accepted"])
            for other in changed[1:]:
                for log in list(accepted):
                    pair = sorted([accepted[log], other["accepted"].get(log, (0, b""))])
                    accepted[log] = pair[0]
                    if pair[0] != pair[1] and (pair[0][0] == pair[1][0] or log not in other["accepted"]):
                        del accepted[log]
            nodes[name] = dict(changed[-1] if stays else node, admitted=stays, accepted=accepted)
        return nodes


# Entries

def log_id(network, node, stream, epoch):
    names = [network.encode(), node.encode(), stream.encode(), bytes.fromhex(epoch)]
    return sha256(b"varde/log/0", *[bytes([len(name)]) + name for name in names])


def read_log_proof(text):
    head, blank, note = text.partition("\n\n")
    require(blank, "the log proof has no checkpoint")
    lines = head.split("\n")
    require(lines[0] == "c2sp.org/tlog-proof@v1", "this is no tlog-proof of version 1")
    rest = lines[2:] if lines[1].startswith("extra ") else lines[1:]
    require(rest and rest[0].startswith("index "), "the log proof has no index")
    index = rest[0][6:]
    require(index.isdigit() and str(int(index)) == index, "the index is no number")
    return int(index), [unbase64(line) for line in rest[1:]], Checkpoint(note.encode())


def check_entry(entry, chain):
    """Checks one entry; gives what was found out."""
    require(entry["network"] == chain.network, "the log is of another network than the charter")
    log = log_id(entry["network"], entry["node"], entry["stream"], entry["epoch"])
    header = unbase64(entry["header"])
    version(header, "header")
    index, path, checkpoint = read_log_proof(entry["logProof"])
    require(one(header, 3) == log, "the header names another log")
    require(one(header, 4, 0) == index, "the header names another index than the log proof")
    require(checkpoint.origin == "%s/log/%s" % (entry["network"], log.hex()), "the checkpoint is another log's")
    require(root_by_inclusion(index, checkpoint.size, leaf_hash(header), path) == checkpoint.root,
            "the header is not the leaf at this index of the log")
    require(one(header, 16, 0) <= chain.number, "the charter ends before the version that the entry names")

    committed = every(header, 22)
    require(len(entry["parts"]) == len(committed), "there are not as many parts as the header commits to")
    missing = []
    for position, (part, commitment) in enumerate(zip(entry["parts"], committed)):
        if part is None:
            missing.append(position)
            continue
        salt, value = unbase64(part["salt"]), unbase64(part["bytes"])
        require(len(salt) == 16, "a salt has not 16 bytes")
        made = sha256(b"\x02", bytes([one(commitment, 1, 0)]), salt, value)
        require(made == one(commitment, 2) and len(value) == one(commitment, 3, 0),
                "part %d is not the one that the header commits to" % position)

    node = chain.nodes.get(entry["node"])
    require(node, "the charter does not name the node")
    keys = {version.nodes[entry["node"]]["signing"] for version in chain.versions if entry["node"] in version.nodes}
    signed = [key for key in keys if checkpoint.is_signed_by(key)]
    require(signed, "no key of the node signed the checkpoint")
    accepted = node["accepted"].get(log)
    if accepted:
        size, root = accepted
        require(index < size, "the entry lies beyond the head that the charter accepts")
        require("acceptedPath" in entry, "nothing shows that the checkpoint agrees with the accepted head")
        heads = sorted([(size, root), (checkpoint.size, checkpoint.root)])
        path = [unbase64(text) for text in entry["acceptedPath"]]
        check_consistency(*heads[0], *heads[1], path)
    else:
        require(node["admitted"] and signed[0] == node["signing"],
                "the key that signed was revoked or replaced, and the charter accepts nothing of the log")
    return {"log": log, "index": index, "header": header, "checkpoint": checkpoint, "missing": missing,
            "stream": entry["stream"], "node": entry["node"], "key": signed[0]}


def witnesses(chain):
    """Every witness key: its name, its bytes, and whether the newest charter still names it."""
    history = {}
    for version in chain.undisputed:
        for name, node in version.nodes.items():
            keys = history.setdefault(name, [])
            if not keys or keys[-1] != node["witness"]:
                keys.append(node["witness"])
    for name, keys in history.items():
        newest = chain.nodes.get(name)
        for number, key in enumerate(keys, 1):
            is_current = newest is not None and newest["admitted"] and newest["witness"] == key
            yield "%s/witness/%s/%d" % (chain.network, name, number), name, key, is_current


def check_proof(path, founding_hash):
    with open(path, "rb") as file:
        data = json.loads(file.read().decode())
    require(next(iter(data)) == "format" and data["format"] == "varde/entry-proof/0", "this is no proof file")
    chain = Chain([unbase64(text) for text in data["charter"]], founding_hash)
    found = check_entry(data["entry"], chain)
    orders = [check_entry(order, chain) for order in data["orders"]]
    for order in orders:
        kind = one(order["header"], 5, 0)
        require(kind in (50, 51), "what stands under 'orders' is no order")
        require(order["stream"] == found["stream"], "an order is of another stream")
    require(not found["missing"] or orders, "parts %s are missing, and there is no order" % found["missing"])

    header = found["header"]
    zigzag = one(header, 7, 0)
    milliseconds = zigzag >> 1 ^ -(zigzag & 1)
    print("proven: node %s recorded entry %d of log %s" % (found["node"], found["index"], found["log"].hex()))
    print("entry id: %s" % leaf_hash(header).hex())
    print("operation %d, by actor %s, kind %d, role %d, authentication %d" % (
        one(header, 5, 0), one(header, 11, b"").hex(), one(header, 12, 0), one(header, 13, 0), one(header, 14, 0)))
    print("node's clock: %d ms after 1970" % milliseconds)
    times = []
    for name, node, key, is_current in witnesses(chain):
        seconds = found["checkpoint"].cosigned(name, key)
        if seconds is None:
            continue
        if is_current and node != found["node"]:
            times.append(seconds)
        print("cosigned by %s at %d%s" % (name, seconds, "" if is_current else " (key counts no more)"))
    if times:
        first = datetime.datetime.fromtimestamp(min(times), datetime.timezone.utc)
        print("no later than %s" % first.strftime("%Y-%m-%dT%H:%M:%SZ"))
    else:
        print("no witness vouches for the time")
    for position in found["missing"]:
        print("part %d is missing; read in the orders whether they allow that" % position)
    print("head of size %d; charter up to version %d" % (found["checkpoint"].size, chain.number))
    print("founding hash of the charter: %s%s" % (
        chain.versions[0].hash.hex(), "" if founding_hash else " (compare it with the one you have by another way)"))


# Tiles, C2SP tlog-tiles

def tile_number(index):
    groups = []
    while True:
        groups.insert(0, "%03d" % (index % 1000))
        index //= 1000
        if index == 0:
            return "/".join(["x" + group for group in groups[:-1]] + groups[-1:])


def check_checkpoint(path, vkey):
    with open(path, "rb") as file:
        checkpoint = Checkpoint(file.read())
    name, kind, public_key = read_vkey(vkey)
    if kind == 4:
        require(checkpoint.cosigned(name, public_key) is not None, "the witness did not cosign")
    else:
        require(name == checkpoint.origin, "the key is another log's")
        require(checkpoint.is_signed_by(public_key), "the key did not sign the checkpoint")
    return checkpoint


def check_tiles(folder, vkey):
    checkpoint = check_checkpoint(os.path.join(folder, "checkpoint"), vkey)

    def tile(kind, number, width):
        path = os.path.join(folder, "tile", kind, tile_number(number))
        if width < 256:
            path += ".p/%d" % width
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            raise Refused("%s is missing" % path)

    leaves = []
    while len(leaves) < checkpoint.size:
        width = min(256, checkpoint.size - len(leaves))
        number = len(leaves) // 256
        bundle, place = tile("entries", number, width), 0
        for _ in range(width):
            require(place + 2 <= len(bundle), "a bundle is cut off")
            length = int.from_bytes(bundle[place:place + 2], "big")
            require(place + 2 + length <= len(bundle), "a bundle is cut off")
            leaves.append(leaf_hash(bundle[place + 2:place + 2 + length]))
            place += 2 + length
        require(place == len(bundle), "bundle %d holds more than its leaves" % number)
    level, hashes = 0, leaves
    while hashes:
        for number in range((len(hashes) + 255) // 256):
            expected = hashes[256 * number:256 * number + 256]
            require(tile(str(level), number, len(expected)) == b"".join(expected),
                    "tile %d of level %d does not hold the hashes of what lies under it" % (number, level))
        hashes = [tree_root(hashes[start:start + 256]) for start in range(0, len(hashes) // 256 * 256, 256)]
        level += 1
    require(tree_root(leaves) == checkpoint.root, "the leaves do not lead to the checkpoint")
    print("proven: %d entries of %s lead to the signed head" % (checkpoint.size, checkpoint.origin))


def main():
    parser = argparse.ArgumentParser(description="Checks proofs, heads and exported logs of Varde without Varde.")
    commands = parser.add_subparsers(dest="command", required=True)
    proof = commands.add_parser("proof")
    proof.add_argument("file")
    proof.add_argument("--charter-hash")
    for name, argument in (("checkpoint", "file"), ("tiles", "folder")):
        command = commands.add_parser(name)
        command.add_argument(argument)
        command.add_argument("--vkey", required=True)
    asked = parser.parse_args()
    try:
        if asked.command == "proof":
            check_proof(asked.file, bytes.fromhex(asked.charter_hash) if asked.charter_hash else None)
        elif asked.command == "tiles":
            check_tiles(asked.folder, asked.vkey)
        else:
            checkpoint = check_checkpoint(asked.file, asked.vkey)
            print("proven: head of size %d of %s" % (checkpoint.size, checkpoint.origin))
    except Refused as refusal:
        sys.exit("refused: %s" % refusal)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OSError, StopIteration) as error:
        sys.exit("refused: the file cannot be read (%s: %s)" % (type(error).__name__, error))


if __name__ == "__main__":
    main()
