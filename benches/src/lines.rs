//! What is printed.

use crate::measure::{Figures, Row};
use crate::spread::shown;

/// What stands above all.
pub(crate) fn heading(rounds: usize) -> String {
    format!(
        "Medians of {rounds} rounds in which the sides took turns. A ratio is that of the first side to another, round by round: \
         its median (and its lowest and highest)."
    )
}

impl Row {
    /// A line for what it is about, one for each side, and one for each criterion.
    pub(crate) fn lines(&self) -> Vec<String> {
        let series = self.series;
        let mut lines = vec![format!(
            "\n{}: {}, {}",
            series.name, series.what, series.unit
        )];
        lines.extend(self.figures.iter().map(Figures::line));
        lines.extend(self.verdicts.iter().map(|verdict| {
            let against = verdict
                .against
                .map_or(String::new(), |side| format!("beside {side}, "));
            format!("  {against}{}: {}", verdict.limit, verdict.word())
        }));
        lines
    }
}

impl Figures {
    fn line(&self) -> String {
        let Some(spread) = self.spread else {
            return format!("  {:<14}this system does not tell", self.side);
        };
        let ratio = self.ratio.map_or(String::new(), |ratio| {
            format!("{:>7.2}  ({})", ratio.median, ratio.range())
        });
        let unsteady = spread.unsteady().map_or(String::new(), |varied| {
            format!("NOT RELIABLE: varied by {varied:.1}x")
        });
        let line = format!(
            "  {:<14}{:>12}{ratio:<27}{unsteady}",
            self.side,
            shown(spread.median)
        );
        line.trim_end().into()
    }
}
