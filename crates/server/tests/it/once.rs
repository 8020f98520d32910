//! Idempotency keys: the same key, the same answer, nothing twice.

use crate::described::operations;
use crate::world::{Ask, World, person};
use serde_json::json;
use writ_ledger::body::ChangeContent;
use writ_sim::Estate;
use writ_types::{ActKind, ChangeId};

/// No POST without its key; the description names every one of them.
#[tokio::test(flavor = "multi_thread")]
async fn every_post_without_a_key_is_refused() {
    let world = World::staffed().await;
    let (token, held) = (world.login("alice").await, crate::tls::held(&world).await);
    let size = world.size().await;
    let mut count = 0;
    for (path, _, operation) in operations().filter(|(_, method, _)| *method == "post") {
        let path = path.replace("{id}", "tsk_00000000000000000000000000000000");
        for key in [None, Some("short"), Some("with a space"), Some("")] {
            let mut ask = Ask::post(path.clone(), "", &json!({})).by(&token);
            ask.key = key.map(str::to_owned);
            let only_svid = operation["security"] == json!([{"svid": []}]);
            let answer = if only_svid { world.tls(held.config(), ask).await.unwrap() } else { world.ask(ask).await };
            assert_eq!(answer.refused(), "malformed", "{path} {key:?}");
            assert!(answer.text().contains("idempotency-key"), "{path}: {}", answer.text());
        }
        count += 1;
    }
    assert_eq!(count, 14);
    assert_eq!(world.size().await, size);
}

/// What is asked again with its key is answered again and done once, also when both come at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gets_the_same_answer_and_nothing_happens_twice() {
    let world = World::served().await;
    let change = ChangeId::from_bits([3; 16]);
    let content = ChangeContent { change, filer: person("alice").party, items: Estate::people() };
    let act = world.act("alice", ActKind::Change, &change.to_string(), &content);
    let names: Vec<serde_json::Value> =
        writ_sim::Cast::get().people().map(|(_, person)| serde_json::from_slice(person.name.bytes()).unwrap()).collect();
    let body = json!({"content": content, "act": act, "blobs": names});
    let ask = || world.ask(Ask::post("/v1/changes", "the-same-key", &body));
    let size = world.size().await;
    let (first, second, third) = tokio::join!(ask(), ask(), ask());
    assert_eq!(first.ok(), second.ok());
    assert_eq!(first.ok(), third.ok());
    let later = ask().await;
    assert_eq!(first.ok(), later.ok());
    assert_eq!(world.size().await, size + 1);
    // Without its key the same signature is spent.
    assert_eq!(world.post("/v1/changes", &body).await.refused(), "stale");
    assert_eq!(world.size().await, size + 1);
}

/// A key that comes back with something else is refused: to say of the second that it is done would be a lie.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_for_one_request() {
    let world = World::served().await;
    let challenge = Ask::post("/v1/login", "another-key", &world.answer("alice").await);
    world.ask(challenge).await.ok();
    let other = Ask::post("/v1/login", "another-key", &world.answer("alice").await);
    assert_eq!(world.ask(other).await.refused(), "invalid");
    // The same text on another path is another key.
    let elsewhere = Ask::post("/v1/login/challenge", "another-key", &json!({}));
    world.ask(elsewhere).await.ok();
}

/// A login that is sent twice opens one session: its token left once.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_sent_twice_opens_one_session() {
    let world = World::served().await;
    let login = world.answer("alice").await;
    let size = world.size().await;
    let ask = || world.ask(Ask::post("/v1/login", "the-same-login", &login));
    let (first, second) = tokio::join!(ask(), ask());
    let tokens = [&first, &second].into_iter().filter(|answer| answer.status == 200).count();
    assert_eq!(tokens, 1, "{} {}", first.text(), second.text());
    assert_eq!(world.size().await, size + 1);
}

/// Law 11: a key is its caller's. Whoever guesses another identity's key neither reads its answer nor spoils it.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_its_callers() {
    let world = World::staffed().await;
    let (one, other) = (crate::tls::held(&world).await, crate::tls::held(&world).await);
    assert_ne!(one.serial, other.serial);
    let path = "/v1/tasks/tsk_00000000000000000000000000000001/signal";
    let ask = |trigger: &str| Ask::post(path, "the-guessed-key", &json!({"trigger": trigger}));
    assert_eq!(world.tls(one.config(), ask("misuse")).await.unwrap().refused(), "not-found");
    assert_eq!(world.tls(one.config(), ask("context-changed")).await.unwrap().refused(), "invalid");
    assert_eq!(world.tls(other.config(), ask("context-changed")).await.unwrap().refused(), "not-found");
}
