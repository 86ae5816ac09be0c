//! What is written into a document: tables, between two marks.

use crate::measure::{Figures, Row};
use crate::side::Side;
use crate::spread::shown;
use crate::{Outcome, because};
use std::process::Command;

const BEGIN: &str = "<!-- measured: begin -->";
const END: &str = "<!-- measured: end -->";

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) rounds: usize,
    /// How long the rounds are.
    pub(crate) scale: &'static str,
    pub(crate) sides: &'a [Side],
    /// The lock file of the program, which has the versions of what it is made of.
    pub(crate) lock: &'static str,
    pub(crate) rows: &'a [Row],
}

impl Page<'_> {
    /// Puts the tables between the marks of a document.
    pub(crate) fn write(&self, file: &str) -> Outcome {
        let document = std::fs::read_to_string(file).map_err(because(file))?;
        let (before, _, after) =
            parts(&document).ok_or_else(|| format!("{file} has no lines `{BEGIN}` and `{END}`"))?;
        let document = format!("{before}{BEGIN}\n{}\n{END}{after}", self.markdown());
        std::fs::write(file, document).map_err(because(file))
    }

    fn markdown(&self) -> String {
        [
            self.circumstances(),
            self.criteria(),
            self.figures(),
            self.what_they_are(),
        ]
        .join("\n\n")
    }

    fn circumstances(&self) -> String {
        let mut packages: Vec<&str> = Vec::new();
        for name in self.sides.iter().flat_map(|side| side.packages) {
            if !packages.contains(name) {
                packages.push(name);
            }
        }
        let versions: Vec<String> = packages
            .into_iter()
            .map(|name| version(self.lock, name))
            .collect();
        format!(
            "Rounds: {} ({}). Taken on {}. {}. {}. {}.",
            self.rounds,
            self.scale,
            told("date", &["-u", "+%F"]),
            machine(),
            told("rustc", &["--version"]),
            versions.join(", "),
        )
    }

    fn criteria(&self) -> String {
        let mut table = String::from(
            "| figure | beside | median | lowest and highest | has to be | |\n|---|---|---:|---|---|---|",
        );
        for verdict in self.rows.iter().flat_map(|row| &row.verdicts) {
            table += &format!(
                "\n| `{}` | {} | {:.2} | {} | {} | {} |",
                verdict.series,
                verdict.against.unwrap_or_default(),
                verdict.spread.median,
                verdict.spread.range(),
                verdict.limit,
                verdict.word(),
            );
        }
        table
    }

    fn figures(&self) -> String {
        let mut table = String::from("| figure | unit |");
        for side in self.sides {
            table += &format!(" {} |", side.name);
        }
        table += "\n|---|---|";
        table += &"---:|".repeat(self.sides.len());
        for row in self.rows {
            let series = row.series;
            table += &format!("\n| `{}`: {} | {} |", series.name, series.what, series.unit);
            for side in self.sides {
                let figures = row.figures.iter().find(|it| it.side == side.name);
                table += &figures.map_or(" |".into(), |it| format!(" {} |", it.cell()));
            }
        }
        table
    }

    fn what_they_are(&self) -> String {
        let mut table = String::from("| side | what it is | what it does not do |\n|---|---|---|");
        for side in self.sides {
            table += &format!("\n| {} | {} | {} |", side.name, side.what, side.lacks);
        }
        table
    }
}

impl Figures {
    fn cell(&self) -> String {
        let Some(spread) = self.spread else {
            return "?".into();
        };
        let mut cell = shown(spread.median);
        if let Some(ratio) = self.ratio {
            cell += &format!(" ({:.2}; {})", ratio.median, ratio.range());
        }
        if let Some(varied) = spread.unsteady() {
            cell += &format!(" varied by {varied:.1}x");
        }
        cell
    }
}

/// What is before the marks, between them, and after.
fn parts(document: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (between, after) = rest.split_once(END)?;
    Some((before, between, after))
}

/// A package and its version, by a lock file.
fn version(lock: &str, package: &str) -> String {
    let name = format!("name = \"{package}\"\nversion = \"");
    let version = lock
        .split_once(&name)
        .and_then(|(_, rest)| rest.split('"').next());
    format!("{package} {}", version.unwrap_or("of an unknown version"))
}

fn machine() -> String {
    let processors = std::thread::available_parallelism()
        .map_or_else(|_| "unknown".into(), |number| number.to_string());
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("of an unknown model", |(_, model)| model);
    let system = told("uname", &["-srm"]);
    format!("{system}, processors: {processors}, {model}")
}

/// The first line that a command prints.
fn told(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let line = text.ok().and_then(|text| Some(text.lines().next()?.into()));
    line.unwrap_or_else(|| format!("`{program}` does not tell"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::BENCHES;
    use std::path::Path;

    #[test]
    fn the_document_has_the_figures_that_are_printed_in_their_order() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
        let document = std::fs::read_to_string(file).expect("the document is there");
        let (_, measured, _) = parts(&document).expect("it has the marks");
        let heads = |line: &str| {
            let (figure, rest) = line.strip_prefix("| ")?.split_once(" | ")?;
            let unit = rest.split(" | ").next()?.to_owned();
            figure.contains("`: ").then(|| (figure.to_owned(), unit))
        };
        let written: Vec<_> = measured.lines().filter_map(heads).collect();
        let series = BENCHES.iter().flat_map(|bench| bench.series);
        let printed: Vec<_> = series
            .map(|it| (format!("`{}`: {}", it.name, it.what), it.unit.to_owned()))
            .collect();
        assert_eq!(
            written, printed,
            "`cargo xtask bench --peers --write` writes it anew"
        );
    }

    #[test]
    fn a_version_is_that_of_the_package_of_this_name() {
        let lock = "name = \"tonic-prost\"\nversion = \"1\"\n\nname = \"tonic\"\nversion = \"2\"\n";
        assert_eq!(version(lock, "tonic"), "tonic 2");
        assert_eq!(version(lock, "prost"), "prost of an unknown version");
    }
}
