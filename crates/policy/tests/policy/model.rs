//! The base policies against the same rules written in Rust.

use crate::world::*;
use proptest::prelude::*;
use writ_policy::*;
use writ_types::Tier;

/// What the base policies are meant to say.
fn model(request: &Request) -> bool {
    match request {
        Request::Identify(ask) => {
            let inside = ask.actor.boundaries.contains(&ask.boundary.name);
            ask.actor.chartered && inside
        }
        Request::Reach(ask) => model_reach(ask),
        Request::Delegate(ask) => match &ask.who {
            Who::Person(person) => person.active && ask.resource.delegators.is_some_and(|team| person.teams.contains(&team)),
            Who::System(_) | Who::Actor(_) => false,
        },
        Request::Approve(ask) => {
            let owner = [ask.resource.owners.control, ask.resource.owners.business].contains(&ask.person.id);
            ask.person.active && owner && ask.ask.delegator.as_ref().is_none_or(|delegator| delegator.id != ask.person.id)
        }
        Request::Administer(ask) => model_govern(ask),
        Request::Activate(ask) => model_govern(ask) && ask.change.author.id != ask.person.id,
        Request::Signal(ask) => match &ask.who {
            Who::Person(person) => person.active && (ask.end.named || model_end(person, &ask.end)),
            Who::System(_) | Who::Actor(_) => ask.end.named,
        },
        Request::Kill(ask) => ask.person.active && model_end(&ask.person, &ask.end),
    }
}

fn model_govern(ask: &Govern) -> bool {
    ask.person.active && [ask.boundary.owners.control, ask.boundary.owners.security].contains(&ask.person.id)
}

fn model_end(person: &Person, end: &End) -> bool {
    end.owners.contains(&person.id) || end.delegator.as_ref().is_some_and(|delegator| delegator.id == person.id)
}

fn model_reach(ask: &Reach) -> bool {
    let Reach { actor, resource, action, ask } = ask;
    if !["read", "write", "admin"].contains(&action.as_str()) || !actor.chartered {
        return false;
    }
    if ask.delegator.as_ref().is_some_and(|delegator| !delegator.active) {
        return false;
    }
    let approved = |who| ask.approvers.contains(&who);
    let critical = [actor.tier, resource.tier].contains(&Tier::Critical);
    if actor.kind == (NonHuman::Agent { autonomous: true }) && critical {
        let both = approved(resource.owners.control) && approved(resource.owners.business);
        if !(both && !ask.self_requested && ask.depth == 0 && ask.ttl.seconds() <= 900) {
            return false;
        }
    }
    if !resource.production {
        return ask.ttl.seconds() <= 8 * HOUR;
    }
    let Some(delegator) = &ask.delegator else { return false };
    let other = |who| approved(who) && who != delegator.id;
    ask.ttl.seconds() <= HOUR && (other(resource.owners.control) || other(resource.owners.business))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// R72, R78, R88, R91: the base policies say what they are meant to say, and nothing is an error.
    #[test]
    fn the_base_policies_agree_with_the_model(request in any_request()) {
        let decision = decide(&BASE, &request);
        let expected = if model(&request) { Effect::Allow } else { Effect::Deny };
        prop_assert_eq!(decision.effect(), expected, "{:?}", decision);
        prop_assert!(decision.errors().is_empty(), "{:?}", decision);
        prop_assert!(!decision.reasons().is_empty());
        prop_assert_eq!(&decide(&BASE, &request), &decision, "a decision can be repeated");
        prop_assert_eq!(decision.permit().is_ok(), expected == Effect::Allow);
    }

    /// R81: every denial of a known action can be explained, and an allow needs no explanation.
    #[test]
    fn a_denial_names_a_permit_and_what_fails(request in any_request()) {
        let decision = decide(&BASE, &request);
        match nearest(&BASE, &request) {
            None => prop_assert!(decision.effect() == Effect::Allow || decision.determining().is_empty()),
            Some(near) => {
                prop_assert_eq!(decision.effect(), Effect::Deny);
                prop_assert!(!near.reason.is_empty());
                let nothing_fails = near.failing.is_empty() && near.undecided.is_empty();
                prop_assert!(!nothing_fails || !near.forbidden.is_empty(), "{:?}", near);
            }
        }
    }
}
