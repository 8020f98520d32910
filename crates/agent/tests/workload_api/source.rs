//! A workload's own side, against a real agent and a real TLS server.

use super::{soon, unsigned};
use crate::world::{Authority, World, now, own_uid};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use writ_agent::{Limits, Source, SourceError, WorkloadKey, fetch, server_config};
use writ_credential::x509::verify_issued_by;
use writ_types::{SpiffeId, TextValue, Ttl};

/// Answers one connection with `hello`, as the member `path` of the authority's trust domain; returns its address.
async fn answer_once(authority: &Authority, path: &str) -> String {
    let key = WorkloadKey::generate().unwrap();
    let id = SpiffeId::parse(&format!("spiffe://example.org{path}")).unwrap();
    let chain = authority.sign(&id, &key.csr, now().after(Ttl::from_seconds(60)));
    let config = server_config(&[chain], &key.pkcs8, authority.facts.clone()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(mut stream) = TlsAcceptor::from(std::sync::Arc::new(config)).accept(stream).await {
            let _ = stream.write_all(b"hello").await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

/// R43, R72: the document holds under the bundle, and with it the workload reaches the server and nobody who only says so.
#[tokio::test]
async fn a_workload_reaches_the_server_with_its_document() {
    let world = World::new(Limits::default());
    world.estates.register("/prod/invoicer", &own_uid());
    let svid = soon(fetch(&world.socket())).await.unwrap();
    assert_eq!(svid.spiffe_id.to_string(), "spiffe://example.org/prod/invoicer");
    world.estates.change(|estate| verify_issued_by(&svid.chain[0], &estate.authority.facts, now()).map(drop)).unwrap();

    let (server, neighbour) = {
        let authority = world.estates.change(|estate| std::mem::replace(&mut estate.authority, Authority::new()));
        (answer_once(&authority, "/writ/server").await, answer_once(&authority, "/prod/other").await)
    };
    let mut stream = soon(svid.connect(&server)).await.unwrap();
    let mut said = String::new();
    soon(stream.read_to_string(&mut said)).await.unwrap();
    assert_eq!(said, "hello");
    let refused = soon(svid.connect(&neighbour)).await.err().unwrap();
    assert!(matches!(refused, SourceError::Server { .. }), "{refused}");
    let gone = soon(svid.connect("127.0.0.1:1")).await.err().unwrap();
    assert!(gone.to_string().contains("127.0.0.1:1"), "{gone}");
}

/// R2: who may have nothing yet hears what is missing and who can supply it, not "permission denied".
#[tokio::test]
async fn a_refused_workload_hears_what_is_missing() {
    let limits = Limits { pending: std::time::Duration::from_millis(50), ..Limits::default() };
    let world = World::new(limits);
    world.estates.change(|estate| estate.pending = Some(unsigned()));
    let denied = soon(fetch(&world.socket())).await.err().unwrap();
    assert!(matches!(denied, SourceError::Denied(_)), "{denied}");
    for part in ["charter of `prod`", "business", "writ sign"] {
        assert!(denied.to_string().contains(part), "{denied}");
    }
    let nobody = soon(fetch(&world.socket().with_file_name("nobody.sock"))).await.err().unwrap();
    assert!(matches!(nobody, SourceError::NoAgent { .. }), "{nobody}");
}

/// R51: a source holds a fresh document without being asked.
#[tokio::test]
async fn a_source_stays_fresh() {
    let world = World::new(Limits::default());
    world.estates.change(|estate| estate.ttl = Ttl::from_seconds(2));
    world.estates.register("/prod/invoicer", &own_uid());
    let source = soon(Source::watch(&world.socket())).await.unwrap();
    let first = source.svid();
    let replaced = async {
        while source.svid().chain == first.chain {
            tokio::task::yield_now().await;
        }
    };
    soon(replaced).await;
    assert_ne!(source.svid().pkcs8.expose(), first.pkcs8.expose());
}
