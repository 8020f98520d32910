//! Answers and refusals on the wire, and requests read with their bounds.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use writ_ledger::Blob;
use writ_types::{Code, Denial, ParseError, TextValue};
use writ_wire::api::{IDEMPOTENCY_KEY, Problem};

/// A refusal as `application/problem+json` (RFC 9457).
#[derive(Debug)]
pub(super) struct Refused(pub(super) Box<Denial>);

impl From<Denial> for Refused {
    fn from(denial: Denial) -> Self {
        Self(Box::new(denial))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(Problem::from(*self.0))).into_response();
        let kind = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}

/// What a handler returns.
pub(super) type Reply<T> = Result<Json<T>, Refused>;

/// A JSON body of a known shape. What can't be read is the caller's fault, and ends here.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let bytes = Bytes::from_request(request, state).await.map_err(|_| malformed("the body is too long or did not arrive"))?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(bytes).map(Body).map_err(|error| malformed(&format!("the body can't be read: {error}")))
    }
}

/// The `Idempotency-Key`, which every POST has.
pub(super) struct Once(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Once {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let key = parts.headers.get(HeaderName::from_static(IDEMPOTENCY_KEY)).and_then(|value| value.to_str().ok());
        let plain = |key: &&str| (8..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        let key =
            key.filter(plain).ok_or_else(|| malformed("the header `idempotency-key` is missing: 8 to 128 visible characters"))?;
        Ok(Self(format!("{} {key}", parts.uri.path())))
    }
}

/// One value of a path.
pub(super) fn parse<T: TextValue>(text: &str) -> Result<T, Refused> {
    T::parse(text).map_err(|error: ParseError| malformed(&error.to_string()))
}

/// What people signed, of its kind's shape.
pub(super) fn content<T: DeserializeOwned>(content: Value) -> Result<T, Refused> {
    serde_json::from_value(content).map_err(|error| malformed(&format!("the content can't be read: {error}")))
}

/// The blobs that came along.
pub(super) fn blobs(blobs: &[Value]) -> Result<Vec<Blob>, Refused> {
    let open = |blob: &Value| {
        let bytes = writ_types::canonical(blob).map_err(|error| malformed(&error.to_string()))?;
        Blob::open(writ_types::Digest::of(&bytes), bytes).map_err(|error| malformed(&error.to_string()))
    };
    blobs.iter().map(open).collect()
}

/// The request itself is wrong.
pub(super) fn malformed(why: &str) -> Refused {
    Denial::new(Code::Malformed, why, "look at the API's description").into()
}

/// Unknown and forbidden answer alike.
pub(super) fn not_found(what: &str) -> Refused {
    Denial::new(Code::NotFound, format!("`{what}` is unknown, or not yours to know"), "check the id").into()
}
