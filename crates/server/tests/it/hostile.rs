//! What hostile callers send: each gets a clear refusal, and the log does not grow.

use crate::world::{Ask, World};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const POSTS: [&str; 9] = [
    "/v1/login",
    "/v1/changes",
    "/v1/changes/chg_00000000000000000000000000000001/sign",
    "/v1/tasks",
    "/v1/tasks/tsk_00000000000000000000000000000001/approve",
    "/v1/tasks/tsk_00000000000000000000000000000001/complete",
    "/v1/tasks/tsk_00000000000000000000000000000001/signal",
    "/v1/kills",
    "/v1/why",
];

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

/// Hostile bodies on every POST.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_are_refused_and_leave_no_trace() {
    let world = World::served().await;
    let (token, size) = (world.login("alice").await, world.size().await);
    let long = "n".repeat(64 * 1024);
    let act = world.act("alice", writ_types::ActKind::Change, "chg_1", &json!({}));
    let texts = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{".to_owned(),
        "{\"what\"".to_owned(),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{{\"content\":{},\"act\":{},\"blobs\":[]}}", nested(100), json!(act)),
        format!("{{\"content\":{{}},\"act\":{},\"blobs\":[{}]}}", json!(act), nested(100)),
        json!({ long.clone(): 1 }).to_string(),
        json!({"content": long, "act": act, "blobs": []}).to_string(),
        json!({"content": {"name": long}, "act": act, "blobs": [long]}).to_string(),
        json!({"act": {"by": long, "key": long, "statement": {}, "sshsig": long}}).to_string(),
        json!({"act": {"by": "pty_\0", "key": "\0", "statement": {"\0": "\u{202e}"}, "sshsig": "\0"}}).to_string(),
        json!({"trigger": "\u{202e}\u{2066}misuse\n\r\u{7}", "act": act}).to_string(),
        json!({"challenge": "\0\u{202e}", "act": act, "ttl": "1h"}).to_string(),
        json!({"challenge": 1e300, "act": act, "ttl": -1}).to_string(),
        "{\"what\":\"\\ud800\"}".to_owned(),
        "{\"act\":1,\"act\":2}".to_owned(),
        "\u{feff}{}".to_owned(),
    ];
    for path in POSTS {
        for text in &texts {
            let mut ask = Ask::post(path, &world.token(), &()).by(&token);
            ask.body = text.clone().into_bytes();
            let answer = world.ask(ask).await;
            let code = answer.refused();
            assert!(answer.status.is_client_error(), "{path} {code}: {}", answer.text());
            assert!(!answer.text().contains('\u{202e}') && answer.body.len() < 4_096, "{path}: {}", answer.text());
        }
        let mut bytes = Ask::post(path, &world.token(), &()).by(&token);
        bytes.body = b"{\"what\":\"\xff\xfe\"}".to_vec();
        assert_eq!(world.ask(bytes).await.refused(), "malformed");
    }
    assert_eq!(world.size().await, size);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_64_kib_is_not_found_and_not_repeated() {
    let world = World::served().await;
    let token = world.login("alice").await;
    for what in ["n".repeat(64 * 1024), "a\0b".to_owned(), "\u{202e}a".to_owned(), "x".repeat(65 * 1024), String::new()] {
        let mut ask = Ask::post("/v1/why", &world.token(), &json!({"what": what}));
        ask.token = Some(token.clone());
        let answer = world.ask(ask).await;
        assert_eq!(answer.refused(), "not-found");
        assert!(answer.body.len() < 512, "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_kind_of_content_and_too_much_of_it_are_refused() {
    let world = World::served().await;
    let size = world.size().await;
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data"), Some("\u{1}")]
    {
        let mut ask = Ask::post("/v1/login", &world.token(), &world.answer("alice").await);
        ask.kind = kind.filter(|kind| *kind != "\u{1}");
        let answer = world.ask(ask).await;
        assert_eq!(answer.refused(), "malformed");
        assert!(answer.text().contains("content-type"), "{}", answer.text());
    }
    let mut ask = Ask::post("/v1/login", &world.token(), &world.answer("alice").await);
    ask.kind = Some("Application/JSON; charset=utf-8");
    world.ask(ask).await.ok();

    let limit = writ_wire::api::BODY_BYTES_MAX;
    let filled = |bytes: usize| format!("{{\"what\":\"{}\"}}", "x".repeat(bytes - 11)).into_bytes();
    let mut most = Ask::post("/v1/why", &world.token(), &()).by(&world.login("bob").await);
    most.body = filled(limit);
    assert_eq!(world.ask(most.clone()).await.refused(), "not-found");
    (most.body, most.key) = (filled(limit + 1), Some(world.token()));
    let answer = world.ask(most).await;
    assert_eq!(answer.refused(), "malformed");
    assert!(answer.text().contains(&limit.to_string()), "{}", answer.text());
    assert_eq!(world.size().await, size + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_or_method_that_is_not_there_says_so() {
    let world = World::served().await;
    let token = world.login("alice").await;
    for path in ["/", "/v1", "/v2/status", "/v1/status/", "/v1/tasks/", "//v1/status", "/v1/log/tile", "/v1/log/tile/"] {
        assert_eq!(world.get(&token, path).await.refused(), "not-found", "{path}");
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let ask = Ask { method, path: "/v1/status".to_owned(), ..Ask::default() };
        let answer = world.ask(ask).await;
        assert_eq!((answer.status, answer.refused().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"));
    }
    assert_eq!(world.get(&token, "/v1/tasks/%ff").await.refused(), "malformed");
}

/// What is not HTTP, or not in its bounds, ends the connection and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_http_ends_its_connection_only() {
    let world = World::served().await;
    let long = format!("GET /v1/status HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(128 * 1024));
    let many = format!("GET /v1/status HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    let smuggled = "POST /v1/login HTTP/1.1\r\nhost: w\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    for text in [
        "\x16\x03\x01\x02\0\x01",
        "GET\r\n\r\n",
        "GET /\0 HTTP/1.1\r\n\r\n",
        &long,
        &many,
        smuggled,
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = world.connect().await;
        // The server may close before it has read all of it.
        drop(stream.write_all(text.as_bytes()).await);
        drop(stream.shutdown().await);
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        drop(read.expect("the connection ends"));
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    world.get("", "/v1/status").await.ok();
}
