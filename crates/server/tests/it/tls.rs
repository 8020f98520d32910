//! The API by certificate: who gets in, and what each sees.

use crate::world::{Ask, Said, World, now, person, tester};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use writ_agent::{WorkloadKey, client_config, fetch};
use writ_credential::x509::{CaFacts, Serial, SvidPlan, assemble, parse_ca, verify_csr};
use writ_issue::{AuthorityPlan, X509Authority};
use writ_types::{ActKind, SpiffeId, TextValue as _, Time, TrustDomain, Ttl};

const TESTER: &str = "spiffe://prod.example/prod/tester";

/// A certificate with its key, and the authority to judge the server by.
pub(crate) struct Held {
    chain: Vec<Vec<u8>>,
    pkcs8: Vec<u8>,
    authority: CaFacts,
    pub(crate) serial: String,
}

impl Held {
    pub(crate) fn config(&self) -> ClientConfig {
        client_config(&self.chain, &self.pkcs8, self.authority.clone(), server()).unwrap()
    }
}

fn server() -> SpiffeId {
    SpiffeId::parse("spiffe://prod.example/writ/server").unwrap()
}

/// This process' own document, from the Workload API.
pub(crate) async fn held(world: &World) -> Held {
    let svid = fetch(&world.dir().join("workload.sock")).await.unwrap();
    assert_eq!(svid.spiffe_id.to_string(), TESTER);
    let serial = writ_credential::x509::parse_certificate(&svid.chain[0]).unwrap().facts.serial.to_string();
    Held { chain: svid.chain, pkcs8: svid.pkcs8.expose().clone(), authority: parse_ca(&svid.bundle[0]).unwrap(), serial }
}

/// Where the authority's key lies.
pub(crate) fn authority_key(world: &World) -> PathBuf {
    let mut files = std::fs::read_dir(world.dir().join("keys")).unwrap().map(|item| item.unwrap().path());
    files.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("x509-")).unwrap()
}

/// A certificate that somebody signs with a copy of the authority's key, past the log.
async fn forged(world: &World, spiffe_id: &str, expires: Time) -> Held {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
    let held = held(world).await;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &std::fs::read(authority_key(world)).unwrap()).unwrap();
    let key = WorkloadKey::generate().unwrap();
    let serial = Serial::from_random([0x5e; 16]);
    let not_before = Time::from_seconds(expires.seconds() - 3_600);
    let text = serial.to_string();
    let spiffe_id = SpiffeId::parse(spiffe_id).unwrap();
    let csr = verify_csr(&key.csr).unwrap();
    let plan = SvidPlan { serial, spiffe_id: &spiffe_id, csr: &csr, not_before, not_after: expires, issuer: &held.authority };
    let tbs = plan.tbs().unwrap();
    let signature = pair.sign(&aws_lc_rs::rand::SystemRandom::new(), &tbs).unwrap();
    let chain = vec![assemble(&tbs, signature.as_ref())];
    Held { chain, pkcs8: key.pkcs8.to_vec(), authority: held.authority, serial: text }
}

fn soon() -> Time {
    now().after(Ttl::from_seconds(1_800))
}

/// R43: an identity with the document that the log knows sees itself and what is its own, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_sees_itself_and_nobody_else() {
    let world = World::staffed().await;
    let held = held(&world).await;
    let get = async |path: String| world.tls(held.config(), Ask::get(path)).await.unwrap();
    let me = tester().identity;
    let shown = get(format!("/v1/identities/{me}")).await.ok();
    assert!(shown["documents"].as_array().unwrap().iter().any(|document| document["serial"] == held.serial.as_str()));
    get(format!("/v1/identities/{me}/owners")).await.ok();
    get(format!("/v1/identities/{me}/charter")).await.ok();
    assert_eq!(get(format!("/v1/credentials/{}", held.serial)).await.ok()["identity"], json!(me));

    // Somebody else's answers as what there is not does.
    let other = writ_sim::Cast::get().agent("invoicer").identity;
    let nobody = "idn_00000000000000000000000000000000".to_owned();
    let unknown = get(format!("/v1/identities/{nobody}")).await;
    let foreign = get(format!("/v1/identities/{other}")).await;
    assert_eq!((unknown.status, unknown.refused()), (foreign.status, foreign.refused()));
    assert_eq!(unknown.text().replace(&nobody, "X"), foreign.text().replace(&other.to_string(), "X"));

    // What people read, it does not.
    for path in ["/v1/identities", "/v1/parties", "/v1/tasks", "/v1/credentials", "/v1/estate/export", "/v1/log/entries/1"] {
        assert_eq!(get(path.to_owned()).await.refused(), "unauthenticated", "{path}");
    }
}

/// R43, R49: no certificate, another authority's, or one whose time is over: the handshake fails.
#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_document_of_ours_does_not_get_in() {
    let world = World::staffed().await;
    let held = held(&world).await;
    let ask = || Ask::get("/v1/status");
    world.tls(held.config(), ask()).await.unwrap().ok();

    // The web's way of TLS: no certificate, and the server's judged by roots.
    let mut roots = RootCertStore::empty();
    roots.add(held.authority.der().to_vec().into()).unwrap();
    let nobody = ClientConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    world.tls(nobody, ask()).await.unwrap_err();

    // The same names under another authority.
    let plan = AuthorityPlan {
        trust_domain: TrustDomain::parse("prod.example").unwrap(),
        serial: Serial::from_random([1; 16]),
        not_before: Time::from_seconds(now().seconds() - 60),
        not_after: soon(),
    };
    let other = X509Authority::generate(&plan).unwrap();
    let key = WorkloadKey::generate().unwrap();
    let csr = verify_csr(&key.csr).unwrap();
    let spiffe_id = SpiffeId::parse(TESTER).unwrap();
    let not_before = Time::from_seconds(now().seconds() - 60);
    let serial = Serial::from_random([2; 16]);
    let tbs =
        SvidPlan { serial, spiffe_id: &spiffe_id, csr: &csr, not_before, not_after: soon(), issuer: other.ca() }.tbs().unwrap();
    let pair = {
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, other.pkcs8().unwrap().expose()).unwrap()
    };
    let signature = pair.sign(&aws_lc_rs::rand::SystemRandom::new(), &tbs).unwrap();
    let chain = vec![assemble(&tbs, signature.as_ref())];
    let foreign = client_config(&chain, &key.pkcs8, held.authority.clone(), server()).unwrap();
    world.tls(foreign, ask()).await.unwrap_err();

    // Signed by the authority's key, but over, or of another trust domain's name.
    let over = forged(&world, TESTER, Time::from_seconds(now().seconds() - 60)).await;
    world.tls(over.config(), ask()).await.unwrap_err();

    // Another server's name is refused by the client.
    let elsewhere = SpiffeId::parse("spiffe://prod.example/writ/other").unwrap();
    let wrong = client_config(&held.chain, &held.pkcs8, held.authority.clone(), elsewhere).unwrap();
    world.tls(wrong, ask()).await.unwrap_err();
}

/// R99: whoever has the authority's key makes certificates that verify, and that the log does not know: refused, and the
/// operator is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_past_the_log_is_refused_and_alarms() {
    let world = World::staffed().await;
    assert_eq!(world.metric("writ_unknown_certificates").await, 0);
    let size = world.size().await;
    for name in [TESTER, "spiffe://prod.example/writ/server", "spiffe://prod.example/admin"] {
        let forged = forged(&world, name, soon()).await;
        let grown = world.size().await;
        let task = "tsk_00000000000000000000000000000001";
        for ask in [
            Ask::get("/v1/status"),
            Ask::get(format!("/v1/identities/{}", tester().identity)),
            Ask::post("/v1/why", &world.token(), &json!({"what": TESTER})),
            Ask::post(format!("/v1/tasks/{task}/start"), &world.token(), &json!({})),
            Ask::post(format!("/v1/tasks/{task}/complete"), &world.token(), &json!({})),
            Ask::post("/v1/login/challenge", &world.token(), &json!({})),
        ] {
            let path = ask.path.clone();
            assert_eq!(world.tls(forged.config(), ask).await.unwrap().refused(), "unauthenticated", "{name} {path}");
        }
        assert_eq!(world.size().await, grown);
        assert!(Said::all().contains(&forged.serial));
    }
    assert_eq!(world.metric("writ_unknown_certificates").await, 18);
    assert!(world.size().await > size);
}

/// R42, R53, R152: a task is its actor's and its people's; what it takes is decided, and the decision is found by who asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_runs_by_certificate_and_its_decisions_are_found() {
    let world = World::staffed().await;
    let held = held(&world).await;
    let token = world.login("alice").await;
    let resource = writ_sim::Estate::new().resource.resource;
    let content = json!({
        "task": "tsk_000000000000000000000000000000aa", "delegator": person("gina").party, "self_requested": false, "actor": tester().identity,
        "purpose": "close invoices", "data_scope": ["billing"], "grants": [{"resource": resource, "actions": ["read"]}],
        "ttl": "30m", "description": null,
    });
    let id = content["task"].as_str().unwrap().to_owned();
    let delegate = json!({"content": content, "act": world.act("gina", ActKind::Delegate, &id, &content), "blobs": []});
    let task = world.post("/v1/tasks", &delegate).await.ok();
    assert_eq!(task["state"], "awaiting");
    let proposal = &task["proposal"];
    let approval = proposal["approval"].as_str().unwrap();
    let act = world.act("bob", ActKind::Approve, approval, proposal);
    let task = world.post(&format!("/v1/tasks/{id}/approve"), &json!({"act": act})).await.ok();
    assert_eq!(task["state"], "approved", "{task}");

    // Only its actor, only by certificate.
    assert_eq!(world.post(&format!("/v1/tasks/{id}/start"), &json!({})).await.refused(), "unauthenticated");
    let start = Ask::post(format!("/v1/tasks/{id}/start"), "the-start-00", &json!({}));
    let started = world.tls(held.config(), start.clone()).await.unwrap().ok();
    assert_eq!(started, world.tls(held.config(), start).await.unwrap().ok());
    assert_eq!(world.tls(held.config(), Ask::get(format!("/v1/tasks/{id}"))).await.unwrap().ok()["state"], "live");

    // The connector has no passfile here: the grant is taken back, and says so.
    let take =
        Ask::post(format!("/v1/tasks/{id}/credentials"), "the-take-000", &json!({"resource": "billing-db", "actions": ["read"]}));
    assert_eq!(world.tls(held.config(), take).await.unwrap().refused(), "backend-unavailable");
    let rows = world.get(&token, "/v1/credentials").await.ok();
    let row = rows.as_array().unwrap().iter().find(|row| row["kind"] == "postgres-user").unwrap().clone();
    assert_eq!(row["state"], "failed");
    let path = format!("/v1/credentials/{}", row["id"].as_str().unwrap());
    let mine = world.tls(held.config(), Ask::get(path.clone())).await.unwrap().ok();
    assert_eq!((&mine["credential"]["task"], &mine["identity"]), (&json!(id), &json!(tester().identity)));
    assert_eq!(world.get("", &path).await.refused(), "unauthenticated");

    // A person's decision is the person's; the actor's is the actor's too.
    let asked_by_gina = format!("/v1/decisions/{}", task["decision"].as_str().unwrap());
    let shown = world.get(&token, &asked_by_gina).await.ok();
    assert_eq!((&shown["command"], &shown["actor"]["id"]), (&json!("request"), &json!(person("gina").party)));
    assert_eq!(world.tls(held.config(), Ask::get(asked_by_gina)).await.unwrap().refused(), "not-found");
    let size = world.size().await;
    let mut own = None;
    for index in 0..size {
        let entry = world.get(&token, &format!("/v1/log/entries/{index}")).await.ok()["entry"].clone();
        if entry["kind"] == "decision.made" && entry["body"]["command"] == "credential" {
            own = entry["body"]["decision"].as_str().map(str::to_owned);
        }
    }
    let shown = world.tls(held.config(), Ask::get(format!("/v1/decisions/{}", own.unwrap()))).await.unwrap().ok();
    assert_eq!(shown["command"], "credential");

    // Outside its task: refused, and the task is over.
    let beyond = Ask::post(
        format!("/v1/tasks/{id}/credentials"),
        "beyond-00000",
        &json!({"resource": "billing-db", "actions": ["write"]}),
    );
    assert_eq!(world.tls(held.config(), beyond).await.unwrap().refused(), "scope-exceeded");
    assert_eq!(world.get(&token, &format!("/v1/tasks/{id}")).await.ok()["state"], "ended");
    let story = world.tls(held.config(), Ask::post("/v1/why", &world.token(), &json!({"what": id}))).await.unwrap().ok();
    assert_eq!(story["delegated"]["by"], json!(person("gina").party));
}

/// R99, law 12: an identity that is refused again and again is refused before it is planned, and the log stops growing; what ends
/// something is still answered, and so is everybody else.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_asks_too_often_leaves_no_entries() {
    let mut world = World::staffed().await;
    let held = held(&world).await;
    let size = world.size().await;
    let ask = async |what: &str| {
        let path = format!("/v1/tasks/tsk_00000000000000000000000000000001/{what}");
        world.tls(held.config(), Ask::post(path, &world.token(), &json!({}))).await.unwrap()
    };
    let mut overloaded = 0;
    while overloaded < 50 {
        let answer = ask("start").await;
        match answer.refused().as_str() {
            "not-found" => {}
            "overloaded" => {
                overloaded += 1;
                assert_eq!(answer.headers["retry-after"], "1");
                assert!(answer.text().contains(TESTER), "{}", answer.text());
            }
            other => panic!("{other}"),
        }
    }
    // Each of the others is an entry: the bucket, and what came back into it meanwhile.
    let grown = world.size().await - size;
    assert!((50..150).contains(&grown), "{grown}");
    assert_eq!(ask("complete").await.refused(), "not-found");
    world.login("alice").await;

    // What left no entry is counted, and the counts are an entry.
    world.get("wrs_no-session", "/v1/tasks").await.refused();
    world.stop().await;
    let counts = world.last("denials.counted");
    assert_eq!(counts["counts"]["overloaded"], 50);
    assert_eq!(counts["counts"]["unauthenticated"], 1);
}

/// R49, R53, R55: an identity asks for a task of its own by its certificate; it waits for a person, and is told as soon as one has answered.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_asks_by_itself_and_waits_for_a_person() {
    let world = World::staffed().await;
    let held = held(&world).await;
    let token = world.login("alice").await;
    let want = |tool: &str| {
        json!({
            "content": {"purpose": "close invoices", "data_scope": ["billing"], "grants": {tool: ["read"]}, "ttl": "15m"}, "blobs": [],
        })
    };
    let own =
        async |body: &serde_json::Value| world.tls(held.config(), Ask::post("/v1/tasks", &world.token(), body)).await.unwrap();
    assert_eq!(world.post("/v1/tasks", &want("billing-db")).await.refused(), "malformed");
    assert_eq!(own(&want("no-such-db")).await.refused(), "unchartered");
    let task = own(&want("billing-db")).await.ok();
    assert_eq!((&task["state"], &task["content"]["delegator"]), (&json!("requested"), &json!(null)));
    assert!(task["any_of"].as_array().unwrap().contains(&json!([person("gina").party])), "{task}");
    let id = task["task"].as_str().unwrap().to_owned();
    let watch = async |since: &serde_json::Value| {
        let path = format!("/v1/tasks/{id}?since={since}&wait=30");
        world.tls(held.config(), Ask::get(path)).await.unwrap().ok()
    };
    let delegate = async || {
        // Whoever watches came first, and has been heard by now.
        for _ in 0..8 {
            world.tls(held.config(), Ask::get("/v1/status")).await.unwrap().ok();
        }
        let mut content = task["content"].clone();
        content["delegator"] = json!(person("gina").party);
        let act = world.act("gina", ActKind::Delegate, &id, &content);
        world.post("/v1/tasks", &json!({"content": content, "act": act, "blobs": []})).await.ok()
    };
    // Half of the longest wait: it is told, and does not find out when the wait is over.
    let told = tokio::time::timeout(std::time::Duration::from_secs(15), watch(&task["index"]));
    let (seen, delegated) = tokio::join!(told, delegate());
    let seen = seen.unwrap();
    assert_eq!((&seen["state"], &seen["index"]), (&json!("awaiting"), &delegated["index"]));
    // What has changed already is told at once; what has not, once the wait is over.
    assert_eq!(watch(&task["index"]).await, seen);
    let still = world.get(&token, &format!("/v1/tasks/{id}?since={}&wait=0", seen["index"])).await.ok();
    assert_eq!(still["index"], seen["index"]);
    for wrong in ["wait=31", "wait=x", "since=-1", "until=3"] {
        assert_eq!(world.get(&token, &format!("/v1/tasks/{id}?{wrong}")).await.refused(), "malformed", "{wrong}");
    }
    let story = world.tls(held.config(), Ask::post("/v1/why", &world.token(), &json!({"what": id}))).await.unwrap().ok();
    assert_eq!(story["delegated"]["by"], json!(person("gina").party));
    assert!(story["self_requested"]["entry"].as_u64() < story["delegated"]["entry"].as_u64(), "{story}");
}
