//! Requests and certificates made, judged and broken.

use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use proptest::prelude::*;
use signed::{sequence, tlv};
use std::sync::LazyLock;
use writ_types::{Digest, SpiffeId, TextValue, Time, TrustDomain, Ttl};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::asn1::{Ia5String, ObjectIdentifier, OctetString};
use x509_cert::der::flagset::FlagSet;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::oid::db::rfc5280::ID_KP_SERVER_AUTH;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};

const NOW: Time = Time::from_seconds(1_795_341_600);

/// Who holds a key.
struct Holder(EcdsaKeyPair);

impl Holder {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    fn key(&self) -> P256Key {
        P256Key::from_point(self.0.public_key().as_ref()).unwrap()
    }

    fn sign(&self, body: &[u8]) -> Vec<u8> {
        assemble(body, self.0.sign(&SystemRandom::new(), body).unwrap().as_ref())
    }

    fn csr(&self) -> Vec<u8> {
        self.sign(&csr_info(&self.key()))
    }
}

struct World {
    authority: Holder,
    workload: Holder,
    ca: CaFacts,
    id: SpiffeId,
}

/// One authority and one workload, for all tests.
static WORLD: LazyLock<World> = LazyLock::new(|| {
    let authority = Holder::new();
    let domain = TrustDomain::parse("prod.example").unwrap();
    let plan = CaPlan {
        serial: Serial::from_random([7; 16]),
        trust_domain: &domain,
        key: &authority.key(),
        not_before: NOW,
        not_after: NOW.after(Ttl::from_seconds(86_400)),
    };
    let ca = parse_ca(&authority.sign(&plan.tbs().unwrap())).unwrap();
    World { authority, workload: Holder::new(), ca, id: SpiffeId::parse("spiffe://prod.example/billing/invoicer").unwrap() }
});

fn tbs() -> Vec<u8> {
    let world = &*WORLD;
    let csr = verify_csr(&world.workload.csr()).unwrap();
    SvidPlan {
        serial: Serial::from_random([9; 16]),
        spiffe_id: &world.id,
        csr: &csr,
        not_before: NOW,
        not_after: NOW.after(Ttl::from_seconds(3600)),
        issuer: &world.ca,
    }
    .tbs()
    .unwrap()
}

fn judge(der: &[u8]) -> Result<TbsFacts, X509Error> {
    verify_issued_by(der, &WORLD.ca, NOW.after(Ttl::from_seconds(60)))
}

/// A certificate that the authority did sign, but with other content.
fn signed_with(change: impl FnOnce(&mut TbsCertificate)) -> Vec<u8> {
    let mut other = TbsCertificate::from_der(&tbs()).unwrap();
    change(&mut other);
    WORLD.authority.sign(&other.to_der().unwrap())
}

fn replace<T: AssociatedOid + Encode>(tbs: &mut TbsCertificate, critical: bool, value: &T) {
    let extensions = tbs.extensions.as_mut().unwrap();
    let slot = extensions.iter_mut().find(|extension| extension.extn_id == T::OID).unwrap();
    *slot = Extension { extn_id: T::OID, critical, extn_value: OctetString::new(value.to_der().unwrap()).unwrap() };
}

fn other_key_id() -> AuthorityKeyIdentifier {
    AuthorityKeyIdentifier { key_identifier: Some(OctetString::new([1; 20]).unwrap()), ..Default::default() }
}

fn uris(uris: &[&str]) -> SubjectAltName {
    SubjectAltName(uris.iter().map(|uri| GeneralName::UniformResourceIdentifier(Ia5String::new(uri).unwrap())).collect())
}

/// R43: what is issued names one workload by its SPIFFE ID and holds against its authority.
#[test]
fn what_is_laid_out_and_signed_is_read_back() {
    let (world, tbs) = (&*WORLD, tbs());
    let der = world.authority.sign(&tbs);
    let facts = judge(&der).unwrap();
    assert_eq!((facts.spiffe_id.clone(), facts.key.clone()), (world.id.clone(), world.workload.key()));
    assert_eq!(facts.serial, Serial::from_random([9; 16]));
    assert_eq!((facts.not_before, facts.not_after), (NOW, NOW.after(Ttl::from_seconds(3600))));
    assert_eq!(facts.tbs_digest, Digest::of(&tbs));
    let read = parse_certificate(&der).unwrap();
    assert_eq!((read.tbs, read.facts), (tbs.clone(), facts));
    assert_eq!(assemble(&tbs, &read.signature), der);
    assert_eq!((world.ca.trust_domain().as_str(), world.ca.not_before()), ("prod.example", NOW));
}

/// R49: a request proves that its key is held, and asks for nothing.
#[test]
fn a_request_is_only_a_key() {
    let (workload, other) = (&WORLD.workload, Holder::new());
    let csr = verify_csr(&workload.csr()).unwrap();
    assert_eq!((csr.key(), csr.thumbprint()), (&workload.key(), Digest::of(workload.key().spki())));
    // Somebody else's key, signed with one's own.
    assert_eq!(verify_csr(&other.sign(&csr_info(&workload.key()))), Err(X509Error::Signature(What::Request)));
    // A name and a wish to be an authority: read past.
    let wish = sequence(&[
        &tlv(0x02, &[0]),
        WORLD.ca.subject(),
        workload.key().spki(),
        &tlv(0xa0, &sequence(&[&tlv(0x04, b"CA:true")])),
    ]);
    assert_eq!(verify_csr(&workload.sign(&wish)).unwrap(), csr);
    let long = tlv(0xa0, &vec![0; DER_BYTES_MAX]);
    let long = workload.sign(&sequence(&[&tlv(0x02, &[0]), &tlv(0x30, &[]), workload.key().spki(), &long]));
    assert_eq!(verify_csr(&long), Err(X509Error::TooLong { what: What::Request, bytes: long.len() }));
    for (version, attributes) in [(1, 0xa0), (0, 0xa1), (0, 0x30)] {
        let body = sequence(&[&tlv(0x02, &[version]), &tlv(0x30, &[]), workload.key().spki(), &tlv(attributes, &[])]);
        assert!(matches!(verify_csr(&workload.sign(&body)), Err(X509Error::Encoding { .. })), "{version} {attributes:#x}");
    }
    let p384 = sequence(&[&tlv(0x02, &[0]), &tlv(0x30, &[]), &tlv(0x30, &[0; 40]), &tlv(0xa0, &[])]);
    assert_eq!(verify_csr(&workload.sign(&p384)), Err(X509Error::Algorithm(What::Request)));
}

#[test]
fn a_plan_stays_inside_its_authority() {
    let world = &*WORLD;
    let csr = verify_csr(&world.workload.csr()).unwrap();
    let own = verify_csr(&world.authority.csr()).unwrap();
    let foreign = SpiffeId::parse("spiffe://dev.example/billing/invoicer").unwrap();
    let good = SvidPlan {
        serial: Serial::from_random([9; 16]),
        spiffe_id: &world.id,
        csr: &csr,
        not_before: NOW,
        not_after: world.ca.not_after(),
        issuer: &world.ca,
    };
    assert!(good.tbs().is_ok());
    for (bad, why) in [
        (SvidPlan { spiffe_id: &foreign, ..good.clone() }, "trust domain"),
        (SvidPlan { not_after: NOW, ..good.clone() }, "before it begins"),
        (SvidPlan { not_after: world.ca.not_after().after(Ttl::from_seconds(1)), ..good.clone() }, "after its authority"),
        (SvidPlan { csr: &own, ..good.clone() }, "authority's own"),
    ] {
        let error = bad.tbs().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

/// R43: the validator's rules of X509-SVID.md, each broken by a certificate that the authority did sign.
#[test]
fn each_rule_of_the_validator_refuses() {
    let unknown = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1");
    let more = |critical| {
        signed_with(|tbs| {
            let extn_value = OctetString::new([5, 0]).unwrap();
            tbs.extensions.as_mut().unwrap().push(Extension { extn_id: unknown, critical, extn_value });
        })
    };
    let usage = |flags: FlagSet<KeyUsages>, critical| signed_with(|tbs| replace(tbs, critical, &KeyUsage(flags)));
    let names = |list: &[&str]| signed_with(|tbs| replace(tbs, true, &uris(list)));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (names(&["spiffe://prod.example/a", "spiffe://prod.example/b"]), "2 URI names"),
        (names(&[]), "0 URI names"),
        (names(&["spiffe://prod.example"]), "no path"),
        (names(&["https://prod.example/a"]), "spiffe://"),
        (names(&["spiffe://dev.example/a"]), "another trust domain"),
        (names(&["spiffe://prod.example/../a"]), "path segment"),
        (signed_with(|tbs| replace(tbs, false, &uris(&["spiffe://prod.example/a"]))), "not critical"),
        (usage(KeyUsages::DigitalSignature | KeyUsages::KeyCertSign, true), "may sign certificates"),
        (usage(KeyUsages::DigitalSignature | KeyUsages::CRLSign, true), "may sign certificates"),
        (usage(KeyUsages::DigitalSignature.into(), false), "no critical key usage"),
        (usage(KeyUsages::KeyAgreement.into(), true), "no critical key usage"),
        (signed_with(|tbs| replace(tbs, false, &ExtendedKeyUsage(vec![ID_KP_SERVER_AUTH]))), "clientAuth"),
        (signed_with(|tbs| replace(tbs, true, &BasicConstraints { ca: true, path_len_constraint: None })), "an authority's"),
        (more(true), "1.3.6.1.4.1.99999.1"),
        (more(false), "1.3.6.1.4.1.99999.1"),
        (
            signed_with(|tbs| {
                let again = tbs.extensions.as_ref().unwrap()[0].clone();
                tbs.extensions.as_mut().unwrap().push(again)
            }),
            "stands twice",
        ),
        (signed_with(|tbs| tbs.extensions = None), "can't be read"),
        (signed_with(|tbs| tbs.issuer = Default::default()), "another name"),
        (signed_with(|tbs| replace(tbs, false, &AuthorityKeyIdentifier::default())), "does not name its authority's key"),
        (signed_with(|tbs| replace(tbs, false, &other_key_id())), "another key"),
        (WORLD.ca.der().to_vec(), "may sign certificates"),
    ];
    for (der, why) in cases {
        let error = judge(&der).unwrap_err().to_string();
        assert!(error.contains(why), "{error} lacks {why}");
    }
}

#[test]
fn forms_that_are_not_der_are_refused_even_if_signed() {
    let body = tbs();
    assert!(judge(&WORLD.authority.sign(&body)).is_ok());
    let changed = |from: &[u8], to: &[u8]| {
        let at = body.windows(from.len()).position(|part| part == from).unwrap();
        // Four bytes of tag and length stand before the content.
        let content = [&body[4..at], to, &body[at + from.len()..]].concat();
        judge(&WORLD.authority.sign(&tlv(0x30, &content))).unwrap_err().to_string()
    };
    // X.690 sections 11.5 and 11.1: a default is not written out, and true is 0xff.
    for flag in [0x00, 0x01] {
        assert!(changed(&[0x01, 1, 0xff], &[0x01, 1, flag]).contains("can't be read"));
    }
    assert!(changed(&[0xa0, 3, 0x02, 1, 2], &[0xa0, 3, 0x02, 1, 1]).contains("version 3"));
    let four_digits = [&[0x30, 32, 0x18, 15][..], b"20261122100000Z"].concat();
    assert!(changed(&[&[0x30, 30, 0x17, 13][..], b"261122100000Z"].concat(), &four_digits).contains("can't be read"));
    // RFC 5280 section 4.1.2.5: a four-digit year only from 2050, and always with seconds and `Z`.
    assert!(changed(b"261122100000Z", b"2611221000+00").contains("can't be read"));
    assert!(changed(&signed::ECDSA_WITH_SHA256[2..], &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3]).contains("P-256"));
}

#[test]
fn only_its_own_authority_and_its_own_time_hold() {
    let der = WORLD.authority.sign(&tbs());
    let impostor = Holder::new().sign(&tbs());
    assert_eq!(judge(&impostor), Err(X509Error::Signature(What::Certificate)));
    let at = |seconds| verify_issued_by(&der, &WORLD.ca, Time::from_seconds(NOW.seconds() + seconds));
    assert!(at(0).is_ok() && at(3600).is_ok());
    assert!(matches!(at(3601), Err(X509Error::NotValidAt { what: What::Certificate, .. })));
    assert!(matches!(at(90_000), Err(X509Error::NotValidAt { what: What::Authority, .. })));
    assert!(verify_issued_by(&der, &WORLD.ca, Time::from_seconds(NOW.seconds() - 1)).is_err());
}

#[test]
fn an_authority_is_one_by_its_own_signature_and_rules() {
    let world = &*WORLD;
    assert!(parse_ca(&world.authority.sign(&tbs())).is_err());
    let body = parse_ca_body();
    assert_eq!(parse_ca(&world.workload.sign(&body)), Err(X509Error::Signature(What::Authority)));
    let changed = |change: &dyn Fn(&mut TbsCertificate)| {
        let mut tbs = TbsCertificate::from_der(&body).unwrap();
        change(&mut tbs);
        parse_ca(&world.authority.sign(&tbs.to_der().unwrap())).unwrap_err().to_string()
    };
    assert!(changed(&|tbs| replace(tbs, false, &uris(&["spiffe://prod.example/a"]))).contains("without a path"));
    assert!(changed(&|tbs| replace(tbs, true, &BasicConstraints { ca: false, path_len_constraint: None })).contains("with CA"));
    assert!(changed(&|tbs| replace(tbs, true, &KeyUsage(KeyUsages::DigitalSignature.into()))).contains("keyCertSign"));
    assert!(changed(&|tbs| tbs.issuer = Default::default()).contains("not its issuer"));
}

fn parse_ca_body() -> Vec<u8> {
    signed::Signed::read(What::Authority, WORLD.ca.der()).unwrap().body.to_vec()
}

#[test]
fn years_past_2049_are_written_with_four_digits() {
    let holder = Holder::new();
    let domain = TrustDomain::parse("a").unwrap();
    for year_seconds in [2_524_607_999, 2_524_608_000, 253_000_000_000] {
        let plan = CaPlan {
            serial: Serial::from_random([1; 16]),
            trust_domain: &domain,
            key: &holder.key(),
            not_before: NOW,
            not_after: Time::from_seconds(year_seconds),
        };
        let ca = parse_ca(&holder.sign(&plan.tbs().unwrap())).unwrap();
        assert_eq!(ca.not_after().seconds(), year_seconds);
    }
}

#[test]
fn pem_is_one_to_sixteen_texts() {
    let der = WORLD.authority.sign(&tbs());
    let two = pem_encode(PemLabel::Certificate, [&der[..], WORLD.ca.der()]);
    assert_eq!(pem_decode(PemLabel::Certificate, &two).unwrap(), vec![der.clone(), WORLD.ca.der().to_vec()]);
    let many = pem_encode(PemLabel::Certificate, vec![&der[..]; 17]);
    for bad in ["", "\0", &two.replace("CERT", "cert"), &format!("{two} "), &many, &"-".repeat(64 * 1024), &"A".repeat(300_000)] {
        assert!(pem_decode(PemLabel::Certificate, bad).is_err());
    }
    assert!(pem_decode(PemLabel::Request, &two).is_err());
    let long = pem_encode(PemLabel::Certificate, [&vec![0; DER_BYTES_MAX + 1][..]]);
    assert!(matches!(pem_decode(PemLabel::Certificate, &long), Err(X509Error::TooLong { .. })));
}

#[test]
fn long_and_deep_bytes_are_refused() {
    let mut deep = vec![5, 0];
    while deep.len() < 8000 {
        deep = tlv(0x30, &deep);
    }
    for bytes in [
        vec![0; 64 * 1024],
        vec![0x30; 64 * 1024],
        deep,
        vec![],
        vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        vec![0x30, 0x80, 0, 0],
    ] {
        assert!(verify_csr(&bytes).is_err());
        assert!(judge(&bytes).is_err());
        assert!(parse_certificate(&bytes).is_err());
        assert!(parse_tbs(&bytes).is_err());
        assert!(parse_ca(&bytes).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_flipped_bit_holds(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let flip = |mut der: Vec<u8>| {
            let at = at.index(der.len());
            der[at] ^= 1 << bit;
            der
        };
        prop_assert!(verify_csr(&flip(WORLD.workload.csr())).is_err());
        prop_assert!(judge(&flip(WORLD.authority.sign(&tbs()))).is_err());
        prop_assert!(parse_ca(&flip(WORLD.ca.der().to_vec())).is_err());
    }

    #[test]
    fn random_bytes_hold_nowhere(bytes in prop::collection::vec(any::<u8>(), 0..600), keep in any::<prop::sample::Index>()) {
        let mut spliced = WORLD.authority.sign(&tbs());
        spliced.truncate(keep.index(spliced.len()));
        spliced.extend_from_slice(&bytes);
        for der in [&bytes, &spliced, &sequence(&[&bytes]), &WORLD.authority.sign(&bytes)] {
            prop_assert!(verify_csr(der).is_err());
            prop_assert!(judge(der).is_err());
            prop_assert!(parse_ca(der).is_err());
        }
    }
}
