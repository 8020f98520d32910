//! `writ withdraw`: who filed a change set takes it back; what of it is in force stays in force.

use crate::act::Question;
use crate::args::{Output, parsed};
use crate::change::{self, Seen};
use crate::failure::{Exit, Failure, Outcome};
use crate::link::{Keyed, Link, Reach};
use crate::people::People;
use crate::show::{note, print, print_json};
use crate::sign::confirm;
use clap::Args;
use writ_types::{ActKind, ChangeId};
use writ_wire::api::Withdrawn;

/// Take an own change set back, while a part of it waits
#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    /// The change set
    #[arg(value_parser = parsed::<ChangeId>)]
    change: ChangeId,
    /// Don't ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    keyed: Keyed,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    output: Output,
}

impl Withdraw {
    pub(crate) fn run(self) -> Outcome {
        let link = Link::open(&self.reach)?;
        let seen = Seen::fetch(&link, &self.change)?;
        let Some((value, content)) = seen.content()? else {
            note(&format!("change set {} is in force: nothing waits", self.change));
            return Ok(Exit::Done);
        };
        let me = link.me(&self.keyed)?;
        let mut people = if link.has_session() { People::of(link.estate()?) } else { People::default() };
        if content.filer != me.party {
            let message = format!("change set {} was filed by {}", self.change, people.handle(&content.filer));
            return Err(Failure::new(Exit::Denied, message, "only they take it back; leave it unsigned, and it is not in force"));
        }
        change::learn(&mut people, &content, &seen.view.blobs);
        note(&change::parts(&content, &people, None));
        confirm("take this back", self.yes)?;
        let id = self.change.to_string();
        let question = Question { origin: &link.status().origin, act: ActKind::Refuse, id: &id, content: &value, roles: &[] };
        let act = question.answer(me.party, &me.signer, &mut link.random())?;
        let withdrawn: Withdrawn = link.post(&format!("/v1/changes/{id}/withdraw"), &writ_wire::api::WithdrawChange { act })?;
        if self.output.is_json() {
            print_json(&withdrawn);
        } else {
            print(&format!("change set {} is withdrawn\n", withdrawn.change));
        }
        Ok(Exit::Done)
    }
}
