//! `writ login`: a session for reading, opened by signing the server's challenge. The key says who.

use crate::act::Question;
use crate::args::{Output, parsed};
use crate::failure::{Exit, Outcome};
use crate::link::{Keyed, Link, Reach};
use crate::memory::Session;
use crate::show::{print, print_json};
use clap::Args;
use serde_json::json;
use writ_types::{ActKind, Digest, PartyId, Ttl};
use writ_wire::api::{Challenge, SessionView};

/// Open a session, by your key
#[derive(Debug, Args)]
pub(crate) struct Login {
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    keyed: Keyed,
    /// How long, at most 8h
    #[arg(long, value_name = "TTL", default_value = "8h", value_parser = parsed::<Ttl>)]
    ttl: Ttl,
    /// The hash of the genesis that `writ init` printed
    #[arg(long, value_name = "HASH", value_parser = parsed::<Digest>)]
    genesis: Option<Digest>,
    #[command(flatten)]
    output: Output,
}

impl Login {
    pub(crate) fn run(self) -> Outcome {
        let link = Link::open_pinned(&self.reach, self.genesis.as_ref())?;
        let signer = link.signer(&self.keyed)?;
        let Challenge { challenge, origin: _ } = link.post("/v1/login/challenge", &json!({}))?;
        let content = json!({ "challenge": challenge });
        let origin = link.status().origin.clone();
        let question = Question { origin: &origin, act: ActKind::Login, id: &challenge, content: &content, roles: &[] };
        // Whose key it is, the server knows: the party in the request is for it to fill in.
        let act = question.answer(PartyId::from_bits([0; 16]), &signer, &mut link.random())?;
        let login = writ_wire::api::Login { challenge: challenge.clone(), act, ttl: self.ttl };
        let SessionView { token, party, expires } = link.post("/v1/login", &login)?;
        let key = std::path::absolute(signer.file()).unwrap_or_else(|_| signer.file().to_owned());
        let session = Session::new(link.socket().to_owned(), origin.clone(), party, key, expires, token);
        let file = link.memory().keep_session(&session)?;
        if self.output.is_json() {
            print_json(&json!({ "party": party, "origin": origin, "expires": expires, "genesis": link.status().genesis }));
        } else {
            print(&format!("logged in to {origin} as {party} until {expires}\nthe session is kept in {}", file.display()));
        }
        Ok(Exit::Done)
    }
}
