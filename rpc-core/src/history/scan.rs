//! Texts within a line: types as they are written in Rust, and strings in quotes where anything else stood in the way.

/// Where `what` is, outside of brackets and quotes.
pub(super) fn find(text: &str, what: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut quotes = false;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if depth == 0 && !quotes && text[at..].starts_with(what) {
            return Some(at);
        }
        match c {
            '"' if !quotes || before != '\\' => quotes = !quotes,
            _ if quotes => {}
            '(' | '[' | '{' | '<' => depth += 1,
            // the end of an arrow is no bracket
            '>' if matches!(before, '-' | '=') => {}
            ')' | ']' | '}' | '>' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        // a backslash that is escaped escapes nothing
        before = if before == '\\' && c == '\\' { ' ' } else { c };
    }
    None
}

/// Whether brackets come in pairs, so that what follows a text is found.
fn is_balanced(text: &str) -> bool {
    find(&format!("{text};"), ";") == Some(text.len())
}

/// A name, in quotes unless it is a plain word.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if !text.is_empty() && text.chars().all(plain) {
        return text.into();
    }
    format!("{text:?}")
}

/// A type among arguments, in quotes if it could not be told from what follows it.
pub(super) fn type_name(text: &str) -> String {
    let plain = is_line(text)
        && is_balanced(text)
        && [",", " = ", " with "]
            .iter()
            .all(|end| find(&format!("{text} "), end).is_none());
    if plain {
        text.into()
    } else {
        format!("{text:?}")
    }
}

/// What stands at the end of a line, in quotes if it could not be read back.
pub(super) fn line(text: &str) -> String {
    if is_line(text) {
        text.into()
    } else {
        format!("{text:?}")
    }
}

fn is_line(text: &str) -> bool {
    let strange = |c: char| c.is_control() || c == '"' || c == '\\';
    !text.is_empty() && text.trim() == text && !text.contains(strange)
}

/// Reads what [`quoted`] wrote.
pub(super) fn unquoted(text: &str) -> Result<String, String> {
    match text.strip_prefix('"') {
        Some(rest) => unescaped(rest),
        None if text.is_empty() => Err("a name is missing".into()),
        None => Ok(text.into()),
    }
}

/// Reads what [`line`] or [`type_name`] wrote.
pub(super) fn unlined(text: &str) -> Result<String, String> {
    match text.strip_prefix('"') {
        Some(rest) => unescaped(rest),
        None if text.is_empty() => Err("a type is missing".into()),
        None => Ok(text.into()),
    }
}

/// The inside of a string in quotes, as Rust's `{:?}` writes it, after the first quote.
fn unescaped(text: &str) -> Result<String, String> {
    let wrong = || Err("a text in quotes is written as in Rust, with one quote at its end".into());
    let mut out = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next() {
            Some('"') if chars.as_str().is_empty() => return Ok(out),
            Some('"') | None => return wrong(),
            Some('\\') => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('0') => out.push('\0'),
                Some(c @ ('"' | '\\' | '\'')) => out.push(c),
                Some('u') => {
                    let rest = chars.as_str();
                    let code = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
                    let Some((digits, rest)) = code else {
                        return wrong();
                    };
                    match u32::from_str_radix(digits, 16)
                        .ok()
                        .and_then(char::from_u32)
                    {
                        Some(c) => out.push(c),
                        None => return wrong(),
                    }
                    chars = rest.chars();
                }
                _ => return wrong(),
            },
            Some(c) => out.push(c),
        }
    }
}
