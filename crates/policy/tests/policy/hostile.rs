//! Texts that nobody should be able to hurt with.

use crate::world::*;
use proptest::prelude::*;
use writ_policy::*;
use writ_types::{Denial, is_bidi};

const HEAD: &str = r#"@id("x") @reason("Why.") permit (principal, action in Action::"reach", resource)"#;

fn compile(text: &str) -> Result<PolicySet, PolicySetError> {
    PolicySet::compile(PolicySource::of_policies([("x", text)]).unwrap())
}

fn when(condition: &str) -> String {
    format!("{HEAD} when {{ context.depth >= 0 && ({condition}) }};")
}

fn start(text: &str) -> String {
    text.chars().take(200).collect()
}

/// The refusal, after a look at what every refusal must be: one short line that names the policy and hides nothing.
#[track_caller]
fn refused(text: &str) -> PolicySetError {
    let error = compile(text).expect_err(&start(text));
    let shown = error.to_string();
    assert!(shown.len() < 2_500 && shown.contains("`x`"), "{shown}");
    assert!(!shown.chars().any(|c| c.is_control() || is_bidi(c)), "{shown:?}");
    assert!(!Denial::from(error.clone()).help.is_empty());
    error
}

#[test]
fn the_text_that_the_others_are_made_of_holds() {
    assert!(compile(&when("context.selfRequested")).is_ok());
}

/// R76: what can't be seen, is too long or too deep is refused before it is parsed.
#[test]
fn hidden_long_and_deep_texts_are_refused() {
    type Error = PolicySetError;
    for hidden in ["// \u{202e} }", "\0", "\u{7}", "\"a\u{2066}b\" == \"\"", "\u{85}", "\r"] {
        let error = refused(&when(&format!("context.selfRequested {hidden}\n")));
        assert!(matches!(error, Error::Character { line: 1, .. }), "{error}");
    }
    assert!(matches!(refused(&when(&format!("\"{}\" == \"\"", "a".repeat(64 * 1024)))), Error::TooLong { .. }));
    let deep = |open: &str, close: &str, n: usize| when(&format!("{}context.selfRequested{}", open.repeat(n), close.repeat(n)));
    for (open, close) in [("(", ")"), ("[", "].contains(true)"), ("!(", ")"), ("{a: ", "}.a"), ("[", "")] {
        assert!(matches!(refused(&deep(open, close, 40)), Error::TooDeep { .. }));
        assert!(matches!(refused(&deep(open, close, 700)), Error::TooDeep { .. }));
    }
    let chain = |link: &str, n: usize| when(&format!("context.selfRequested{}", link.repeat(n)));
    for link in [" && context.selfRequested", " || true", ".a"] {
        assert!(matches!(refused(&chain(link, 1_990)), Error::TooComplex { .. } | Error::TooLong { .. }));
    }
}

/// A text just inside the bounds overflows no stack, neither where it is compiled nor where it is asked, however little
/// stack the caller has left; and the answer is the same everywhere.
#[test]
fn texts_inside_the_bounds_can_be_judged() {
    let yes = "!context.selfRequested";
    let wrap = |open: &str, close: &str| when(&format!("{}{yes}{}", open.repeat(29), close.repeat(29)));
    let holding = [
        when(&format!("{yes}{}", format!(" && {yes}").repeat(150))),
        when(&format!("{yes}{}", format!(" || {yes}").repeat(150))),
        when(&format!("0{} > -1", " + context.depth".repeat(230))),
        when(&format!("0{} > -1", " - context.depth".repeat(230))),
        when(&format!("{}{yes}", format!("if {yes} then {yes} else ").repeat(29))),
        when(&format!("[{}].contains({yes})", vec![yes; 180].join(", "))),
        wrap("(", ")"),
        wrap("[", "].contains(true)"),
        wrap("{a: ", "}.a"),
        format!("{HEAD} {};", format!("when {{ {yes} }} ").repeat(130)),
    ];
    for text in holding {
        let set = compile(&text).unwrap_or_else(|error| panic!("{error}: {}", start(&text)));
        let ask = move || {
            let request = Request::Reach(reach(ask()));
            let _ = nearest(&set, &request);
            (decide(&set, &request).effect(), decide(&set, &request).errors().to_vec())
        };
        let small = std::thread::Builder::new().stack_size(192 * 1024).spawn(ask).unwrap();
        assert_eq!(small.join().unwrap(), (Effect::Allow, vec![]), "{}", start(&text));
    }
    // These the validator refuses, not the stack.
    for text in [when(&format!("context{} == 1", ".a".repeat(400))), when(&format!("context has a{}", ".a".repeat(400)))] {
        assert!(matches!(refused(&text), PolicySetError::Invalid { .. }));
    }
}

/// R76: one text, one policy, under its own id, with a reason that can be read.
#[test]
fn each_text_is_one_policy_that_carries_its_id_and_reason() {
    type Error = PolicySetError;
    let body = r#"permit (principal, action in Action::"reach", resource) when { context.selfRequested };"#;
    let whole = |head: &str| format!("{head} {body}");
    assert!(compile(&whole(r#"@id("x") @reason("Why.")"#)).is_ok());
    for (text, policies) in [(String::new(), 0), ("// nothing".to_owned(), 0), (format!("{HEAD}; {HEAD};"), 2)] {
        assert!(matches!(refused(&text), Error::NotOne { policies: found, templates: 0, .. } if found == policies), "{text}");
    }
    let template = r#"@id("x") @reason("Why.") permit (principal == ?principal, action, resource);"#;
    assert!(matches!(refused(template), Error::NotOne { templates: 1, .. }));
    for head in
        [r#"@reason("Why.")"#, r#"@id("y") @reason("Why.")"#, r#"@id @reason("Why.")"#, r#"@id("x\u{202e}") @reason("Why.")"#]
    {
        assert!(matches!(refused(&whole(head)), Error::OtherId { .. }), "{head}");
    }
    let long = format!(r#"@id("x") @reason("{}")"#, "a".repeat(301));
    for head in [
        r#"@id("x")"#,
        r#"@id("x") @reason"#,
        r#"@id("x") @reason("")"#,
        r#"@id("x") @reason("a\nb")"#,
        r#"@id("x") @reason("a\u{202e}b")"#,
        &long,
    ] {
        assert!(matches!(refused(&whole(head)), Error::NoReason { .. }), "{head}");
    }
}

/// R76, R81: what the validator refuses or only warns of is refused, by the policy's name.
#[test]
fn errors_and_warnings_of_the_validator_are_refused() {
    let head = r#"@id("x") @reason("Why.") "#;
    for text in [
        // An agent approves: impossible, and Cedar only warns.
        r#"permit (principal is Agent, action == Action::"approve", resource);"#,
        r#"permit (principal, action == Action::"read", resource) when { principal == context.delegator };"#,
        r#"permit (principal, action == Action::"read", resource) when { context.task has purpose };"#,
        r#"permit (principal, action == Action::"read", resource) when { context.ttl == "1h" };"#,
        r#"permit (principal, action == Action::"read", resource) when { context.delegator.active };"#,
        r#"permit (principal, action == Action::"read", resource) when { principal.role == "admin" };"#,
        r#"permit (principal, action == Action::"reed", resource) when { context.depth == 0 };"#,
        r#"permit (principal is Robot, action == Action::"read", resource) when { context.depth == 0 };"#,
        // Two steps: the owner's own attributes are not among a decision's entities.
        r#"permit (principal, action == Action::"read", resource) when { context.depth == 0 && resource.owners.control.active };"#,
        r#"permit (principal, action == Action::"read", resource) when { context.depth == 0 && resource.tier == Tier::"huge" };"#,
        r#"permit (principal, action == Action::"read", resource) when { context.depth == 0 && false };"#,
        "permit (principal, action == Action::\"read\", resource) when { context.purpose == \"p\u{430}y\" };",
    ] {
        assert!(matches!(refused(&format!("{head}{text}")), PolicySetError::Invalid { .. }), "{text}");
    }
    for text in [
        "permit",
        "permit (principal, action, resource) when { ' }",
        "permit (principal, action, resource) when { \"",
        "🦀",
        "{}",
    ] {
        assert!(matches!(refused(&format!("{head}{text}")), PolicySetError::Syntax { .. }), "{text}");
    }
}

/// R79: a role alone opens nothing: a permit to reach that looks at no circumstance of the task is refused.
#[test]
fn a_static_role_grants_no_reach() {
    let head = r#"@id("x") @reason("Why.") permit "#;
    for text in [
        "(principal, action, resource);",
        r#"(principal is Agent, action in Action::"reach", resource);"#,
        r#"(principal in Boundary::"prod", action == Action::"read", resource) when { principal.chartered };"#,
        r#"(principal, action == Action::"admin", resource) unless { resource.production };"#,
    ] {
        assert!(matches!(refused(&format!("{head}{text}")), PolicySetError::RoleOnly { .. }), "{text}");
    }
    assert!(compile(&format!(r#"{head}(principal, action == Action::"read", resource) when {{ context.depth == 0 }};"#)).is_ok());
    assert!(compile(&format!(r#"{head}(principal, action == Action::"identify", resource);"#)).is_ok());
}

/// R76: the facts' shapes are the program's; a set can't bring its own.
#[test]
fn sets_have_bounds_and_our_schema() {
    let other = PolicySource::new("entity Human;", [("x", HEAD)]).unwrap();
    assert_eq!(PolicySet::compile(other).unwrap_err(), PolicySetError::UnknownSchema);
    let none = PolicySource::of_policies(Vec::<(String, String)>::new()).unwrap();
    assert_eq!(PolicySet::compile(none).unwrap_err(), PolicySetError::Empty);
    let many = PolicySource::of_policies((0..=POLICIES_MAX).map(|n| (format!("p{n}"), String::new()))).unwrap();
    assert_eq!(PolicySet::compile(many).unwrap_err(), PolicySetError::TooMany(POLICIES_MAX + 1));
    let large = PolicySource::of_policies((0..520).map(|n| (format!("p{n}"), " ".repeat(POLICY_BYTES_MAX)))).unwrap();
    assert!(matches!(PolicySet::compile(large).unwrap_err(), PolicySetError::TooLarge(_)));
    for id in ["", "A", "a b", "a\0", "../a", "\u{202e}", &"a".repeat(64 * 1024)] {
        let error = PolicySource::of_policies([(id, "")]).unwrap_err();
        assert!(matches!(error, PolicySetError::Id(_)) && error.to_string().len() < 1_000, "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the text: an answer, never a panic, and a refusal is one line.
    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,200}", tail in ".{0,80}") {
        for text in [text.clone(), tail.clone(), when(&text), when(&tail), format!("{HEAD}{tail}")] {
            if let Err(error) = compile(&text) {
                prop_assert!(!error.to_string().chars().any(|c| c.is_control() || is_bidi(c)));
            }
        }
        let _ = PolicySource::parse(text.as_bytes());
    }

    /// Words of the language in any order.
    #[test]
    fn any_sentence_gets_an_answer(words in prop::collection::vec(prop::sample::select(vec![
        "principal", "context", "resource", ".", "owners", "tier", "delegator", "has", "is", "in", "&&", "||", "!", "-", "(", ")", "[", "]",
        "{", "}", "==", "<", "if", "then", "else", "true", "1", "\"a\"", "Tier::\"low\"", "duration", "contains", "like", "?principal", "+", ",",
        "9223372036854775808",
    ]), 0..25)) {
        if let Ok(set) = compile(&when(&words.join(" "))) {
            let _ = decide(&set, &Request::Reach(reach(ask())));
            let _ = nearest(&set, &Request::Reach(reach(ask())));
        }
    }
}
