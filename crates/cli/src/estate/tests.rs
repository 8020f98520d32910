//! Estate files end to end: text in, change set or problems out.

use super::describe;
use super::difference::{Difference, difference};
use super::known::Known;
use super::problem::Problems;
use super::resolve::resolve_into;
use super::roles;
use crate::init::EXAMPLE;
use crate::people::{People, name_content};
use proptest::prelude::*;
use serde_json::{Value, json};
use writ_ledger::body::{ChangeContent, Item};
use writ_ledger::{Blob, Salt};
use writ_types::{ChangeId, Digest, Handle, OwnerRole, PartyId, Random, TextValue as _};
use writ_wire::api::{Estate, PartyView};

/// Bits that are not random, and not the same twice.
struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        self.0 += 1;
        out.fill(self.0);
    }
}

fn party(n: u8) -> PartyId {
    PartyId::from_bits([n; 16])
}

fn person(n: u8, handle: &str) -> PartyView {
    let content = name_content(&Handle::parse(handle).unwrap(), None, None);
    let blob = Blob::new(content, Salt::from_bits([n; 16])).unwrap();
    PartyView {
        party: party(n),
        kind: "person".to_owned(),
        name: blob.name(),
        blob: Some(serde_json::from_slice(blob.bytes()).unwrap()),
        handle: Some(handle.to_owned()),
        members: Vec::new(),
        disabled: false,
    }
}

/// Two founders and nothing else.
fn estate() -> Estate {
    let (alice, bob) = (party(101), party(102));
    Estate {
        trust_domain: writ_types::TrustDomain::parse("example.org").unwrap(),
        origin: "example.org/writ".to_owned(),
        size: 3,
        parties: vec![person(101, "alice"), person(102, "bob")],
        keys: Vec::new(),
        boundaries: vec![json!({
            "name": "root", "parent": null, "production": false, "delegators": null,
            "owners": {"control": alice, "business": alice, "platform": alice, "identity": bob, "security": bob},
            "backups": {"control": bob, "business": bob, "platform": bob, "identity": alice, "security": alice},
            "duties": {}, "grace": "0s", "charter": {"business": null, "identity": null, "platform": null, "security": null},
        })],
        identities: Vec::new(),
        resources: Vec::new(),
        policy_set: Digest::of(b"base"),
    }
}

fn example() -> String {
    EXAMPLE.iter().filter(|(name, _)| name.ends_with(".yaml")).map(|(_, text)| *text).collect::<Vec<_>>().join("---\n")
}

/// What a text comes to against an estate, or its problems as `line:column what: help`.
fn apply(text: &str, known: &Known) -> Result<Difference, Vec<String>> {
    let mut problems = Problems::default();
    let documents = super::read_text("estate.yaml", None, text.as_bytes(), &mut problems);
    let resolved = resolve_into(&documents, known, &mut Counting(0), &mut problems);
    if problems.len() == 0 {
        return Ok(difference(resolved.items, resolved.blobs, known));
    }
    let told = |problem: &super::problem::Problem| {
        assert!(!problem.help.is_empty(), "{problem:?}");
        format!("{}:{} {}: {}", problem.spot.line, problem.spot.column, problem.what, problem.help)
    };
    Err(problems.all().iter().map(told).collect())
}

/// The estate with everything of a difference in force.
fn in_force(mut estate: Estate, found: &Difference) -> Estate {
    for changed in &found.changes {
        let mut value = serde_json::to_value(&changed.item).unwrap();
        value.as_object_mut().unwrap().remove("kind");
        match &changed.item {
            Item::Party(item) => {
                let blob = found.blobs.iter().find(|blob| blob.name() == item.name).unwrap();
                estate.parties.push(PartyView {
                    party: item.party,
                    kind: super::resolve::kind_word(item.kind).to_owned(),
                    name: item.name,
                    blob: Some(serde_json::from_slice(blob.bytes()).unwrap()),
                    handle: None,
                    members: item.members.clone(),
                    disabled: false,
                });
            }
            Item::Boundary(_) => estate.boundaries.push(value),
            Item::Identity(_) => estate.identities.push(value),
            Item::Resource(_) => estate.resources.push(value),
            Item::PartyState(_) | Item::Key(_) => {}
        }
    }
    estate
}

fn known(estate: &Estate) -> Known {
    Known::of(estate, Vec::new()).unwrap()
}

fn told(found: &Difference, estate: &Estate) -> String {
    let mut people = People::of(estate);
    let blobs: Vec<Value> = found.blobs.iter().map(|blob| serde_json::from_slice(blob.bytes()).unwrap()).collect();
    for changed in &found.changes {
        if let Item::Party(item) = &changed.item {
            people.learn(item.party, &item.name, &blobs);
        }
    }
    describe::difference(found, &people)
}

fn golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("WRIT_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "{name}: look, then run again with WRIT_GOLDEN=1");
}

/// R63: an estate is data in files; what differs is filed, and nothing else.
#[test]
fn the_example_is_filed_once_and_then_nothing_differs() {
    let before = estate();
    let found = apply(&example(), &known(&before)).unwrap();
    golden("example.diff", &told(&found, &before));
    let after = in_force(before, &found);
    let again = apply(&example(), &known(&after)).unwrap();
    assert!(again.changes.is_empty() && again.waiting.is_empty(), "{again:?}");
}

/// What was filed and waits is not filed again, also where the first filing minted its ids.
#[test]
fn what_waits_already_is_not_filed_again() {
    let before = estate();
    let found = apply(&example(), &known(&before)).unwrap();
    let blobs = found.blobs.iter().map(|blob| serde_json::from_slice(blob.bytes()).unwrap()).collect();
    let change = ChangeId::from_bits([9; 16]);
    let items = found.changes.into_iter().map(|changed| changed.item).collect();
    let content = ChangeContent { change, filer: party(101), items };
    let waiting = vec![super::known::Waiting { change, content, blobs }];
    let again = apply(&example(), &Known::of(&before, waiting).unwrap()).unwrap();
    assert!(again.changes.is_empty(), "{again:?}");
    assert_eq!(again.waiting.into_iter().collect::<Vec<_>>(), [change]);
}

/// R66: changing a tool voids the business section alone.
#[test]
fn a_changed_tool_voids_the_business_section_alone() {
    let before = estate();
    let found = apply(&example(), &known(&before)).unwrap();
    let after = in_force(before, &found);
    let text = example().replace("tools: [billing-db]", "tools: [billing-db, ledger-db]");
    let found = apply(&text, &known(&after)).unwrap();
    golden("tool.diff", &told(&found, &after));
    let [changed] = found.changes.as_slice() else { panic!("{found:?}") };
    assert_eq!(changed.voided, [writ_types::Section::Business]);
    let Item::Boundary(boundary) = &changed.item else { panic!("{changed:?}") };
    assert_eq!(boundary.charter.sections().len(), 1);
}

/// R1, R16: each answers in the roles that she is named for or holds, and in no other.
#[test]
fn each_person_answers_in_her_own_roles() {
    let before = estate();
    let known = known(&before);
    let found = apply(&example(), &known).unwrap();
    let items = found.changes.into_iter().map(|changed| changed.item).collect();
    let content = ChangeContent { change: ChangeId::from_bits([9; 16]), filer: party(101), items };
    let all: std::collections::BTreeSet<OwnerRole> = OwnerRole::ALL.iter().copied().collect();
    // Both are owners of some roles, and accept to be the backup of the others.
    assert_eq!(roles::of(&content, &known, party(101)), all);
    assert_eq!(roles::of(&content, &known, party(102)), all);
    assert!(roles::of(&content, &known, party(103)).is_empty());
    let held = roles::held(&known, &writ_types::Name::parse("root").unwrap(), party(102));
    assert_eq!(held.into_iter().collect::<Vec<_>>(), [OwnerRole::Identity, OwnerRole::Security]);
}

/// Every error at once, each with its place, the nearest word and the next step.
#[test]
fn every_problem_is_told_at_once_with_its_place_and_the_next_step() {
    let text = "\
kind: Boundary
metadata: {name: prod, parent: rooot}
spec:
  production: yes
  ownrs: {control: alice}
  owners: {control: alise, busines: bob, security: erin}
  backups: {control: alice}
  delegators: finance
  charter:
    identity: {kinds: [x509-svd], ttlMax: 1 hour, rotation: 30m, triggers: {evaluation-failed: [system/evals]}}
    platform: {storage: memory, issuance: workload-api, telemetry: log, selectors: [\"unix:uid:root\"]}
---
kind: Resorce
metadata: {name: db}
spec: {}
---
kind: Party
metadata: {name: erin}
spec: {type: person, displayName: Erin}
---
kind: Identity
metadata: {name: Invoicer, boundary: prod}
spec: {actorKind: human, spiffePath: prod/invoicer, selectors: [\"unix:uid:1001\"], tier: standard, tier: low}
";
    let problems = apply(text, &known(&estate())).err().unwrap();
    golden("problems.txt", &(problems.join("\n") + "\n"));
}

fn refused(text: &str) -> Vec<String> {
    apply(text, &known(&estate())).err().unwrap_or_default()
}

/// What an estate file does not need is refused, with its place.
#[test]
fn hostile_yaml_is_refused_with_its_place() {
    let long = "a".repeat(64 * 1024);
    let rows: &[(&str, String, &str)] = &[
        ("alias", "a: &x 1\nb: *x\n".to_owned(), "1:4 an anchor"),
        ("merge", "<<: *x\n".to_owned(), "1:"),
        ("tag", "kind: !!str Party\n".to_owned(), "a tag has no place"),
        ("nul", "kind: Party\0\n".to_owned(), "1:12 the character"),
        ("bidi", "kind: \"Pa\u{202e}rty\"\n".to_owned(), "1:10 the character \\u{202e}"),
        ("return", "kind: Party\rkind: Boundary\r\n".to_owned(), "1:12 the character"),
        ("escape", "kind: \u{1b}[2J\n".to_owned(), "1:7 the character"),
        ("deep", format!("kind: {}{}\n", "[".repeat(40), "]".repeat(40)), "nested deeper"),
        ("deeper", "[".repeat(20_000), "1:"),
        ("long", format!("kind: Party\nmetadata: {{name: {long}}}\nspec: {{type: team}}\n"), "2:18 the name"),
        ("quotes", "kind: Party\nmetadata: {name: \"a'; DROP TABLE x; --\"}\nspec: {type: team}\n".to_owned(), "2:18 the name"),
        ("twice", "kind: Party\nkind: Party\n".to_owned(), "2:1 key `kind` stands here twice"),
        ("list", "- kind: Party\n".to_owned(), "1:1 a document is a list"),
        ("tab", "kind: Party\n\tmetadata: x\n".to_owned(), "found a tab"),
        (
            "secret",
            "kind: Party\nmetadata: {name: t}\nspec: {type: team, displayName: \"password=hunter2\"}\n".to_owned(),
            "3:33 the display name",
        ),
    ];
    for (name, text, wanted) in rows {
        let problems = refused(text);
        assert!(problems.iter().any(|problem| problem.contains(wanted)), "{name}: {problems:?}");
        for problem in &problems {
            assert!(problem.len() < 2_000 && !problem.contains(['\0', '\u{1b}', '\u{202e}']), "{name}: {problem:?}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
    let mut problems = Problems::default();
    assert!(super::read_text("f", None, b"kind: \xff\n", &mut problems).is_empty());
    assert_eq!((problems.all()[0].spot.line, problems.all()[0].spot.column), (1, 7));
    let mut problems = Problems::default();
    assert!(super::read_text("f", None, &vec![b'#'; (1 << 20) + 1], &mut problems).is_empty());
    assert_eq!(problems.len(), 1);
}

/// The file beside the YAML is read, and a private key in it is not.
#[test]
fn a_certificate_file_lies_beside_the_estate_file() {
    let top = tempfile::tempdir().unwrap();
    let text = "kind: Resource
metadata: {name: db, boundary: root}
spec: {kind: postgres, dataClass: c, address: \"db:5432\", ca: ca.pem, databases: [a], actions: {read: [r]}}
";
    let read = |content: &str| {
        std::fs::write(top.path().join("ca.pem"), content).unwrap();
        let mut problems = Problems::default();
        let documents = super::read_text("f", Some(top.path()), text.as_bytes(), &mut problems);
        (documents.len(), problems.all().iter().map(|problem| problem.what.clone()).collect::<Vec<_>>())
    };
    assert_eq!(read("-----BEGIN CERTIFICATE-----\n").0, 1);
    let key = ["-----BEGIN PRIV", "ATE KEY-----"].concat();
    assert!(read(&key).1[0].contains("holds a private key"));
    assert!(read("nothing").1[0].contains("no certificate"));
    std::fs::remove_file(top.path().join("ca.pem")).unwrap();
    let mut problems = Problems::default();
    assert!(super::read_text("f", Some(top.path()), text.as_bytes(), &mut problems).is_empty());
    assert!(problems.all()[0].what.contains("can't be read"));
}

/// Pieces of estates, and what breaks parsers.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "kind", "Party", "Boundary", "Identity", "Resource", "metadata", "name", "spec", "type", "person", "team", "owners",
        "charter", "business", "purpose", "alice", "bob", "prod", ": ", ":", "\n", "\n  ", "\n    ", "---\n", "- ", "[", "]",
        "{", "}", ", ", "\"", "'", "#", "&a ", "*a", "!!str ", "|\n", ">\n", "\t", "\u{202e}", "\0", "é", "<<", "%YAML 1.2\n",
        "? ", "...\n", "true", "~", "\\", "\u{feff}", "\r", "\u{85}", "\u{2028}",
    ];
    prop_oneof![8 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,12}", 1 => any::<char>().prop_map(String::from)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever the text, there is an answer: never a panic, and every problem has a place in the text and a next step.
    #[test]
    fn any_text_gets_an_answer(pieces in prop::collection::vec(piece(), 0..60)) {
        let text = pieces.concat();
        let mut problems = Problems::default();
        let documents = super::read_text("estate.yaml", None, text.as_bytes(), &mut problems);
        resolve_into(&documents, &known(&estate()), &mut Counting(0), &mut problems);
        let lines = text.split('\n').count();
        for problem in problems.all() {
            prop_assert!(problem.spot.line >= 1 && problem.spot.column >= 1 && problem.spot.line <= lines + 1, "{problem:?}");
            prop_assert!(!problem.help.is_empty() && !problem.what.is_empty());
            let shown = format!("{} {}", problem.what, problem.help);
            prop_assert!(!shown.chars().any(|c| c.is_control() || writ_types::is_bidi(c)), "{shown:?}");
        }
    }

    /// A change anywhere in a good estate gives a difference or a problem, never a panic.
    #[test]
    fn a_spoiled_estate_gets_an_answer(at in any::<prop::sample::Index>(), cut in 0usize..40, new in piece()) {
        let text: Vec<char> = example().chars().collect();
        let at = at.index(text.len());
        let end = (at + cut).min(text.len());
        let spoiled: String = text[..at].iter().copied().chain(new.chars()).chain(text[end..].iter().copied()).collect();
        if let Err(problems) = apply(&spoiled, &known(&estate())) {
            prop_assert!(!problems.is_empty());
        }
    }
}
