//! Redis glob patterns, as KEYS, SCAN, CONFIG GET and PSUBSCRIBE take them.
//!
//! `*` any run, `?` any byte, `[abc]` `[a-z]` `[^a]` one of a class, `\` the next byte as it stands. A class that is not
//! closed ends with the pattern.
//!
//! No recursion, and after a mismatch only the last `*` tries again: at most pattern × text steps. Redis' recursive
//! matcher could be made to burn the processor or the stack (CVE-2022-36021, CVE-2024-31228).

/// Whether `text` as a whole matches `pattern`; `nocase` ignores the case of ASCII letters.
#[must_use]
pub fn matches(pattern: &[u8], text: &[u8], nocase: bool) -> bool {
    let (mut rest, mut text) = (pattern, text);
    // What to try again with: the pattern behind the last star, and the text it has not swallowed yet.
    let mut star: Option<(&[u8], &[u8])> = None;
    while let Some((&byte, after)) = text.split_first() {
        if let Some(behind) = rest.strip_prefix(b"*") {
            rest = behind;
            if rest.is_empty() {
                return true;
            }
            star = Some((rest, text));
        } else if let Some(next) = one(rest, byte, nocase) {
            (rest, text) = (next, after);
        } else if let Some((behind, [_, swallowed @ ..])) = star {
            (rest, text) = (behind, swallowed);
            star = Some((behind, swallowed));
        } else {
            return false;
        }
    }
    rest.iter().all(|&byte| byte == b'*')
}

/// Matches one byte against the first item of a pattern; gives the pattern behind it.
fn one(pattern: &[u8], byte: u8, nocase: bool) -> Option<&[u8]> {
    let (&first, rest) = pattern.split_first()?;
    match (first, rest) {
        (b'?', _) => Some(rest),
        (b'[', [b'^', class @ ..]) => one_of(class, byte, nocase, true),
        (b'[', class) => one_of(class, byte, nocase, false),
        (b'\\', [literal, behind @ ..]) => same(*literal, byte, nocase).then_some(behind),
        _ => same(first, byte, nocase).then_some(rest),
    }
}

/// Matches one byte against a class; gives the pattern behind its bracket.
fn one_of(mut class: &[u8], byte: u8, nocase: bool, inverted: bool) -> Option<&[u8]> {
    let mut found = false;
    loop {
        class = match class {
            [] => break,
            [b']', behind @ ..] => {
                class = behind;
                break;
            }
            [b'\\', literal, behind @ ..] => {
                found |= same(*literal, byte, nocase);
                behind
            }
            [from, b'-', to, behind @ ..] => {
                let (from, to, byte) = (fold(*from, nocase), fold(*to, nocase), fold(byte, nocase));
                found |= (from.min(to)..=from.max(to)).contains(&byte);
                behind
            }
            [literal, behind @ ..] => {
                found |= same(*literal, byte, nocase);
                behind
            }
        };
    }
    (found != inverted).then_some(class)
}

fn same(a: u8, b: u8, nocase: bool) -> bool {
    a == b || (nocase && a.eq_ignore_ascii_case(&b))
}

fn fold(byte: u8, nocase: bool) -> u8 {
    if nocase { byte.to_ascii_lowercase() } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_mean_what_they_mean_to_redis() {
        for (pattern, text, want) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "anything", true),
            ("?", "", false),
            ("h?llo", "hello", true),
            ("h*llo", "heeeello", true),
            ("h*llo", "hell", false),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hallo", true),
            ("h[^a-c]llo", "hcllo", false),
            ("h[^a-c]llo", "hdllo", true),
            (r"h\*llo", "h*llo", true),
            (r"h\*llo", "heello", false),
            (r"h\[llo", "h[llo", true),
            (r"[\]]", "]", true),
            (r"[a\-c]", "-", true),
            (r"[a\-c]", "b", false),
            ("[]", "a", false),
            ("[^]", "a", true),
            ("[ab", "b", true),
            ("[ab", "c", false),
            ("[", "a", false),
            ("a[", "a", false),
            ("\\", "\\", true),
            ("a\\", "a\\", true),
            ("[a-", "-", true),
            ("[a-", "a", true),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxcxxb", false),
            ("H*", "hello", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes(), false), want, "{pattern:?} {text:?}");
        }
        assert!(matches(b"H[A-F]L*", b"hello", true));
        assert!(matches(b"[^x]\\A", b"ba", true));
    }

    #[test]
    fn a_hostile_pattern_takes_bounded_time() {
        let pattern = b"*a".repeat(2_000);
        let text = b"a".repeat(1_900);
        assert!(!matches(&[&pattern[..], b"b"].concat(), &text, false));
    }

    /// The definition, exponential and plainly right.
    fn model(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], _) => text.is_empty(),
            ([b'*', rest @ ..], _) => {
                model(rest, text) || text.split_first().is_some_and(|(_, after)| model(pattern, after))
            }
            (_, [byte, after @ ..]) => one(pattern, *byte, false).is_some_and(|rest| model(rest, after)),
            (_, []) => false,
        }
    }

    proptest! {
        #[test]
        fn retrying_only_the_last_star_finds_every_match(pattern in "[ab*?]{0,9}", text in "[ab]{0,12}") {
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(matches(pattern, text, false), model(pattern, text));
        }
    }
}
