//! The SPIFFE Workload API on the wire (SPIFFE_Workload_API.md): its messages, service and client.

pub use crate::pb::workloadapi::spiffe_workload_api_client::SpiffeWorkloadApiClient;
pub use crate::pb::workloadapi::spiffe_workload_api_server::{SpiffeWorkloadApi, SpiffeWorkloadApiServer};
pub use crate::pb::workloadapi::{
    JwtBundlesRequest, JwtBundlesResponse, Jwtsvid, JwtsvidRequest, JwtsvidResponse, ValidateJwtsvidRequest,
    ValidateJwtsvidResponse, WitBundlesRequest, WitBundlesResponse, Witsvid, WitsvidRequest, WitsvidResponse, X509BundlesRequest,
    X509BundlesResponse, X509svid, X509svidRequest, X509svidResponse,
};
use std::fmt;
use std::path::Path;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// The metadata that every request carries with the value `true` (SPIFFE_Workload_Endpoint.md, section 3): a browser or a confused
/// program that is made to call the socket doesn't send it.
pub const SECURITY_HEADER: &str = "workload.spiffe.io";

/// A client that sends [`SECURITY_HEADER`] with each request.
pub type Client = SpiffeWorkloadApiClient<InterceptedService<Channel, fn(Request<()>) -> Result<Request<()>, Status>>>;

/// Connects to the Workload API at a socket's absolute path.
///
/// # Errors
/// When nobody serves there.
pub async fn connect(socket: &Path) -> Result<Client, tonic::transport::Error> {
    let channel = Endpoint::from_shared(format!("unix://{}", socket.display()))?.connect().await?;
    Ok(SpiffeWorkloadApiClient::with_interceptor(channel, mark as fn(_) -> _))
}

fn mark(mut request: Request<()>) -> Result<Request<()>, Status> {
    request.metadata_mut().insert(SECURITY_HEADER, tonic::metadata::MetadataValue::from_static("true"));
    Ok(request)
}

// What stands in the messages below and isn't printed: keys and tokens.

impl fmt::Debug for X509svid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("X509svid").field("spiffe_id", &self.spiffe_id).field("hint", &self.hint).finish_non_exhaustive()
    }
}

impl fmt::Debug for Jwtsvid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwtsvid").field("spiffe_id", &self.spiffe_id).field("hint", &self.hint).finish_non_exhaustive()
    }
}

impl fmt::Debug for Witsvid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witsvid").field("spiffe_id", &self.spiffe_id).field("hint", &self.hint).finish_non_exhaustive()
    }
}

impl fmt::Debug for ValidateJwtsvidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidateJwtsvidRequest").field("audience", &self.audience).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law 9: keys and tokens never print, also inside what carries them.
    #[test]
    fn messages_print_without_their_secrets() {
        let x509 = X509svid { spiffe_id: "spiffe://a/b".into(), x509_svid_key: "hush".into(), ..Default::default() };
        let jwt = Jwtsvid { svid: "hush".into(), ..Default::default() };
        let wit = Witsvid { wit_svid: "hush".into(), wit_svid_key: "hush".into(), ..Default::default() };
        let validate = ValidateJwtsvidRequest { audience: "a".into(), svid: "hush".into() };
        let printed = format!(
            "{x509:?} {:?} {:?} {:?} {validate:?}",
            X509svidResponse { svids: vec![x509.clone()], ..Default::default() },
            JwtsvidResponse { svids: vec![jwt] },
            WitsvidResponse { svids: vec![wit] },
        );
        assert!(printed.contains("spiffe://a/b"));
        assert!(!printed.contains("hush") && !printed.contains("[104, 117"), "{printed}");
    }

    /// R44: the method names that every SPIFFE client calls: the proto has no package.
    #[test]
    fn the_service_has_its_standard_name() {
        assert_eq!(crate::pb::workloadapi::spiffe_workload_api_server::SERVICE_NAME, "SpiffeWorkloadAPI");
    }
}
