//! What has to come out.

use crate::spread::Spread;
use std::fmt;

/// A limit for a figure of the first side, or for its ratio to that of another.
#[derive(Clone, Copy, Debug)]
pub struct Criterion {
    pub(crate) series: &'static str,
    /// `None`: the figure itself.
    pub(crate) against: Option<&'static str>,
    pub(crate) limit: Limit,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Criterion {
    /// The ratio to another side is at most this.
    pub const fn at_most(series: &'static str, against: &'static str, ratio: f64) -> Self {
        Self {
            series,
            against: Some(against),
            limit: Limit::AtMost(ratio),
        }
    }

    /// The ratio to another side is at least this.
    pub const fn at_least(series: &'static str, against: &'static str, ratio: f64) -> Self {
        Self {
            series,
            against: Some(against),
            limit: Limit::AtLeast(ratio),
        }
    }

    /// The figure is at most this, in the unit of the series.
    pub const fn figure_at_most(series: &'static str, figure: f64) -> Self {
        Self {
            series,
            against: None,
            limit: Limit::AtMost(figure),
        }
    }

    pub(crate) fn judge(&self, spread: Spread) -> Verdict {
        Verdict {
            series: self.series,
            against: self.against,
            limit: self.limit,
            spread,
            holds: self.limit.holds(spread.median),
        }
    }
}

impl Limit {
    fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtMost(limit) => figure <= limit,
            Self::AtLeast(limit) => figure >= limit,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(limit) => write!(f, "at most {limit:.1}"),
            Self::AtLeast(limit) => write!(f, "at least {limit:.1}"),
        }
    }
}

/// What became of a criterion.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) series: &'static str,
    pub(crate) against: Option<&'static str>,
    pub(crate) limit: Limit,
    pub(crate) spread: Spread,
    pub(crate) holds: bool,
}

impl Verdict {
    pub(crate) fn word(&self) -> &'static str {
        if self.holds { "holds" } else { "DOES NOT HOLD" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_criterion_is_judged_by_the_median_and_holds_at_its_limit() {
        let spread = Spread::of(&[9.0, 1.5, 0.1]);
        assert!(Criterion::at_most("", "", 1.5).judge(spread).holds);
        assert!(Criterion::at_least("", "", 1.5).judge(spread).holds);
        assert!(!Criterion::at_most("", "", 1.4).judge(spread).holds);
        assert!(!Criterion::at_least("", "", 1.6).judge(spread).holds);
    }
}
