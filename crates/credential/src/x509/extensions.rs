//! The six extensions that an X.509-SVID and its authority have, written and read.

use super::signed::{sequence, tlv};
use super::tbs::RawExtension;
use super::{P256Key, What, X509Error};
use x509_cert::der::asn1::{Ia5String, ObjectIdentifier, OctetString};
use x509_cert::der::flagset::FlagSet;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
};

/// The extensions of a workload's certificate, DER, one after the other.
pub(super) fn of_svid(uri: &str, key: &P256Key, authority_key_id: &[u8]) -> x509_cert::der::Result<Vec<u8>> {
    let authority = AuthorityKeyIdentifier { key_identifier: Some(OctetString::new(authority_key_id)?), ..Default::default() };
    Ok([
        // X509-SVID.md section 4.3: present, critical, digitalSignature, never keyCertSign or cRLSign.
        extension(true, &KeyUsage(KeyUsages::DigitalSignature.into()))?,
        // Section 4.4: if present, both.
        extension(false, &ExtendedKeyUsage(vec![ID_KP_SERVER_AUTH, ID_KP_CLIENT_AUTH]))?,
        // Section 4.1.
        extension(true, &BasicConstraints { ca: false, path_len_constraint: None })?,
        extension(false, &SubjectKeyIdentifier(OctetString::new(key.identifier())?))?,
        extension(false, &authority)?,
        // Section 3.1: critical, as the subject is empty.
        extension(true, &uri_name(uri)?)?,
    ]
    .concat())
}

/// The extensions of an authority's certificate, DER, one after the other.
pub(super) fn of_authority(uri: &str, key: &P256Key) -> x509_cert::der::Result<Vec<u8>> {
    Ok([
        extension(true, &KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign))?,
        // Leaves only below it.
        extension(true, &BasicConstraints { ca: true, path_len_constraint: Some(0) })?,
        extension(false, &SubjectKeyIdentifier(OctetString::new(key.identifier())?))?,
        extension(false, &uri_name(uri)?)?,
    ]
    .concat())
}

fn uri_name(uri: &str) -> x509_cert::der::Result<SubjectAltName> {
    Ok(SubjectAltName(vec![GeneralName::UniformResourceIdentifier(Ia5String::new(uri)?)]))
}

/// RFC 5280 section 4.1: the id, critical where it is, and the value inside an octet string.
pub(super) fn extension<T: AssociatedOid + Encode>(critical: bool, value: &T) -> x509_cert::der::Result<Vec<u8>> {
    let flag: &[u8] = if critical { &[0x01, 1, 0xff] } else { &[] };
    Ok(sequence(&[&tlv(0x06, T::OID.as_bytes()), flag, &tlv(0x04, &value.to_der()?)]))
}

/// What the extensions of one certificate say. Each stands at most once, and there are no others.
#[derive(Default)]
pub(super) struct Extensions {
    key_usage: Option<(bool, FlagSet<KeyUsages>)>,
    purposes: Option<Vec<ObjectIdentifier>>,
    constraints: Option<(bool, BasicConstraints)>,
    subject_key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    uris: Vec<String>,
    names_critical: bool,
}

impl Extensions {
    pub(super) fn read(what: What, extensions: &[RawExtension<'_>]) -> Result<Self, X509Error> {
        let mut found = Self::default();
        let mut seen = Vec::new();
        for extension in extensions {
            // RFC 5280 section 4.2: not more than one of each.
            if seen.contains(&extension.id) {
                return Err(what.rule(format!("the extension `{}` stands twice (RFC 5280 section 4.2)", extension.id)));
            }
            seen.push(extension.id);
            found.take(what, extension)?;
        }
        Ok(found)
    }

    fn take(&mut self, what: What, extension: &RawExtension<'_>) -> Result<(), X509Error> {
        let value = extension.value;
        match extension.id {
            KeyUsage::OID => self.key_usage = Some((extension.critical, decode::<KeyUsage>(what, value)?.0)),
            ExtendedKeyUsage::OID => self.purposes = Some(decode::<ExtendedKeyUsage>(what, value)?.0),
            BasicConstraints::OID => self.constraints = Some((extension.critical, decode(what, value)?)),
            SubjectKeyIdentifier::OID => {
                self.subject_key_id = Some(decode::<SubjectKeyIdentifier>(what, value)?.0.as_bytes().to_vec());
            }
            AuthorityKeyIdentifier::OID => {
                let id: AuthorityKeyIdentifier = decode(what, value)?;
                self.authority_key_id = id.key_identifier.map(|id| id.as_bytes().to_vec());
            }
            SubjectAltName::OID => {
                self.names_critical = extension.critical;
                for name in decode::<SubjectAltName>(what, value)?.0 {
                    if let GeneralName::UniformResourceIdentifier(uri) = name {
                        self.uris.push(uri.to_string());
                    }
                }
            }
            // RFC 5280 section 4.2: an unknown critical extension is to be refused; so is any other here, as neither
            // Writ nor SPIFFE writes one.
            other => return Err(what.rule(format!("it has the extension `{other}`, which an X.509-SVID does not have"))),
        }
        Ok(())
    }

    /// The rules for a workload's certificate; gives its URI and the key identifiers of itself and its authority.
    pub(super) fn judge_svid(self, what: What, subject_is_empty: bool) -> Result<(String, Vec<u8>), X509Error> {
        match self.key_usage {
            Some((true, usage)) if usage.contains(KeyUsages::KeyCertSign) || usage.contains(KeyUsages::CRLSign) => {
                return Err(what.rule("its key may sign certificates or revocation lists (X509-SVID.md section 4.3)"));
            }
            Some((true, usage)) if usage.contains(KeyUsages::DigitalSignature) => {}
            _ => return Err(what.rule("it has no critical key usage with digitalSignature (X509-SVID.md section 4.3)")),
        }
        let both = |purposes: &Vec<_>| purposes.contains(&ID_KP_SERVER_AUTH) && purposes.contains(&ID_KP_CLIENT_AUTH);
        if self.purposes.is_some_and(|purposes| !both(&purposes)) {
            return Err(what.rule("its extended key usage lacks serverAuth or clientAuth (X509-SVID.md section 4.4)"));
        }
        if self.constraints.is_some_and(|(_, constraints)| constraints.ca) {
            return Err(what.rule("it is an authority's, not a workload's (X509-SVID.md section 5.2)"));
        }
        if subject_is_empty && !self.names_critical {
            return Err(what.rule("its subject is empty and its alternative name is not critical (RFC 5280 section 4.2.1.6)"));
        }
        let uri = only(what, self.uris)?;
        let authority =
            self.authority_key_id.ok_or_else(|| what.rule("it does not name its authority's key (RFC 5280 section 4.2.1.1)"))?;
        Ok((uri, authority))
    }

    /// The rules for an authority's certificate; gives its URI and its key identifier.
    pub(super) fn judge_authority(self, what: What) -> Result<(String, Vec<u8>), X509Error> {
        if !matches!(self.key_usage, Some((true, usage)) if usage.contains(KeyUsages::KeyCertSign)) {
            return Err(what.rule("it has no critical key usage with keyCertSign (X509-SVID.md section 4.3)"));
        }
        if !matches!(&self.constraints, Some((true, constraints)) if constraints.ca) {
            return Err(what.rule("it has no critical basic constraints with CA (X509-SVID.md section 4.1)"));
        }
        let uri = only(what, self.uris)?;
        let id = self.subject_key_id.ok_or_else(|| what.rule("it has no subject key identifier (RFC 5280 section 4.2.1.2)"))?;
        Ok((uri, id))
    }
}

/// X509-SVID.md section 2: exactly one URI.
fn only(what: What, uris: Vec<String>) -> Result<String, X509Error> {
    let count = uris.len();
    match (count, uris.into_iter().next()) {
        (1, Some(uri)) => Ok(uri),
        _ => Err(what.rule(format!("it has {count} URI names, not exactly one (X509-SVID.md section 2)"))),
    }
}

fn decode<'a, T: Decode<'a>>(what: What, value: &'a [u8]) -> Result<T, X509Error> {
    T::from_der(value).map_err(what.encoding())
}
