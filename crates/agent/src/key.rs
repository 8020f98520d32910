//! A workload's key: made here, handed to the workload, wiped.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use bytes::Bytes;
use writ_credential::x509::{P256Key, assemble, csr_info};
use writ_types::Secret;

/// A fresh P-256 key.
#[expect(missing_debug_implementations, reason = "it holds a private key")]
pub struct WorkloadKey {
    /// PKCS#8, unencrypted, DER (SPIFFE_Workload_API.md section 5.2.1). The bytes are wiped when their last holder lets go.
    pub pkcs8: Bytes,
    /// The request for its certificate: PKCS#10, DER.
    pub csr: Vec<u8>,
}

impl WorkloadKey {
    /// Makes one.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate() -> Result<Self, Unspecified> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
        let public = P256Key::from_point(pair.public_key().as_ref()).ok_or(Unspecified)?;
        let info = csr_info(&public);
        let signature = pair.sign(&SystemRandom::new(), &info)?;
        let pkcs8 = Secret::new(pair.to_pkcs8v1()?.as_ref().to_vec());
        Ok(Self { pkcs8: Bytes::from_owner(Wiped(pkcs8)), csr: assemble(&info, signature.as_ref()) })
    }
}

/// A secret as the owner of shared bytes.
struct Wiped(Secret<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_credential::x509::verify_csr;

    /// R43, R49: the request proves that the key is held, and the key is the one that is handed over.
    #[test]
    fn the_request_is_signed_by_the_key_that_is_handed_over() {
        let key = WorkloadKey::generate().unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key.pkcs8).unwrap();
        assert_eq!(verify_csr(&key.csr).unwrap().key().point(), pair.public_key().as_ref());
        assert_ne!(WorkloadKey::generate().unwrap().csr, key.csr);
    }
}
