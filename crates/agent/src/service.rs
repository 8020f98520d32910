//! The methods of the Workload API.

use crate::budget::Budget;
use crate::bundles::Bundles;
use crate::caller::Caller;
use crate::refusal::{denied, no_identity, too_slow, unattested, unimplemented};
use crate::stream::{Profile, Stream, Surroundings};
use crate::svids::Svids;
use crate::upstream::Upstream;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use writ_wire::workload::{
    JwtBundlesRequest, JwtBundlesResponse, JwtsvidRequest, JwtsvidResponse, SECURITY_HEADER, SpiffeWorkloadApi,
    ValidateJwtsvidRequest, ValidateJwtsvidResponse, WitBundlesRequest, WitBundlesResponse, WitsvidRequest, WitsvidResponse,
    X509BundlesRequest, X509BundlesResponse, X509svidRequest, X509svidResponse,
};

/// The service over one upstream.
pub(crate) struct WorkloadApi<U> {
    around: Surroundings<U>,
    budget: Arc<Budget<u32>>,
}

/// SPIFFE_Workload_Endpoint.md section 3: a request without the metadata was not meant for this socket.
pub(crate) fn require_metadata(request: Request<()>) -> Result<Request<()>, Status> {
    match request.metadata().get(SECURITY_HEADER).map(|value| value.as_bytes()) {
        Some(b"true") => Ok(request),
        _ => {
            Err(Status::invalid_argument(format!("the metadata `{SECURITY_HEADER}: true` is missing; a SPIFFE client sends it")))
        }
    }
}

type Pushed<M> = ReceiverStream<Result<M, Status>>;
type Never<M> = Pin<Box<dyn tokio_stream::Stream<Item = Result<M, Status>> + Send>>;

impl<U: Upstream> WorkloadApi<U> {
    pub(crate) const fn new(around: Surroundings<U>, budget: Arc<Budget<u32>>) -> Self {
        Self { around, budget }
    }

    /// Starts a stream that lives as long as somebody reads it.
    fn stream<P: Profile>(&self, caller: Arc<Caller>, profile: P) -> Response<Pushed<P::Message>> {
        // One message waits at most: a slow reader gets the newest state, not all of them.
        let (out, pushed) = mpsc::channel(1);
        tokio::spawn(Stream::new(self.around.clone(), caller, profile).run(out));
        Response::new(ReceiverStream::new(pushed))
    }

    /// What a profile without an authority answers: first whether the caller is anybody.
    async fn absent<T>(&self, caller: Result<Arc<Caller>, Status>, profile: &str) -> Result<T, Status> {
        let attested = caller?.attest().await.map_err(|error| unattested(&error))?;
        match timeout(self.around.limits.upstream, self.around.upstream.entitled(&attested)).await {
            Ok(Ok(entitled)) if entitled.identities.is_empty() => Err(no_identity(&attested)),
            Ok(Ok(_)) => Err(unimplemented(profile)),
            Ok(Err(denial)) => Err(denied(&denial)),
            Err(_) => Err(too_slow()),
        }
    }
}

/// The caller of the request's connection.
fn caller<T>(request: &Request<T>) -> Result<Arc<Caller>, Status> {
    request.extensions().get::<Arc<Caller>>().cloned().ok_or_else(|| Status::internal("the connection has no caller"))
}

#[tonic::async_trait]
impl<U: Upstream> SpiffeWorkloadApi for WorkloadApi<U> {
    type FetchX509SVIDStream = Pushed<X509svidResponse>;
    type FetchX509BundlesStream = Pushed<X509BundlesResponse>;
    type FetchJWTBundlesStream = Never<JwtBundlesResponse>;
    type FetchWITSVIDStream = Never<WitsvidResponse>;
    type FetchWITBundlesStream = Never<WitBundlesResponse>;

    async fn fetch_x509svid(&self, request: Request<X509svidRequest>) -> Result<Response<Pushed<X509svidResponse>>, Status> {
        Ok(self.stream(caller(&request)?, Svids::new(self.around.clone(), Arc::clone(&self.budget))))
    }

    async fn fetch_x509_bundles(
        &self,
        request: Request<X509BundlesRequest>,
    ) -> Result<Response<Pushed<X509BundlesResponse>>, Status> {
        Ok(self.stream(caller(&request)?, Bundles::new(self.around.clone())))
    }

    async fn fetch_jwtsvid(&self, request: Request<JwtsvidRequest>) -> Result<Response<JwtsvidResponse>, Status> {
        // SPIFFE_Workload_API.md section 6.2.1.
        if request.get_ref().audience.iter().all(String::is_empty) {
            return Err(Status::invalid_argument("a JWT-SVID is for at least one audience"));
        }
        self.absent(caller(&request), "JWT").await
    }

    async fn fetch_jwt_bundles(
        &self,
        request: Request<JwtBundlesRequest>,
    ) -> Result<Response<Self::FetchJWTBundlesStream>, Status> {
        self.absent(caller(&request), "JWT").await
    }

    async fn validate_jwtsvid(
        &self,
        request: Request<ValidateJwtsvidRequest>,
    ) -> Result<Response<ValidateJwtsvidResponse>, Status> {
        self.absent(caller(&request), "JWT").await
    }

    async fn fetch_witsvid(&self, request: Request<WitsvidRequest>) -> Result<Response<Self::FetchWITSVIDStream>, Status> {
        self.absent(caller(&request), "WIT").await
    }

    async fn fetch_wit_bundles(
        &self,
        request: Request<WitBundlesRequest>,
    ) -> Result<Response<Self::FetchWITBundlesStream>, Status> {
        self.absent(caller(&request), "WIT").await
    }
}
