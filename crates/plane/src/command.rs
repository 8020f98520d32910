//! Everything that can be asked of the writer, judged and planned in one place.

use crate::answer::Answer;
use crate::change::{ChangeAccepted, ChangeTakenBack, FileChange, SignChange, WithdrawChange, only_cuts};
use crate::credential::{Closing, Exceeded, Failed, Made, Recover, Take, Taken, Taking};
use crate::decision::{Count, refused};
use crate::domain::{AuthorityReady, NewAuthority, NewServerCertificate, Open, ServerCertificateReady};
use crate::identity::{IssueSvid, SvidAllowed};
use crate::memo::Memo;
use crate::people::{LoggedIn, Login};
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::state::State;
use crate::task::{
    Approve, Approved, Complete, Completed, Kill, Killed, Refuse, Refused, Request, Requested, Signal, Signalled, Start, Started,
    Want, Wanted,
};
use crate::view::View;
use crate::{credential, task};
use writ_ledger::Lane;
use writ_types::{Denial, Random};

/// One thing asked of the writer.
#[derive(Debug, Clone)]
pub enum Command {
    /// A server opened the log.
    Open(Open),
    /// Undo what an earlier process left unfinished.
    Recover(Recover),
    /// An X.509 authority takes over.
    NewAuthority(NewAuthority),
    /// A certificate for the server.
    NewServerCertificate(NewServerCertificate),
    /// Open a session.
    Login(Login),
    /// File a change set.
    FileChange(Box<FileChange>),
    /// Sign a change set.
    SignChange(SignChange),
    /// Take an own change set back.
    WithdrawChange(WithdrawChange),
    /// Issue an X.509-SVID.
    IssueSvid(IssueSvid),
    /// Ask for a task, by its actor itself.
    Want(Box<Want>),
    /// Request a task.
    Request(Box<Request>),
    /// Approve a request.
    Approve(Approve),
    /// Refuse a request.
    Refuse(Refuse),
    /// Start a task.
    Start(Start),
    /// Take a credential.
    Take(Take),
    /// A backend made a credential.
    Made(Made),
    /// A backend did not make it.
    Failed(Failed),
    /// Complete a task.
    Complete(Complete),
    /// Signal a trigger.
    Signal(Signal),
    /// Kill a scope.
    Kill(Box<Kill>),
    /// What is known of a revocation.
    Closing(Closing),
    /// Count refusals that have no entry of their own.
    Count(Count),
    /// End what is due.
    Due,
}

impl Command {
    /// The lane: endings never wait for grants (law 12). A change set is an ending if all that it does is to end something.
    pub fn lane(&self, state: &State) -> Lane {
        match self {
            Self::Complete(_)
            | Self::Signal(_)
            | Self::Kill(_)
            | Self::Refuse(_)
            | Self::Closing(_)
            | Self::Failed(_)
            | Self::Recover(_)
            | Self::WithdrawChange(_)
            | Self::Due => Lane::Cut,
            Self::FileChange(it) if only_cuts(&it.content) => Lane::Cut,
            Self::SignChange(it) if state.changes.get(&it.change).is_some_and(|change| only_cuts(&change.content)) => Lane::Cut,
            _ => Lane::Grant,
        }
    }

    /// True for what a server does for itself. All else in the grant lane gives somebody something that they did not
    /// have, and needs a clock that can be trusted.
    pub const fn is_own(&self) -> bool {
        matches!(self, Self::Open(_) | Self::NewAuthority(_) | Self::NewServerCertificate(_) | Self::Count(_))
    }
}

/// A command that may be planned.
#[derive(Debug)]
pub(crate) enum Prepared {
    Open(Open),
    Recover(Recover),
    Authority(AuthorityReady),
    ServerCertificate(ServerCertificateReady),
    LoggedIn(LoggedIn),
    Change(Box<ChangeAccepted>),
    ChangeTakenBack(ChangeTakenBack),
    Svid(Box<SvidAllowed>),
    Wanted(Box<Wanted>),
    Requested(Box<Requested>),
    Approved(Box<Approved>),
    Refused(Box<Refused>),
    Started(Started),
    Taken(Box<Taken>),
    Exceeded(Box<Exceeded>),
    Made(Made),
    Failed(Failed),
    Completed(Completed),
    Signalled(Signalled),
    Killed(Box<Killed>),
    Closing(Closing),
    Count(Count),
    Due,
}

/// Judges a command: every gate, every signature, every question to policy. It changes nothing.
///
/// # Errors
/// The refusal, with what of it goes into the log.
pub(crate) fn prepare(command: Command, view: View<'_>, memo: &Memo) -> Result<Prepared, Refusal> {
    Ok(match command {
        Command::Open(it) => Prepared::Open(it),
        Command::Recover(it) => Prepared::Recover(it),
        Command::NewAuthority(it) => Prepared::Authority(it.prepare(view)?),
        Command::NewServerCertificate(it) => Prepared::ServerCertificate(it.prepare(view)?),
        Command::Login(it) => Prepared::LoggedIn(it.prepare(view)?),
        Command::FileChange(it) => Prepared::Change(Box::new(it.prepare(view)?)),
        Command::SignChange(it) => Prepared::Change(Box::new(it.prepare(view)?)),
        Command::WithdrawChange(it) => Prepared::ChangeTakenBack(it.prepare(view)?),
        Command::IssueSvid(it) => {
            let remembered = memo.get(&it.identity);
            Prepared::Svid(Box::new(it.prepare(view, remembered)?))
        }
        Command::Want(it) => Prepared::Wanted(Box::new(it.prepare(view)?)),
        Command::Request(it) => Prepared::Requested(Box::new(it.prepare(view)?)),
        Command::Approve(it) => Prepared::Approved(Box::new(it.prepare(view)?)),
        Command::Refuse(it) => Prepared::Refused(Box::new(it.prepare(view)?)),
        Command::Start(it) => Prepared::Started(it.prepare(view)?),
        Command::Take(it) => match it.prepare(view)? {
            Taking::Taken(it) => Prepared::Taken(Box::new(it)),
            Taking::Exceeded(it) => Prepared::Exceeded(Box::new(it)),
        },
        Command::Made(it) => Prepared::Made(it),
        Command::Failed(it) => Prepared::Failed(it),
        Command::Complete(it) => Prepared::Completed(it.prepare(view)?),
        Command::Signal(it) => Prepared::Signalled(it.prepare(view)?),
        Command::Kill(it) => Prepared::Killed(Box::new(it.prepare(view)?)),
        Command::Closing(it) => Prepared::Closing(it),
        Command::Count(it) => Prepared::Count(it),
        Command::Due => Prepared::Due,
    })
}

/// The entries and orders of a prepared command. What has no entries was known already.
///
/// # Errors
/// The denial that the caller gets; entries that the plan holds are appended all the same.
pub(crate) fn plan(
    prepared: Prepared,
    view: View<'_>,
    memo: &mut Memo,
    plan: &mut Plan,
    random: &mut dyn Random,
) -> Result<Answer, Denial> {
    Ok(match prepared {
        Prepared::Open(it) => it.plan(view, plan),
        Prepared::Recover(it) => it.plan(view, plan),
        Prepared::Authority(it) => it.plan(plan),
        Prepared::ServerCertificate(it) => {
            let issuer = memo.issuer(view.state)?;
            it.plan(view, &issuer, plan, random)?
        }
        Prepared::LoggedIn(it) => it.plan(view, plan),
        Prepared::Change(it) => it.plan(view, plan),
        Prepared::ChangeTakenBack(it) => it.plan(plan),
        Prepared::Svid(it) => {
            let identity = it.identity;
            let issuer = memo.issuer(view.state)?;
            let (answer, remembered) = it.plan(view, &issuer, plan, random)?;
            memo.keep(identity, remembered);
            answer
        }
        Prepared::Wanted(it) => it.plan(view, plan, random),
        Prepared::Requested(it) => it.plan(view, plan, random),
        Prepared::Approved(it) => it.plan(view, plan, random),
        Prepared::Refused(it) => it.plan(view, plan, random),
        Prepared::Started(it) => it.plan(view, plan, random),
        Prepared::Taken(it) => it.plan(view, plan, random)?,
        Prepared::Exceeded(it) => return Err(it.plan(view, plan, random)),
        Prepared::Made(it) => it.plan(view, plan)?,
        Prepared::Failed(it) => it.plan(view, plan),
        Prepared::Completed(it) => it.plan(view, plan),
        Prepared::Signalled(it) => it.plan(view, plan, random),
        Prepared::Killed(it) => it.plan(view, plan, random),
        Prepared::Closing(it) => it.plan(view, plan),
        Prepared::Count(it) => it.plan(plan),
        Prepared::Due => end_due(view, plan),
    })
}

/// Ends every task and every credential whose time is up.
fn end_due(view: View<'_>, plan: &mut Plan) -> Answer {
    let actor = crate::actor::system();
    for (id, end) in task::due(view.state, view.now) {
        let cause = plan.next();
        task::end_task(view.state, plan, &id, end, &actor, cause);
    }
    let ended = task::due(view.state, view.now);
    for id in credential::due(view.state, view.now) {
        // A task that ends now has revoked its credentials already.
        let task = view.state.credentials.get(&id).map(|credential| credential.task);
        if !ended.iter().any(|(ended, _)| Some(*ended) == task) {
            let cause = view.state.credentials.get(&id).map_or(0, |credential| credential.granted);
            credential::revoke(view.state, plan, &id, "expired", &actor, cause);
        }
    }
    Answer::Done
}

/// The entries of a refusal; none where the caller is nobody that the log knows.
pub(crate) fn refuse(refusal: Refusal, plan: &mut Plan, random: &mut dyn Random) -> Denial {
    if let Some(record) = refusal.record {
        refused(plan, *record, &refusal.denial, random);
    }
    refusal.denial
}
