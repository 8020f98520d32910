//! The licences and sources of all that is linked, against the lists of `deny.toml`.
//!
//! `cargo deny check` reads the same file where somebody has it; this needs nothing but cargo.

use crate::metadata::Package;

/// Every package whose licence is not on the list, or that comes from elsewhere than the package registry.
pub(crate) fn check(packages: &[Package], deny: &str) -> Vec<String> {
    let allowed = list(deny, "allow");
    let banned = list(deny, "deny");
    let mut problems = Vec::new();
    if allowed.is_empty() {
        problems.push("deny.toml: no list `allow` of licences".to_owned());
    }
    for Package { name, version, licence, source, .. } in packages {
        match licence {
            None => problems.push(format!("{name} {version}: it names no licence")),
            Some(licence) if !permits(licence, &allowed) => {
                problems.push(format!("{name} {version}: `{licence}` is not on deny.toml's list"));
            }
            Some(_) => {}
        }
        if source.as_ref().is_some_and(|source| !source.starts_with("registry+")) {
            problems.push(format!("{name} {version}: it does not come from the package registry"));
        }
        if banned.contains(&name.as_str()) {
            problems.push(format!("{name} {version}: deny.toml bans it"));
        }
    }
    problems
}

/// The strings of the first list that is assigned to `key`.
fn list<'a>(toml: &'a str, key: &str) -> Vec<&'a str> {
    let start = toml.lines().find(|line| line.split('=').next().is_some_and(|name| name.trim() == key));
    let Some(from) = start.and_then(|line| toml.find(line)) else { return Vec::new() };
    let body = toml.split_at(from).1;
    let inside = body.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(inside, _)| inside);
    inside.split('"').skip(1).step_by(2).collect()
}

/// An SPDX expression: OR of ANDs, parentheses, `WITH` as part of a name; `/` is an old OR.
fn permits(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let verdict = either(&mut rest, allowed);
    rest.is_empty() && verdict == Some(true)
}

fn either(rest: &mut &[&str], allowed: &[&str]) -> Option<bool> {
    let mut verdict = both(rest, allowed)?;
    while let ["OR", after @ ..] = *rest {
        *rest = after;
        verdict |= both(rest, allowed)?;
    }
    Some(verdict)
}

fn both(rest: &mut &[&str], allowed: &[&str]) -> Option<bool> {
    let mut verdict = one(rest, allowed)?;
    while let ["AND", after @ ..] = *rest {
        *rest = after;
        verdict &= one(rest, allowed)?;
    }
    Some(verdict)
}

fn one(rest: &mut &[&str], allowed: &[&str]) -> Option<bool> {
    match *rest {
        ["(", after @ ..] => {
            *rest = after;
            let verdict = either(rest, allowed)?;
            let [")", after @ ..] = *rest else { return None };
            *rest = after;
            Some(verdict)
        }
        [name, "WITH", exception, after @ ..] => {
            *rest = after;
            Some(allowed.contains(&format!("{name} WITH {exception}").as_str()))
        }
        [name, after @ ..] => {
            *rest = after;
            Some(allowed.contains(name))
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_judged_as_spdx_means_them() {
        let allowed = ["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"];
        for (expression, verdict) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT OR GPL-3.0-only", true),
            ("MIT AND GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT AND ISC", true),
            ("(GPL-3.0-only OR MIT) AND ISC", true),
            ("ISC AND (GPL-3.0-only OR LGPL-3.0-only)", false),
            ("MIT/Apache-2.0", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0 WITH other", false),
            ("MIT OR", false),
            ("(MIT", false),
            ("", false),
        ] {
            assert_eq!(permits(expression, &allowed), verdict, "{expression}");
        }
    }

    #[test]
    fn a_licence_a_source_and_a_ban_redden() {
        let deny =
            "[licenses]\nallow = [\n  \"MIT\", # short\n  \"Apache-2.0\",\n]\n# x\n# banned\ndeny = [{ crate = \"openssl\" }]\n";
        let mut gpl = Package::of("a", &[]);
        gpl.licence = Some("GPL-3.0-only".to_owned());
        let mut none = Package::of("b", &[]);
        none.licence = None;
        let mut git = Package::of("c", &[]);
        git.source = Some("git+https://example.org/c".to_owned());
        assert_eq!(check(&[gpl, none, git, Package::of("openssl", &[]), Package::of("d", &[])], deny).len(), 4);
        assert_eq!(check(&[Package::of("d", &[])], "").len(), 2, "without a list nothing is allowed");
    }
}
