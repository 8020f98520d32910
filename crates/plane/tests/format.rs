//! `docs/format.md` is true: its example verifies, by this code and by OpenSSH, and it has every kind with every member.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails fails its test")]

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use writ_credential::{Expected, PublicKey, content_digest, verify_act};
use writ_ledger::body::{
    ApprovalContent, ApprovalResource, Asked, Body, BoundaryItem, BusinessTerms, ChangeContent, Charter, Delegation,
    DelegationGrant, Evaluation, Founder, GenesisContent, IdentityItem, IdentityTerms, Item, KeyItem, KillContent, KillScope,
    PartyItem, PartyState, PlatformTerms, PolicyText, PostgresTerms, Proposal, Refused, ResourceItem, Root, SecurityTerms,
    SvidRow, TaskAsk, Terms, TextOfPolicy,
};
use writ_ledger::{Blob, Entry, LogKey, Receipt, SignedCheckpoint, leaf_hash};
use writ_types::{
    ActKind, ActorKind, Closure, CredentialKind, Digest, Duty, OwnerRole, RevocationClass, Section, TaskEnd, TextValue as _,
    Tier, Trigger, Via,
};

const FORMAT: &str = include_str!("../../../docs/format.md");

/// The fenced block that begins so.
fn block(start: &str) -> String {
    let blocks = FORMAT.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap().1);
    let mut found = blocks.filter(|block| block.starts_with(start));
    let block = found.next().unwrap_or_else(|| panic!("no block begins with `{start}`"));
    assert!(found.next().is_none(), "two blocks begin with `{start}`");
    block.to_owned()
}

fn statement() -> String {
    block("{\"act\":\"complete\"")
}

/// R143: whoever follows the document finds the example true.
#[test]
fn the_worked_example_verifies() {
    let key = PublicKey::from_line(&block("ssh-ed25519 ")).unwrap();
    let entry_bytes = block("{\"actor\":").into_bytes();
    let entry = Entry::decode(&entry_bytes).unwrap();
    let Body::TaskEnded(ended) = Body::decode(entry.kind.as_str(), &entry.body).unwrap() else { panic!("{}", entry.kind) };
    let content: Value = serde_json::from_str(&block("{\"task\":")).unwrap();
    assert_eq!(ended.content.as_ref(), Some(&content));
    let [act] = entry.acts.as_slice() else { panic!("{:?}", entry.acts) };
    assert_eq!((act.key.clone(), act.sshsig.trim_end()), (key.fingerprint().to_string(), block("-----BEGIN").as_str()));
    assert_eq!(act.statement, serde_json::from_str::<Value>(&statement()).unwrap());
    assert_eq!(FORMAT.matches(&format!("{} bytes on one line", statement().len())).count(), 1);
    assert_eq!(FORMAT.matches(&format!("{} bytes on one line", entry_bytes.len())).count(), 1);
    let id = ended.task.to_string();
    let digest = content_digest(&content).unwrap();
    let expected = Expected { origin: "prod.example/writ", act: ActKind::Complete, id: &id, digest };
    verify_act(act.by, &key, &act.statement, &act.sshsig, expected, Some(entry.at)).unwrap();

    let log = LogKey::parse(&block("prod.example/writ+")).unwrap();
    let signed = SignedCheckpoint::open(&format!("{}\n", block("prod.example/writ\n")), &log).unwrap();
    let receipt = Receipt::parse(&format!("{}\n", block("c2sp.org/tlog-proof@v1"))).unwrap();
    assert_eq!(receipt.verify(&entry_bytes, &log).unwrap(), *signed.checkpoint());
    for hash in [leaf_hash(&entry_bytes), signed.checkpoint().root] {
        let hex = hash.to_string();
        assert!(FORMAT.contains(hex.strip_prefix("sha256:").unwrap()), "{hash}");
    }

    let blob = block("{\"content\":{\"handle\"").into_bytes();
    let name = Digest::of(&blob);
    assert!(FORMAT.contains(&name.to_string()));
    Blob::open(name, blob).unwrap();
}

/// R143: the commands of the document, word for word, with stock OpenSSH.
#[test]
fn openssh_says_good_to_the_example_and_to_nothing_else() {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("format");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("allowed_signers"), format!("{}\n", block("pty_"))).unwrap();
    std::fs::write(dir.join("statement.sig"), format!("{}\n", block("-----BEGIN"))).unwrap();
    let command = block("ssh-keygen -Y verify");
    let verify = |text: &str| {
        std::fs::write(dir.join("statement"), text).unwrap();
        let ran = Command::new("sh").args(["-c", &command]).current_dir(&dir).stderr(Stdio::null()).output().unwrap();
        (ran.status.success(), String::from_utf8_lossy(&ran.stdout).into_owned())
    };
    let (good, said) = verify(&statement());
    assert!(good && said.starts_with("Good \"writ.complete\" signature"), "{said}");
    assert!(!verify(&format!("{}\n", statement())).0);
    assert!(!verify(&statement().replace("prod.example", "test.example")).0);
}

/// The text under a heading, up to the next one.
fn section(heading: &str) -> &'static str {
    let Some((_, rest)) = FORMAT.split_once(&format!("\n{heading}\n")) else { panic!("no heading `{heading}`") };
    rest.split_once("\n#").map_or(rest, |(text, _)| text)
}

/// The members that a section's table has.
fn described(heading: &str) -> BTreeSet<&'static str> {
    section(heading).lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(member, _)| member).collect()
}

/// The names that a reader says it expected, when it was given another.
fn expected(error: &str) -> BTreeSet<String> {
    let (_, names) = error.split_once("expected ").unwrap_or_else(|| panic!("{error}"));
    names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn members<T: serde::de::DeserializeOwned>(heading: &str) {
    let error = serde_json::from_value::<T>(json!({"no such member": 1})).map(|_| ()).unwrap_err().to_string();
    assert_eq!(described(heading), expected(&error).iter().map(String::as_str).collect(), "{heading}");
}

#[test]
fn every_kind_has_its_section_with_every_member() {
    for kind in Body::KINDS {
        let error = Body::decode(kind, &json!({"v": 1, "no such member": 1})).unwrap_err().to_string();
        let heading = format!("### `{kind}`");
        assert_eq!(described(&heading), expected(&error).iter().map(String::as_str).collect(), "{kind}");
        let text = section(&heading);
        assert!(text.contains("*Acts:* ") && text.contains("*What is true after it:* "), "{kind}");
    }
    let headings = FORMAT.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    assert_eq!(headings.collect::<BTreeSet<_>>(), Body::KINDS.iter().copied().collect());
}

#[test]
fn every_part_of_a_body_has_every_member() {
    members::<GenesisContent>("#### Genesis content");
    members::<Founder>("#### Founder");
    members::<Root>("#### Root");
    members::<PolicyText>("#### Policy set");
    members::<TextOfPolicy>("#### Policy");
    members::<PartyItem>("#### Party");
    members::<ChangeContent>("#### Change content");
    members::<PartyState>("#### Party state");
    members::<KeyItem>("#### Key item");
    members::<BoundaryItem>("#### Boundary");
    members::<Charter>("#### Charter");
    members::<BusinessTerms>("#### Business terms");
    members::<IdentityTerms>("#### Identity terms");
    members::<PlatformTerms>("#### Platform terms");
    members::<SecurityTerms>("#### Security terms");
    members::<IdentityItem>("#### Identity");
    members::<ResourceItem>("#### Resource");
    members::<PostgresTerms>("#### Postgres terms");
    members::<Evaluation>("#### Evaluation");
    members::<TaskAsk>("#### Circumstances");
    members::<Refused>("#### Refusal");
    members::<Delegation>("#### Delegation");
    members::<DelegationGrant>("#### Grant");
    members::<Proposal>("#### Proposal");
    members::<ApprovalContent>("#### Approval content");
    members::<ApprovalResource>("#### Approval resource");
    members::<KillContent>("#### Kill content");
    members::<SvidRow>("#### SVID row");
    let envelope = Entry::decode(b"{\"no such member\":1}").unwrap_err().to_string();
    // The reader's words are cut to one line, so the table may have more than they name.
    assert!(described("## The entry").len() == 14 && envelope.contains("expected one of"), "{envelope}");
}

#[test]
fn every_word_of_a_closed_list_is_there() {
    let variants = |error: String, heading: &str| {
        for word in expected(&error) {
            assert!(
                section(heading).contains(&format!("`{word}`")) || section(heading).contains(&format!("\"{word}\"")),
                "{word}"
            );
        }
    };
    variants(serde_json::from_value::<Asked>(json!({"action": "no such"})).unwrap_err().to_string(), "#### Questions");
    variants(serde_json::from_value::<Item>(json!({"kind": "no such"})).unwrap_err().to_string(), "#### Items");
    variants(serde_json::from_value::<Terms>(json!({"no such": 1})).unwrap_err().to_string(), "#### Terms of a section");
    variants(serde_json::from_value::<KillScope>(json!({"no such": 1})).unwrap_err().to_string(), "#### Scope");
    let words: Vec<(&str, Vec<&str>)> = vec![
        ("owner role", OwnerRole::ALL.iter().map(|word| word.as_str()).collect()),
        ("duty", Duty::ALL.iter().map(|word| word.as_str()).collect()),
        ("section", Section::ALL.iter().map(|word| word.as_str()).collect()),
        ("actor kind", ActorKind::ALL.iter().map(|word| word.as_str()).collect()),
        ("tier", Tier::ALL.iter().map(|word| word.as_str()).collect()),
        ("trigger", Trigger::ALL.iter().map(|word| word.as_str()).collect()),
        ("end", TaskEnd::ALL.iter().map(|word| word.as_str()).collect()),
        ("closure", Closure::ALL.iter().map(|word| word.as_str()).collect()),
        ("credential kind", CredentialKind::ALL.iter().map(|word| word.as_str()).collect()),
        ("revocation class", RevocationClass::ALL.iter().map(|word| word.as_str()).collect()),
    ];
    for (name, words) in words {
        let row = format!("| {name} | `{}` |", words.join("`, `"));
        assert!(FORMAT.contains(&row), "{row}");
    }
    for word in Via::ALL {
        assert!(section("## The entry").contains(&format!("`{word}`")), "{word}");
    }
    for word in ActKind::ALL {
        assert!(section("## What people sign").contains(&format!("`{word}`")), "{word}");
    }
}
