//! Opening a trust domain.

use super::place::Place;

/// R72: each founder signs on a machine of her own, and the hash that is printed is the one that is served.
#[test]
fn founders_sign_on_different_machines() {
    let mut place = Place::with(&["alice", "bob"]);
    // Bob's private key is not here.
    std::fs::rename(place.at("bob"), place.at("bob.elsewhere")).expect("moved");
    let init = place.init();
    let waiting = place.writ("alice", &init).exits(5);
    assert!(waiting.err.contains("missing: the signature of founder `bob`"), "{}", waiting.err);

    let print = [init.clone(), vec!["--print".to_owned()]].concat();
    let statement = place.writ("alice", &print).exits(0).out;
    assert_eq!(place.writ("alice", &print).out, statement, "both runs agree on what is signed");

    std::fs::rename(place.at("bob.elsewhere"), place.at("bob")).expect("moved");
    let wrong = place.sign_elsewhere("bob", "writ.change", &statement);
    let other = place.sign_elsewhere("alice", "writ.genesis", &statement);
    let right = place.sign_elsewhere("bob", "writ.genesis", &statement);
    std::fs::rename(place.at("bob"), place.at("bob.elsewhere")).expect("moved");
    let with = |signature: &str| [init.clone(), vec!["--signature".to_owned(), format!("bob={signature}")]].concat();
    let _ = (wrong, other);
    let opened = place.writ("alice", &[with(&right), vec!["-o".to_owned(), "json".to_owned()]].concat()).exits(0);
    let genesis = opened.text("/genesis");
    assert!(place.writ("alice", &init).exits(1).err.contains("holds a log already"));

    place.serve();
    let dir = place.path("dir");
    let login = ["login", "--dir", &dir, "--key", &place.path("alice"), "--genesis"].map(str::to_owned);
    let pinned = |hash: &str| place.writ("carol", &[login.to_vec(), vec![hash.to_owned()]].concat());
    let other = format!("sha256:{}", "0".repeat(64));
    assert!(pinned(&other).exits(1).err.contains("not the pinned"));
    pinned(&genesis).exits(0);
}

/// R72: a signature for something else, or by somebody else, opens nothing.
#[test]
fn a_swapped_or_wrong_signature_opens_nothing() {
    let place = Place::with(&["alice", "bob"]);
    let init = place.init();
    let print = [init.clone(), vec!["--print".to_owned()]].concat();
    let statement = place.writ("alice", &print).exits(0).out;
    let rows = [
        ("bob", "writ.change", statement.clone()),
        ("alice", "writ.genesis", statement.clone()),
        ("bob", "writ.genesis", statement + " "),
    ];
    for (signer, namespace, statement) in rows {
        let signature = place.sign_elsewhere(signer, namespace, &statement);
        let with = [init.clone(), vec!["--signature".to_owned(), format!("bob={signature}")]].concat();
        let refused = place.writ("alice", &with).exits(1);
        assert!(refused.err.contains("help: "), "{}", refused.err);
        assert!(!place.at("dir/log.db").exists());
    }
}

/// Law 10: a log that was rolled back is noticed by whoever saw more of it; also once it has grown longer than what was seen, by other
/// entries. The log that was seen goes on to be believed.
#[test]
fn a_log_that_was_rolled_back_and_grew_again_is_refused_by_who_saw_the_other() {
    let mut place = Place::founded(&["alice", "bob"]);
    place.stop();
    place.copy("dir", "old");
    place.serve();
    // Further than the few entries with which a server starts: what she saw is not the length of the other branch.
    (0..10).for_each(|_| place.login("alice"));
    let seen = place.seen("alice", |size| size > place.size("old") + 8);
    place.stop();
    place.swap("dir", "old");
    place.serve();
    let refused = place.writ("alice", &["party", "list"]).exits(1);
    assert!(refused.err.contains("were seen before") && refused.err.contains("help: it was rolled back"), "{}", refused.err);
    // Bob, who saw nothing of the other branch, makes this one longer.
    (0..14).for_each(|_| place.login("bob"));
    place.seen("bob", |size| size > seen);
    for verb in [&["party", "list"][..], &["why", "0"], &["sign"]] {
        let refused = place.writ("alice", verb).exits(1);
        assert!(refused.err.contains("has forked") && refused.err.contains("forks/"), "{}", refused.err);
    }
    place.stop();
    place.swap("dir", "old");
    place.serve();
    place.writ("alice", &["party", "list"]).exits(0);
}

/// Law 10: what was seen must be kept, and what is kept must be read.
#[test]
fn a_memory_that_does_not_hold_stops_the_command() {
    let place = Place::founded(&["alice", "bob"]);
    let heads = place.at("alice.state/writ/heads.json");
    let kept = std::fs::read(&heads).expect("what was seen");
    std::fs::write(&heads, "{}").expect("written");
    place.writ("alice", &["party", "list"]).exits(0);
    std::fs::write(&heads, b"{\"example").expect("written");
    let corrupt = place.writ("alice", &["party", "list"]).exits(1);
    assert!(corrupt.err.contains("what was seen of logs can't be read") && corrupt.err.contains("--genesis"), "{}", corrupt.err);
    std::fs::write(&heads, kept).expect("written");
    place.writ("alice", &["party", "list"]).exits(0);
}

/// The exit codes are a contract.
#[test]
fn usage_is_2_and_an_absent_server_6() {
    let place = Place::with(&["alice"]);
    place.writ("alice", &["nothing"]).exits(2);
    assert!(place.writ("alice", &["party", "list"]).exits(2).err.contains("help: "));
    let absent = place.writ("alice", &["party", "list", "--dir", &place.path("dir")]).exits(6);
    assert!(absent.err.contains("can't reach the server"), "{}", absent.err);
    place.writ("alice", &["--version"]).exits(0);
    let dir = place.path("x");
    let init = ["init", "--dir", &dir, "--trust-domain", "Example.Org", "--founder", "alice=alice.pub"];
    assert!(place.writ("alice", &init).exits(2).err.contains("a-z"));
}
