//! People come, get other keys, and go.

use super::place::Place;

/// R72: two holders of `administer` and the new key itself sign an enrolment; the new key from another machine.
#[test]
fn a_person_is_enrolled_by_two_and_by_her_own_key() {
    let place = Place::founded(&["alice", "bob", "carol"]);
    let key = place.path("carol.pub");
    let add = [
        "party", "add", "carol", "--type", "person", "--display-name", "Carol Example", "--mail", "carol@example.org", "--pub",
        &key, "-o", "json",
    ];
    let filed = place.writ("alice", &add).exits(5);
    let change = filed.text("/change");
    place.writ("carol", &["login", "--dir", &place.path("dir"), "--key", &place.path("carol")]).exits(4);

    // Nothing is signed unseen.
    assert!(place.writ("bob", &["sign", &change]).exits(2).err.contains("--yes"));
    let told = place.writ("bob", &["sign", &change, "--yes"]).exits(5).out;
    assert!(told.contains("a new key of party `carol`") && told.contains("ssh-ed25519"), "{told}");
    // Bob has a memory of his own: what he signs came with the change set, and is the name whose digest is signed.
    for shown in
        ["party `carol`", "handle  \"carol\"", "name    \"Carol Example\"", "mail    \"carol@example.org\"", "you have signed"]
    {
        assert!(told.contains(shown), "{shown}: {told}");
    }
    assert!(!told.contains("NOT SHOWN"), "{told}");
    let listed = place.writ("bob", &["sign"]).exits(0).out;
    assert!(listed.contains("party `carol`") && !listed.contains("pty_"), "{listed}");
    // A second signature of the same person is not a second person's.
    place.writ("bob", &["sign", &change, "--yes"]).exits(5);

    let dir = place.path("dir");
    let print = ["sign", &change, "--dir", &dir, "--pub", &key, "--print"];
    let statement = place.writ("carol", &print).exits(0).out;
    let swapped = place.sign_elsewhere("bob", "writ.change", &statement);
    place.writ("carol", &["sign", &change, "--dir", &dir, "--pub", &key, "--signature", &swapped]).exits(1);
    let signature = place.sign_elsewhere("carol", "writ.change", &statement);
    place.writ("carol", &["sign", &change, "--dir", &dir, "--pub", &key, "--signature", &signature]).exits(0);
    place.login("carol");
    let list = place.writ("carol", &["party", "list"]).exits(0).out;
    assert!(list.lines().any(|line| line.starts_with("carol  person  active")), "{list}");
}

/// R17: who is disabled can do nothing from then on, and comes back by two.
#[test]
fn a_disabled_person_is_out_at_once() {
    let place = Place::founded(&["alice", "bob", "carol"]);
    enrol(&place, "carol");
    let filed = place.writ("alice", &["party", "disable", "carol", "-o", "json"]).exits(5);
    place.writ("carol", &["party", "list"]).exits(0);
    place.writ("bob", &["sign", &filed.text("/change"), "--yes"]).exits(0);
    place.writ("carol", &["party", "list"]).exits(4);
    place.writ("carol", &["login", "--dir", &place.path("dir"), "--key", &place.path("carol")]).exits(4);
    place.writ("alice", &["party", "disable", "carol"]).exits(0);
    let filed = place.writ("bob", &["party", "enable", "carol", "-o", "json"]).exits(5);
    place.writ("alice", &["sign", &filed.text("/change"), "--yes"]).exits(0);
    place.login("carol");
}

/// R72: a key is one party's; a second is enrolled and the first removed.
#[test]
fn a_key_is_replaced() {
    let place = Place::founded(&["alice", "bob", "carol"]);
    enrol(&place, "carol");
    place.keygen("carol2", "ecdsa");
    let taken = place.writ("alice", &["key", "enrol", "bob", "--pub", &place.path("carol.pub")]).exits(1);
    assert!(taken.err.contains("enrolled already, for carol"), "{}", taken.err);
    let change = place
        .writ("alice", &["key", "enrol", "carol", "--pub", &place.path("carol2.pub"), "-o", "json"])
        .exits(5)
        .text("/change");
    place.writ("bob", &["sign", &change, "--yes"]).exits(5);
    place.writ("carol", &["sign", &change, "--key", &place.path("carol2"), "--yes"]).exits(0);
    let old = place.path("carol.pub");
    let change = place.writ("alice", &["key", "remove", "carol", &old, "-o", "json"]).exits(5).text("/change");
    place.writ("bob", &["sign", &change, "--yes"]).exits(0);
    place.writ("carol", &["login", "--key", &place.path("carol")]).exits(4);
    place.writ("carol", &["login", "--key", &place.path("carol2")]).exits(0);
    // In one step: the key that goes answers for the one that comes, and nobody else is asked.
    place.keygen("carol3", "ed25519");
    let (pub3, key2) = (place.path("carol3.pub"), place.path("carol2"));
    let replace = ["key", "enrol", "carol", "--pub", &pub3, "--replaces", &place.path("carol2.pub"), "--key", &key2];
    let told = place.writ("carol", &replace).exits(5).out;
    let change = told.lines().next().unwrap_or_default().trim_start_matches("change set ").to_owned();
    assert!(told.contains("the new key SHA256:") && !told.contains("alice"), "{told}");
    place.writ("carol", &["sign", &change, "--key", &place.path("carol3"), "--yes"]).exits(0);
    place.writ("carol", &["login", "--key", &key2]).exits(4);
    place.writ("carol", &["login", "--key", &place.path("carol3")]).exits(0);
    let rsa = place.path("rsa.pub");
    std::fs::write(&rsa, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ== x\n").expect("a file");
    assert!(place.writ("alice", &["key", "enrol", "carol", "--pub", &rsa]).exits(2).err.contains("ssh-ed25519"));
}

/// Adds a person whose key signs here.
pub(crate) fn enrol(place: &Place, name: &str) {
    let key = place.path(&format!("{name}.pub"));
    let change =
        place.writ("alice", &["party", "add", name, "--type", "person", "--pub", &key, "-o", "json"]).exits(5).text("/change");
    place.writ("bob", &["sign", &change, "--yes"]).exits(5);
    let dir = place.path("dir");
    place.writ(name, &["sign", &change, "--dir", &dir, "--key", &place.path(name), "--yes"]).exits(0);
    place.login(name);
}
