//! What came from a peer, made fit to be shown.

/// How much of a peer's text is shown.
const SHOWN: usize = 500;

/// `text` with control characters escaped and cut at 500 characters, those of the escapes included, for logs and errors.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(SHOWN));
    let mut room = SHOWN;
    for c in text.chars() {
        let width = if is_escaped(c) {
            c.escape_unicode().len()
        } else {
            1
        };
        if width > room {
            out.push('…');
            break;
        }
        room -= width;
        push(&mut out, c);
    }
    out
}

/// The same for several lines: at most `most` bytes of them, line feeds and tabs as they are.
pub(crate) fn block(text: &str, most: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let before = out.len();
        if matches!(c, '\n' | '\t') {
            out.push(c);
        } else {
            push(&mut out, c);
        }
        if out.len() > most {
            out.truncate(before);
            break;
        }
    }
    out
}

fn push(out: &mut String, c: char) {
    if is_escaped(c) {
        out.extend(c.escape_unicode());
    } else {
        out.push(c);
    }
}

/// Right-to-left marks and other format characters can turn a log line around.
fn is_escaped(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn control_characters_are_escaped_and_long_texts_cut() {
        assert_eq!(shown("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\u{a}b");
        assert_eq!(shown("\u{202e}x"), "\\u{202e}x");
        assert_eq!(shown(&"é".repeat(900)).chars().count(), 501);
        assert!(shown(&"\0".repeat(900)).chars().count() <= 501);
        assert_eq!(shown(&"a".repeat(500)), "a".repeat(500));
    }
}
