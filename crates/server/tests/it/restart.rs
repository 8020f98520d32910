//! Starting over a directory: once at a time, with what belongs to it, and never over something broken.

use crate::world::{Ask, LOG_KEY, World, now};
use std::path::Path;
use writ_ledger::body::{Body, FindingRaised};
use writ_ledger::{Actor, Entry, Kind, Lane, Log, LogSigner, Salt, Staged};
use writ_server::{ServeError, serve};
use writ_sim::Seeded;
use writ_store::{DirError, KeyDir, Options, SqliteStore};
use writ_types::{ActorKind, EventId, TextValue as _, Ttl, Via};

/// Serves the directory, which is to be refused.
async fn refused(world: &World) -> ServeError {
    let ready = || panic!("it listens");
    serve(world.config(), ready, std::future::pending()).await.unwrap_err()
}

/// The log is all there is: what was true is true after a restart, sessions too.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_true_is_true_after_a_restart() {
    let mut world = World::staffed().await;
    let token = world.login("alice").await;
    let (before, status) = (world.get(&token, "/v1/estate/export").await.ok(), world.get("", "/v1/status").await.ok());
    world.stop().await;
    assert!(!world.socket().exists());
    world.start().await.unwrap();
    let after = world.get(&token, "/v1/estate/export").await.ok();
    for member in ["parties", "keys", "boundaries", "identities", "resources", "policy_set"] {
        assert_eq!(before[member], after[member]);
    }
    assert_eq!(world.get("", "/v1/status").await.ok()["genesis"], status["genesis"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_refused_and_the_first_goes_on() {
    let world = World::served().await;
    let error = refused(&world).await;
    assert!(matches!(error, ServeError::Dir(DirError::Held { .. })), "{error}");
    assert!(error.to_string().contains("held by another process"), "{error}");
    world.login("alice").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_without_a_log_is_refused() {
    let world = World::founded();
    std::fs::remove_dir_all(world.dir()).unwrap();
    assert!(refused(&world).await.to_string().contains("holds no log"));
    std::fs::create_dir(world.dir()).unwrap();
    assert!(refused(&world).await.to_string().contains("writ init"));
}

/// Nothing is repaired in silence.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_log_is_named_and_left_as_it_is() {
    let mut world = World::staffed().await;
    world.stop().await;
    let db = world.dir().join("log.db");
    // The first letter of every signature, wherever it lies: in the file, and in its write-ahead log.
    let mut found = 0;
    for file in [db.clone(), Path::new(&format!("{}-wal", db.display())).to_owned()] {
        let Ok(mut bytes) = std::fs::read(&file) else { continue };
        let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"U1NIU0lH")).collect();
        for at in &places {
            bytes[*at] = b'V';
        }
        found += places.len();
        std::fs::write(&file, bytes).unwrap();
    }
    assert!(found > 0, "no signature in {}", db.display());
    let error = refused(&world).await.to_string();
    assert!(!error.is_empty() && !error.contains('\n'), "{error}");
    assert_eq!(refused(&world).await.to_string(), error);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_the_logs_is_refused() {
    let mut world = World::served().await;
    world.stop().await;
    let keys = world.dir().join("keys");
    std::fs::remove_file(keys.join(LOG_KEY)).unwrap();
    assert!(refused(&world).await.to_string().contains(LOG_KEY));
    let other = LogSigner::mint(crate::world::ORIGIN, &mut Seeded::new(99)).unwrap();
    KeyDir::open(&keys).unwrap().create(LOG_KEY, other.expose().as_bytes()).unwrap();
    assert!(matches!(refused(&world).await, ServeError::OtherLogKey));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_without_its_key_is_refused() {
    let mut world = World::served().await;
    world.stop().await;
    let file = crate::tls::authority_key(&world);
    let key = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(refused(&world).await, ServeError::OtherAuthority));
    std::fs::write(&file, key).unwrap();
    // Readable by others now: a key that others could have read is not used.
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let error = refused(&world).await.to_string();
    assert!(error.contains("chmod 600"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mode_than_the_genesis_says_is_refused() {
    let world = World::founded();
    let mut config = world.config();
    config.dev = true;
    let error = serve(config, || panic!("it listens"), std::future::pending()).await.unwrap_err();
    assert!(matches!(error, ServeError::Dev));
}

/// Law 8: what has ended by the log has ended, also when the wall clock says that it has not yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_wall_clock_that_was_set_back_revives_no_session() {
    let mut world = World::staffed().await;
    let token = world.login("alice").await;
    let held = crate::tls::held(&world).await;
    world.tls(held.config(), Ask::get("/v1/status")).await.unwrap().ok();
    world.stop().await;
    {
        let store = SqliteStore::open(world.dir(), Options { reserve_bytes: 64 << 10, pages_max: None }).unwrap();
        let mut last = None;
        let mut log = Log::open(store, |_, entry| last = Some(entry)).unwrap();
        let body = Body::from(FindingRaised { rule: "test".to_owned(), what: "two days later".to_owned() });
        let (kind, at) = (Kind::parse(body.kind()).unwrap(), now().after(Ttl::from_seconds(2 * 86_400)));
        let (id, salt) = (EventId::from_bits([9; 16]), Salt::mint(&mut Seeded::new(3)));
        let actor = Actor { id: "system/writ".to_owned(), kind: ActorKind::System, via: Via::Timer };
        let (on, cause, acts, blobs) = Default::default();
        let entry = Entry {
            kind,
            at,
            id,
            salt,
            actor,
            on,
            cause,
            acts,
            blobs,
            decision: None,
            body: body.encode().unwrap(),
            ..last.unwrap()
        };
        drop(log.append(Lane::Grant, vec![Staged { entry, blobs: Vec::new(), order: () }]).unwrap());
    }
    world.start().await.unwrap();
    assert_eq!(world.get(&token, "/v1/tasks").await.refused(), "unauthenticated");
    assert!(world.tls(held.config(), Ask::get("/v1/status")).await.is_err());
    assert_eq!(world.metric("writ_clock_sure").await, 0);
}
