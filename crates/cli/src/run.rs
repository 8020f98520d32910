//! `writ run`: the actor's client. It attests, starts the task, hands its credential to a child, and ends the task with it.

mod actor;
mod child;
mod handover;
mod report;
mod scope;
mod wish;

pub(crate) use actor::{Actor, Way};
pub(crate) use handover::RunDir;

use crate::args::parsed;
use crate::failure::{Exit, Failure, Outcome};
use crate::link::{Link, Reach};
use crate::people::People;
use crate::show::note;
use crate::system::now;
use child::Signals;
use clap::Args;
use handover::Handover;
use scope::Standing;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;
use tokio::process::Child;
use tokio::time::{sleep, timeout};
use wish::Wish;
use writ_types::{Code, Name, TaskId, Time};
use writ_wire::api::{StartedView, TakeCredential, TakenCredential, TaskView};
use writ_wire::client::ClientError;

/// The pause before a server that does not answer is asked again.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long after the deadline the server has to say what ended the task.
const LATE_MAX: Duration = Duration::from_secs(1);
/// The variable that names the task to the child.
pub(crate) const TASK_VARIABLE: &str = "WRIT_TASK";

/// Run a command in a task, with the task's credential, as the attested actor
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    way: Way,
    /// The resource to be reached
    #[arg(long, value_name = "NAME", value_parser = parsed::<Name>)]
    resource: Name,
    /// What is to be done there; by default all that the task may
    #[arg(long, value_name = "ACTION,…", value_delimiter = ',', value_parser = parsed::<Name>)]
    actions: Vec<Name>,
    /// The task, as `writ task request` printed it
    #[arg(long, value_name = "TASK", value_parser = parsed::<TaskId>)]
    task: Option<TaskId>,
    #[command(flatten)]
    wish: Wish,
    /// The command, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A task that this process works on.
struct Held<'a> {
    actor: &'a Actor,
    task: TaskId,
    /// True if this process started it, and so ends it.
    own: bool,
    ends_at: Option<Time>,
}

/// Why the child no longer runs.
enum Over {
    /// It ended by itself.
    Child(std::process::ExitStatus),
    /// The task ended first.
    Task(String),
}

impl Run {
    pub(crate) fn run(self) -> Outcome {
        let (program, arguments) =
            self.command.split_first().ok_or_else(|| Failure::usage("no command is named", "add it after `--`"))?;
        let program = child::find(program)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::bug)?;
        match runtime.block_on(self.work(&program, arguments)) {
            // All that this process made is gone by now: the code is the child's, which `Exit` doesn't name.
            Ok(code) => std::process::exit(i32::from(code)),
            Err(failure) => Err(named(failure)),
        }
    }

    async fn work(&self, program: &Path, arguments: &[OsString]) -> Result<u8, Failure> {
        let actor = Actor::attest(&self.way).await?;
        let mut signals = Signals::take()?;
        let view: TaskView = match (self.task, &self.wish.purpose) {
            (Some(task), _) => actor.look(task, None).await?,
            (None, Some(purpose)) => self.wish.granted(&actor, purpose, &self.resource, &self.actions, &mut signals).await?,
            (None, None) => return Err(self.no_task(&actor).await),
        };
        let task = view.task;
        let standing = scope::standing(&view)?;
        let actions = scope::actions(&view, &self.resource, &self.actions)?;
        // What can fail here fails before the task starts: an approval is good once.
        let dir = RunDir::new()?;
        dir.write_document(&actor.svid().chain)?;
        let mut held = Held { actor: &actor, task, own: standing == Standing::Ready, ends_at: view.ends_at };
        if held.own {
            let started: StartedView = actor.insist(&format!("/v1/tasks/{task}/start"), &serde_json::json!({})).await?;
            held.ends_at = Some(started.ends_at);
        } else {
            note(&format!("writ: task {task} runs already: this joins it, and leaves it running"));
        }
        let code = self.hold(&held, &dir, &mut signals, actions, program, arguments).await;
        drop(dir);
        if held.own {
            report::complete(&actor, task).await;
        } else {
            note(&format!("writ: task {task} was only joined: what was taken here ends with the task"));
        }
        code
    }

    async fn hold(
        &self,
        held: &Held<'_>,
        dir: &RunDir,
        signals: &mut Signals,
        actions: BTreeSet<Name>,
        program: &Path,
        arguments: &[OsString],
    ) -> Result<u8, Failure> {
        let take = TakeCredential { resource: self.resource.clone(), actions };
        let taken: TakenCredential = held.actor.post(&format!("/v1/tasks/{}/credentials", held.task), &take).await?;
        if let Some(ends_at) = held.ends_at.filter(|ends_at| taken.expires < *ends_at) {
            note(&format!("writ: the credential ends at {}, before the task does at {ends_at}", taken.expires));
        }
        let handover = dir.write(&self.resource, taken)?;
        let mut child = child::start(program, arguments, &handover::REPLACED, environment(held, dir, &handover))?;
        let status = match supervise(held, &mut child, signals).await? {
            Over::Child(status) => status,
            Over::Task(why) => {
                note(&format!("writ: {why}: the command is ended"));
                child::end(&mut child).await.map_err(Failure::bug)?
            }
        };
        Ok(child::code(status))
    }

    /// An identity without a task has no authority: the server is asked, so that the refusal is in the log, and says so.
    async fn no_task(&self, actor: &Actor) -> Failure {
        let nobodys = TaskId::from_bits([0; 16]);
        let take = TakeCredential { resource: self.resource.clone(), actions: self.actions.iter().cloned().collect() };
        let asked = actor.post::<serde_json::Value>(&format!("/v1/tasks/{nobodys}/credentials"), &take).await;
        match asked {
            Err(ClientError::Denied(denial)) if denial.code == Code::NoTask => {}
            Err(error) => return error.into(),
            Ok(_) => return Failure::bug("a credential was given without a task"),
        }
        let (name, resource) = (actor.name(), &self.resource);
        let actions: Vec<&str> = self.actions.iter().map(Name::as_str).collect();
        let (listed, flag) = if actions.is_empty() {
            (String::new(), "ACTIONS".to_owned())
        } else {
            (format!(" ({})", actions.join(", ")), actions.join(","))
        };
        let message = format!("no-task: `{}` has shown what it is, and nobody has delegated a task to it", actor.spiffe_id());
        let help = format!(
            "add `--purpose PURPOSE` to ask for one, or have one of them run `writ task request --actor {name} --resource \
             {resource}={flag} --purpose PURPOSE`, then run this with `--task TASK`"
        );
        let mut failure = Failure::new(Exit::Denied, message, help);
        failure.missing = vec![format!(
            "a task for `{name}` on `{resource}`{listed}, delegated by a person and approved where policy wants it"
        )];
        failure.who_can = vec!["whoever may delegate on the resource: the `delegators` of its boundary".to_owned()];
        failure
    }
}

/// What the child gets to know. No value is a secret.
fn environment(held: &Held<'_>, dir: &RunDir, handover: &Handover) -> Vec<(&'static str, OsString)> {
    let socket: PathBuf = held.actor.socket.clone();
    let mut variables = handover.environment();
    variables.push((TASK_VARIABLE, held.task.to_string().into()));
    variables.push((actor::API_VARIABLE, held.actor.api.clone().into()));
    variables.push((actor::SOCKET_VARIABLE, format!("unix://{}", socket.display()).into()));
    variables.push((handover::DIR_VARIABLE, dir.path().as_os_str().to_owned()));
    variables
}

/// Waits for the end of the child or of the task, and passes signals on.
async fn supervise(held: &Held<'_>, child: &mut Child, signals: &mut Signals) -> Result<Over, Failure> {
    let mut ended = pin!(ended(held));
    loop {
        tokio::select! {
            status = child.wait() => return status.map(Over::Child).map_err(Failure::bug),
            signal = signals.next() => child::tell(child, signal),
            why = &mut ended => return Ok(Over::Task(why)),
        }
    }
}

/// Returns once the task has ended, with the reason, as soon as the server tells. A server that is away is no end; the deadline is,
/// whoever is away (law 8).
async fn ended(held: &Held<'_>) -> String {
    let mut since = None;
    loop {
        let look = held.actor.look(held.task, since);
        let looked = match held.ends_at {
            Some(ends_at) => timeout(ends_at.since(now()) + LATE_MAX, look).await,
            None => Ok(look.await),
        };
        match looked {
            Ok(Ok(TaskView { ended: Some((end, _)), .. })) => return format!("task {} has ended: {end}", held.task),
            Ok(Ok(view)) => since = Some(view.index),
            _ if held.ends_at.is_some_and(|ends_at| ends_at <= now()) => {
                return format!("the time of task {} is up, and the server does not answer", held.task);
            }
            // Away, or the actor is nobody to it: it may be back with the next look.
            _ => sleep(LOOK_AGAIN).await,
        }
    }
}

/// The failure, with people by their names where this user has a session that knows them.
pub(crate) fn named(failure: Failure) -> Failure {
    if !failure.names_parties() {
        return failure;
    }
    let names = Link::open(&Reach::default()).and_then(|link| link.estate().map(People::of));
    match names {
        Ok(people) => failure.spelt(|text| people.spell(text)),
        Err(_) => failure,
    }
}
