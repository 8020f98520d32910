//! The death report: what became of every credential of a task, as the log has it.

use super::actor::Actor;
use crate::show::note;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use writ_types::{Closure, CredentialId, TaskEnd, TaskId, TextValue as _, Time};
use writ_wire::api::{AskWhy, ClosureView, EndTask, Ending, Story, TaskView};
use writ_wire::client::ClientError;

/// How long the report waits for what is not closed yet.
const CLOSED_WITHIN: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Ends the task, unless it has ended, and tells what became of its credentials.
pub(crate) async fn complete(actor: &Actor, task: TaskId) {
    match actor.insist::<Ending>(&format!("/v1/tasks/{task}/complete"), &EndTask::default()).await {
        Ok(_) => {}
        // It has ended already: by time, by a signal, by a person.
        Err(ClientError::Denied(denial)) if denial.code == writ_types::Code::WrongState => {}
        Err(error) => {
            note(&format!("writ: task {task} could not be completed: {error}; it ends by itself at its deadline"));
            return;
        }
    }
    tell(actor, task).await;
}

/// Waits for the closures, within bounds, and prints them.
async fn tell(actor: &Actor, task: TaskId) {
    let until = Instant::now() + CLOSED_WITHIN;
    let (mut granted, mut seen) = (None, BTreeMap::new());
    loop {
        if let Ok(story) = actor.post::<Story>("/v1/why", &AskWhy { what: task.to_string() }).await {
            granted = Some(of_task(&story));
            seen = newest(story.closure);
        }
        let closed = |id: &CredentialId| seen.get(id).is_some_and(|view: &Vec<ClosureView>| all_closed(view));
        if granted.as_ref().is_some_and(|granted| granted.iter().chain(seen.keys()).all(closed)) || Instant::now() >= until {
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    let ended = actor.get::<TaskView>(&format!("/v1/tasks/{task}")).await.ok().and_then(|view| view.ended);
    lines(task, ended, &granted.unwrap_or_default(), &seen).iter().for_each(|line| note(line));
}

/// Every credential that the log knows of the task, whoever took it: one whose end nobody has reported yet is not forgotten.
fn of_task(story: &Story) -> BTreeSet<CredentialId> {
    let entries = story.leaves.iter().filter_map(|leaf| serde_json::from_str::<Value>(leaf).ok());
    let granted = entries.filter(|entry| entry.get("kind").and_then(Value::as_str) == Some("credential.granted"));
    granted.filter_map(|entry| CredentialId::parse(entry.pointer("/body/credential")?.as_str()?).ok()).collect()
}

/// The points of each credential.
fn newest(closure: Vec<ClosureView>) -> BTreeMap<CredentialId, Vec<ClosureView>> {
    let mut seen: BTreeMap<CredentialId, Vec<ClosureView>> = BTreeMap::new();
    for view in closure {
        seen.entry(view.credential).or_default().push(view);
    }
    seen
}

fn all_closed(points: &[ClosureView]) -> bool {
    !points.is_empty() && points.iter().all(|point| point.state == Closure::Closed)
}

fn lines(
    task: TaskId,
    ended: Option<(TaskEnd, Time)>,
    credentials: &BTreeSet<CredentialId>,
    seen: &BTreeMap<CredentialId, Vec<ClosureView>>,
) -> Vec<String> {
    let mut lines = vec![match ended {
        Some((end, at)) => format!("writ: task {task} has ended: {end}, at {at}"),
        None => format!("writ: task {task} has ended"),
    }];
    let all: BTreeSet<&CredentialId> = credentials.iter().chain(seen.keys()).collect();
    let mut open = false;
    for id in all {
        match seen.get(id) {
            Some(points) => lines.extend(points.iter().map(|point| {
                let again = point.next_try.map(|at| format!(", tried again at {at}")).unwrap_or_default();
                format!("writ:   {id} at {}: {} since {}{again}", point.point, point.state, point.since)
            })),
            None => lines.push(format!("writ:   {id}: OPEN")),
        }
        open |= !seen.get(id).is_some_and(|points| all_closed(points));
    }
    if open {
        lines.push(format!("writ: not all of it is closed; the server goes on: see `writ why {task}`"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// R55: what is not proven closed is not called closed.
    #[test]
    fn the_report_names_every_credential_and_what_is_still_open() {
        let task = TaskId::from_bits([1; 16]);
        let (one, two) = (CredentialId::from_bits([2; 16]), CredentialId::from_bits([3; 16]));
        let point = |state| ClosureView {
            credential: one,
            point: "billing-db".to_owned(),
            state,
            since: Time::from_seconds(5),
            next_try: None,
        };
        let ended = Some((TaskEnd::Completed, Time::from_seconds(4)));
        let closed = lines(task, ended, &[one].into(), &newest(vec![point(Closure::Closed)]));
        assert_eq!(closed.len(), 2);
        assert!(closed[0].contains("completed") && closed[1].contains("CLOSED"), "{closed:?}");
        let open = lines(task, ended, &[one, two].into(), &newest(vec![point(Closure::Unknown)]));
        assert_eq!(open.len(), 4);
        assert!(open[1].contains("UNKNOWN") && open[2].contains("OPEN") && open[3].contains("not all"), "{open:?}");
    }

    /// R55: a credential counts from the moment that it was granted, whoever took it.
    #[test]
    fn every_credential_that_was_granted_is_waited_for() {
        let id = CredentialId::from_bits([2; 16]);
        let leaf = |kind: &str| json!({"kind": kind, "body": {"v": 1, "credential": id}}).to_string();
        let story = |leaves: &[String]| -> Story {
            let other: serde_json::Map<String, Value> =
                ["acted", "delegated", "justified", "purpose", "ends_at", "ended", "on_misuse", "cut"]
                    .map(|member| (member.to_owned(), Value::Null))
                    .into_iter()
                    .collect();
            let mut story = json!({"kind": "task", "id": "tsk", "approved": [], "owners": {}, "closure": [], "entries": [], "leaves": leaves});
            story.as_object_mut().unwrap().extend(other);
            serde_json::from_value(story).unwrap()
        };
        assert_eq!(of_task(&story(&[leaf("credential.granted"), "{".to_owned()])), [id].into());
        assert_eq!(of_task(&story(&[leaf("credential.made")])), [].into());
    }
}
