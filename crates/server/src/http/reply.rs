//! Answers and refusals on the wire, and requests read with their bounds.

use super::App;
use super::once::key;
use super::strict;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use writ_ledger::Blob;
use writ_types::{Code, Denial, ParseError, TextValue, is_bidi};
use writ_wire::api::{BODY_BYTES_MAX, Problem};

/// The time in which a body arrives.
const BODY_WITHIN: Duration = Duration::from_secs(10);

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
        let code = self.0.code;
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(Problem::from(*self.0))).into_response();
        let kind = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        // Where the connection ends, it is counted.
        response.extensions_mut().insert(code);
        response
    }
}

/// What a handler returns.
pub(super) type Reply<T> = Result<Json<T>, Refused>;

/// A JSON body of a known shape. What can't be read is the caller's fault, and ends here.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned + Serialize> FromRequest<App> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refused> {
        let key = key(request.uri(), request.headers(), request.extensions())?;
        let json = request.headers().get(header::CONTENT_TYPE).is_some_and(is_json);
        // A body that trickles in is not waited for.
        let bytes = tokio::time::timeout(BODY_WITHIN, Bytes::from_request(request, app)).await;
        let bytes = bytes.map_err(|_| malformed(&format!("the body did not arrive within {} s", BODY_WITHIN.as_secs())))?;
        let bytes = bytes.map_err(|_| malformed(&format!("the body is longer than {BODY_BYTES_MAX} bytes, or was cut off")))?;
        if !json && !bytes.is_empty() {
            return Err(malformed("the header `content-type` is not `application/json`"));
        }
        app.used.by(key, &bytes)?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        strict::read(bytes).map(Body).map_err(|why| malformed(&format!("the body can't be read: {why}")))
    }
}

fn is_json(value: &header::HeaderValue) -> bool {
    let essence = value.to_str().ok().and_then(|text| text.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// One piece of the path, as text.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(text)| Self(text)).map_err(|_| malformed("the path is not text"))
    }
}

pub(super) async fn no_such_path() -> Refused {
    Denial::new(Code::NotFound, "no such path", "look at `/v1/openapi.json`").into()
}

pub(super) async fn no_such_method() -> Refused {
    Denial::new(Code::MethodNotAllowed, "the path has another method", "look at `/v1/openapi.json`").into()
}

/// One value of a path.
pub(super) fn parse<T: TextValue>(text: &str) -> Result<T, Refused> {
    T::parse(text).map_err(|error: ParseError| malformed(&error.to_string()))
}

/// What people signed, of its kind's shape, and written as it is signed.
pub(super) fn content<T: DeserializeOwned + Serialize>(content: Value) -> Result<T, Refused> {
    strict::written(content).map_err(|why| malformed(&format!("the content can't be read: {why}")))
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
    Denial::new(Code::Malformed, plain(why), "look at the API's description, `/v1/openapi.json`").into()
}

/// Unknown and forbidden answer alike.
pub(super) fn not_found(what: &str) -> Refused {
    Denial::new(Code::NotFound, format!("`{}` is unknown, or not yours to know", shown(what)), "check the id").into()
}

/// The longest message, in characters.
const MESSAGE_MAX: usize = 400;

/// One line that quotes of the caller's text only what can be a name: the rest may be a token, a key or a signature, and whoever
/// reads the answer may be somebody else.
fn plain(message: &str) -> String {
    let (mut out, mut rest) = (String::new(), message);
    while let Some((before, quote, after)) = rest.find(['"', '`']).and_then(|at| {
        let (before, from) = rest.split_at_checked(at)?;
        let quote = from.chars().next()?;
        Some((before, quote, from.strip_prefix(quote)?))
    }) {
        let end = closing(after, quote);
        let (inside, more) = after.split_at_checked(end).unwrap_or((after, ""));
        out.extend([before, quote.encode_utf8(&mut [0; 4]), &shown(inside), quote.encode_utf8(&mut [0; 4])]);
        rest = more.strip_prefix(quote).unwrap_or(more);
    }
    out.push_str(rest);
    escaped(&out).chars().take(MESSAGE_MAX).collect()
}

/// Where the quotation ends, past what is escaped in it.
fn closing(text: &str, quote: char) -> usize {
    let mut escape = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escape => escape = false,
            '\\' if quote == '"' => escape = true,
            _ if c == quote => return at,
            _ => {}
        }
    }
    text.len()
}

/// A caller's text, if it can be a name.
fn shown(text: &str) -> String {
    let name = text.starts_with("spiffe://") || text.chars().count() <= 48;
    let secret = text.contains("wrs_") || text.contains("-----BEGIN");
    if name && !secret { escaped(text).chars().take(128).collect() } else { "…".to_owned() }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_control() || is_bidi(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever is refused for want of room is told when to come back.
    #[test]
    fn every_503_says_when_to_come_back_and_nothing_else_does() {
        for code in Code::ALL {
            let response = Refused::from(Denial::new(*code, "no", "help")).into_response();
            assert_eq!(response.status().as_u16(), code.status());
            let retry = response.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(retry.as_deref(), (code.status() == 503).then_some("1"), "{code:?}");
        }
    }

    #[test]
    fn a_message_quotes_names_and_nothing_that_can_be_a_secret() {
        let check = |message: &str, wanted: &str| assert_eq!(plain(message), wanted);
        check("unknown field `kind`, expected `a`", "unknown field `kind`, expected `a`");
        check("invalid type: string \"wrs_AAAA.0a\", expected a map", "invalid type: string \"…\", expected a map");
        check(&format!("string \"{}\\\"x\" at line 1", "s".repeat(60)), "string \"…\" at line 1");
        check(&format!("`{}…` is not a task id", "k".repeat(64)), "`…` is not a task id");
        check("`a\u{202e}b\n`", "`a\\u{202e}b\\u{a}`");
        check("one ` alone", "one ` alone`");
        assert_eq!(plain(&"x".repeat(100_000)).len(), MESSAGE_MAX);
        assert_eq!(not_found("-----BEGIN PRIVATE KEY-----").0.message, "`…` is unknown, or not yours to know");
    }
}
