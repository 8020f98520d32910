//! Estates filed and signed, tasks delegated and judged, and all of it proven afterwards.

use super::place::{Place, Ran};
use serde_json::Value;

fn verb(name: &str, files: &[String], more: &[&str]) -> Vec<String> {
    [vec![name.to_owned()], files.to_vec(), more.iter().map(|text| (*text).to_owned()).collect()].concat()
}

/// R63: the difference is filed once, in force once its signers have signed, and then there is none.
#[test]
fn an_estate_is_filed_once() {
    let place = Place::founded(&["alice", "bob"]);
    let files = place.example();
    let diff = place.writ("alice", &verb("diff", &files, &[])).exits(0).out;
    assert!(diff.contains("+ boundary `prod`") && diff.contains("+ business section"), "{diff}");
    let filed = place.writ("alice", &verb("apply", &files, &["-o", "json"])).exits(5);
    assert!(place.writ("alice", &verb("apply", &files, &[])).exits(5).err.contains("nothing to file"));
    assert_eq!(place.writ("alice", &["sign", "-o", "json"]).json().as_array().map(Vec::len), Some(1));
    let signed = place.writ("bob", &["sign", &filed.text("/change"), "--yes"]).exits(0).out;
    assert!(signed.contains("nothing waits"), "{signed}");
    let again = place.writ("alice", &verb("apply", &files, &[])).exits(0);
    assert!(again.err.contains("all of it is in force as written"), "{again:?}");

    // R66: a changed tool voids the business section alone.
    let boundary = place.at("example/boundary.yaml");
    let text = std::fs::read_to_string(&boundary).expect("the example").replace("[billing-db]", "[billing-db, ledger-db]");
    std::fs::write(&boundary, text).expect("written");
    let diff = place.writ("alice", &verb("diff", &files, &[])).exits(0).out;
    assert!(diff.contains("~ business section (voids the signed one)"), "{diff}");
    assert!(!diff.contains("identity section") && !diff.contains("platform section"), "{diff}");
}

/// R24: who filed a change set takes it back, and nobody else; what is filed then is filed anew.
#[test]
fn an_own_change_set_is_taken_back() {
    let place = Place::founded(&["alice", "bob"]);
    let files = place.example();
    let change = place.writ("alice", &verb("apply", &files, &["-o", "json"])).exits(5).text("/change");
    let refused = place.writ("bob", &["withdraw", &change, "--yes"]).exits(4);
    assert!(refused.err.contains("was filed by alice"), "{}", refused.err);
    place.writ("alice", &["withdraw", &change]).exits(2);
    let withdrawn = place.writ("alice", &["withdraw", &change, "--yes", "-o", "json"]).exits(0);
    assert_eq!(withdrawn.text("/change"), change);
    assert_eq!(place.writ("alice", &["sign", "-o", "json"]).out, "[]\n");
    assert!(place.writ("bob", &["sign", &change, "--yes"]).exits(4).err.contains("unknown"));
    assert_ne!(place.writ("alice", &verb("apply", &files, &["-o", "json"])).exits(5).text("/change"), change);
}

/// A file that is wrong files nothing, whatever is wrong with it.
#[test]
fn a_wrong_file_files_nothing() {
    let place = Place::founded(&["alice", "bob"]);
    std::fs::write(place.at("bad.yaml"), "kind: Boundary\nmetadata: {name: prod}\nspec: {owners: {control: alise}}\n")
        .expect("written");
    let refused = place.writ("alice", &["apply", "-f", "bad.yaml"]).exits(2);
    assert!(refused.err.contains("bad.yaml:3:26: person `alise` is unknown: did you mean `alice`?"), "{}", refused.err);
    std::fs::write(place.at("bad.yaml"), "kind: Party\nmetadata: {name: erin}\nspec: {type: person}\n").expect("written");
    let refused = place.writ("alice", &["apply", "-f", "bad.yaml"]).exits(2);
    assert!(refused.err.contains("writ party add erin"), "{}", refused.err);
    assert_eq!(place.writ("alice", &["sign", "-o", "json"]).out, "[]\n");
}

fn chartered() -> Place {
    let place = Place::founded(&["alice", "bob"]);
    let files = place.example();
    let filed = place.writ("alice", &verb("apply", &files, &["-o", "json"])).exits(5);
    place.writ("bob", &["sign", &filed.text("/change"), "--yes"]).exits(0);
    place
}

fn request(place: &Place, more: &[&str]) -> Ran {
    let mut arguments = vec![
        "task", "request", "--actor", "invoicer", "--purpose", "close invoices", "--data", "billing", "--resource",
        "billing-db=read", "--ttl", "30m", "-o", "json",
    ];
    arguments.extend(more);
    place.writ("alice", &arguments)
}

/// R72, R74, R100: nobody approves her own request; who approves signs the resolved parameters, and stock OpenSSH agrees.
#[test]
fn an_approval_is_over_the_resolved_parameters_and_ssh_keygen_agrees() {
    let place = chartered();
    let task = request(&place, &["--description", "month end"]).exits(5).text("/task");
    let refused = place.writ("alice", &["task", "approve", &task, "--yes"]).exits(4);
    assert!(refused.err.contains("who can: bob"), "{}", refused.err);
    place.writ("bob", &["task", "approve", &task]).exits(2);
    let told = place.writ("bob", &["task", "approve", &task, "--yes"]).exits(0).out;
    for wanted in ["alice delegates to invoicer", "app_ro", "cuts-live", "within a second", "no bound when partitioned"] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }

    let story = place.writ("bob", &["why", &task, "-o", "json", "--export", &place.path("acts")]).exits(0).json();
    assert_eq!(story.get("receipts_verified"), Some(&Value::Bool(true)), "{story}");
    assert_eq!(story.pointer("/approved/0/name").and_then(Value::as_str), Some("bob"));
    let names: Vec<String> = std::fs::read_dir(place.at("acts"))
        .expect("the export")
        .map(|item| item.expect("an item").file_name().to_string_lossy().into_owned())
        .collect();
    let act = |act: &str| names.iter().find(|name| name.ends_with(&format!("-{act}.json"))).cloned().expect("the act");
    let (approve, delegate) = (act("approve"), act("delegate"));
    let by = |pointer: &str| story.pointer(pointer).and_then(Value::as_str).expect("a party").to_owned();
    let (bob, alice) = (by("/approved/0/by"), by("/delegated/by"));
    let judged = |who: &str, namespace: &str, message: &str, signature: &str| {
        place.judged("acts", who, namespace, message, &format!("{signature}.sig"))
    };
    assert!(judged(&bob, "writ.approve", &approve, &approve));
    assert!(judged(&alice, "writ.delegate", &delegate, &delegate));
    assert!(!judged(&alice, "writ.approve", &approve, &approve), "not alice's");
    assert!(!judged(&bob, "writ.delegate", &approve, &approve), "not for that");
    assert!(!judged(&bob, "writ.approve", &delegate, &approve), "not over that");
}

/// R53, R88: a task ends by its people's word; ending asks nobody.
#[test]
fn tasks_are_refused_completed_signalled_and_killed() {
    let place = chartered();
    let state = |task: &str| place.writ("alice", &["task", "show", task, "-o", "json"]).exits(0).json();
    let end = |task: &str| state(task).pointer("/ended/0").and_then(Value::as_str).map(str::to_owned);
    for (who, before, wanted) in [
        ("bob", vec!["task", "refuse", "--yes"], "refused"),
        ("alice", vec!["task", "complete"], "cancelled"),
        ("bob", vec!["task", "signal", "evaluation-failed"], "signal"),
        ("bob", vec!["task", "kill", "--reason", "drill"], "killed"),
        ("bob", vec!["kill", "task"], "killed"),
    ] {
        let task = request(&place, &[]).exits(5).text("/task");
        place.writ(who, &[before, vec![&task]].concat()).exits(0);
        assert_eq!(end(&task).as_deref(), Some(wanted));
    }
    let task = request(&place, &[]).exits(5).text("/task");
    place.writ("bob", &["kill", "boundary", "prod"]).exits(0);
    assert_eq!(end(&task).as_deref(), Some("killed"));
    // Ending needs no session that is still open, only the key.
    let task = request(&place, &[]).exits(5).text("/task");
    let session = place.at("bob.state/writ/session");
    let kept = std::fs::read_to_string(&session).expect("a session");
    let expires = serde_json::from_str::<Value>(&kept).expect("JSON");
    let expires = expires.pointer("/expires").and_then(Value::as_str).expect("its end").to_owned();
    std::fs::write(&session, kept.replace(&expires, "2026-01-01T00:00:00.000000Z")).expect("written");
    place.writ("bob", &["party", "list", "--dir", &place.path("dir")]).exits(4);
    place.writ("bob", &["task", "kill", &task, "--dir", &place.path("dir")]).exits(0);
    assert_eq!(end(&task).as_deref(), Some("killed"));
    place.login("bob");
    assert!(place.writ("bob", &["kill", "identity", "invoicr"]).exits(2).err.contains("did you mean `invoicer`?"));
}

/// No secret reaches the log by way of free text.
#[test]
fn free_text_with_a_secret_is_refused() {
    let place = chartered();
    let refused = request(&place, &["--description", "password=hunter2"]).exits(2);
    assert!(!refused.err.contains("hunter2"), "{}", refused.err);
    assert_eq!(place.writ("alice", &["task", "list", "-o", "json"]).out, "[]\n");
}

/// R113: what was exported verifies offline, from the server and from its directory alike, and a changed byte is named.
#[test]
fn an_exported_log_verifies_and_a_tampered_one_does_not() {
    let mut place = chartered();
    let task = request(&place, &[]).exits(5).text("/task");
    place.writ("bob", &["task", "approve", &task, "--yes"]).exits(0);
    place.writ("bob", &["task", "kill", &task]).exits(0);
    // The checkpoint follows: `why` waits until it covers all of the story.
    place.writ("bob", &["why", &task]).exits(0);
    place.writ("alice", &["log", "export", &place.path("log")]).exits(0);
    let verify = ["log", "verify", &place.path("log"), "--laws", "-o", "json"].map(str::to_owned);
    let found = place.writ("carol", &verify).exits(0).json();
    assert_eq!(found.get("ok"), Some(&Value::Bool(true)));
    assert!(found.get("signatures").and_then(Value::as_u64).is_some_and(|count| count >= 8), "{found}");
    assert!(found.get("decisions").and_then(Value::as_u64).is_some_and(|count| count >= 3), "{found}");
    let pinned = [verify.to_vec(), vec!["--genesis".to_owned(), format!("sha256:{}", "0".repeat(64))]].concat();
    place.writ("carol", &pinned).exits(1);

    place.stop();
    place.writ("carol", &["log", "export", &place.path("whole"), "--dir", &place.path("dir")]).exits(0);
    place.writ("carol", &["log", "verify", &place.path("whole"), "--laws"]).exits(0);
    let bundle = std::fs::read_dir(place.at("log/tile/entries")).expect("bundles").next().expect("one").expect("it").path();
    let bundle =
        if bundle.is_dir() { std::fs::read_dir(bundle).expect("it").next().expect("one").expect("it").path() } else { bundle };
    let mut bytes = std::fs::read(&bundle).expect("entries");
    let middle = bytes.len() / 2;
    let byte = bytes.get_mut(middle).expect("a byte");
    *byte ^= 1;
    std::fs::write(&bundle, bytes).expect("tampered");
    let found = place.writ("carol", &verify).exits(1).json();
    assert_eq!(found.get("ok"), Some(&Value::Bool(false)));
    assert!(found.pointer("/problems/0/what").is_some(), "{found}");
}
