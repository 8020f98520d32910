//! A world: one trust domain, its server, its disk and its database, and what people and agents ask.

mod changes;
mod requests;

use crate::cast::{BEGIN, ORIGIN};
use crate::points::Died;
use crate::server::Around;
use crate::{Backend, Cast, Clocks, Disk, Estate, Image, Outside, Points, Seeded, Server, Signing};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use writ_credential::x509::VerifiedCsr;
use writ_ledger::body::{Founder, GenesisContent, PolicyText, Root, TextOfPolicy};
use writ_ledger::{Blob, Lane, Log, SignedAct, Staged};
use writ_plane::{Answer, Caller, Command, IssueSvid, NewAuthority, Start, State, Submission, Take, Ticket, found};
use writ_policy::PolicySource;
use writ_types::{ActKind, CredentialId, Denial, Name, OwnerRole, ResourceId, TaskId, TextValue as _, Time};

/// A world.
#[derive(Debug)]
pub struct World {
    /// The clocks of the server's machine.
    pub clocks: Clocks,
    /// Its disk.
    pub disk: Disk,
    /// The database.
    pub backend: Backend,
    /// What has left the server.
    pub outside: Outside,
    /// Where the server dies.
    pub points: Points,
    /// All randomness.
    pub random: Seeded,
    /// The server, while it lives.
    pub server: Option<Server>,
}

/// The staffed trust domain, made once: every world goes on from there by itself.
static STAFFED: LazyLock<(Image, Clocks)> = LazyLock::new(|| {
    let mut world = World::enrolled(0);
    let change = world.apply("alice", Estate::new().items());
    for handle in ["bob", "carol", "dave", "erin", "frank"] {
        world.sign(handle, change).unwrap();
    }
    (world.disk.image(), world.clocks)
});

/// What came of a command.
pub type Came = Result<Answer, Denial>;

impl World {
    /// A trust domain just founded by Alice and Bob.
    pub fn founded(seed: u64) -> Self {
        let disk = Disk::default();
        let mut world = Self::on(disk, Clocks::at(BEGIN), seed);
        world.found();
        world.boot().unwrap();
        let certificate = Cast::get().authority.clone();
        world.ask(Command::NewAuthority(NewAuthority { certificate })).unwrap();
        world
    }

    /// A founded trust domain in which everybody is enrolled, eight days ago.
    pub fn enrolled(seed: u64) -> Self {
        let mut world = Self::founded(seed);
        let change = world.apply("alice", Estate::people());
        world.sign("bob", change).unwrap();
        for (handle, _) in Cast::get().people().filter(|(handle, _)| !["alice", "bob", "mallory"].contains(handle)) {
            world.sign(handle, change).unwrap();
        }
        world.clocks.pass(8 * 86_400_000);
        world
    }

    /// An enrolled trust domain with the estate in force, signed by everybody who answers for a part.
    pub fn staffed(seed: u64) -> Self {
        let mut world = Self::resting(seed);
        world.boot().unwrap();
        world
    }

    /// As [`World::staffed`], with its server not started.
    pub fn resting(seed: u64) -> Self {
        let (image, clocks) = &*STAFFED;
        Self::on(Disk::of(image), *clocks, seed)
    }

    /// A world on this disk, whose server is not started.
    pub fn on(disk: Disk, clocks: Clocks, seed: u64) -> Self {
        let (backend, outside, points) = (Backend::default(), Outside::default(), Points::default());
        Self { clocks, disk, backend, outside, points, random: Seeded::new(seed), server: None }
    }

    fn found(&mut self) {
        let cast = Cast::get();
        let content = genesis();
        let acts = ["alice", "bob"].map(|handle| self.act(handle, ActKind::Genesis, ORIGIN, &content)).to_vec();
        let entries = found(content, acts, self.clocks.wall(), &mut self.random).unwrap();
        let names: Vec<Blob> = cast.people().map(|(_, person)| person.name.clone()).collect();
        let staged = entries.into_iter().map(|entry| {
            let blobs = names.iter().filter(|blob| entry.blobs.contains(&blob.name())).cloned().collect();
            Staged { entry, blobs, order: () }
        });
        let mut log = Log::open(self.disk.store(), |_, _| {}).unwrap();
        drop(log.append(Lane::Grant, staged.collect()).unwrap());
    }

    /// Starts the server.
    ///
    /// # Errors
    /// It died on the way.
    ///
    /// # Panics
    /// When the log can't be opened though the disk can be read.
    pub fn boot(&mut self) -> Result<(), Died> {
        let mut server = Server::open(&self.disk).unwrap();
        let booted = server.recover(&mut self.around().1);
        self.server = booted.is_ok().then_some(server);
        booted
    }

    /// Opens the log anew within the same process, as the server does once the log has stopped.
    ///
    /// # Panics
    /// When the log can't be opened though the disk can be read.
    pub fn reopen(&mut self) {
        if let Some(server) = &mut self.server {
            server.reopen(&self.disk).unwrap();
        }
    }

    /// The server's process, and what is around it.
    pub(crate) fn around(&mut self) -> (&mut Option<Server>, Around<'_>) {
        let Self { clocks, disk, backend, outside, points, random, server } = self;
        (server, Around { clocks, random, disk, backend, outside, points })
    }

    /// The process is gone, with all that it had in memory.
    pub fn kill_server(&mut self) {
        self.server = None;
    }

    /// One step of the server.
    ///
    /// # Errors
    /// It died.
    pub fn turn(&mut self) -> Result<Vec<(Ticket, Came)>, Died> {
        let (server, mut around) = self.around();
        let turned = server.as_mut().map_or(Ok(Vec::new()), |server| server.turn(&mut around));
        if turned.is_err() {
            self.server = None;
        }
        turned
    }

    /// One piece of the connector's work; false if there is none.
    ///
    /// # Errors
    /// The server died.
    pub fn carry(&mut self) -> Result<bool, Died> {
        let (server, mut around) = self.around();
        let carried = server.as_mut().map_or(Ok(false), |server| server.carry(&mut around));
        if carried.is_err() {
            self.server = None;
        }
        carried
    }

    /// Hands a command to the writer.
    ///
    /// # Panics
    /// When there is no server.
    pub fn submit(&mut self, key: Option<&str>, command: Command) -> Ticket {
        let blobs = Cast::get().people().map(|(_, person)| person.name.clone()).collect();
        let submission = Submission { key: key.map(ToOwned::to_owned), command, blobs };
        self.server.as_mut().unwrap().writer.submit(submission).unwrap()
    }

    /// Asks, and waits for the answer and for all that follows from it.
    ///
    /// # Errors
    /// The denial.
    pub fn ask(&mut self, command: Command) -> Came {
        self.ask_with(None, command)
    }

    /// As [`World::ask`], with an idempotency key.
    ///
    /// # Errors
    /// The denial.
    pub fn ask_with(&mut self, key: Option<&str>, command: Command) -> Came {
        let ticket = self.submit(key, command);
        self.settle().into_iter().find(|(each, _)| *each == ticket).unwrap().1
    }

    /// Lets the server and the connector work until there is nothing to do now.
    ///
    /// # Panics
    /// When the server dies; it is not to.
    pub fn settle(&mut self) -> Vec<(Ticket, Came)> {
        let mut answers = Vec::new();
        loop {
            self.clocks.pass(1);
            let appends = self.disk.appends();
            let turned = self.turn().unwrap();
            let moved = !turned.is_empty() || self.disk.appends() > appends;
            answers.extend(turned);
            // Carried work hands something to the writer, or leaves nothing to do.
            if !self.carry().unwrap() && !moved {
                return answers;
            }
        }
    }

    /// What is true.
    ///
    /// # Panics
    /// When there is no server.
    pub fn state(&self) -> &State {
        self.server.as_ref().unwrap().writer.state()
    }

    /// The server's own time.
    ///
    /// # Panics
    /// When there is no server.
    pub fn now(&mut self) -> Time {
        let clock = self.clocks.read();
        self.server.as_mut().map_or(clock.wall, |server| server.writer.now(clock))
    }

    /// A person's signature, in all roles.
    pub fn act<T: serde::Serialize>(&mut self, handle: &str, act: ActKind, id: &str, content: &T) -> SignedAct {
        self.act_as(handle, act, id, content, OwnerRole::ALL)
    }

    /// A person's signature, in these roles.
    pub fn act_as<T: serde::Serialize>(
        &mut self,
        handle: &str,
        act: ActKind,
        id: &str,
        content: &T,
        roles: &[OwnerRole],
    ) -> SignedAct {
        let now = self.now();
        let mut signing = Signing { origin: ORIGIN, now, random: &mut self.random };
        Cast::get().person(handle).sign(act, id, content, roles, &mut signing)
    }

    /// An agent asks for its document, as attestation shows it.
    ///
    /// # Errors
    /// The denial.
    pub fn attest(&mut self, agent: &str) -> Came {
        let agent = Cast::get().agent(agent);
        self.attest_as(agent.name, &[agent.selector], agent.csr.clone())
    }

    /// Somebody asks for an agent's document.
    ///
    /// # Errors
    /// The denial.
    pub fn attest_as(&mut self, agent: &str, shown: &[&str], csr: VerifiedCsr) -> Came {
        let identity = Cast::get().agent(agent).identity;
        let attested = shown.iter().map(ToString::to_string).collect();
        self.ask(Command::IssueSvid(IssueSvid { identity, csr, attested }))
    }

    /// The newest certificate that an agent holds, shown in a handshake.
    pub fn caller(&self, agent: &str) -> Option<Caller> {
        let key = Cast::get().agent(agent).csr.thumbprint();
        let mine = self.outside.certificates.iter().rev().find(|certificate| certificate.key == key)?;
        Some(Caller { serial: mine.serial.clone(), key: mine.key })
    }

    /// An agent starts a task.
    ///
    /// # Errors
    /// The denial.
    ///
    /// # Panics
    /// When the agent has no certificate.
    pub fn start(&mut self, agent: &str, task: TaskId) -> Came {
        let caller = self.caller(agent).unwrap();
        self.ask(Command::Start(Start { task, caller }))
    }

    /// An agent takes a credential.
    ///
    /// # Errors
    /// The denial.
    ///
    /// # Panics
    /// When the agent has no certificate.
    pub fn take(&mut self, agent: &str, task: TaskId, actions: &[&str]) -> Result<CredentialId, Denial> {
        let caller = self.caller(agent).unwrap();
        let resource = Estate::new().resource.resource;
        let take = Take { task, resource, actions: names(actions), caller };
        match self.ask(Command::Take(take))? {
            Answer::Granted { credential, .. } => Ok(credential),
            other => panic!("{other:?}"),
        }
    }

    /// A task that Gina delegated, Bob approved and the agent started; the agent is attested.
    ///
    /// # Panics
    /// When any of it is refused.
    pub fn live_task(&mut self, agent: &str) -> TaskId {
        self.attest(agent).unwrap();
        let task = self.request("gina", agent, &["read"], 30).unwrap();
        self.approve("bob", task).unwrap();
        self.start(agent, task).unwrap();
        task
    }

    /// The database that tasks reach.
    pub fn database() -> ResourceId {
        Estate::new().resource.resource
    }
}

fn names(texts: &[&str]) -> BTreeSet<Name> {
    texts.iter().map(|text| Name::parse(text).unwrap()).collect()
}

fn genesis() -> GenesisContent {
    let cast = Cast::get();
    let (alice, bob) = (cast.person("alice"), cast.person("bob"));
    let founder = |person: &crate::Person| Founder { party: person.party, name: person.name.name(), key: person.key.to_string() };
    let of = |first, second| {
        let roles = [OwnerRole::Control, OwnerRole::Business, OwnerRole::Platform, OwnerRole::Identity, OwnerRole::Security];
        roles.into_iter().zip([first, first, first, second, second]).collect()
    };
    let base = PolicySource::base();
    let policies = base.policies().map(|(id, text)| TextOfPolicy { id: id.to_string(), text: text.to_owned() });
    GenesisContent {
        trust_domain: cast.trust_domain.clone(),
        origin: ORIGIN.to_owned(),
        log_key: cast.log_key.clone(),
        founders: vec![founder(alice), founder(bob)],
        quorum: 2,
        witnesses: Vec::new(),
        dev: false,
        policy: PolicyText { schema: base.schema().to_owned(), policies: policies.collect() },
        root: Root { owners: of(alice.party, bob.party), backups: of(bob.party, alice.party), duties: Default::default() },
    }
}
