//! Entries of a login.

use super::command::LoggedIn;
use super::limits::SESSIONS_MAX;
use crate::answer::Answer;
use crate::plan::{Draft, Plan};
use crate::view::View;
use writ_ledger::body::{SessionClosed, SessionOpened};
use writ_types::{Digest, Time};

impl LoggedIn {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan) -> Answer {
        let party = self.by.by();
        let actor = crate::actor::session(party);
        let mine = view.state.people.sessions.iter().filter(|(_, session)| session.party == party);
        let mut mine: Vec<(Time, Digest)> = mine.map(|(token, session)| (session.expires, *token)).collect();
        mine.sort_unstable();
        for (_, session) in mine.iter().take(mine.len().saturating_sub(SESSIONS_MAX - 1)) {
            plan.push(Draft::new(actor.clone(), SessionClosed { session: *session }).on([party]));
        }
        let body = SessionOpened { session: self.session, party, content: self.content, expires: self.expires };
        plan.push(Draft::new(crate::actor::person(&self.by), body).on([party]).act(self.act));
        Answer::Session { session: self.session, party, expires: self.expires }
    }
}
