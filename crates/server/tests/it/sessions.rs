//! Sessions: who gets one, and what it opens.

use crate::world::{Answer, Ask, Said, World, person};
use hyper::Method;
use serde_json::{Value, json};
use std::sync::Mutex;
use writ_ledger::SignedAct;
use writ_sim::{Estate as Staff, Seeded, Signing};
use writ_types::{ActKind, Secret, Time, Ttl};
use writ_wire::api::{Challenge, Estate, Login, SessionView};
use writ_wire::client::{Caller, ClientError, over_unix};

/// R46: the real client logs in by a key's signature over the server's challenge, and reads with the token.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_a_session_and_the_session_reads() {
    let world = World::served().await;
    let (socket, nobody) = (world.socket(), Caller::default());
    let challenge: Challenge =
        over_unix(&socket, &nobody, Method::POST, "/v1/login/challenge", Some(&json!({})), Some("key-00001")).await.unwrap();
    let content = json!({"challenge": challenge.challenge});
    let SignedAct { key, statement, sshsig, .. } = world.act("alice", ActKind::Login, &challenge.challenge, &content);
    // The key says who: the client need not know by which id.
    let act = writ_wire::api::Act { by: writ_types::PartyId::from_bits([0; 16]), key, statement, sshsig };
    let login = Login { challenge: challenge.challenge, act, ttl: Ttl::from_seconds(600) };
    let session: SessionView =
        over_unix(&socket, &nobody, Method::POST, "/v1/login", Some(&login), Some("key-00002")).await.unwrap();
    assert_eq!(session.party, person("alice").party);
    let caller = Caller { token: Some(Secret::new(session.token)) };
    let estate: Estate = over_unix(&socket, &caller, Method::GET, "/v1/estate/export", None::<&()>, None).await.unwrap();
    assert_eq!(estate.parties.len(), 2);
    let denied = over_unix::<Estate>(&socket, &nobody, Method::GET, "/v1/estate/export", None::<&()>, None).await;
    assert!(matches!(denied, Err(ClientError::Denied(denial)) if denial.code.as_str() == "unauthenticated"));
}

/// Law 11: nothing of the estate without a session, and no token but the one that was given.
#[tokio::test(flavor = "multi_thread")]
async fn reading_needs_the_very_token() {
    let world = World::served().await;
    let token = world.login("alice").await;
    let longer = format!("{token}0");
    let wrong = ["", "wrs_", &token[..token.len() - 1], &longer, &token.to_uppercase(), "wrs_\u{ff}"];
    for (path, _, operation) in crate::described::operations().filter(|(_, method, _)| *method == "get") {
        let guarded =
            operation["security"].as_array().unwrap().iter().all(|way| way.get("session").is_some() || way.get("svid").is_some());
        if !guarded || operation["security"].as_array().unwrap().is_empty() {
            continue;
        }
        for token in wrong {
            let ask = Ask::get(path.replace(['{', '}'], "")).by(token);
            assert_eq!(world.ask(ask).await.refused(), "unauthenticated", "{path} {token}");
        }
    }
    assert_eq!(world.get(&token, "/v1/tasks").await.ok(), json!([]));
}

/// R46: a challenge is answered once, by the key that it is asked of, in time.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_does_not_hold_opens_nothing() {
    let world = World::served().await;
    let code = async |login: &Value| world.post("/v1/login", login).await.refused();

    let good = world.answer("alice").await;
    let size = world.size().await;
    let check = async |change: &dyn Fn(&mut Value), wanted: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        assert_eq!(code(&bad).await, wanted, "{bad}");
    };
    let bob = world.answer("bob").await;
    check(&|it| it["challenge"] = json!("A".repeat(75)), "malformed").await;
    check(&|it| it["challenge"] = json!(""), "malformed").await;
    check(&|it| it["act"] = bob["act"].clone(), "bad-signature").await;
    check(&|it| it["act"]["by"] = bob["act"]["by"].clone(), "bad-signature").await;
    check(&|it| it["act"]["key"] = bob["act"]["key"].clone(), "bad-signature").await;
    check(&|it| it["act"]["sshsig"] = bob["act"]["sshsig"].clone(), "bad-signature").await;
    check(&|it| it["act"]["statement"]["act"] = json!("approve"), "bad-signature").await;
    check(&|it| it["act"]["statement"]["origin"] = json!("other.example/writ"), "bad-signature").await;
    check(&|it| it["act"]["statement"]["expires"] = json!("2020-11-22T10:00:00.000001Z"), "stale").await;
    check(&|it| it["ttl"] = json!("9h"), "invalid").await;
    check(&|it| it["ttl"] = json!("0s"), "invalid").await;
    let mallory = world.answer("mallory").await;
    assert_eq!(code(&mallory).await, "bad-signature");
    // What nobody known asked is not in the log.
    assert_eq!(world.size().await, size);

    assert_eq!(world.post("/v1/login", &good).await.ok()["party"], person("alice").party.to_string());
    assert_eq!(code(&good).await, "malformed", "a challenge that was answered");
    assert_eq!(world.size().await, size + 1);
}

/// R46: a signature that has expired, or that would hold for days, opens nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_counts_in_its_time_only() {
    let world = World::served().await;
    let random = Mutex::new(Seeded::new(5));
    let login = async |now: Time| -> Answer {
        let challenge = world.post("/v1/login/challenge", &json!({})).await.ok()["challenge"].as_str().unwrap().to_owned();
        let content = json!({"challenge": challenge});
        let act = {
            let mut random = random.lock().unwrap();
            let mut by = Signing { origin: crate::world::ORIGIN, now, random: &mut random };
            person("alice").sign(ActKind::Login, &challenge, &content, &[], &mut by)
        };
        world.post("/v1/login", &json!({"challenge": challenge, "act": act, "ttl": "1h"})).await
    };
    let now = crate::world::now();
    assert_eq!(login(Time::from_micros(now.micros() - 3_600_000_000)).await.refused(), "stale");
    assert_eq!(login(now.after(Ttl::from_seconds(3 * 86_400))).await.refused(), "stale");
    login(now).await.ok();
}

/// Law 9: neither what is refused nor what the operator reads holds a token or a signature.
#[tokio::test(flavor = "multi_thread")]
async fn no_answer_and_no_line_of_the_servers_log_holds_a_secret() {
    let world = World::served().await;
    let token = world.login("alice").await;
    let login = world.answer("alice").await;
    let sshsig = login["act"]["sshsig"].as_str().unwrap().to_owned();
    let body = sshsig.lines().nth(2).unwrap().to_owned();
    let mut answers = Vec::new();
    for (path, body) in [
        ("/v1/why".to_owned(), json!({"what": token})),
        ("/v1/why".to_owned(), json!({"what": {"token": token}})),
        ("/v1/why".to_owned(), json!({"what": sshsig})),
        ("/v1/login".to_owned(), json!({"challenge": token, "act": token, "ttl": "1h"})),
        ("/v1/login".to_owned(), json!({"challenge": "x", "act": login["act"], "ttl": sshsig})),
        ("/v1/login".to_owned(), json!({"challenge": "x", "act": {"by": token}, "ttl": "1h"})),
        ("/v1/login".to_owned(), json!({"challenge": "x", "act": {"by": sshsig}, "ttl": "1h"})),
        ("/v1/login".to_owned(), json!({token.clone(): 1})),
        ("/v1/kills".to_owned(), json!({"content": sshsig, "act": login["act"], "blobs": [token]})),
        (format!("/v1/tasks/{token}/approve"), json!({"act": login["act"]})),
        (format!("/v1/changes/{token}/sign"), json!({"act": login["act"]})),
    ] {
        let mut ask = Ask::post(path, &world.token(), &body);
        ask.token = Some(token.clone());
        answers.push(world.ask(ask).await);
    }
    for path in
        ["tasks", "parties", "identities", "boundaries", "resources", "decisions", "credentials", "log/tile", "log/entries"]
    {
        answers.push(world.get(&token, &format!("/v1/{path}/{token}")).await);
    }
    answers.push(world.get(&format!("{token}x"), "/v1/tasks").await);
    for answer in answers {
        let text = answer.text();
        answer.refused();
        assert!(!text.contains(&token) && !text.contains(&token[4..24]), "{text}");
        assert!(!text.contains(&body) && !text.contains(&body[..24]), "{text}");
    }
    let said = Said::all();
    assert!(said.contains("hyper") || !said.is_empty(), "the log is captured");
    assert!(!said.contains(&token) && !said.contains(&token[4..40]) && !said.contains(&body));
}

/// Law 11: who knows a change set's id sees what is to be signed, as a new person must. Who else must sign is told with a session.
#[tokio::test(flavor = "multi_thread")]
async fn who_must_sign_is_told_with_a_session_only() {
    let world = World::served().await;
    let token = world.login("alice").await;
    let change = world.file("alice", Staff::people()).await;
    let path = format!("/v1/changes/{change}");
    let (mut told, shown) = (world.get(&token, &path).await.ok(), world.get("", &path).await.ok());
    let waits = |view: &Value| view["parts"].as_array().unwrap().iter().filter(|part| part["needs"] != json!([])).count();
    assert!(waits(&told) > 5 && waits(&shown) == 0, "{told}");
    for part in told["parts"].as_array_mut().unwrap() {
        part["needs"] = json!([]);
    }
    assert_eq!(told, shown);
    assert_eq!(world.get("", "/v1/changes").await.refused(), "unauthenticated");
    assert_eq!(world.get("wrs_no-session", &path).await.refused(), "unauthenticated");
    let unknown = "/v1/changes/chg_00000000000000000000000000000000";
    assert_eq!(
        (world.get("", unknown).await.refused(), world.get(&token, unknown).await.refused()),
        ("not-found".to_owned(), "not-found".to_owned())
    );
}
