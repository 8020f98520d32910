//! The Workload API over a real socket, judged by the crate `spiffe` where it can say what is to be said, and by bare gRPC elsewhere.
#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "workload_api/source.rs"]
mod source;
#[path = "workload_api/world.rs"]
mod world;

use spiffe::{WorkloadApiClient, WorkloadApiError, X509Source};
use std::future::Future;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_stream::StreamExt;
use tonic::Code;
use tonic::transport::Endpoint;
use world::{Authority, World, now, own_uid};
use writ_agent::{AgentError, Limits, bind};
use writ_credential::x509::verify_issued_by;
use writ_types::{Denial, SpiffeId, TextValue, Ttl};
use writ_wire::workload::{
    JwtBundlesRequest, JwtsvidRequest, SpiffeWorkloadApiClient, ValidateJwtsvidRequest, WitsvidRequest, X509svid,
    X509svidRequest, connect,
};

/// A bound on waiting that only a hang reaches.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.unwrap()
}

fn unsigned() -> Denial {
    Denial::new(writ_types::Code::Unchartered, "the charter of `prod` is not signed", "ask bob to run `writ sign`")
        .missing(["business"])
}

fn unavailable() -> Denial {
    Denial::new(writ_types::Code::LogUnavailable, "the log can't be written", "free the disk")
}

/// R43, R44: a SPIFFE client gets an X.509-SVID that holds under the bundle, with the key that it names.
#[tokio::test]
async fn a_spiffe_client_gets_its_svid_and_bundle() {
    let world = World::new(Limits::default());
    world.estates.register("/prod/invoicer", &own_uid());
    let client = WorkloadApiClient::connect_to(world.endpoint()).await.unwrap();
    let context = soon(client.fetch_x509_context()).await.unwrap();
    let svid = context.default_svid().unwrap();
    assert_eq!(svid.spiffe_id().to_string(), "spiffe://example.org/prod/invoicer");
    let leaf = svid.cert_chain().first().unwrap().as_bytes().to_vec();
    world.estates.change(|estate| {
        let facts = verify_issued_by(&leaf, &estate.authority.facts, now()).unwrap();
        assert_eq!(facts.spiffe_id, SpiffeId::parse("spiffe://example.org/prod/invoicer").unwrap());
    });
    let bundles = soon(client.fetch_x509_bundles()).await.unwrap();
    let (domain, bundle) = bundles.iter().next().unwrap();
    assert_eq!((domain.to_string().as_str(), bundle.authorities().len()), ("example.org", 1));
}

/// R43: identities of others are not shown; the first is the default one, and the order stays.
#[tokio::test]
async fn a_caller_gets_all_of_its_identities_and_nobody_elses() {
    let world = World::new(Limits::default());
    for (path, selector) in [("/b", own_uid()), ("/other", "unix:uid:4242".to_owned()), ("/a", own_uid())] {
        world.estates.register(path, &selector);
    }
    world.estates.change(|estate| estate.identities.iter_mut().for_each(|(entitlement, _)| entitlement.hint = "same".to_owned()));
    let mut client = connect(&world.socket()).await.unwrap();
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    let svids = soon(stream.message()).await.unwrap().unwrap().svids;
    let shown: Vec<_> = svids.iter().map(|svid| (svid.spiffe_id.as_str(), svid.hint.as_str())).collect();
    assert_eq!(shown, [("spiffe://example.org/b", "same"), ("spiffe://example.org/a", "")]);
    assert!(svids.iter().all(|svid| !svid.bundle.is_empty()));
}

/// R51: an SVID is replaced before it ends, with a new key, without being asked.
#[tokio::test]
async fn an_svid_is_rotated_by_itself() {
    let world = World::new(Limits::default());
    world.estates.change(|estate| estate.ttl = Ttl::from_seconds(2));
    world.estates.register("/prod/invoicer", &own_uid());
    let source = X509Source::builder().endpoint(world.endpoint()).build().await.unwrap();
    let mut updates = source.updated();
    let first = source.svid().unwrap();
    soon(updates.changed()).await.unwrap();
    let second = source.svid().unwrap();
    assert_ne!(first.cert_chain().first().unwrap().as_bytes(), second.cert_chain().first().unwrap().as_bytes());
    assert_ne!(first.private_key().as_bytes(), second.private_key().as_bytes());
}

/// R51: a revoked SVID is replaced at once; a new authority reaches the bundle and the SVID.
#[tokio::test]
async fn what_changes_is_pushed() {
    let world = World::new(Limits::default());
    let identity = world.estates.register("/prod/invoicer", &own_uid());
    let mut client = connect(&world.socket()).await.unwrap();
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    let first = soon(stream.message()).await.unwrap().unwrap();
    world.estates.change(|estate| {
        estate.identities.iter_mut().filter(|(to, _)| to.identity == identity).for_each(|(to, _)| to.generation += 1);
    });
    let second = soon(stream.message()).await.unwrap().unwrap();
    let leaf = |svids: &[X509svid]| svids.first().unwrap().x509_svid.clone();
    assert_ne!(leaf(&first.svids), leaf(&second.svids));

    let mut bundles = client.fetch_x509_bundles(writ_wire::workload::X509BundlesRequest {}).await.unwrap().into_inner();
    let old = soon(bundles.message()).await.unwrap().unwrap();
    assert!(old.bundles.contains_key("spiffe://example.org"));
    world.estates.change(|estate| estate.authority = Authority::new());
    assert_ne!(soon(bundles.message()).await.unwrap().unwrap(), old);
    let third = soon(stream.message()).await.unwrap().unwrap();
    assert_eq!(leaf(&second.svids), leaf(&third.svids), "only its bundle is new");
    assert_ne!(second.svids.first().unwrap().bundle, third.svids.first().unwrap().bundle);

    // A change that is none is no message: the next one is the second identity's.
    world.estates.change(|_| ());
    world.estates.register("/prod/second", &own_uid());
    assert_eq!(soon(stream.message()).await.unwrap().unwrap().svids.len(), 2);
}

/// R43: a workload that waits for its charter's signature gets its SVID by the signature, not by asking again.
#[tokio::test]
async fn a_caller_waits_while_its_identity_is_pending() {
    let world = World::new(Limits { pending: Duration::from_secs(20), ..Limits::default() });
    world.estates.change(|estate| estate.pending = Some(unsigned()));
    let client = WorkloadApiClient::connect_to(world.endpoint()).await.unwrap();
    let waiting = tokio::spawn(async move { client.fetch_x509_svid().await });
    // The stream listens for changes before it is told to wait.
    let listens = world.estates.changes.clone();
    soon(async {
        while listens.receiver_count() == 0 {
            tokio::task::yield_now().await
        }
    })
    .await;
    assert!(!waiting.is_finished());
    world.estates.register("/prod/invoicer", &own_uid());
    let svid = soon(waiting).await.unwrap().unwrap();
    assert_eq!(svid.spiffe_id().to_string(), "spiffe://example.org/prod/invoicer");
}

/// R46, law 2: who waits too long hears what is missing and who can supply it; nothing is issued.
#[tokio::test]
async fn waiting_has_an_end_that_says_what_is_missing() {
    let world = World::new(Limits { pending: Duration::from_millis(50), ..Limits::default() });
    world.estates.change(|estate| estate.pending = Some(unsigned()));
    let client = WorkloadApiClient::connect_to(world.endpoint()).await.unwrap();
    match soon(client.fetch_x509_svid()).await {
        Err(WorkloadApiError::PermissionDenied(message)) => {
            assert!(message.contains("missing business") && message.contains("writ sign"))
        }
        other => panic!("{other:?}"),
    }
    // The gates may also speak at the issuance.
    world.estates.register("/prod/invoicer", &own_uid());
    world.estates.change(|estate| estate.failing = Some(unsigned()));
    assert!(matches!(soon(client.fetch_x509_svid()).await, Err(WorkloadApiError::PermissionDenied(_))));
    assert_eq!(world.estates.issued.load(std::sync::atomic::Ordering::Relaxed), 0);
}

/// R46, R47: a caller that nobody filed is denied, and told its own facts; whose identity is removed loses its streams.
#[tokio::test]
async fn without_an_identity_there_is_permission_denied() {
    let world = World::new(Limits::default());
    let mut client = connect(&world.socket()).await.unwrap();
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    let refused = soon(stream.message()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().contains(&format!("`{}`", own_uid())), "{refused}");
    let judge = WorkloadApiClient::connect_to(world.endpoint()).await.unwrap();
    assert!(matches!(soon(judge.fetch_x509_svid()).await, Err(WorkloadApiError::NoIdentityIssued)));

    world.estates.register("/prod/invoicer", &own_uid());
    let mut svids = soon(client.fetch_x509svid(X509svidRequest {})).await.unwrap().into_inner();
    let mut bundles = soon(client.fetch_x509_bundles(writ_wire::workload::X509BundlesRequest {})).await.unwrap().into_inner();
    soon(svids.message()).await.unwrap().unwrap();
    soon(bundles.message()).await.unwrap().unwrap();
    world.estates.change(|estate| estate.identities.clear());
    assert_eq!(soon(svids.message()).await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(soon(bundles.message()).await.unwrap_err().code(), Code::PermissionDenied);
}

/// R44: `workload.spiffe.io: true` or nothing.
#[tokio::test]
async fn a_request_without_the_metadata_is_invalid() {
    let world = World::new(Limits::default());
    world.estates.register("/prod/invoicer", &own_uid());
    let channel = Endpoint::from_shared(world.endpoint()).unwrap().connect().await.unwrap();
    for value in [None, Some("false"), Some("TRUE"), Some("")] {
        let mut request = tonic::Request::new(X509svidRequest {});
        if let Some(value) = value {
            request.metadata_mut().insert("workload.spiffe.io", value.parse().unwrap());
        }
        let refused = soon(SpiffeWorkloadApiClient::new(channel.clone()).fetch_x509svid(request)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{value:?}");
    }
}

/// R44, R51: token profiles without an authority say so, after asking who is there.
#[tokio::test]
async fn the_other_profiles_are_unimplemented() {
    let world = World::new(Limits::default());
    let mut client = connect(&world.socket()).await.unwrap();
    let jwt = JwtsvidRequest { audience: vec!["a".to_owned()], spiffe_id: String::new() };
    for (code, empty) in [(Code::PermissionDenied, Code::InvalidArgument), (Code::Unimplemented, Code::InvalidArgument)] {
        assert_eq!(soon(client.fetch_jwtsvid(jwt.clone())).await.unwrap_err().code(), code);
        assert_eq!(soon(client.fetch_jwtsvid(JwtsvidRequest::default())).await.unwrap_err().code(), empty);
        assert_eq!(soon(client.fetch_jwt_bundles(JwtBundlesRequest {})).await.unwrap_err().code(), code);
        assert_eq!(soon(client.validate_jwtsvid(ValidateJwtsvidRequest::default())).await.unwrap_err().code(), code);
        assert_eq!(soon(client.fetch_witsvid(WitsvidRequest::default())).await.unwrap_err().code(), code);
        world.estates.register("/prod/invoicer", &own_uid());
    }
}

/// A message or metadata over the bound is refused, and the connection's server lives on.
#[tokio::test]
async fn oversized_requests_are_refused() {
    let world = World::new(Limits::default());
    world.estates.register("/prod/invoicer", &own_uid());
    let mut client = connect(&world.socket()).await.unwrap();
    let large = JwtsvidRequest { audience: vec!["a".repeat(1 << 20)], spiffe_id: String::new() };
    let refused = soon(client.fetch_jwtsvid(large)).await.unwrap_err();
    assert!(matches!(refused.code(), Code::OutOfRange | Code::ResourceExhausted), "{refused:?}");
    let mut request = tonic::Request::new(X509svidRequest {});
    request.metadata_mut().insert("x-large", "a".repeat(64 * 1024).parse().unwrap());
    soon(client.fetch_x509svid(request)).await.unwrap_err();
    let mut client = connect(&world.socket()).await.unwrap();
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    assert!(soon(stream.message()).await.unwrap().is_some());
}

/// 200 idle connections of one user: those over the bound are told why, the others end when they say nothing, and who is served stays served.
#[tokio::test]
async fn idle_connections_are_refused_politely() {
    let world = World::new(Limits { connections_per_uid: 20, handshake: Duration::from_millis(500), ..Limits::default() });
    let identity = world.estates.register("/prod/invoicer", &own_uid());
    let mut client = connect(&world.socket()).await.unwrap();
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    soon(stream.message()).await.unwrap().unwrap();
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(UnixStream::connect(world.socket()).await.unwrap());
    }
    let mut told = 0;
    for mut connection in idle {
        let mut bytes = Vec::new();
        let _ = soon(connection.read_to_end(&mut bytes)).await;
        told += usize::from(String::from_utf8_lossy(&bytes).contains("too many connections of user"));
    }
    assert!(told >= 64, "{told} were told");
    world.estates.change(|estate| {
        estate.identities.iter_mut().filter(|(to, _)| to.identity == identity).for_each(|(to, _)| to.generation += 1);
    });
    soon(stream.message()).await.unwrap().unwrap();
    // Their places are free again, some at once, all in the end.
    loop {
        let judge = WorkloadApiClient::connect_to(world.endpoint()).await.unwrap();
        if soon(judge.fetch_x509_svid()).await.is_ok() {
            break;
        }
    }
}

/// R49: bytes that are no HTTP/2, and a client that never answers, end by themselves.
#[tokio::test]
async fn garbage_ends_the_connection() {
    let world = World::new(Limits { handshake: Duration::from_millis(200), ..Limits::default() });
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[0xff; 10_000], b""] {
        let mut connection = UnixStream::connect(world.socket()).await.unwrap();
        let _ = connection.write_all(bytes).await;
        let _ = soon(connection.read_to_end(&mut Vec::new())).await;
    }
}

/// Law 6: an operator's trouble takes nothing that was given, and gives nothing new; what was given is renewed when it is over.
#[tokio::test]
async fn a_stream_survives_the_operators_trouble() {
    let world = World::new(Limits { retry: Duration::from_millis(5), ..Limits::default() });
    world.estates.change(|estate| estate.ttl = Ttl::from_seconds(2));
    world.estates.register("/prod/invoicer", &own_uid());
    let mut client = connect(&world.socket()).await.unwrap();
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    let first = soon(stream.message()).await.unwrap().unwrap();
    world.estates.change(|estate| estate.failing = Some(unavailable()));
    let mut late = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    assert_eq!(soon(late.message()).await.unwrap_err().code(), Code::Unavailable);
    // Longer than the SVID lives.
    assert!(tokio::time::timeout(Duration::from_millis(2_500), stream.message()).await.is_err());
    world.estates.change(|estate| estate.failing = None);
    assert_ne!(soon(stream.message()).await.unwrap().unwrap(), first);
}

/// One user can't have more SVIDs made than its budget, however it asks.
#[tokio::test]
async fn issuance_is_bounded_by_user() {
    let limits = Limits { svids_burst_per_uid: 5, svid_interval_per_uid: Duration::from_secs(3_600), ..Limits::default() };
    let world = World::new(limits);
    world.estates.register("/prod/invoicer", &own_uid());
    let mut client = connect(&world.socket()).await.unwrap();
    let mut last = None;
    for _ in 0..10 {
        let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
        last = soon(stream.message()).await.err();
    }
    assert_eq!(last.unwrap().code(), Code::ResourceExhausted);
    assert_eq!(world.estates.issued.load(std::sync::atomic::Ordering::Relaxed), 5);
}

/// A server that stops tells its streams so, and ends.
#[tokio::test]
async fn streams_end_with_the_server() {
    let mut world = World::new(Limits::default());
    world.estates.register("/prod/invoicer", &own_uid());
    let mut client = connect(&world.socket()).await.unwrap();
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    soon(stream.message()).await.unwrap().unwrap();
    soon(world.stop()).await.unwrap();
    assert_eq!(soon(stream.message()).await.unwrap_err().code(), Code::Unavailable);
}

/// The socket is made only where nobody else can put another in its place, and never over somebody's.
#[tokio::test]
async fn a_socket_is_bound_safely_or_not_at_all() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("workload.sock");
    let listener = bind(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
    assert!(matches!(bind(&path), Err(AgentError::Taken(_))));
    drop(listener);
    drop(bind(&path).unwrap());
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "not a socket").unwrap();
    assert!(matches!(bind(&path), Err(AgentError::Taken(_))));
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(bind(&directory.path().join("other.sock")), Err(AgentError::Directory(_))));
    assert!(matches!(bind(&directory.path().join("no/such.sock")), Err(AgentError::Socket { .. })));
}

const CALLER: &str = "WRIT_AGENT_CALLER";

/// The side of another process: prints its SPIFFE ID, then lives as long as its stream. Does nothing in a test run.
#[tokio::test]
async fn caller() {
    let Ok(endpoint) = std::env::var(CALLER) else { return };
    let client = WorkloadApiClient::connect_to(endpoint).await.unwrap();
    let mut contexts = Box::pin(client.stream_x509_contexts().await.unwrap());
    while let Some(Ok(context)) = contexts.next().await {
        println!("is {}", context.default_svid().unwrap().spiffe_id());
    }
}

/// R45, R47, R48: each process gets the identity of its own facts; when it ends, its stream ends.
#[tokio::test]
async fn each_process_gets_its_own_identity_and_keeps_it_no_longer_than_it_lives() {
    let world = World::new(Limits::default());
    let program = world.directory.path().join("caller");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("left out: another user's process needs root");
    }
    let selector = if root { "unix:uid:4242".to_owned() } else { format!("unix:path:{}", program.display()) };
    world.estates.register("/prod/other", &selector);
    let mut command = Command::new(&program);
    command.args(["--exact", "caller", "--nocapture", "--test-threads=1"]).env(CALLER, world.endpoint()).stdout(Stdio::piped());
    if root {
        command.uid(4_242).gid(4_242);
    }
    let mut child = command.spawn().unwrap();
    let output = child.stdout.take().unwrap();
    let line = tokio::task::spawn_blocking(|| {
        use std::io::BufRead;
        std::io::BufReader::new(output).lines().map_while(Result::ok).find(|line| line.contains("is spiffe://"))
    });
    assert!(soon(line).await.unwrap().unwrap().ends_with("is spiffe://example.org/prod/other"));
    let judge = WorkloadApiClient::connect_to(world.endpoint()).await.unwrap();
    assert!(
        matches!(soon(judge.fetch_x509_svid()).await, Err(WorkloadApiError::NoIdentityIssued)),
        "not this process's identity"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let streams = world.estates.changes.clone();
    soon(async {
        while streams.receiver_count() > 0 {
            tokio::task::yield_now().await
        }
    })
    .await;
}
