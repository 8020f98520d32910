//! Random schedules from a seed: what people and agents ask, rightly and wrongly, while disk, database, clock and process fail.

mod moves;
mod script;

use crate::points::Point;
use crate::{Fault, Model, Seeded, World};
use moves::Hand;
use std::collections::BTreeMap;
use std::fmt;
use writ_ledger::Entry;
use writ_ledger::body::Body;
use writ_plane::{State, Ticket};
use writ_types::Ttl;

/// What a schedule came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How often the process died at each place.
    pub died: BTreeMap<Point, u64>,
    /// Entries of the log.
    pub entries: u64,
    /// Tasks that were started, and credentials that were made.
    pub work: (usize, usize),
    /// Orders that the gate held back because what they create had ended.
    pub held_back: u64,
    /// Creates that came too late and met a tombstone.
    pub too_late: u64,
    /// Commands that were not to succeed.
    pub hostile: u64,
}

/// A schedule in which a law was broken.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed that repeats it.
    pub seed: u64,
    /// The step.
    pub step: usize,
    /// The law.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} step {}: {}", self.seed, self.step, self.what)
    }
}

/// Plays one schedule and checks the laws after every step, and at the end that everything converged.
///
/// # Errors
/// The seed, the step and the law.
pub fn simulate(seed: u64, steps: usize) -> Result<Report, Failure> {
    let mut play = Play::new(seed);
    for step in 0..steps {
        play.step(step).map_err(|what| Failure { seed, step, what })?;
    }
    play.converge().map_err(|what| Failure { seed, step: steps, what })?;
    Ok(play.report())
}

/// Dies at this place while a task is requested, approved, started, given a credential and killed, comes back, and does it all
/// again; then everything converges.
///
/// # Errors
/// The law that is broken; the seed is the place's number, and there are no steps.
pub fn survive(point: Point) -> Result<Report, Failure> {
    let seed = Point::ALL.iter().position(|each| *each == point).unwrap_or_default() as u64;
    let mut play = Play::new(seed);
    let failed = |what| Failure { seed, step: 0, what };
    play.world.points.arm(Some(point));
    for _ in 0..2 {
        script::run(&mut play).map_err(failed)?;
    }
    play.converge().map_err(failed)?;
    Ok(play.report())
}

struct Play {
    world: World,
    model: Model,
    /// The fold of the durable log, an entry at a time.
    folded: State,
    hand: Hand,
    /// Submissions that must be refused, and why.
    hostile: BTreeMap<Ticket, &'static str>,
    hostile_count: u64,
    /// The wall clock is wrong by this much.
    leapt: Option<Ttl>,
    /// Decides about faults, apart from what is asked.
    dice: Seeded,
    next_point: usize,
}

impl Play {
    fn new(seed: u64) -> Self {
        let dice = Seeded::new(seed ^ 0xfa17);
        // Twelve seeds in a row begin at twelve places.
        let next_point = usize::try_from(seed * 5 % Point::ALL.len() as u64).unwrap_or_default();
        Self {
            world: World::resting(seed),
            model: Model::default(),
            folded: State::default(),
            hand: Hand::default(),
            hostile: BTreeMap::new(),
            hostile_count: 0,
            leapt: None,
            dice,
            next_point,
        }
    }

    fn step(&mut self, step: usize) -> Result<(), String> {
        self.fail_something();
        self.world.clocks.pass(1 + self.dice.draw() % 1_500);
        if self.world.server.is_none() {
            self.start();
        } else {
            self.go_on(step)?;
        }
        self.check()
    }

    /// Faults come and go.
    fn fail_something(&mut self) {
        let Self { dice, world, .. } = self;
        if world.disk.fault().is_some() {
            if dice.chance(20) {
                world.disk.fail(None);
            }
        } else if dice.chance(2) {
            world.disk.fail(dice.pick(&Fault::ALL).copied());
        }
        let backend = &mut world.backend;
        backend.down = if backend.down { !dice.chance(15) } else { dice.chance(2) };
        backend.late = if backend.late { !dice.chance(25) } else { dice.chance(5) };
        backend.refuses = if backend.refuses { !dice.chance(25) } else { dice.chance(3) };
        if dice.chance(30) {
            backend.arrive();
        }
        if dice.chance(4) {
            world.clocks.pass(dice.draw() % 900_000);
        }
        if self.leapt.is_none() && dice.chance(1) {
            let by = Ttl::from_seconds(3_600);
            if dice.chance(50) {
                world.clocks.leap(by)
            } else {
                world.clocks.step_back(by)
            }
            self.leapt = Some(by);
        } else if self.leapt.is_some() && dice.chance(20) {
            self.set_clock();
        }
        // A place that is not come by gives way to the next, and gets another turn.
        let percent = if self.world.points.armed().is_some() { 2 } else { 15 };
        if !self.dice.chance(percent) {
            return;
        }
        self.world.points.arm(Point::ALL.get(self.next_point % Point::ALL.len()).copied());
        self.next_point += 1;
    }

    /// An operator sets the wall clock, not behind the log, and says so.
    fn set_clock(&mut self) {
        let Some(server) = self.world.server.as_mut() else { return };
        let behind = server.writer.state().last_at().since(self.world.clocks.wall());
        self.world.clocks.leap(Ttl::from_seconds(behind.as_secs() + 1));
        server.writer.confirm_clock();
        self.leapt = None;
    }

    /// Somebody starts the server, once the disk can be read.
    fn start(&mut self) {
        self.hostile.clear();
        self.hand.forget();
        if self.world.disk.fault().is_some_and(|fault| fault == Fault::Gone) || self.dice.chance(20) {
            return;
        }
        // Dying on the way is a step like any other.
        let _ = self.world.boot();
    }

    fn go_on(&mut self, step: usize) -> Result<(), String> {
        let log_stopped = self.world.server.as_ref().is_some_and(|server| server.writer.log().stopped().is_some());
        if log_stopped && self.world.disk.fault() != Some(Fault::Gone) && self.dice.chance(40) {
            self.world.reopen();
            return Ok(());
        }
        for _ in 0..self.dice.below(4) {
            let Some(ask) = self.hand.next(&mut self.world) else { continue };
            let ticket = self.world.submit(ask.key.as_deref(), ask.command.clone());
            match ask.hostile {
                Some(why) => {
                    self.hostile.insert(ticket, why);
                    self.hostile_count += 1;
                }
                None => self.hand.asked(ticket, ask.command),
            }
        }
        let Ok(answers) = self.world.turn() else { return Ok(()) };
        for (ticket, came) in answers {
            match (self.hostile.remove(&ticket), came) {
                (Some(why), Ok(answer)) => return Err(format!("{why} succeeded in step {step}: {answer:?}")),
                (Some(_), Err(_)) => {}
                (None, came) => self.hand.learn(ticket, &came),
            }
        }
        for _ in 0..self.dice.below(7) {
            if self.world.carry() != Ok(true) {
                break;
            }
        }
        self.hand.use_passwords(&mut self.world);
        Ok(())
    }

    /// Reads what is durable, and holds it against the laws and against the live state.
    fn check(&mut self) -> Result<(), String> {
        let leaves = self.world.disk.leaves();
        let new = leaves.get(usize::try_from(self.model.size()).unwrap_or(usize::MAX)..).unwrap_or_default();
        for leaf in new {
            let entry = Entry::decode(leaf).map_err(|error| error.to_string())?;
            let body = Body::decode(entry.kind.as_str(), &entry.body).map_err(|error| error.to_string())?;
            self.model.read(&entry, &body)?;
            self.folded.apply(&entry, &body);
        }
        drop(leaves);
        self.model.look(&self.world.outside, &self.world.backend)?;
        let Some(server) = &self.world.server else { return Ok(()) };
        if server.writer.stopped().is_none() && server.writer.state().digest() != self.folded.digest() {
            return Err("the live state is not the fold of the log".to_owned());
        }
        Ok(())
    }

    /// Everything is healed and every deadline passes: then nothing is left.
    fn converge(&mut self) -> Result<(), String> {
        self.world.points.arm(None);
        self.world.disk.fail(None);
        let backend = &mut self.world.backend;
        (backend.down, backend.late, backend.refuses) = (false, false, false);
        backend.arrive();
        if self.world.server.is_none() {
            self.world.boot().map_err(|died| format!("it died at {died:?} though nothing was armed"))?;
        }
        if self.world.server.as_ref().is_some_and(|server| server.writer.log().stopped().is_some()) {
            self.world.reopen();
        }
        self.set_clock();
        for hours in [0, 2, 25] {
            self.world.clocks.pass(hours * 3_600_000);
            for _ in 0..4 {
                self.world.clocks.pass(2_000);
                self.world.settle();
                self.check()?;
            }
        }
        if !self.world.server.as_ref().is_some_and(crate::Server::is_quiet) {
            return Err("the server still has something to do".to_owned());
        }
        self.model.nothing_is_left(&self.world.backend)
    }

    fn report(&self) -> Report {
        Report {
            died: self.world.points.died().clone(),
            entries: self.model.size(),
            work: self.model.work(),
            held_back: self.world.outside.held_back,
            too_late: self.world.backend.refused_by_tombstone,
            hostile: self.hostile_count,
        }
    }
}
