//! The crate and the verifier in Python, written apart, agree on every bundle: on true ones byte for byte, on bent ones
//! that they are not true.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use draw::{Bundle, Input, Mismatch, verify};
use serde_json::{Value, json};

use crate::support::{Dice, SMALL, round};

/// Runs the verifier in Python.
fn python(arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/draw/verify.py");
    Command::new("python3").arg("-B").arg(script).args(arguments).output().expect("python3 runs")
}

/// What the verifier in Python answers to each bundle.
fn python_answers(bundles: &[String]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundles.jsonl");
    fs::write(&file, bundles.join("\n")).unwrap();
    let output = python(&["--lines", file.to_str().unwrap()]);
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<String> = answers.lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), bundles.len(), "{}", String::from_utf8_lossy(&output.stderr));
    answers
}

fn bundle(first: u64) -> Bundle {
    let (input, values) = round(&mut Dice(first), SMALL);
    Bundle::draw(&input, &values).unwrap()
}

fn rust_answer(json: &str) -> String {
    match Bundle::parse(json).map_err(|error| vec![error]).and_then(|bundle| verify(&bundle)) {
        Ok(report) => format!("true {} {} {}", report.root.hash(), report.seed.hash(), report.outcome_digest),
        Err(mismatches) => format!("false {}", mismatches[0]),
    }
}

fn agree_on(rounds: std::ops::Range<u64>) {
    let bundles: Vec<String> = rounds.map(|first| bundle(first).to_json().unwrap()).collect();

    for (bundle, python) in bundles.iter().zip(python_answers(&bundles)) {
        let rust = rust_answer(bundle);
        assert!(rust.starts_with("true"), "{rust}: {bundle}");
        assert_eq!(rust, python, "{bundle}");
    }
}

#[test]
fn both_verifiers_find_the_same_root_seed_and_digest() {
    agree_on(0..300);
}

#[test]
#[ignore = "a minute; run with --release"]
fn both_verifiers_agree_on_10_000_rounds() {
    agree_on(0..10_000);
}

type Tamper = (&'static str, fn(&mut Value) -> Option<()>);

/// Where the path leads, `*` being the first item of a list for which the rest of the path leads somewhere.
fn at<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    let Some((step, rest)) = path.split_once('/').or((!path.is_empty()).then_some((path, ""))) else {
        return Some(value);
    };
    if step == "*" {
        return value.as_array_mut()?.iter_mut().find_map(|item| at(item, rest));
    }
    match value {
        Value::Array(items) => at(items.get_mut(step.parse::<usize>().ok()?)?, rest),
        Value::Object(fields) => at(fields.get_mut(step)?, rest),
        _ => None,
    }
}

fn add(value: &mut Value, path: &str, more: i64) -> Option<()> {
    let number = at(value, path)?;
    *number = json!(u32::try_from(number.as_i64()? + more).ok()?);
    Some(())
}

fn set(value: &mut Value, path: &str, to: Value) -> Option<()> {
    let old = at(value, path)?;
    if *old == to {
        return None;
    }
    *old = to;
    Some(())
}

fn flip(value: &mut Value, path: &str) -> Option<()> {
    let Value::String(text) = at(value, path)? else { return None };
    let first = if text.starts_with('0') { "1" } else { "0" };
    text.replace_range(..1, first);
    Some(())
}

fn swap(value: &mut Value, path: &str) -> Option<()> {
    let items = at(value, path)?.as_array_mut()?;
    if items.len() < 2 || items[0] == items[1] {
        return None;
    }
    items.swap(0, 1);
    Some(())
}

fn drop_last(value: &mut Value, path: &str) -> Option<()> {
    at(value, path)?.as_array_mut()?.pop().map(drop)
}

/// Ways to bend a bundle. Each leaves the rest as it was, as somebody would who hopes nobody looks there.
const TAMPERS: &[Tamper] = &[
    ("another format", |it| set(it, "format", json!("kehou-draw-2"))),
    ("another round", |it| set(it, "terms/round_id", json!("another"))),
    ("another act", |it| add(it, "terms/act", 1)),
    ("act 0", |it| set(it, "terms/act", json!(0))),
    ("the act before forgotten", |it| {
        at(it, "terms/previous_root")?.as_str()?;
        set(it, "terms/previous_root", Value::Null)
    }),
    ("another act before", |it| flip(it, "terms/previous_root")),
    ("another mode", |it| {
        let mode = if at(it, "terms/mode")? == "ranked" { "lottery" } else { "ranked" };
        set(it, "terms/mode", json!(mode))
    }),
    ("another sibling rule", |it| {
        let rule = if at(it, "terms/siblings")? == "apart" { "together" } else { "apart" };
        set(it, "terms/siblings", json!(rule))
    }),
    ("a slot renamed", |it| set(it, "terms/slots/0", json!("周日"))),
    ("a slot more", |it| {
        at(it, "terms/slots")?.as_array_mut()?.push(json!("周日"));
        Some(())
    }),
    ("a group renamed", |it| set(it, "terms/groups/0", json!("教工子女"))),
    ("a seat more", |it| add(it, "terms/sections/*/capacity", 1)),
    ("a seat less", |it| add(it, "terms/sections/*/capacity", -1)),
    ("a section in another slot", |it| add(it, "terms/sections/0/slot", 1)),
    ("a tier taken away", |it| {
        drop_last(it, "terms/sections/*/tiers/*").or_else(|| drop_last(it, "terms/sections/0/tiers"))
    }),
    ("tiers turned", |it| swap(it, "terms/sections/0/tiers").or_else(|| swap(it, "terms/sections/1/tiers"))),
    ("a reserve for another group", |it| {
        let group = at(it, "terms/sections/*/reserves/0/group")?;
        *group = json!(if group.as_u64()? == 0 { 1 } else { 0 });
        Some(())
    }),
    ("a reserve one larger", |it| add(it, "terms/sections/*/reserves/0/seats", 1)),
    ("a section hidden", |it| drop_last(it, "terms/sections")),
    ("a source said to be stronger", |it| add(it, "terms/sources/0/bits", 1)),
    ("a source described otherwise", |it| set(it, "terms/sources/0/what", json!("what was drawn yesterday"))),
    ("a source left out", |it| {
        drop_last(it, "terms/sources")?;
        drop_last(it, "values")
    }),
    ("a seal exchanged", |it| flip(it, "terms/sources/*/kind/contribution/seal")),
    ("sources turned", |it| {
        swap(it, "terms/sources")?;
        swap(it, "values")
    }),
    ("a value changed", |it| flip(it, "values/0")),
    ("a contribution changed", |it| flip(it, "values/1")),
    ("a value with a separator", |it| {
        let Value::String(value) = at(it, "values/0")? else { return None };
        value.insert(4, ' ');
        Some(())
    }),
    ("a value in capitals", |it| {
        let old = at(it, "values/0")?.as_str()?.to_owned();
        set(it, "values/0", json!(old.to_uppercase()))
    }),
    ("a value left out", |it| drop_last(it, "values")),
    ("a value added", |it| {
        at(it, "values")?.as_array_mut()?.push(json!("1"));
        Some(())
    }),
    ("a pupil slipped in", |it| {
        let mut more = at(it, "pupils/0")?.clone();
        more["pseudonym"] = json!("f".repeat(64));
        at(it, "pupils")?.as_array_mut()?.push(more);
        Some(())
    }),
    ("a pupil left out", |it| drop_last(it, "pupils")),
    ("a pupil twice", |it| {
        let more = at(it, "pupils/0")?.clone();
        at(it, "pupils")?.as_array_mut()?.insert(0, more);
        Some(())
    }),
    ("pupils turned", |it| swap(it, "pupils")),
    ("another pseudonym", |it| flip(it, "pupils/0/pseudonym")),
    ("another salt", |it| flip(it, "pupils/0/salt")),
    ("a family exchanged", |it| flip(it, "pupils/*/family")),
    ("a family forgotten", |it| {
        let pupils = at(it, "pupils")?.as_array_mut()?;
        let pupil = pupils.iter_mut().find(|pupil| pupil["family"].is_string())?;
        pupil["family"] = Value::Null;
        Some(())
    }),
    ("a group given", |it| {
        let pupils = at(it, "pupils")?.as_array_mut()?;
        let pupil = pupils.iter_mut().find(|pupil| pupil["groups"] == json!([]))?;
        pupil["groups"] = json!([0]);
        Some(())
    }),
    ("a group taken", |it| drop_last(it, "pupils/0/groups").or_else(|| drop_last(it, "pupils/1/groups"))),
    ("wishes turned", |it| {
        let pupils = at(it, "pupils")?.as_array_mut()?;
        pupils.iter_mut().find_map(|pupil| swap(pupil, "lists/0/ranked"))
    }),
    ("a wish taken away", |it| {
        let pupils = at(it, "pupils")?.as_array_mut()?;
        pupils.iter_mut().find_map(|pupil| drop_last(pupil, "lists/0/ranked"))
    }),
    ("a tail shortened", |it| {
        let pupils = at(it, "pupils")?.as_array_mut()?;
        pupils.iter_mut().find_map(|pupil| drop_last(pupil, "lists/0/any_of"))
    }),
    ("a wish put into the tail", |it| {
        let pupils = at(it, "pupils")?.as_array_mut()?;
        let list = pupils.iter_mut().find_map(|pupil| {
            at(pupil, "lists/0")
                .filter(|list| list["any_of"] == json!([]) && !list["ranked"].as_array().unwrap().is_empty())
        })?;
        let wish = list["ranked"].as_array_mut()?.pop()?;
        list["any_of"] = json!([wish]);
        Some(())
    }),
    ("a list taken away", |it| {
        let pupils = at(it, "pupils")?.as_array_mut()?;
        pupils.iter_mut().find_map(|pupil| drop_last(pupil, "lists"))
    }),
    ("a settled seat taken", |it| {
        let pupils = at(it, "pupils")?.as_array_mut()?;
        pupils.iter_mut().find_map(|pupil| drop_last(pupil, "settled"))
    }),
    ("another root", |it| flip(it, "root")),
    ("a root in capitals", |it| {
        let old = at(it, "root")?.as_str()?.to_owned();
        set(it, "root", json!(old.to_uppercase()))
    }),
    ("another seed", |it| flip(it, "outcome/seed")),
    ("another digest", |it| flip(it, "outcome_digest")),
    ("numbers exchanged", |it| swap(it, "outcome/numbers/0")),
    ("a number twice", |it| {
        let other = at(it, "outcome/numbers/0/1")?.clone();
        set(it, "outcome/numbers/0/0", other)
    }),
    ("numbers of two slots exchanged", |it| swap(it, "outcome/numbers")),
    ("numbers cut off", |it| drop_last(it, "outcome/numbers/0")),
    ("seats counted otherwise", |it| add(it, "outcome/sections/*/seats", 1)),
    ("somebody else admitted", |it| {
        let waiting = at(it, "outcome/sections/*/waitlist/0")?.clone();
        let sections = at(it, "outcome/sections")?.as_array_mut()?;
        let section = sections.iter_mut().find(|section| {
            section["waitlist"].as_array().unwrap().first() == Some(&waiting)
                && !section["admitted"].as_array().unwrap().is_empty()
        })?;
        set(section, "admitted/0/pupil", waiting["pupil"].clone())
    }),
    ("somebody admitted beside the rest", |it| {
        let waiting = at(it, "outcome/sections/*/waitlist/0")?.clone();
        let more = json!({ "pupil": waiting["pupil"], "tier": waiting["tier"], "number": waiting["number"], "reserve": null });
        at(it, "outcome/sections/*/admitted")?.as_array_mut()?.push(more);
        Some(())
    }),
    ("somebody sent away", |it| {
        let sections = at(it, "outcome/sections")?.as_array_mut()?;
        sections.iter_mut().find_map(|section| drop_last(section, "admitted"))
    }),
    ("a number improved", |it| add(it, "outcome/sections/*/admitted/0/number", 1)),
    ("a tier improved", |it| add(it, "outcome/sections/*/admitted/0/tier", 1)),
    ("a reserved seat called open", |it| {
        let sections = at(it, "outcome/sections")?.as_array_mut()?;
        let admitted = sections.iter_mut().flat_map(|section| section["admitted"].as_array_mut().unwrap());
        let mut reserved = admitted.filter(|one| one["reserve"].is_number());
        reserved.next()?["reserve"] = Value::Null;
        Some(())
    }),
    ("a last number improved", |it| add(it, "outcome/sections/*/cutoffs/0/last_number", 1)),
    ("admitted counted otherwise", |it| add(it, "outcome/sections/*/cutoffs/0/admitted_count", 1)),
    ("a line of last numbers hidden", |it| {
        let sections = at(it, "outcome/sections")?.as_array_mut()?;
        sections.iter_mut().find_map(|section| drop_last(section, "cutoffs"))
    }),
    ("a waitlist turned", |it| {
        let sections = at(it, "outcome/sections")?.as_array_mut()?;
        sections.iter_mut().find_map(|section| swap(section, "waitlist"))
    }),
    ("a waitlist shortened", |it| {
        let sections = at(it, "outcome/sections")?.as_array_mut()?;
        sections.iter_mut().find_map(|section| drop_last(section, "waitlist"))
    }),
    ("another reason", |it| {
        let why = at(it, "outcome/sections/*/waitlist/0/why")?;
        *why = json!(if why == "number" { "priority" } else { "number" });
        Some(())
    }),
    ("sections' outcomes exchanged", |it| swap(it, "outcome/sections")),
    ("a section's outcome left out", |it| drop_last(it, "outcome/sections")),
    ("a field more", |it| {
        it.as_object_mut()?.insert("note".to_owned(), json!("correct"));
        Some(())
    }),
    ("a field more in a list", |it| {
        at(it, "pupils/*/lists/0")?.as_object_mut()?.insert("note".to_owned(), json!(1));
        Some(())
    }),
    ("a field more in a source's kind", |it| {
        let kind = at(it, "terms/sources/0/kind")?.as_object_mut()?;
        kind.values_mut().next()?.as_object_mut()?.insert("note".to_owned(), json!(1));
        Some(())
    }),
    ("a field less", |it| at(it, "terms")?.as_object_mut()?.remove("previous_root").map(drop)),
    ("a reserve not said", |it| {
        at(it, "outcome/sections/*/admitted/0")?.as_object_mut()?.remove("reserve").map(drop)
    }),
    ("a fraction", |it| set(it, "terms/act", json!(1.0))),
    ("a number too large", |it| set(it, "outcome/numbers/0/0", json!(1_u64 << 40))),
    ("a negative number", |it| set(it, "outcome/numbers/0/0", json!(-1))),
    ("true instead of 1", |it| set(it, "terms/act", json!(true))),
];

#[test]
fn both_verifiers_refuse_every_bundle_that_was_bent() {
    let mut bent = Vec::new();
    let mut names = Vec::new();
    for first in 0..30 {
        let whole = serde_json::to_value(bundle(first)).unwrap();
        for (name, tamper) in TAMPERS {
            let mut value = whole.clone();
            if tamper(&mut value).is_some() && value != whole {
                bent.push(value.to_string());
                names.push(*name);
            }
        }
    }
    let mut tried = BTreeMap::new();

    for ((bundle, name), python) in bent.iter().zip(&names).zip(python_answers(&bent)) {
        let rust = rust_answer(bundle);
        assert!(rust.starts_with("false"), "the crate: {name}: {rust} {bundle}");
        assert!(python.starts_with("false"), "Python: {name}: {python} {bundle}");
        *tried.entry(*name).or_insert(0) += 1;
    }

    let never: Vec<&str> =
        TAMPERS.iter().map(|(name, _)| *name).filter(|name| !tried.contains_key(name)).collect();
    assert_eq!(never, Vec::<&str>::new(), "never tried");
}

#[test]
fn text_that_is_no_bundle_is_refused_with_its_place() {
    let whole = bundle(5).to_json().unwrap();
    let twice = whole.replacen("\"root\":", "\"root\":\"00\",\"root\":", 1);
    let texts = ["", "{}", "[]", "null", "{", "\"kehou-draw-1\"", &whole[..whole.len() - 1], &twice]
        .map(str::to_owned)
        .to_vec();
    let surrogate = whole.replacen("kehou-draw-1", "\\ud800", 1);
    let negative_zero = whole.replacen("\"act\":1", "\"act\":-0", 1).replacen("\"act\":2", "\"act\":-0", 1);
    let texts = [texts, vec![surrogate, negative_zero]].concat();

    for (text, python) in texts.iter().zip(python_answers(&texts)) {
        assert!(matches!(Bundle::parse(text), Err(Mismatch::NotABundle { .. })), "{text}");
        assert!(python.starts_with("false"), "{python}: {text}");
    }
}

#[test]
fn what_is_not_true_is_named() {
    let whole = bundle(5);
    let other = draw::Hash::new([1; 32]);
    let says = |change: &dyn Fn(&mut Bundle), wanted: &dyn Fn(&Mismatch) -> bool| {
        let mut bent = whole.clone();
        change(&mut bent);
        let mismatches = verify(&bent).unwrap_err();
        assert!(mismatches.iter().any(wanted), "{mismatches:?}");
    };

    says(&|to| to.format.clear(), &|found| *found == Mismatch::Format);
    says(&|to| to.terms.act = 0, &|found| matches!(found, Mismatch::Input(_)));
    says(&|to| to.root = draw::Root::new(other), &|found| matches!(found, Mismatch::Root { .. }));
    says(&|to| to.values[0].insert(1, ' '), &|found| *found == Mismatch::NotNormal { at: 0 });
    says(&|to| to.values.clear(), &|found| matches!(found, Mismatch::Value(_)));
    says(&|to| to.outcome.seed = draw::Seed::rehearsal("x"), &|found| matches!(found, Mismatch::Seed { .. }));
    says(
        &|to| to.outcome.numbers[0].reverse(),
        &|found| matches!(found, Mismatch::Numbers { slot } if slot.0 == 0),
    );
    says(
        &|to| to.outcome.sections[0].seats += 1,
        &|found| matches!(found, Mismatch::Section { section } if section.0 == 0),
    );
    says(&|to| to.outcome.sections.clear(), &|found| *found == Mismatch::Shape);
    says(&|to| to.outcome_digest = other, &|found| matches!(found, Mismatch::Digest { .. }));
    says(&|to| to.outcome.sections[0].seats += 1, &|found| matches!(found, Mismatch::Breach(_)));
}

/// Whoever redoes everything after changing a wish has a bundle true in itself. Only the root published beforehand tells.
#[test]
fn a_bundle_forged_throughout_has_another_root() {
    let folder = tempfile::tempdir().unwrap();
    let mut forged_count = 0;
    for first in 0..20 {
        let (input, values) = round(&mut Dice(first), SMALL);
        let published = Bundle::draw(&input, &values).unwrap();
        let mut pupils = input.pupils().to_vec();
        if pupils.iter_mut().find_map(|pupil| pupil.lists.pop()).is_none() {
            continue;
        }
        let changed = Input::new(input.terms().clone(), pupils).unwrap();
        let forged = Bundle::draw(&changed, &values).unwrap();
        forged_count += 1;

        let report = verify(&forged).unwrap();
        assert_ne!(report.root, published.root);
        let file = folder.path().join(format!("{first}.json"));
        fs::write(&file, forged.to_json().unwrap()).unwrap();
        let path = file.to_str().unwrap();
        assert!(python(&[path]).status.success());
        let against = python(&[path, "--root", &published.root.hash().to_string()]);
        assert_eq!(against.status.code(), Some(1));
        assert!(String::from_utf8(against.stdout).unwrap().contains("not the one published"));
    }
    assert!(forged_count > 10);
}

/// Bounds small enough for a draw refuse a word once in ages, so no bundle shows that the verifier refuses it.
#[test]
fn the_verifier_in_python_refuses_words_as_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/draw");
    let program = "import verify\n\
        stream = verify.Stream(bytes(32), 1, bytes([1]) * 32, 0)\n\
        print([stream.below(2**63 + 1) for _ in range(3)])";

    let output = Command::new("python3").arg("-Bc").arg(program).current_dir(folder).output().unwrap();

    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.trim(), "[672656536139691995, 4670715552123535599, 3589929829964873358]");
}

/// A character changed anywhere: either the bundle still says the same, or both refuse it.
#[test]
fn both_verifiers_refuse_a_bundle_with_one_character_changed() {
    let mut dice = Dice(77);
    let mut bent = Vec::new();
    let bundles: Vec<Bundle> = (0..20).map(bundle).collect();
    for whole in bundles.iter().cycle().take(800) {
        let json = whole.to_json().unwrap();
        let plain: Vec<usize> = (0..json.len()).filter(|at| json.as_bytes()[*at].is_ascii()).collect();
        let at = plain[dice.below(u32::try_from(plain.len()).unwrap()) as usize];
        let with = char::from(b"0123456789abcdef,:[]{}\" -.eEn"[dice.below(29) as usize]);
        bent.push((whole, format!("{}{with}{}", &json[..at], &json[at + 1..])));
    }
    let texts: Vec<String> = bent.iter().map(|(_, text)| text.clone()).collect();

    for ((whole, text), python) in bent.iter().zip(python_answers(&texts)) {
        let says_the_same = Bundle::parse(text).is_ok_and(|bundle| bundle == **whole);
        let rust = rust_answer(text);
        assert_eq!(rust.starts_with("true"), says_the_same, "{rust}: {text}");
        assert_eq!(python.starts_with("true"), says_the_same, "{python}: {text}");
    }
}
