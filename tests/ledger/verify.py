#!/usr/bin/env python3
"""Computes a ledger's chain again from an export, with nothing but the standard library (docs/money.md has the form).

    verify.py EXPORT.jsonl [ANCHORS]

Each line of the export is a place of the chain: position, the entry with its lines, and the hash that was sealed. Each line of
the anchor file is a moment, a district, a position and a hash. Prints `<district> <entries> <hash>` for each district and ends
with 0 when everything agrees; prints the first place that does not and ends with 1.
"""

import hashlib
import json
import sys

START = "0" * 64


def canonical(previous, position, entry):
    """The text that is hashed."""
    lines = [
        "kehou.ledger.v1",
        f"previous={previous}",
        f"position={position}",
        f"district={entry['district_id']}",
        f"school={entry['school_id']}",
        f"journal={entry['journal_id']}",
        f"source={entry['source_id']}",
        f"kind={entry['kind']}",
        f"number={entry['number']}",
        f"at={entry['at']}",
    ]
    for line in entry["lines"]:
        lines.append(f"{line['number']} {line['account']} {line['debit_fen']} {line['credit_fen']}")
    return "".join(line + "\n" for line in lines).encode("ascii")


def differs(district, position, why):
    print(f"{district} position {position}: {why}")
    sys.exit(1)


def main():
    heads = {}
    sealed = {}
    with open(sys.argv[1], encoding="ascii") as export:
        for text in export:
            link = json.loads(text)
            district, position = link["district_id"], link["position"]
            before, previous = heads.get(district, (0, START))
            if position != before + 1:
                differs(district, before + 1, "a place of the chain is empty")
            if sum(line["debit_fen"] - line["credit_fen"] for line in link["lines"]) != 0:
                differs(district, position, "the entry is not balanced")
            digest = hashlib.sha256(canonical(previous, position, link)).hexdigest()
            if digest != link["hash"]:
                differs(district, position, "the entry is not the one that was sealed")
            heads[district] = (position, digest)
            sealed[(district, position)] = digest
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="ascii") as anchors:
            for text in anchors:
                _, district, position, digest = text.split()
                if sealed.get((district, int(position))) != digest:
                    differs(district, position, "it is not what was anchored")
    for district, (position, digest) in sorted(heads.items()):
        print(f"{district} {position} {digest}")


main()
