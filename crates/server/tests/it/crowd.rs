//! Many at once: bounded, and nobody is left behind.

use crate::world::{Ask, World};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// R205: a thousand that ask at once share their syncs.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_at_once_cost_at_most_a_hundred_syncs() {
    let world = Arc::new(World::staffed().await);
    let mut logins = Vec::new();
    // What one person can cause is bounded, so it takes seven.
    for handle in ["alice", "bob", "carol", "dave", "erin", "frank", "gina"].into_iter().cycle().take(1_000) {
        logins.push(world.answer(handle).await);
    }
    let (appends, size) = (world.metric("writ_store_appends").await, world.size().await);
    let mut asking = JoinSet::new();
    for login in logins {
        let world = Arc::clone(&world);
        asking.spawn(async move { world.post("/v1/login", &login).await });
    }
    while let Some(answer) = asking.join_next().await {
        answer.unwrap().ok();
    }
    let (appends, size) = (world.metric("writ_store_appends").await - appends, world.size().await - size);
    assert!(size >= 1_000, "{size}");
    assert!((1..=100).contains(&appends), "{appends}");
}

/// Whoever holds something up is let go, and the others are served. All at once, because each takes the time that it may.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_silent_or_slow_is_let_go() {
    tokio::join!(the_silent_and_the_slow(), a_slow_body(), no_handshake());
}

/// Whoever connects and says nothing, or says it one byte at a time.
async fn the_silent_and_the_slow() {
    let world = World::served().await;
    let mut silent = Vec::new();
    for _ in 0..1_100 {
        let stream = tokio::net::UnixStream::connect(world.socket());
        // The listener's backlog is full once all places are taken: those wait outside.
        match tokio::time::timeout(Duration::from_millis(200), stream).await {
            Ok(Ok(stream)) => silent.push(stream),
            _ => break,
        }
    }
    assert!(silent.len() >= 1_024, "{}", silent.len());
    let mut slow = silent.swap_remove(0);
    let trickle = tokio::spawn(async move {
        for byte in b"GET /v1/status HTTP/1.1\r\nhost: writ\r\nx: ".iter().chain(std::iter::repeat(&b'y')) {
            if slow.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    // No place is free for as long as the silent ones may stay; then each is.
    let mut first = silent.swap_remove(0);
    let mut said = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), first.read_to_end(&mut said)).await;
    read.expect("a silent connection is closed").unwrap();
    tokio::time::timeout(Duration::from_secs(30), trickle).await.expect("a slow connection is closed").unwrap();
    world.get("", "/v1/status").await.ok();
}

/// A body that trickles in.
async fn a_slow_body() {
    let world = World::served().await;
    let mut stream = world.connect().await;
    let head = "POST /v1/login HTTP/1.1\r\nhost: writ\r\ncontent-type: application/json\r\nidempotency-key: 12345678\r\ncontent-length: 1000\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1_024];
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read(&mut answer)).await.expect("it is answered").unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("did not arrive within"), "{answer}");
}

/// A handshake that does not come, more often than there are places; the API by certificate goes on meanwhile, for those who come
/// and for those who are there.
async fn no_handshake() {
    let world = World::staffed().await;
    let held = crate::tls::held(&world).await;
    let mut silent = Vec::new();
    for _ in 0..2_000 {
        silent.push(TcpStream::connect(world.api.unwrap()).await.unwrap());
    }
    for _ in 0..3 {
        world.tls(held.config(), Ask::get("/v1/status")).await.unwrap().ok();
    }
    let mut last = silent.pop().unwrap();
    let mut said = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), last.read_to_end(&mut said)).await;
    drop(read.expect("a connection without a handshake is closed"));
}
