//! What the server does around the writer: it takes released orders to where they act, and brings back what became of them.
//! Everything here is lost when the process dies.

use crate::backend::BackendError;
use crate::points::{Died, Point, Points};
use crate::{Backend, Clocks, Crash, Disk, MemoryStore, Seeded};
use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;
use writ_credential::x509::parse_tbs;
use writ_ledger::Committed;
use writ_plane::{
    Answer, Closing, Command, Failed, Made, OpenError, Outcome, Recover, Release, Submission, Ticket, Writer, unfinished,
};
use writ_policy::{PolicySet, PolicySource};
use writ_types::{
    Closure, Code, CredentialId, CutDatabaseUser, Denial, Digest, OpenDatabaseUser, Order, SignX509, SpiffeId, SqlName, Time,
};

/// A submission and what came of it.
pub(crate) type Answered = (Ticket, Result<Answer, Denial>);

/// One server process.
#[derive(Debug)]
pub struct Server {
    /// The writer, as the real server runs it.
    pub writer: Writer<MemoryStore>,
    /// Orders on their way to who carries them out: what they create may end before they arrive.
    held: VecDeque<Committed<Order>>,
    opening: VecDeque<Committed<OpenDatabaseUser>>,
    cutting: BTreeMap<CredentialId, Cutting>,
    /// Outcomes that were handed to the writer.
    reported: BTreeMap<Ticket, Reported>,
}

/// What has left the server, and can't be taken back.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Signed certificates.
    pub certificates: Vec<Certificate>,
    /// Passwords that were handed over, and the database users they open.
    pub passwords: BTreeMap<CredentialId, SqlName>,
    /// Orders that the gate between the log and the effect let through, and those that it held back.
    pub released: u64,
    /// Those that it held back.
    pub held_back: u64,
}

/// A certificate, as its holder has it.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// SHA-256 of its to-be-signed part.
    pub tbs: Digest,
    /// Whom it names.
    pub spiffe_id: SpiffeId,
    /// Its serial number.
    pub serial: String,
    /// SHA-256 of its key.
    pub key: Digest,
    /// When it ends.
    pub expires: Time,
}

/// The world that a process acts on.
#[derive(Debug)]
pub(crate) struct Around<'a> {
    pub(crate) clocks: &'a Clocks,
    pub(crate) random: &'a mut Seeded,
    pub(crate) disk: &'a Disk,
    pub(crate) backend: &'a mut Backend,
    pub(crate) outside: &'a mut Outside,
    pub(crate) points: &'a mut Points,
}

#[derive(Debug, Clone)]
struct Cutting {
    order: CutDatabaseUser,
    next: Phase,
    /// Nothing is tried before.
    not_before: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Block,
    Cut,
    Verify,
    Clean,
    Report,
    Reported,
}

#[derive(Debug, Clone, Copy)]
enum Reported {
    Made(CredentialId),
    Closed(CredentialId),
    Other,
}

/// The base set, compiled once for all processes of all worlds: in a debug build that takes longer than a schedule.
static BASE: LazyLock<PolicySet> = LazyLock::new(|| PolicySet::compile(PolicySource::base()).unwrap());

/// A backend that does not answer is asked again after this.
const AGAIN_MS: u64 = 1_000;

impl Server {
    pub(crate) fn open(disk: &Disk) -> Result<Self, OpenError> {
        let writer = Writer::open_knowing(disk.store(), Some(&BASE))?;
        Ok(Self { writer, held: VecDeque::new(), opening: VecDeque::new(), cutting: BTreeMap::new(), reported: BTreeMap::new() })
    }

    /// Records the start and undoes what an earlier process left unfinished.
    pub(crate) fn recover(&mut self, around: &mut Around<'_>) -> Result<(), Died> {
        around.points.at(Point::AfterOpenLog)?;
        self.report(Command::Open(writ_plane::Open { version: "sim".to_owned() }), Reported::Other);
        self.report(Command::Recover(Recover), Reported::Other);
        self.turn(around)?;
        around.points.at(Point::AfterRecover)?;
        for cut in unfinished(self.writer.state()) {
            self.cut(cut);
        }
        Ok(())
    }

    /// The log was left unknown where it ends: it is opened anew, and gone on with.
    pub(crate) fn reopen(&mut self, disk: &Disk) -> Result<(), OpenError> {
        self.writer.resume(Writer::open_knowing(disk.store(), Some(&BASE))?)
    }

    fn report(&mut self, command: Command, reported: Reported) {
        // A full lane is an outcome that is reported later; the model's lanes are never full.
        let ticket = self.writer.submit(Submission { key: None, command, blobs: Vec::new() }).unwrap();
        self.reported.insert(ticket, reported);
    }

    fn cut(&mut self, order: CutDatabaseUser) {
        let cutting = Cutting { order, next: Phase::Block, not_before: Time::from_micros(0) };
        self.cutting.entry(cutting.order.credential).or_insert(cutting);
    }

    /// One step of the writer and all that it lets out.
    pub(crate) fn turn(&mut self, around: &mut Around<'_>) -> Result<Vec<Answered>, Died> {
        let crash = match around.points.armed() {
            Some(Point::BeforeAppend) => Some(Crash::BeforeAppend),
            Some(Point::AfterAppend) => Some(Crash::AfterAppend),
            _ => None,
        };
        around.disk.crash_next(crash);
        let step = self.writer.step(around.clocks.read(), around.random);
        match around.disk.take_crash() {
            Some(Crash::BeforeAppend) => return Err(around.points.die(Point::BeforeAppend)),
            Some(Crash::AfterAppend) => return Err(around.points.die(Point::AfterAppend)),
            None => {}
        }
        if !step.outcomes.is_empty() {
            around.points.at(Point::BeforeRelease)?;
        }
        for cut in step.cuts {
            self.cut(cut);
        }
        let mut answers = Vec::new();
        for outcome in step.outcomes {
            answers.extend(self.outcome(outcome, around)?);
        }
        Ok(answers)
    }

    fn outcome(&mut self, outcome: Outcome, around: &mut Around<'_>) -> Result<Option<Answered>, Died> {
        self.held.extend(outcome.orders);
        let Some(reported) = self.reported.remove(&outcome.ticket) else { return Ok(Some((outcome.ticket, outcome.result))) };
        match (reported, outcome.result) {
            // Without its entry the password stays sealed, and the user goes.
            (Reported::Made(credential), Err(denial)) if denial.code != Code::Stale => {
                self.report(Command::Failed(Failed { credential, why: denial.code.as_str().to_owned() }), Reported::Other);
            }
            (Reported::Closed(credential), Ok(_)) => {
                around.points.at(Point::AfterReport)?;
                self.cutting.remove(&credential);
            }
            (Reported::Closed(credential), Err(_)) => {
                if let Some(cutting) = self.cutting.get_mut(&credential) {
                    cutting.next = Phase::Report;
                }
            }
            _ => {}
        }
        Ok(None)
    }

    /// The gate between the log and the effect.
    fn release(&mut self, order: Committed<Order>, around: &mut Around<'_>) -> Result<(), Died> {
        let now = self.writer.now(around.clocks.read());
        match self.writer.release(order, now) {
            Ok(release) => {
                around.outside.released += 1;
                self.act(release, around)
            }
            Err(_) => {
                around.outside.held_back += 1;
                Ok(())
            }
        }
    }

    fn act(&mut self, release: Release, around: &mut Around<'_>) -> Result<(), Died> {
        match release {
            Release::Sign(order) => {
                around.points.at(Point::BeforeSign)?;
                around.outside.certificates.push(sign(&order.into_order()));
                around.points.at(Point::AfterSign)?;
            }
            Release::Open(order) => self.opening.push_back(order),
            Release::Password(order) => {
                around.points.at(Point::BeforeHandOver)?;
                let credential = order.into_order().credential;
                let user = self.writer.state().credentials().get(&credential).map(|it| it.user.clone()).unwrap();
                around.outside.passwords.insert(credential, user);
                around.points.at(Point::AfterHandOver)?;
            }
            // It came out with its step already, whether the log could be written or not.
            Release::Cut(_) => {}
        }
        Ok(())
    }

    /// One piece of the connector's work: a phase of an end, or a create. False if there is none to do now.
    pub(crate) fn carry(&mut self, around: &mut Around<'_>) -> Result<bool, Died> {
        let now = around.clocks.wall();
        let ready = self.cutting.values().find(|cutting| cutting.next != Phase::Reported && cutting.not_before <= now).cloned();
        if let Some(cutting) = ready {
            self.phase(cutting, around)?;
            return Ok(true);
        }
        if let Some(order) = self.held.pop_front() {
            self.release(order, around)?;
            return Ok(true);
        }
        let Some(order) = self.opening.pop_front() else { return Ok(false) };
        around.points.at(Point::BeforeOpen)?;
        let order = order.into_order();
        let credential = order.credential;
        match around.backend.open(&order) {
            Ok(backend_id) => {
                around.points.at(Point::AfterOpen)?;
                self.report(Command::Made(Made { credential, backend_id }), Reported::Made(credential));
            }
            Err(error) => {
                let why = if error == BackendError::Refused { "refused" } else { "no-answer" };
                self.report(Command::Failed(Failed { credential, why: why.to_owned() }), Reported::Other);
            }
        }
        Ok(true)
    }

    fn phase(&mut self, mut cutting: Cutting, around: &mut Around<'_>) -> Result<(), Died> {
        let order = cutting.order.clone();
        let backend = &mut *around.backend;
        let (point, done) = match cutting.next {
            Phase::Block => {
                around.points.at(Point::BeforeBlock)?;
                (Point::AfterBlock, backend.block(&order).map(|()| Phase::Cut))
            }
            Phase::Cut => (Point::AfterCut, backend.cut(&order).map(|()| Phase::Verify)),
            Phase::Verify => {
                let found = backend.verify(&order).map(|none| if none { Phase::Clean } else { Phase::Block });
                (Point::AfterVerify, found)
            }
            Phase::Clean => (Point::AfterClean, backend.clean(&order).map(|()| Phase::Report)),
            Phase::Report | Phase::Reported => {
                self.closing(&order, Closure::Closed, None);
                cutting.next = Phase::Reported;
                self.cutting.insert(order.credential, cutting);
                return Ok(());
            }
        };
        match done {
            Ok(next) => {
                cutting.next = next;
                self.cutting.insert(order.credential, cutting);
                around.points.at(point)
            }
            Err(_) => {
                cutting.not_before = Time::from_micros(around.clocks.wall().micros() + AGAIN_MS * 1_000);
                self.closing(&order, Closure::Unknown, Some(cutting.not_before));
                self.cutting.insert(order.credential, cutting);
                Ok(())
            }
        }
    }

    fn closing(&mut self, order: &CutDatabaseUser, state: Closure, next_try: Option<Time>) {
        let (credential, point) = (order.credential, "billing-db".to_owned());
        let tidy = state == Closure::Closed;
        let command = Command::Closing(Closing { credential, point, state, tidy, evidence: Vec::new(), next_try });
        self.report(command, if tidy { Reported::Closed(credential) } else { Reported::Other });
    }

    /// True if nothing is to be done, now or later.
    pub fn is_quiet(&self) -> bool {
        self.writer.is_idle() && self.held.is_empty() && self.opening.is_empty() && self.cutting.is_empty()
    }
}

/// What the holder of the authority's key makes of a committed order.
fn sign(order: &SignX509) -> Certificate {
    let facts = parse_tbs(&order.tbs).unwrap();
    Certificate {
        tbs: facts.tbs_digest,
        spiffe_id: facts.spiffe_id,
        serial: facts.serial.to_string(),
        key: facts.key.thumbprint(),
        expires: facts.not_after,
    }
}
