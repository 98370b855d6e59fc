#!/usr/bin/env python3
"""Verifies a bundle of a draw, from docs/draw.md alone, with the standard library alone.

    verify.py bundle.json [--root HEX]    one bundle
    verify.py --lines bundles.jsonl       one bundle a line, one answer a line

An answer is `true ROOT SEED DIGEST` or `false REASON`. The status is 1 when an answer is false.
"""

import hashlib
import json
import sys

WHYS = {"no_seats": 1, "reserved": 2, "priority": 3, "number": 4}
HEX = set("0123456789abcdef")


class Refused(Exception):
    """The bundle is not true; says where."""


def need(holds, where):
    if not holds:
        raise Refused(where)


# --- Bytes ----------------------------------------------------------------------------------------------------------


def u8(n):
    return n.to_bytes(1, "big")


def u32(n):
    return n.to_bytes(4, "big")


def text(s):
    raw = s.encode("utf-8")
    return u32(len(raw)) + raw


def many(items, write):
    return u32(len(items)) + b"".join(write(item) for item in items)


def optional(value, write):
    return b"\x00" if value is None else b"\x01" + write(value)


def H(tag, *parts):
    return hashlib.sha256(b"kehou/draw/1/" + tag.encode("ascii") + b"\x00" + b"".join(parts)).digest()


def raw(hex_text):
    return bytes.fromhex(hex_text)


# --- The shape of the file ------------------------------------------------------------------------------------------


def fields(value, names, where):
    need(type(value) is dict and sorted(value) == sorted(names.split()), where)


def is_number(value):
    return type(value) is int and 0 <= value < 2**32


def is_hash(value):
    return type(value) is str and len(value) == 64 and set(value) <= HEX


def is_text(value):
    if type(value) is not str:
        return False
    try:
        length = len(value.encode("utf-8"))
    except UnicodeEncodeError:
        return False
    return 1 <= length <= 1024 and not any(ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F for c in value)


def numbers(value, where):
    need(type(value) is list and all(map(is_number, value)), where)


def listed(value, where):
    need(type(value) is list, where)
    return list(enumerate(value))


def distinct(values):
    return len(set(values)) == len(values)


def ascending(values):
    return all(a < b for a, b in zip(values, values[1:]))


def check_terms(terms):
    fields(
        terms,
        "round_id act previous_root mode siblings slots groups sections sources",
        "terms",
    )
    need(is_text(terms["round_id"]), "terms.round_id")
    need(is_number(terms["act"]) and terms["act"] >= 1, "terms.act")
    previous = terms["previous_root"]
    need(previous is None or is_hash(previous), "terms.previous_root")
    need((previous is not None) == (terms["act"] > 1), "terms.previous_root")
    need(terms["mode"] in ("ranked", "lottery"), "terms.mode")
    need(terms["siblings"] in ("apart", "together"), "terms.siblings")
    for name, least, most in (("slots", 1, 64), ("groups", 0, 256)):
        codes = terms[name]
        need(type(codes) is list and least <= len(codes) <= most, "terms." + name)
        need(all(map(is_text, codes)) and distinct(codes), "terms." + name)
    need(type(terms["sections"]) is list and len(terms["sections"]) <= 10000, "terms.sections")
    for at, section in enumerate(terms["sections"]):
        check_section(terms, section, "terms.sections[%d]" % at)
    need(distinct([section["code"] for section in terms["sections"]]), "terms.sections")
    check_sources(terms["sources"])


def check_section(terms, section, where):
    fields(section, "code slot capacity tiers reserves", where)
    need(is_text(section["code"]), where + ".code")
    need(is_number(section["slot"]) and section["slot"] < len(terms["slots"]), where + ".slot")
    need(is_number(section["capacity"]) and section["capacity"] <= 1000000, where + ".capacity")
    groups = []
    for at, tier in listed(section["tiers"], where + ".tiers"):
        numbers(tier, "%s.tiers[%d]" % (where, at))
        need(tier, "%s.tiers[%d]" % (where, at))
        groups += tier
    need(distinct(groups) and all(g < len(terms["groups"]) for g in groups), where + ".tiers")
    groups, seats = [], 0
    for at, reserve in listed(section["reserves"], where + ".reserves"):
        fields(reserve, "group seats", "%s.reserves[%d]" % (where, at))
        numbers(list(reserve.values()), "%s.reserves[%d]" % (where, at))
        need(reserve["seats"] >= 1, "%s.reserves[%d].seats" % (where, at))
        groups.append(reserve["group"])
        seats += reserve["seats"]
    need(distinct(groups) and all(g < len(terms["groups"]) for g in groups), where + ".reserves")
    need(seats <= section["capacity"], where + ".reserves")


def check_sources(sources):
    need(type(sources) is list and len(sources) <= 64, "terms.sources")
    every, largest = 0, 0
    for at, source in enumerate(sources):
        where = "terms.sources[%d]" % at
        fields(source, "name what bits kind", where)
        need(is_text(source["name"]) and is_text(source["what"]), where)
        need(is_number(source["bits"]), where + ".bits")
        kind = source["kind"]
        need(type(kind) is dict and len(kind) == 1, where + ".kind")
        ((name, inner),) = kind.items()
        if name == "contribution":
            fields(inner, "seal", where + ".kind")
            need(is_hash(inner["seal"]), where + ".kind")
            carried = 256
            largest = max(largest, source["bits"])
        else:
            need(name in ("decimal", "hex"), where + ".kind")
            fields(inner, "digit_count", where + ".kind")
            count = inner["digit_count"]
            need(is_number(count) and count >= 1, where + ".kind.digit_count")
            carried = count * 3321 // 1000 if name == "decimal" else 4 * count
        need(source["bits"] <= carried, where + ".bits")
        every += source["bits"]
    need(distinct([source["name"] for source in sources]), "terms.sources")
    need(every - largest >= 128, "terms.sources")


def check_pupils(terms, pupils):
    need(type(pupils) is list and len(pupils) <= 1000000, "pupils")
    sections = terms["sections"]
    settled_count = [0] * len(sections)
    before = ""
    for at, pupil in enumerate(pupils):
        where = "pupils[%d]" % at
        fields(pupil, "pseudonym salt family groups settled lists", where)
        need(is_hash(pupil["pseudonym"]) and before < pupil["pseudonym"], where + ".pseudonym")
        before = pupil["pseudonym"]
        need(is_hash(pupil["salt"]), where + ".salt")
        family = pupil["family"]
        need(family is None or (is_hash(family) and terms["siblings"] == "together"), where + ".family")
        numbers(pupil["groups"], where + ".groups")
        need(ascending(pupil["groups"]), where + ".groups")
        need(all(g < len(terms["groups"]) for g in pupil["groups"]), where + ".groups")
        numbers(pupil["settled"], where + ".settled")
        need(ascending(pupil["settled"]), where + ".settled")
        need(all(s < len(sections) for s in pupil["settled"]), where + ".settled")
        taken = [sections[s]["slot"] for s in pupil["settled"]]
        need(distinct(taken), where + ".settled")
        for section in pupil["settled"]:
            settled_count[section] += 1
        last = -1
        for position, wishes in listed(pupil["lists"], where + ".lists"):
            check_list(terms, wishes, taken, last, "%s.lists[%d]" % (where, position))
            last = wishes["slot"]
    for at, section in enumerate(sections):
        need(settled_count[at] <= section["capacity"], "terms.sections[%d].capacity" % at)


def check_list(terms, wishes, taken, last, where):
    fields(wishes, "slot ranked any_of", where)
    slot = wishes["slot"]
    need(is_number(slot) and last < slot < len(terms["slots"]) and slot not in taken, where + ".slot")
    numbers(wishes["ranked"], where + ".ranked")
    numbers(wishes["any_of"], where + ".any_of")
    asked = wishes["ranked"] + wishes["any_of"]
    need(asked and distinct(asked) and ascending(wishes["any_of"]), where)
    sections = terms["sections"]
    need(all(s < len(sections) and sections[s]["slot"] == slot for s in asked), where)
    if terms["mode"] == "lottery":
        need(len(wishes["ranked"]) == 1 and not wishes["any_of"], where)


# --- The commitment -------------------------------------------------------------------------------------------------


def terms_leaf(terms, pupil_count):
    def section(one):
        return (
            text(one["code"])
            + u32(one["slot"])
            + u32(one["capacity"])
            + many(one["tiers"], lambda tier: many(tier, u32))
            + many(one["reserves"], lambda r: u32(r["group"]) + u32(r["seats"]))
        )

    def source(one):
        head = text(one["name"]) + text(one["what"]) + u32(one["bits"])
        ((name, inner),) = one["kind"].items()
        if name == "contribution":
            return head + u8(3) + raw(inner["seal"])
        return head + u8({"decimal": 1, "hex": 2}[name]) + u32(inner["digit_count"])

    return (
        u8(1)
        + text(terms["round_id"])
        + u32(terms["act"])
        + optional(terms["previous_root"], raw)
        + u8({"ranked": 1, "lottery": 2}[terms["mode"]])
        + u8({"apart": 1, "together": 2}[terms["siblings"]])
        + many(terms["slots"], text)
        + many(terms["groups"], text)
        + many(terms["sections"], section)
        + many(terms["sources"], source)
        + u32(pupil_count)
    )


def pupil_leaf(pupil):
    def wishes(one):
        return u32(one["slot"]) + many(one["ranked"], u32) + many(one["any_of"], u32)

    return (
        u8(2)
        + raw(pupil["pseudonym"])
        + raw(pupil["salt"])
        + optional(pupil["family"], raw)
        + many(pupil["groups"], u32)
        + many(pupil["settled"], u32)
        + many(pupil["lists"], wishes)
    )


def root_of(terms, pupils):
    leaves = [terms_leaf(terms, len(pupils))] + [pupil_leaf(pupil) for pupil in pupils]
    level = [H("leaf", leaf) for leaf in leaves]
    while len(level) > 1:
        pairs = [H("node", level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return H("root", u32(len(leaves)), level[0])


# --- The seed and what follows from it ------------------------------------------------------------------------------


def seed_of(terms, root, values):
    need(type(values) is list and len(values) == len(terms["sources"]), "values")
    for at, (source, value) in enumerate(zip(terms["sources"], values)):
        where = "values[%d]" % at
        ((name, inner),) = source["kind"].items()
        length = 64 if name == "contribution" else inner["digit_count"]
        need(type(value) is str and len(value) == length, where)
        need(set(value) <= (set("0123456789") if name == "decimal" else HEX), where)
        if name == "contribution":
            sealed = H("contribution", text(terms["round_id"]), u32(terms["act"]), text(source["name"]), raw(value))
            need(sealed == raw(inner["seal"]), where)
    return H("seed", root, many(values, text))


class Stream:
    def __init__(self, seed, purpose, unit, slot):
        self.head = seed + u8(purpose) + unit + u32(slot)
        self.counter = 0
        self.words = []

    def word(self):
        if not self.words:
            block = H("stream", self.head, self.counter.to_bytes(8, "big"))
            self.counter += 1
            self.words = [int.from_bytes(block[i : i + 8], "big") for i in (0, 8, 16, 24)]
        return self.words.pop(0)

    def below(self, bound):
        refused_from = 2**64 - 2**64 % bound
        while True:
            word = self.word()
            if word < refused_from:
                return word % bound

    def shuffle(self, items):
        for i in reversed(range(1, len(items))):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items


def unit_of(pupil):
    return raw(pupil["family"] or pupil["pseudonym"])


def draw_numbers(terms, pupils, seed):
    slots = range(len(terms["slots"]))
    places = [[] for _ in slots]
    for at, pupil in enumerate(pupils):
        own = raw(pupil["pseudonym"])
        stream = Stream(seed, 1, unit_of(pupil), 0)
        strata = stream.shuffle(list(slots))
        words = [stream.word() for _ in slots]
        sibling = Stream(seed, 2, own, 0)
        own_words = [sibling.word() if pupil["family"] else 0 for _ in slots]
        for slot in slots:
            places[slot].append((strata[slot], words[slot], unit_of(pupil), own_words[slot], own, at))
    result = []
    for place in places:
        row = [0] * len(pupils)
        for number, standing in enumerate(sorted(place), 1):
            row[standing[-1]] = number
        result.append(row)
    return result


# --- The matching: everybody who is free asks, sections choose, until nobody is free ------------------------------------


def tier_of(section, pupil):
    for at, tier in enumerate(section["tiers"]):
        if set(tier) & set(pupil["groups"]):
            return at
    return len(section["tiers"])


def quota_of(at, section, pupils):
    kept = [reserve["seats"] for reserve in section["reserves"]]
    seats = section["capacity"]
    for pupil in pupils:
        if at in pupil["settled"]:
            seats -= 1
            for i, reserve in enumerate(section["reserves"]):
                if kept[i] > 0 and reserve["group"] in pupil["groups"]:
                    kept[i] -= 1
                    break
    free = seats
    for i in range(len(kept)):
        kept[i] = min(kept[i], free)
        free -= kept[i]
    return seats, kept


def choose(section, quota, pupils, asking):
    """Of those asking, as (tier, number, pupil), whom the section puts first, each with the reserve, and the rest."""
    seats, kept = quota
    left = sorted(asking)
    first = []
    for i, reserve in enumerate(section["reserves"]):
        own = [one for one in left if reserve["group"] in pupils[one[2]]["groups"]][: kept[i]]
        taken = set(own)
        first += [(one, i) for one in own]
        left = [one for one in left if one not in taken]
    open_seats = seats - len(first)
    first += [(one, None) for one in left[:open_seats]]
    return sorted(first, key=lambda pair: pair[0]), left[open_seats:]


def match(terms, pupils, seed, slot, row, results):
    at_slot = [at for at, section in enumerate(terms["sections"]) if section["slot"] == slot]
    wishes = {}
    for at, pupil in enumerate(pupils):
        for one in pupil["lists"]:
            if one["slot"] == slot:
                tail = []
                if one["any_of"]:
                    order = Stream(seed, 3, unit_of(pupil), slot).shuffle(list(at_slot))
                    tail = [section for section in order if section in one["any_of"]]
                wishes[at] = one["ranked"] + tail
    quotas = {at: quota_of(at, terms["sections"][at], pupils) for at in at_slot}
    held = {at: [] for at in at_slot}
    refused = {at: [] for at in at_slot}
    free = list(wishes)
    while free:
        asking = {}
        for pupil in free:
            if wishes[pupil]:
                asking.setdefault(wishes[pupil].pop(0), []).append(pupil)
        free = []
        for at, newcomers in asking.items():
            section = terms["sections"][at]
            ranked = [(tier_of(section, pupils[p]), row[p], p) for p in newcomers]
            everyone = [one for one, _ in held[at]] + ranked
            held[at], out = choose(section, quotas[at], pupils, everyone)
            refused[at] += out
            free += [one[2] for one in out]
    for at in at_slot:
        results[at] = section_result(quotas[at][0], held[at], sorted(refused[at]))


def section_result(seats, held, refused):
    lines = {}
    for (tier, number, _), reserve in held:
        key = (reserve is None, reserve or 0, tier)
        count, last = lines.get(key, (0, 0))
        lines[key] = (count + 1, max(last, number))
    open_tiers = [tier for is_open, _, tier in lines if is_open]

    def why(tier):
        if seats == 0:
            return "no_seats"
        if not open_tiers:
            return "reserved"
        return "priority" if max(open_tiers) < tier else "number"

    return {
        "seats": seats,
        "admitted": [
            {"pupil": p, "tier": tier, "number": number, "reserve": reserve} for (tier, number, p), reserve in held
        ],
        "cutoffs": [
            {
                "reserve": None if is_open else reserve,
                "tier": tier,
                "admitted_count": lines[is_open, reserve, tier][0],
                "last_number": lines[is_open, reserve, tier][1],
            }
            for is_open, reserve, tier in sorted(lines)
        ],
        "waitlist": [{"pupil": p, "tier": tier, "number": number, "why": why(tier)} for tier, number, p in refused],
    }


def digest_of(root, outcome):
    def section(one):
        return (
            u32(one["seats"])
            + many(
                one["admitted"],
                lambda a: u32(a["pupil"]) + u32(a["tier"]) + u32(a["number"]) + optional(a["reserve"], u32),
            )
            + many(
                one["cutoffs"],
                lambda c: optional(c["reserve"], u32) + u32(c["tier"]) + u32(c["admitted_count"]) + u32(c["last_number"]),
            )
            + many(
                one["waitlist"],
                lambda w: u32(w["pupil"]) + u32(w["tier"]) + u32(w["number"]) + u8(WHYS[w["why"]]),
            )
        )

    return H(
        "outcome",
        root,
        raw(outcome["seed"]),
        many(outcome["numbers"], lambda row: many(row, u32)),
        many(outcome["sections"], section),
    )


# --- The check ------------------------------------------------------------------------------------------------------


def same(published, computed):
    """Equal, and of the same JSON types: 1, 1.0 and true are three things."""
    if type(published) is not type(computed):
        return False
    if type(published) is dict:
        return published.keys() == computed.keys() and all(same(published[k], computed[k]) for k in published)
    if type(published) is list:
        return len(published) == len(computed) and all(map(same, published, computed))
    return published == computed


def verify(bundle):
    fields(bundle, "format terms pupils root values outcome outcome_digest", "bundle")
    need(bundle["format"] == "kehou-draw-1", "format")
    terms, pupils, published = bundle["terms"], bundle["pupils"], bundle["outcome"]
    check_terms(terms)
    check_pupils(terms, pupils)
    root = root_of(terms, pupils)
    need(bundle["root"] == root.hex(), "root")
    seed = seed_of(terms, root, bundle["values"])
    fields(published, "seed numbers sections", "outcome")
    need(published["seed"] == seed.hex(), "outcome.seed")
    rows = draw_numbers(terms, pupils, seed)
    need(same(published["numbers"], rows), "outcome.numbers")
    results = [None] * len(terms["sections"])
    for slot, row in enumerate(rows):
        match(terms, pupils, seed, slot, row, results)
    need(type(published["sections"]) is list and len(published["sections"]) == len(results), "outcome.sections")
    for at, result in enumerate(results):
        need(same(published["sections"][at], result), "outcome.sections[%d]" % at)
    digest = digest_of(root, published)
    need(bundle["outcome_digest"] == digest.hex(), "outcome_digest")
    return root.hex(), seed.hex(), digest.hex()


def read(raw_text):
    def once(pairs):
        need(distinct([name for name, _ in pairs]), "a field stands twice")
        return dict(pairs)

    def whole(digits):
        need(not digits.startswith("-"), "a number with a sign")
        return int(digits)

    def never(token):
        raise Refused("no whole number: " + token)

    try:
        return json.loads(raw_text, object_pairs_hook=once, parse_int=whole, parse_float=never, parse_constant=never)
    except (ValueError, RecursionError):
        raise Refused("not JSON") from None


def answer(raw_text, published_root=None):
    try:
        result = verify(read(raw_text))
        need(published_root in (None, result[0]), "the root is not the one published")
        return "true " + " ".join(result)
    except Refused as refused:
        return "false %s" % refused


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--lines":
        with open(arguments[1], encoding="utf-8") as file:
            answers = [answer(line) for line in file]
    elif len(arguments) == 1 or (len(arguments) == 3 and arguments[1] == "--root"):
        with open(arguments[0], encoding="utf-8") as file:
            answers = [answer(file.read(), arguments[2] if len(arguments) == 3 else None)]
    else:
        print(__doc__)
        return 2
    print("\n".join(answers))
    return 0 if all(one.startswith("true") for one in answers) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
