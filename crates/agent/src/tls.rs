//! TLS between holders of X.509-SVIDs: both sides show one, and each is judged by the trust domain's authority alone.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use std::sync::Arc;
use writ_credential::x509::{CaFacts, TbsFacts, verify_issued_by};
use writ_types::{SpiffeId, Time};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[error("the certificate or its key can't be used for TLS: {0}")]
pub struct TlsError(#[from] Error);

/// What a server that shows `chain` needs: every client shows an SVID of the same authority. TLS 1.3 only.
///
/// # Errors
/// When chain and key don't fit.
pub fn server_config(chain: &[Vec<u8>], pkcs8: &[u8], authority: CaFacts) -> Result<ServerConfig, TlsError> {
    let judge = Judge::new(authority, None);
    let config =
        ServerConfig::builder_with_provider(Arc::clone(&judge.provider)).with_protocol_versions(&[&rustls::version::TLS13])?;
    Ok(config.with_client_cert_verifier(Arc::new(judge)).with_single_cert(certificates(chain), key(pkcs8))?)
}

/// What a client that shows `chain` needs: the server's SVID names `server`, and nobody else will do. TLS 1.3 only.
///
/// # Errors
/// When chain and key don't fit.
pub fn client_config(chain: &[Vec<u8>], pkcs8: &[u8], authority: CaFacts, server: SpiffeId) -> Result<ClientConfig, TlsError> {
    let judge = Judge::new(authority, Some(server));
    let config =
        ClientConfig::builder_with_provider(Arc::clone(&judge.provider)).with_protocol_versions(&[&rustls::version::TLS13])?;
    // `dangerous` is rustls' word for a verifier that isn't the web's: this one follows X509-SVID.md section 5.
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(judge));
    Ok(config.with_client_auth_cert(certificates(chain), key(pkcs8))?)
}

fn certificates(chain: &[Vec<u8>]) -> Vec<CertificateDer<'static>> {
    chain.iter().map(|der| CertificateDer::from(der.clone())).collect()
}

fn key(pkcs8: &[u8]) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.to_vec()))
}

/// Judges SVIDs by one authority.
#[derive(Debug)]
struct Judge {
    authority: CaFacts,
    /// Who the other side has to be; none where every member of the trust domain may come.
    wanted: Option<SpiffeId>,
    provider: Arc<CryptoProvider>,
}

impl Judge {
    fn new(authority: CaFacts, wanted: Option<SpiffeId>) -> Self {
        Self { authority, wanted, provider: Arc::new(aws_lc_rs::default_provider()) }
    }

    fn judge(&self, leaf: &CertificateDer<'_>, now: UnixTime) -> Result<TbsFacts, Error> {
        let refused = || Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        let facts = verify_issued_by(leaf, &self.authority, Time::from_seconds(now.as_secs())).map_err(|_| refused())?;
        match &self.wanted {
            Some(wanted) if *wanted != facts.spiffe_id => Err(refused()),
            _ => Ok(facts),
        }
    }

    fn signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// TLS 1.2 is not offered, so nothing of it can be valid.
fn no_tls12() -> Result<HandshakeSignatureValid, Error> {
    Err(Error::General("TLS 1.2 is not offered".to_owned()))
}

impl ClientCertVerifier for Judge {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge(leaf, now).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(leaf, now).map(|_| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}
