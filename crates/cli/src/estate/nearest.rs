//! The known word that is nearest to one that isn't.

/// Longer words are not compared: nobody meant a known one.
const CHARS_MAX: usize = 64;

/// The nearest of `known`, if it is near enough to have been meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let chars: Vec<char> = word.chars().take(CHARS_MAX + 1).collect();
    if chars.is_empty() || chars.len() > CHARS_MAX {
        return None;
    }
    let ranked = known.into_iter().map(|candidate| (distance(&chars, candidate), candidate));
    let (distance, candidate) = ranked.min()?;
    (distance <= chars.len().div_ceil(3)).then_some(candidate)
}

/// `did you mean …`, or all that is known.
pub(crate) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            let all: Vec<String> = known.into_iter().take(24).map(|each| format!("`{each}`")).collect();
            if all.is_empty() { "there is none yet".to_owned() } else { format!("it is one of {}", all.join(", ")) }
        }
    }
}

/// How many characters are to be changed, added or left out (Levenshtein); letters of other case count as near.
fn distance(word: &[char], candidate: &str) -> usize {
    let candidate: Vec<char> = candidate.chars().collect();
    let mut row: Vec<usize> = (0..=candidate.len()).collect();
    for (i, a) in word.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (b, above) in candidate.iter().zip(row.iter().skip(1)) {
            let same = a.to_lowercase().eq(b.to_lowercase());
            let best = (diagonal + usize::from(!same)).min(above + 1).min(left + 1);
            diagonal = *above;
            left = best;
            next.push(best);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_was_meant_is_found_and_no_other() {
        let known = ["displayName", "mail", "members", "type"];
        for (word, meant) in [
            ("displayname", Some("displayName")),
            ("dispalyName", Some("displayName")),
            ("email", Some("mail")),
            ("member", Some("members")),
            ("tpye", Some("type")),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        assert_eq!(nearest(&"a".repeat(100_000), known), None);
        assert_eq!(suggestion("zzzzzz", ["a", "b"]), "it is one of `a`, `b`");
    }
}
