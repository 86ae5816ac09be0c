//! Several figures of the same thing.

/// The median, the lowest and the highest of several figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
}

/// A side that varies by more than this from round to round says little.
const STEADY: f64 = 1.5;

impl Spread {
    pub(crate) fn of(figures: &[f64]) -> Self {
        let mut figures = figures.to_vec();
        figures.sort_unstable_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
        let count = figures.len();
        Self {
            median: f64::midpoint(at(count.saturating_sub(1) / 2), at(count / 2)),
            lowest: at(0),
            highest: at(count.saturating_sub(1)),
        }
    }

    /// By how much the figures differ, if that is too much to rely on.
    pub(crate) fn unsteady(self) -> Option<f64> {
        let varied = self.highest / self.lowest;
        (varied > STEADY).then_some(varied)
    }

    /// From where to where the figures go, to two places.
    pub(crate) fn range(self) -> String {
        format!("{:.2}..{:.2}", self.lowest, self.highest)
    }
}

/// A figure with as many digits as say something.
pub(crate) fn shown(figure: f64) -> String {
    if figure >= 1_000.0 {
        format!("{figure:.0}")
    } else if figure >= 10.0 {
        format!("{figure:.1}")
    } else {
        format!("{figure:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_of_figures_is_in_the_middle_of_two() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!(
            (spread.median, spread.lowest, spread.highest),
            (2.5, 1.0, 4.0)
        );
    }

    #[test]
    fn figures_that_differ_by_more_than_half_are_unsteady() {
        assert_eq!(Spread::of(&[2.0, 3.0]).unsteady(), None);
        assert_eq!(Spread::of(&[2.0, 4.0]).unsteady(), Some(2.0));
    }
}
