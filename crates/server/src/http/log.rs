//! The log over HTTP, and how the server is.

use super::App;
use super::asker::Reader;
use super::reply::{Refused, Reply, Segment, malformed, not_found};
use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use std::sync::atomic::Ordering;
use writ_ledger::{Tile, TileKind};
use writ_types::{Code, Denial, TextValue as _};
use writ_wire::api::{EntryView, Status};

pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: the log can be written, and grants are possible.
pub(super) async fn readyz(State(app): State<App>) -> (StatusCode, &'static str) {
    let writer = app.shared.read();
    match (writer.stopped().is_none(), writer.is_clock_sure()) {
        (true, true) => (StatusCode::OK, "ready\n"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "the evidence log can't be written\n"),
        (true, false) => (StatusCode::SERVICE_UNAVAILABLE, "the wall clock is not trusted\n"),
    }
}

/// Prometheus text.
pub(super) async fn metrics(State(app): State<App>) -> String {
    let writer = app.shared.read();
    let mut rows = vec![
        ("writ_log_entries", "Entries of the evidence log.", writer.log().size()),
        (
            "writ_log_stopped",
            "1 while the evidence log can't be written: nothing is granted.",
            u64::from(writer.stopped().is_some()),
        ),
        ("writ_store_appends", "Batches made durable since the start, one sync each.", writer.log().store().appends_committed()),
        (
            "writ_unknown_certificates",
            "Validly signed certificates that the log does not know, since the start: any may be a stolen authority's.",
            app.shared.strangers.load(Ordering::Relaxed),
        ),
        ("writ_clock_sure", "1 while the wall clock is trusted to grant by.", u64::from(writer.is_clock_sure())),
    ];
    // What the log does not say yet is not counted aloud either.
    if !writer.is_ahead() {
        let state = writer.state();
        rows.extend([
            ("writ_identities", "Identities.", state.identities().iter().count() as u64),
            ("writ_tasks_open", "Tasks that have not ended.", state.tasks().open().count() as u64),
            (
                "writ_closures_open",
                "Credentials that count no longer and are not closed everywhere.",
                writ_plane::unfinished(state).len() as u64,
            ),
        ]);
    }
    let gauge = |name: &str, help: &str| format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
    let mut text: String = rows.iter().map(|(name, help, value)| format!("{}{name} {value}\n", gauge(name, help))).collect();
    text += &gauge("writ_refusals", "Requests refused without an entry of their own, since the start, by code.");
    text.extend(
        app.shared.counted.all().iter().map(|(code, count)| format!("writ_refusals{{code=\"{}\"}} {count}\n", code.as_str())),
    );
    text
}

/// Always answered, from what is durable: whoever wants to end something begins here.
pub(super) async fn status(State(app): State<App>) -> Reply<Status> {
    let writer = app.shared.read();
    let state = writer.state();
    let trust_domain = state.domain().trust_domain().cloned();
    let trust_domain =
        trust_domain.ok_or_else(|| Refused::from(Denial::new(Code::Bug, "the trust domain has no genesis", "report this")))?;
    Ok(Json(Status {
        trust_domain,
        origin: state.domain().origin().to_owned(),
        dev: state.domain().is_dev(),
        epoch: state.domain().epoch(),
        size: writer.log().size(),
        root: writer.log().root(),
        genesis: app.shared.genesis,
        clock_sure: writer.is_clock_sure(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api: app.api.clone(),
        closing: writ_plane::unfinished(state).len() as u64,
    }))
}

/// The signed head, to anybody.
pub(super) async fn checkpoint(State(app): State<App>) -> Result<String, Refused> {
    let writer = app.shared.told()?;
    let signed = writer.log().checkpoint().map(ToString::to_string);
    signed.ok_or_else(|| Denial::new(Code::WrongState, "no checkpoint is signed yet", "ask again in a second").into())
}

/// The log's verifier key, to anybody.
pub(super) async fn vkey(State(app): State<App>) -> Result<String, Refused> {
    app.shared.told()?.log().key().map(|key| format!("{key}\n")).ok_or_else(|| not_found("the log's key"))
}

/// One entry, to a person with a session; the genesis, which holds the key that the head is signed with, to anybody.
pub(super) async fn entry(State(app): State<App>, reader: Result<Reader, Refused>, Segment(index): Segment) -> Reply<EntryView> {
    let index = place(&index)?;
    if index != 0 {
        reader?;
    }
    let entry = app.shared.told()?.log().entry(index).map_err(|_| not_found(&index.to_string()))?;
    let entry = serde_json::to_value(entry).map_err(|error| malformed(&error.to_string()))?;
    Ok(Json(EntryView { index, entry }))
}

pub(super) async fn receipt(State(app): State<App>, _: Reader, Segment(index): Segment) -> Result<String, Refused> {
    let index = place(&index)?;
    let writer = app.shared.told()?;
    if index < writer.log().size() && writer.log().checkpoint().is_none_or(|signed| index >= signed.checkpoint().size) {
        let what = format!("no checkpoint covers entry {index} yet");
        return Err(Denial::new(Code::WrongState, what, "ask again in a second").into());
    }
    let receipt = writer.log().receipt(index).map_err(|_| not_found(&index.to_string()))?;
    Ok(receipt.to_string())
}

/// A tile by its path (C2SP tlog-tiles). Hashes say nothing of what they hash, so anybody may have them; entries need a session.
pub(super) async fn tile(
    State(app): State<App>,
    reader: Result<Reader, Refused>,
    Segment(path): Segment,
) -> Result<([(HeaderName, &'static str); 1], Vec<u8>), Refused> {
    let unknown = || not_found(&path);
    let tile = Tile::parse(&format!("tile/{path}")).map_err(|_| unknown())?;
    if tile.kind == TileKind::Entries {
        reader?;
    }
    let bytes = app.shared.told()?.log().tile(tile).map_err(|_| unknown())?;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], bytes))
}

fn place(index: &str) -> Result<u64, Refused> {
    index.parse().map_err(|_| malformed("an index is a whole number"))
}
