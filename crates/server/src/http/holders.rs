//! Who answers in a boundary, and what they signed, as the API shows it.

use serde_json::Value;
use writ_plane::{Holder, Missing, State};
use writ_types::{Duty, Name, OwnerRole, Section};
use writ_wire::api::{CharterView, HolderView, OwnersView, SectionView};

/// Who answers now, with what is inherited.
pub(super) fn owners(state: &State, boundary: &Name) -> OwnersView {
    let (all, people) = (state.boundaries(), state.people());
    let owners = OwnerRole::ALL.iter().filter_map(|role| Some((*role, holder(all.holder(people, boundary, *role)?))));
    let duties = Duty::ALL.iter().filter_map(|duty| Some((*duty, holder(all.duty(people, boundary, *duty)?))));
    OwnersView {
        boundary: boundary.clone(),
        owners: owners.collect(),
        duties: duties.collect(),
        missing: words(&all.standing(people, boundary).err().unwrap_or_default()),
    }
}

/// The charter in force, with what is inherited.
pub(super) fn charter(state: &State, boundary: &Name) -> CharterView {
    let sections = Section::ALL.iter().filter_map(|section| {
        let (from, signed) = state.boundaries().section(boundary, *section)?;
        // A section's terms stand under its own name in the log; here the key says it.
        let terms = serde_json::to_value(&signed.terms).ok()?.get(section.as_str()).cloned().unwrap_or(Value::Null);
        let view = SectionView { terms, digest: signed.digest, by: signed.by, from: from.clone(), index: signed.index };
        Some((*section, view))
    });
    CharterView { boundary: boundary.clone(), digest: state.boundaries().charter_digest(boundary), sections: sections.collect() }
}

/// What must be there before anything is issued in this boundary.
pub(super) fn missing(state: &State, boundary: &Name) -> Vec<String> {
    words(&state.boundaries().chartered(state.people(), boundary).err().unwrap_or_default())
}

fn words(missing: &[Missing]) -> Vec<String> {
    missing.iter().map(ToString::to_string).collect()
}

fn holder(holder: Holder) -> HolderView {
    HolderView { person: holder.person, from: holder.from, backup: holder.backup }
}
