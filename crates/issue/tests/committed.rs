//! The way of one certificate through a real log: planned, recorded durably, signed.

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::json;
    use std::path::Path;
    use tempfile::TempDir;
    use writ_credential::x509::{
        P256Key, Serial, SvidPlan, assemble, csr_info, parse_ca, parse_tbs, verify_csr, verify_issued_by,
    };
    use writ_issue::{AuthorityError, AuthorityPlan, IssueError, X509Authority};
    use writ_ledger::body::{Body, SvidRow, SvidsIssued};
    use writ_ledger::{Actor, Entry, Kind, Lane, Log, LogSigner, Salt, Staged};
    use writ_store::{Options, SqliteStore};
    use writ_types::{
        ActorKind, Digest, EventId, IdentityId, Random, Secret, SignX509, SpiffeId, TextValue, Time, TrustDomain, Ttl, Via,
    };

    const NOW: Time = Time::from_seconds(1_795_341_600);

    struct System;

    impl Random for System {
        fn fill(&mut self, out: &mut [u8]) {
            aws_lc_rs::rand::fill(out).unwrap();
        }
    }

    fn entry(kind: &str, body: serde_json::Value) -> Entry {
        Entry {
            v: 1,
            kind: Kind::parse(kind).unwrap(),
            at: NOW,
            id: EventId::mint(&mut System),
            salt: Salt::mint(&mut System),
            epoch: 1,
            actor: Actor { id: "server".to_owned(), kind: ActorKind::System, via: Via::Timer },
            on: vec![],
            cause: vec![],
            decision: None,
            policy_set: None,
            body,
            acts: vec![],
            blobs: vec![],
        }
    }

    fn log(dir: &Path) -> Log<SqliteStore> {
        let mut log = Log::open(SqliteStore::create(dir, Options::default()).unwrap(), |_, _| {}).unwrap();
        let signer = LogSigner::parse(&LogSigner::mint("writ.example/prod", &mut System).unwrap()).unwrap();
        let content = json!({"origin": "writ.example/prod", "log_key": signer.key().to_string()});
        let genesis = entry("log.genesis", json!({"v": 1, "content": content}));
        let _ = log.append(Lane::Grant, vec![Staged { entry: genesis, blobs: vec![], order: () }]).unwrap();
        log
    }

    fn authority() -> X509Authority {
        let plan = AuthorityPlan {
            trust_domain: TrustDomain::parse("prod.example").unwrap(),
            serial: Serial::from_random(System.bits_128()),
            not_before: NOW,
            not_after: NOW.after(Ttl::from_seconds(86_400)),
        };
        X509Authority::generate(&plan).unwrap()
    }

    fn order(authority: &X509Authority) -> (SignX509, SvidRow) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let info = csr_info(&P256Key::from_point(pair.public_key().as_ref()).unwrap());
        let csr = verify_csr(&assemble(&info, pair.sign(&SystemRandom::new(), &info).unwrap().as_ref())).unwrap();
        let spiffe_id = SpiffeId::parse("spiffe://prod.example/billing/invoicer").unwrap();
        let (serial, expires) = (Serial::from_random(System.bits_128()), NOW.after(Ttl::from_seconds(3600)));
        let plan = SvidPlan {
            serial: serial.clone(),
            spiffe_id: &spiffe_id,
            csr: &csr,
            not_before: NOW,
            not_after: expires,
            issuer: authority.ca(),
        };
        let tbs = plan.tbs().unwrap();
        let row = SvidRow {
            identity: IdentityId::mint(&mut System),
            spiffe_id: spiffe_id.clone(),
            serial: serial.to_string(),
            key: csr.thumbprint(),
            tbs: Digest::of(&tbs),
            expires,
            attested: vec!["unix:uid:1001".to_owned()],
        };
        (SignX509 { tbs_digest: Digest::of(&tbs), tbs, spiffe_id, expires }, row)
    }

    fn staged<T>(rows: Vec<SvidRow>, order: T) -> Staged<T> {
        let body = Body::from(SvidsIssued { rows });
        Staged { entry: entry(body.kind(), body.encode().unwrap()), blobs: vec![], order }
    }

    /// R43, R134: an X.509-SVID leaves only after the entry that records it is on the disk, and is what the entry says.
    #[test]
    fn a_certificate_is_in_the_log_before_it_is_signed() {
        let dir = TempDir::new().unwrap();
        let authority = authority();
        let (order, row) = order(&authority);
        let mut log = log(dir.path());
        let committed = log.append(Lane::Grant, vec![staged(vec![row], order)]).unwrap().remove(0);
        drop(log);
        // Somebody else, who knows only the directory, finds the entry.
        let mut entries = Vec::new();
        let again =
            Log::open(SqliteStore::open(dir.path(), Options::default()).unwrap(), |_, entry| entries.push(entry)).unwrap();
        assert_eq!(again.size(), 2);
        let index = usize::try_from(committed.index()).unwrap();
        let issued = authority.sign(committed).unwrap();
        let Body::SvidsIssued(body) = Body::decode(entries[index].kind.as_str(), &entries[index].body).unwrap() else {
            panic!("another kind of entry")
        };
        let facts = verify_issued_by(issued.der(), authority.ca(), NOW).unwrap();
        let row = &body.rows[0];
        assert_eq!((facts.tbs_digest, facts.key.thumbprint()), (row.tbs, row.key));
        assert_eq!(
            (facts.serial.to_string(), &facts.spiffe_id, facts.not_after),
            (row.serial.clone(), &row.spiffe_id, row.expires)
        );
        assert_eq!((issued.index(), issued.expires()), (1, row.expires));
    }

    #[test]
    fn a_batch_is_one_entry_and_leaves_whole_or_not_at_all() {
        let dir = TempDir::new().unwrap();
        let authority = authority();
        let mut log = log(dir.path());
        let (orders, rows): (Vec<_>, Vec<_>) = (0..20).map(|_| order(&authority)).unzip();
        let mut broken = orders.clone();
        broken[19].tbs_digest = Digest::of(b"other");
        let mut committed =
            log.append(Lane::Grant, vec![staged(rows.clone(), orders.clone()), staged(rows, broken)]).unwrap().into_iter();
        let issued = authority.sign_all(committed.next().unwrap()).unwrap();
        assert_eq!(issued.iter().map(|one| one.index()).collect::<Vec<_>>(), vec![1; 20]);
        for (one, order) in issued.iter().zip(&orders) {
            assert_eq!(parse_tbs(&order.tbs).unwrap(), verify_issued_by(one.der(), authority.ca(), NOW).unwrap());
        }
        assert!(matches!(authority.sign_all(committed.next().unwrap()), Err(IssueError::Digest { index: 2, .. })));
    }

    /// Whatever can be printed is printed here, and the authority's key is in none of it.
    #[test]
    fn nothing_that_prints_holds_a_key() {
        let dir = TempDir::new().unwrap();
        let authority = authority();
        let mut log = log(dir.path());
        let (order, row) = order(&authority);
        let committed = log.append(Lane::Grant, vec![staged(vec![row], order.clone())]).unwrap().remove(0);
        let committed_text = format!("{committed:?}");
        let issued = authority.sign(committed).unwrap();
        let facts = verify_issued_by(issued.der(), authority.ca(), NOW).unwrap();
        let read = writ_credential::x509::parse_certificate(issued.der()).unwrap();
        let errors = [
            format!("{:?}", IssueError::Digest { index: 1, logged: order.tbs_digest, found: order.tbs_digest }),
            format!("{:?}", X509Authority::from_pkcs8(&authority.pkcs8().unwrap(), issued.der()).err()),
            X509Authority::from_pkcs8(&Secret::new(b"hunter2".to_vec()), authority.ca().der()).err().unwrap().to_string(),
            format!("{:?}", AuthorityError::Key),
        ];
        let printed = [
            committed_text,
            format!("{issued:?} {facts:?} {read:?} {order:?}"),
            format!("{:?} {:?}", authority.ca(), parse_ca(authority.ca().der())),
            errors.concat(),
        ]
        .concat();
        assert!(!printed.contains("hunter2"));
        // RFC 5915: the private scalar is the octet string of 32 bytes in the key's PKCS#8.
        let pkcs8 = authority.pkcs8().unwrap();
        let bytes = pkcs8.expose();
        let at = bytes.windows(2).position(|pair| pair == [0x04, 0x20]).unwrap() + 2;
        let scalar = &bytes[at..at + 32];
        for form in [
            format!("{scalar:?}").trim_matches(['[', ']']).to_owned(),
            scalar.iter().map(|byte| format!("{byte:02x}")).collect(),
            scalar.iter().map(|byte| format!("{byte:02X}")).collect(),
        ] {
            assert!(!printed.contains(&form));
        }
    }
}
