//! A story, for people.

use crate::show::{plain, quoted};
use writ_wire::api::Story;

/// The story, a line a fact.
pub(super) fn story(story: &Story) -> String {
    let mut out = format!("{} {}\n", plain(&story.kind), plain(&story.id));
    let mut line = |what: &str, text: String| out.push_str(&format!("  {what:12}{text}\n"));
    if let Some(acted) = &story.acted {
        let id = acted.spiffe_id.as_ref().map_or_else(|| plain(&acted.identity), ToString::to_string);
        line("acted", format!("{id} ({})", acted.actor_kind));
        if !acted.attested_by.is_empty() {
            line("attested by", acted.attested_by.iter().map(|each| plain(each)).collect::<Vec<_>>().join(", "));
        }
    }
    if let Some(asked) = &story.self_requested {
        line("asked for", format!("by itself at {} (entry {})", asked.at, asked.entry));
    }
    if let Some(delegated) = &story.delegated {
        let name = delegated.name.as_deref().map_or_else(|| format!("{} (name erased)", delegated.by), plain);
        line("delegated", format!("by {name} at {} (entry {})", delegated.at, delegated.entry));
    }
    if let Some(purpose) = &story.purpose {
        line("purpose", quoted(purpose));
    }
    if let Some(justified) = &story.justified {
        let ids: Vec<String> = justified.policies.iter().map(|policy| plain(&policy.id)).collect();
        line("justified", format!("{} by {} ({})", plain(&justified.effect), ids.join(", "), justified.decision));
    }
    for by in &story.approved {
        let name = by.name.as_deref().map_or_else(|| format!("{} (name erased)", by.by), plain);
        line("approved", format!("by {name} at {} (entry {})", by.at, by.entry));
    }
    for (role, owner) in &story.owners {
        line("owner", format!("{} {}, set on {}", plain(role), plain(&owner.name), plain(&owner.from)));
    }
    if let Some(at) = story.ends_at {
        line("ends", at.to_string());
    }
    if let Some(ended) = &story.ended {
        line("ended", format!("{} at {} by {}", plain(&ended.why), ended.at, plain(&ended.by)));
    }
    if let Some(misuse) = &story.on_misuse {
        line("on misuse", plain(misuse));
    }
    for closure in &story.closure {
        let next = closure.next_try.map(|at| format!(", next try {at}")).unwrap_or_default();
        line(
            "closure",
            format!("{} at {}: {} since {}{next}", closure.credential, plain(&closure.point), closure.state, closure.since),
        );
    }
    if let Some(task) = &story.last_task {
        line("last task", task.to_string());
    }
    if let Some(cut) = &story.cut {
        line("cut it", format!("`{}` ({}, {})", plain(&cut.command), cut.class, plain(&cut.effective_in)));
    }
    let entries: Vec<String> = story
        .entries
        .iter()
        .enumerate()
        .map(|(i, index)| story.kinds.get(i).map_or_else(|| index.to_string(), |kind| format!("{index} {}", plain(kind))))
        .collect();
    line("entries", entries.join(", "));
    line("proof", if story.receipts_verified { "every entry is in the log" } else { "not proven" }.to_owned());
    out
}
