//! The log over HTTP: what anybody may have, what needs a session, and that it is the log.

use crate::world::{World, digest};
use std::collections::BTreeSet;
use writ_ledger::{Entry, LogKey, Receipt, SignedCheckpoint, decode_bundle, decode_hashes, genesis_hash, leaf_hash, tiles};
use writ_types::TextValue as _;

/// R143: a stranger can follow the log's head, and a reader can check every entry against it, with the ledger alone.
#[tokio::test(flavor = "multi_thread")]
async fn tiles_entries_receipts_and_head_are_one_log() {
    let world = World::staffed().await;
    let token = world.login("alice").await;
    let key = LogKey::parse(world.get("", "/v1/log/vkey").await.text().trim()).unwrap();
    let size = world.size().await;
    let head = loop {
        // A checkpoint follows within a second; every answer is the log's own.
        let note = world.get("", "/v1/log/checkpoint").await.text();
        let signed = SignedCheckpoint::open(&note, &key).unwrap();
        if signed.checkpoint().size >= size {
            break signed.checkpoint().clone();
        }
    };
    let mut leaves = Vec::new();
    let mut hashes = Vec::new();
    for tile in tiles(head.size) {
        let path = format!("/v1/log/{tile}");
        if path.contains("/entries/") {
            assert_eq!(world.get("", &path).await.refused(), "unauthenticated");
            let bundle = world.get(&token, &path).await.body;
            leaves.extend(decode_bundle(&bundle, tile.width).unwrap().into_iter().map(<[u8]>::to_vec));
        } else if path.contains("/tile/0/") {
            hashes.extend(decode_hashes(&world.get("", &path).await.body, tile.width).unwrap());
        }
    }
    assert_eq!(leaves.iter().map(|leaf| leaf_hash(leaf)).collect::<Vec<_>>(), hashes);
    let status = world.get("", "/v1/status").await.ok();
    assert_eq!(status["genesis"], genesis_hash(&leaves[0]).to_string());
    assert_eq!(digest(&leaves[0]), genesis_hash(&leaves[0]));
    for (index, leaf) in leaves.iter().enumerate() {
        let shown = world.get(&token, &format!("/v1/log/entries/{index}")).await.ok();
        assert_eq!(shown["entry"], serde_json::to_value(Entry::decode(leaf).unwrap()).unwrap());
        let receipt = Receipt::parse(&world.get(&token, &format!("/v1/log/receipts/{index}")).await.text()).unwrap();
        receipt.verify(leaf, &key).unwrap();
    }
}

/// A tile's path has one form, and leads to tiles only.
#[tokio::test(flavor = "multi_thread")]
async fn a_tiles_path_leads_nowhere_else() {
    let world = World::served().await;
    let token = world.login("alice").await;
    let paths = [
        "../keys/log.key",
        "..%2fkeys%2flog.key",
        "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "0/../../keys/log.key",
        "0/000.p/../../../log.key",
        "entries/../../../keys/log.key",
        "0/%00",
        "0/000%00",
        "0//000",
        "/etc/passwd",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/99999999999999999999",
        "0/000",
        "0/001",
        "0/x001/000",
        "7/000",
        "63/000.p/1",
        "64/000",
        "255/000",
        "entries/000",
        "entries/x999/x999/x999/x999/x999/999",
        "0/x999/x999/x999/x999/x999/999.p/255",
        "checkpoint",
        "data/000",
    ];
    for path in paths {
        assert_eq!(world.get(&token, &format!("/v1/log/tile/{path}")).await.refused(), "not-found", "{path}");
    }
    for path in ["18446744073709551616", "-1", "1e3", "0x1", "%31%00", ""] {
        let code = world.get(&token, &format!("/v1/log/entries/{path}")).await.refused();
        assert!(["malformed", "not-found"].contains(&code.as_str()), "{path} {code}");
    }
    for path in ["18446744073709551615", "9007199254740993", "1000000"] {
        assert_eq!(world.get(&token, &format!("/v1/log/entries/{path}")).await.refused(), "not-found");
        assert_eq!(world.get(&token, &format!("/v1/log/receipts/{path}")).await.refused(), "not-found");
    }
}

/// What is measured is described, and each row once.
#[tokio::test(flavor = "multi_thread")]
async fn every_metric_has_its_help_and_its_type() {
    let world = World::served().await;
    let text = world.get("", "/metrics").await.text();
    let (mut described, mut rows) = (Vec::new(), BTreeSet::new());
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["#", "HELP", name, _, ..] => described.push(name),
            ["#", "TYPE", name, "gauge"] => assert_eq!(described.last(), Some(&name)),
            [row, value] => {
                assert!(rows.insert(row), "{row} stands there twice");
                assert_eq!(described.last().copied(), row.split('{').next());
                value.parse::<u64>().unwrap();
            }
            _ => panic!("{line}"),
        }
    }
    let names: BTreeSet<&str> = rows.iter().filter_map(|row| row.split('{').next()).collect();
    assert_eq!(described.len(), names.len());
    assert!(rows.contains("writ_log_stopped") && rows.contains("writ_refusals{code=\"overloaded\"}"));
    assert_eq!(world.get("", "/healthz").await.text(), "ok\n");
    assert_eq!(world.get("", "/readyz").await.text(), "ready\n");
}
