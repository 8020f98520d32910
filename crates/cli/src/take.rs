//! `writ take`: the actor takes another credential of a running task, for a process that `writ run` started or one of its own.

use crate::args::{Output, parsed};
use crate::failure::{Exit, Failure, Outcome};
use crate::run::{Actor, RunDir, Way, named};
use crate::show::{plain, print, print_json};
use clap::Args;
use serde_json::json;
use writ_types::{Name, TaskId, TextValue as _};
use writ_wire::api::{TakeCredential, TakenCredential};
use writ_wire::client::ClientError;

/// Take a credential of a running task; what lies outside the task ends it
#[derive(Debug, Args)]
pub(crate) struct Take {
    #[command(flatten)]
    way: Way,
    /// The task; by default the one of `writ run`
    #[arg(long, value_name = "TASK", value_parser = parsed::<TaskId>)]
    task: Option<TaskId>,
    /// The resource to be reached
    #[arg(long, value_name = "NAME", value_parser = parsed::<Name>)]
    resource: Name,
    /// What is to be done there
    #[arg(long, value_name = "ACTION,…", required = true, value_delimiter = ',', value_parser = parsed::<Name>)]
    actions: Vec<Name>,
    #[command(flatten)]
    output: Output,
}

impl Take {
    pub(crate) fn run(self) -> Outcome {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::bug)?;
        runtime.block_on(self.take()).map_err(named)
    }

    fn task(&self) -> Result<TaskId, Failure> {
        let given = || std::env::var(crate::run::TASK_VARIABLE).ok().and_then(|text| TaskId::parse(&text).ok());
        self.task.or_else(given).ok_or_else(|| {
            Failure::new(Exit::Denied, "no-task: no task is named", "add `--task TASK`, or run this under `writ run --task TASK`")
        })
    }

    async fn take(&self) -> Outcome {
        let task = self.task()?;
        let actor = Actor::attest(&self.way).await?;
        let wanted = TakeCredential { resource: self.resource.clone(), actions: self.actions.iter().cloned().collect() };
        let taken: TakenCredential = actor.post(&format!("/v1/tasks/{task}/credentials"), &wanted).await.map_err(coded)?;
        let (expires, class) = (taken.expires, taken.class);
        let handover = RunDir::kept()?.write(&self.resource, taken)?;
        let (database, passfile) = (&handover.database, handover.passfile.display());
        if self.output.is_json() {
            print_json(&json!({
                "credential": handover.credential, "user": database.user, "host": database.host, "port": database.port,
                "dbname": database.dbname, "passfile": handover.passfile, "service": handover.service,
                "servicefile": handover.servicefile, "expires": expires, "class": class,
            }));
        } else {
            let id = handover.credential;
            let place = format!("{}:{}/{}", database.host, database.port, database.dbname);
            print(&format!("{id}: {} at {}, until {expires}\nPGPASSFILE={passfile}", database.user, plain(&place)));
        }
        Ok(Exit::Done)
    }
}

/// A refusal with its code in front: scripts of agents look for `scope-exceeded`.
fn coded(error: ClientError) -> Failure {
    let code = if let ClientError::Denied(denial) = &error { Some(denial.code) } else { None };
    let mut failure = Failure::from(error);
    if let Some(code) = code {
        failure.message = format!("{}: {}", code.as_str(), failure.message);
    }
    failure
}
