//! How many tests passed, failed and were skipped, read from the output of test programs.

use std::fmt;

/// Counts of tests. Shown as `3 passed, 0 failed, 1 skipped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// The counts that a line gives, if it is the closing line of a test program:
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`.
    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let line = without_colours(line);
        let (_verdict, numbers) = line
            .trim()
            .strip_prefix("test result: ")?
            .split_once(". ")?;
        let number = |word: &str| {
            numbers.split(';').find_map(|part| {
                let (number, its_word) = part.trim().split_once(' ')?;
                (its_word == word).then(|| number.parse().ok())?
            })
        };
        Some(Self {
            passed: number("passed")?,
            failed: number("failed")?,
            skipped: number("ignored")?,
        })
    }

    /// Adds the counts of another test program.
    pub(crate) fn add(&mut self, more: Self) {
        self.passed = self.passed.saturating_add(more.passed);
        self.failed = self.failed.saturating_add(more.failed);
        self.skipped = self.skipped.saturating_add(more.skipped);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// The text without terminal escape sequences: test programs that are told to use colours put them inside the line.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            // Parameters, up to and with the final byte.
            Some('[') => {
                chars.by_ref().find(|c| ('@'..='~').contains(c));
            }
            // The choice of a character set: one more byte.
            Some('(') => {
                chars.next();
            }
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn a_line_of_success_is_counted() {
        let line = "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 7 filtered out; finished in 0.01s\n";
        assert_eq!(Counts::from_line(line), Some(counts(12, 0, 3)));
    }

    #[test]
    fn a_line_of_failure_is_counted() {
        let line = "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s";
        assert_eq!(Counts::from_line(line), Some(counts(1, 2, 0)));
    }

    #[test]
    fn a_line_of_doctests_with_a_note_at_its_end_is_counted() {
        let line = "test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s; merged doctests compilation took 0.58s";
        assert_eq!(Counts::from_line(line), Some(counts(4, 0, 0)));
    }

    #[test]
    fn a_coloured_line_is_counted() {
        for ok in ["\u{1b}[32mok\u{1b}(B\u{1b}[m", "\u{1b}[1;32mok\u{1b}[0m"] {
            let line = format!(
                "test result: {ok}. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out"
            );
            assert_eq!(Counts::from_line(&line), Some(counts(5, 0, 1)), "{line:?}");
        }
    }

    #[test]
    fn a_line_with_carriage_return_is_counted() {
        let line = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\r\n";
        assert_eq!(Counts::from_line(line), Some(counts(1, 0, 0)));
    }

    #[test]
    fn other_lines_are_not_counted() {
        for line in [
            "",
            "running 3 tests",
            "test a_call_is_answered ... ok",
            "test result: ok",
            "test result: ok. ",
            "test result: ok. many passed; 0 failed; 0 ignored",
            "test result: ok. 3 passed; 0 failed",
            "test result: ok. -1 passed; 0 failed; 0 ignored",
            "test result: ok. 99999999999999999999 passed; 0 failed; 0 ignored",
            "it printed: test result: ok. 3 passed; 0 failed; 0 ignored",
            "\u{1b}[",
            "\u{1b}",
            "test result: \u{1b}[",
        ] {
            assert_eq!(Counts::from_line(line), None, "{line:?}");
        }
    }

    #[test]
    fn counts_of_several_programs_add_up_and_never_overflow() {
        let mut sum = counts(1, 2, 3);
        sum.add(counts(10, 20, 30));
        assert_eq!(sum, counts(11, 22, 33));
        sum.add(counts(u64::MAX, 0, 0));
        assert_eq!(sum.passed, u64::MAX);
    }

    #[test]
    fn the_closing_line_has_passed_failed_and_skipped_in_this_order() {
        assert_eq!(counts(3, 2, 1).to_string(), "3 passed, 2 failed, 1 skipped");
    }
}
