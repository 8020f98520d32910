//! On whose account a request goes: what one identity or one person can cause in the log is bounded before it is planned.

use super::App;
use super::once::Once;
use std::time::Duration;
use writ_agent::Budget;
use writ_ledger::{Blob, Lane};
use writ_plane::{Command, Outcome, State};
use writ_types::{Code, Denial, PartyId, SpiffeId};

/// Refusals of an identity at once, before one a second holds. What it is granted costs it nothing: people have bounded that.
const OF_IDENTITY: u32 = 50;
/// Acts and refusals of a person at once, before one a second holds.
const OF_PERSON: u32 = 200;
const INTERVAL: Duration = Duration::from_secs(1);
/// The time after which a caller no longer waits for a log that can't be written.
const LOGGED_WITHIN: Duration = Duration::from_secs(5);

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Payer {
    /// An identity, known by its certificate before anything is asked.
    Identity(SpiffeId),
    /// An identity that asks for something of its own: nobody has bounded that, so it pays for what it gets, too.
    Asker(SpiffeId),
    /// Who is said to have signed. Whether that is so is found out on the way, so only what is so is charged.
    Person(PartyId),
    /// Who files or signs a change set, said to: to file is to end nothing yet, so it is paid for in both lanes.
    Filer(PartyId),
}

/// An account for each payer and lane: ending never waits for what granting has used up.
#[derive(Debug)]
pub(super) struct Accounts {
    identities: Budget<(SpiffeId, Lane)>,
    people: Budget<(PartyId, Lane)>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { identities: Budget::new(OF_IDENTITY, INTERVAL), people: Budget::new(OF_PERSON, INTERVAL) }
    }
}

impl Accounts {
    /// Opens the account for one request.
    fn open(&self, payer: &Payer, lane: Lane) -> Result<(), Denial> {
        let (open, who) = match payer {
            Payer::Identity(id) | Payer::Asker(id) => (self.identities.take((id.clone(), lane)), id.to_string()),
            Payer::Person(id) | Payer::Filer(id) => (self.people.has_one(&(*id, lane)), id.to_string()),
        };
        let denial = || Denial::new(Code::Overloaded, format!("`{who}` asks too often"), "ask again in a second, and less often");
        open.then_some(()).ok_or_else(denial)
    }

    /// Settles what one request came to. An identity pays for what it is refused; a person for every entry, but for no ending.
    fn settle(&self, payer: &Payer, lane: Lane, refused: bool, logged: bool) {
        match payer {
            Payer::Identity(id) if !refused => self.identities.give_back(&(id.clone(), lane)),
            Payer::Person(id) if logged && (refused || lane == Lane::Grant) => drop(self.people.take((*id, lane))),
            Payer::Filer(id) if logged => drop(self.people.take((*id, lane))),
            _ => {}
        }
    }
}

impl App {
    /// Asks the writer on somebody's account. What is asked is settled even if the caller goes away. An ending that the log can't
    /// take now is carried out and waits, and whoever asked is not kept waiting with it.
    pub(super) async fn ask(&self, payer: Payer, asked: Command, once: Once, blobs: Vec<Blob>) -> Result<Outcome, Denial> {
        // Only a signature's lane depends on what waits. The others don't take the writer's lock, or they would come one by one.
        let lane = match &asked {
            Command::SignChange(_) => asked.lane(self.shared.read().state()),
            _ => asked.lane(&State::default()),
        };
        self.accounts.open(&payer, lane)?;
        let app = self.clone();
        let mut answer = tokio::spawn(async move {
            let came = app.shared.ask(asked, Some(once.0), blobs).await;
            if let Ok(outcome) = &came {
                app.accounts.settle(&payer, lane, outcome.result.is_err(), outcome.entries > 0);
            }
            came
        });
        loop {
            match tokio::time::timeout(LOGGED_WITHIN, &mut answer).await {
                Ok(came) => {
                    return came.unwrap_or_else(|_| Err(Denial::new(Code::Bug, "the request ended early", "report this")));
                }
                Err(_) if self.shared.read().stopped().is_some() => {
                    return Err(Denial::new(
                        Code::LogUnavailable,
                        "the evidence log can't be written; what you may end is being ended, and is logged once it can",
                        "ask again with the same idempotency key to learn what came of it",
                    ));
                }
                // Others come first. The connection's own end bounds this.
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_types::TextValue as _;

    fn asks(accounts: &Accounts, payer: &Payer, lane: Lane, refused: bool, logged: bool) -> u32 {
        (0..1_000).map_while(|_| accounts.open(payer, lane).ok().map(|()| accounts.settle(payer, lane, refused, logged))).count()
            as u32
    }

    #[tokio::test(start_paused = true)]
    async fn an_identity_pays_for_what_it_is_refused() {
        let accounts = Accounts::default();
        let payer = Payer::Identity(SpiffeId::parse("spiffe://t.example/a").unwrap());
        assert_eq!(asks(&accounts, &payer, Lane::Grant, false, true), 1_000);
        assert_eq!(asks(&accounts, &payer, Lane::Grant, true, true), OF_IDENTITY);
        // What it has used up keeps it from ending nothing, and nobody else from anything.
        assert_eq!(asks(&accounts, &payer, Lane::Cut, false, true), 1_000);
        let other = Payer::Identity(SpiffeId::parse("spiffe://t.example/b").unwrap());
        assert_eq!(asks(&accounts, &other, Lane::Grant, true, false), OF_IDENTITY);
        tokio::time::advance(INTERVAL * 3).await;
        assert_eq!(asks(&accounts, &payer, Lane::Grant, true, true), 3);
        assert_eq!(accounts.open(&payer, Lane::Grant).unwrap_err().code, Code::Overloaded);
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_pays_for_entries_and_for_nothing_in_their_name() {
        let accounts = Accounts::default();
        let payer = Payer::Person(PartyId::from_bits([1; 16]));
        // A signature that is not theirs leaves no entry.
        assert_eq!(asks(&accounts, &payer, Lane::Grant, true, false), 1_000);
        assert_eq!(asks(&accounts, &payer, Lane::Grant, false, true), OF_PERSON);
        assert_eq!(asks(&accounts, &payer, Lane::Cut, false, true), 1_000);
        assert_eq!(asks(&accounts, &payer, Lane::Cut, true, true), OF_PERSON);
    }

    /// What nobody has bounded is paid for, granted or not; and in both lanes.
    #[tokio::test(start_paused = true)]
    async fn who_asks_or_files_by_themselves_pay_for_what_they_get() {
        let accounts = Accounts::default();
        let asker = Payer::Asker(SpiffeId::parse("spiffe://t.example/a").unwrap());
        assert_eq!(asks(&accounts, &asker, Lane::Grant, false, true), OF_IDENTITY);
        let filer = Payer::Filer(PartyId::from_bits([1; 16]));
        for lane in [Lane::Grant, Lane::Cut] {
            assert_eq!(asks(&accounts, &filer, lane, false, true), OF_PERSON);
        }
    }
}
