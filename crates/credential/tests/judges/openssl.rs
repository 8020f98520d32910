//! OpenSSL reads and verifies what is laid out here; requests and certificates of its own are judged here.

use crate::program::{must, run};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use writ_credential::x509::{
    CaFacts, CaPlan, P256Key, PemLabel, Serial, SvidPlan, What, X509Error, assemble, csr_info, parse_ca, pem_decode, pem_encode,
    verify_csr, verify_issued_by,
};
use writ_types::{SpiffeId, TextValue, Time, TrustDomain, Ttl};

const NOW: Time = Time::from_seconds(1_795_341_600);

fn sign(pair: &EcdsaKeyPair, body: &[u8]) -> Vec<u8> {
    assemble(body, pair.sign(&SystemRandom::new(), body).unwrap().as_ref())
}

fn key(pair: &EcdsaKeyPair) -> P256Key {
    P256Key::from_point(pair.public_key().as_ref()).unwrap()
}

/// An authority, with its certificate and key in `dir` as `ca.pem` and `ca.key`.
fn authority(dir: &Path) -> (EcdsaKeyPair, CaFacts) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let plan = CaPlan {
        serial: Serial::from_random([0xff; 16]),
        trust_domain: &TrustDomain::parse("prod.example").unwrap(),
        key: &key(&pair),
        not_before: NOW,
        not_after: NOW.after(Ttl::from_seconds(30 * 86_400)),
    };
    let ca = parse_ca(&sign(&pair, &plan.tbs().unwrap())).unwrap();
    fs::write(dir.join("ca.pem"), pem_encode(PemLabel::Certificate, [ca.der()])).unwrap();
    fs::write(dir.join("ca.key"), pair.to_pkcs8v1().unwrap().as_ref()).unwrap();
    (pair, ca)
}

/// R43, R134: OpenSSL, strict, takes the certificate for a server and for a client, and reads in it what was planned.
#[test]
fn openssl_verifies_and_reads_what_was_laid_out() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let (pair, ca) = authority(dir);
    let workload = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let request = sign(&workload, &csr_info(&key(&workload)));
    fs::write(dir.join("request.pem"), pem_encode(PemLabel::Request, [&request[..]])).unwrap();
    let said = must(dir, "openssl", &["req", "-in", "request.pem", "-verify", "-noout"]);
    assert!(said.contains("OK"), "{said}");

    let spiffe_id = SpiffeId::parse("spiffe://prod.example/billing/invoicer").unwrap();
    let plan = SvidPlan {
        serial: Serial::from_random([0x11; 16]),
        spiffe_id: &spiffe_id,
        csr: &verify_csr(&request).unwrap(),
        not_before: NOW,
        not_after: NOW.after(Ttl::from_seconds(3600)),
        issuer: &ca,
    };
    let der = sign(&pair, &plan.tbs().unwrap());
    fs::write(dir.join("leaf.pem"), pem_encode(PemLabel::Certificate, [&der[..]])).unwrap();
    let at = (NOW.seconds() + 60).to_string();
    for purpose in ["sslserver", "sslclient"] {
        let args = ["verify", "-x509_strict", "-attime", &at, "-purpose", purpose, "-CAfile", "ca.pem", "leaf.pem"];
        assert!(must(dir, "openssl", &args).contains("leaf.pem: OK"));
    }
    let late = (NOW.seconds() + 3601).to_string();
    assert!(!run(dir, None, "openssl", &["verify", "-attime", &late, "-CAfile", "ca.pem", "leaf.pem"]).ok);

    let text = must(dir, "openssl", &["x509", "-in", "leaf.pem", "-noout", "-text"]);
    for wanted in [
        "X509v3 Subject Alternative Name: critical\n                URI:spiffe://prod.example/billing/invoicer",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "TLS Web Server Authentication, TLS Web Client Authentication",
        "X509v3 Basic Constraints: critical\n                CA:FALSE",
        "51:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11",
        "Subject: \n",
        "Not Before: Nov 22 10:00:00 2026 GMT",
        "Not After : Nov 22 11:00:00 2026 GMT",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is not in {text}");
    }
    let text = must(dir, "openssl", &["x509", "-in", "ca.pem", "-noout", "-text"]);
    for wanted in ["CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign", "URI:spiffe://prod.example\n", "CN = X.509 authority"] {
        assert!(text.contains(wanted), "{wanted:?} is not in {text}");
    }
}

/// R49: a request by OpenSSL proves its key, whatever it asks for; other kinds of key are refused.
#[test]
fn requests_by_openssl_are_judged_by_their_key_alone() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let request = |name: &str, key: &[&str]| {
        let wishes =
            ["-subj", "/CN=root", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "subjectAltName=URI:spiffe://x/y"];
        let key_file = format!("{name}.key");
        let head = ["req", "-new", "-nodes", "-keyout", &key_file, "-out", "request.pem"];
        must(dir, "openssl", &[&head[..], key, &wishes[..]].concat());
        let text = fs::read_to_string(dir.join("request.pem")).unwrap();
        pem_decode(PemLabel::Request, &text).unwrap().remove(0)
    };
    let der = request("good", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let csr = verify_csr(&der).unwrap();
    must(dir, "openssl", &["pkey", "-in", "good.key", "-pubout", "-outform", "DER", "-out", "good.pub"]);
    assert_eq!(csr.key().spki(), fs::read(dir.join("good.pub")).unwrap());

    for key in [&["-newkey", "rsa:2048"][..], &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"], &["-newkey", "ed25519"]]
    {
        assert_eq!(verify_csr(&request("bad", key)), Err(X509Error::Algorithm(What::Request)), "{key:?}");
    }
}

/// A certificate that OpenSSL makes with the authority's key is judged by the same rules.
#[test]
fn certificates_by_openssl_are_judged_by_the_rules() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let (_, ca) = authority(dir);
    must(dir, "openssl", &["pkey", "-inform", "DER", "-in", "ca.key", "-out", "ca.key.pem"]);
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    must(
        dir,
        "openssl",
        &[&["req", "-new", "-nodes", "-keyout", "k.pem", "-out", "r.pem", "-subj", "/CN=w"], &curve[..]].concat(),
    );
    let good = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n\
                subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nsubjectAltName=URI:spiffe://prod.example/w\n";
    let issue = |extensions: &str| {
        fs::write(dir.join("ext"), extensions).unwrap();
        let args = [
            "x509", "-req", "-in", "r.pem", "-CA", "ca.pem", "-CAkey", "ca.key.pem", "-extfile", "ext", "-days", "1", "-out",
            "c.pem",
        ];
        must(dir, "openssl", &args);
        let der = pem_decode(PemLabel::Certificate, &fs::read_to_string(dir.join("c.pem")).unwrap()).unwrap().remove(0);
        // OpenSSL dates it by the machine's clock: judge it at its own begin, under an authority of all times.
        let not_before = writ_credential::x509::parse_certificate(&der).map(|read| read.facts.not_before);
        not_before.and_then(|at| match verify_issued_by(&der, &ca, at) {
            Err(X509Error::NotValidAt { what: What::Authority, .. }) => Ok(()),
            other => other.map(drop),
        })
    };
    assert_eq!(issue(good), Ok(()));
    for (from, to, why) in [
        ("digitalSignature", "digitalSignature,keyCertSign", "may sign certificates"),
        ("serverAuth,clientAuth", "serverAuth", "clientAuth"),
        ("CA:FALSE", "CA:TRUE", "an authority's"),
        ("URI:spiffe://prod.example/w", "URI:spiffe://prod.example/w,URI:spiffe://prod.example/v", "2 URI names"),
        ("URI:spiffe://prod.example/w", "URI:spiffe://dev.example/w", "another trust domain"),
        ("authorityKeyIdentifier=keyid\n", "authorityKeyIdentifier=keyid\nnameConstraints=permitted;URI:x\n", "2.5.29.30"),
    ] {
        let error = issue(&good.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(why), "{error} lacks {why}");
    }
}
