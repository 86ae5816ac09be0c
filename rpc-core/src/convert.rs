//! Between the old type of an argument or answer and the new one, also where both are an `Option` or a `Vec` of one.
//!
//! What is converted is the user's `TryFrom`. Rust allows nobody to write one between `Option`s or `Vec`s, so these are
//! gone into: the generated code names the way by a type, such as `In<Whole>` for `Option<Old>` and `Option<New>`.

use std::fmt;

/// A way from a value of type `From` to one of type `To`.
#[diagnostic::on_unimplemented(
    message = "`{To}` can't be made of `{From}`",
    label = "between versions, this is made of `{From}`",
    note = "write `impl TryFrom<{From}> for {To}`, or `From`; if neither type is your own, wrap one in a newtype"
)]
pub trait Conversion<From, To> {
    /// Converts it, or says why it can't be.
    ///
    /// # Errors
    ///
    /// What `TryFrom` says.
    fn convert(from: From) -> Result<To, String>;
}

/// As it is, by `TryFrom`.
#[derive(Debug)]
pub struct Whole(());

/// What is inside.
#[derive(Debug)]
pub struct In<C>(std::marker::PhantomData<C>);

#[diagnostic::do_not_recommend]
impl<From, To> Conversion<From, To> for Whole
where
    To: TryFrom<From>,
    To::Error: fmt::Display,
{
    fn convert(from: From) -> Result<To, String> {
        To::try_from(from).map_err(|error| crate::text::shown(&error.to_string()))
    }
}

#[diagnostic::do_not_recommend]
impl<From, To, C: Conversion<From, To>> Conversion<Option<From>, Option<To>> for In<C> {
    fn convert(from: Option<From>) -> Result<Option<To>, String> {
        from.map(C::convert).transpose()
    }
}

#[diagnostic::do_not_recommend]
impl<'a, From, To, C: Conversion<&'a From, To>> Conversion<&'a Option<From>, Option<To>> for In<C> {
    fn convert(from: &'a Option<From>) -> Result<Option<To>, String> {
        from.as_ref().map(C::convert).transpose()
    }
}

#[diagnostic::do_not_recommend]
impl<From, To, C: Conversion<From, To>> Conversion<Vec<From>, Vec<To>> for In<C> {
    fn convert(from: Vec<From>) -> Result<Vec<To>, String> {
        from.into_iter().map(C::convert).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<'a, From, To, C: Conversion<&'a From, To>> Conversion<&'a Vec<From>, Vec<To>> for In<C> {
    fn convert(from: &'a Vec<From>) -> Result<Vec<To>, String> {
        from.iter().map(C::convert).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<'a, From, To, C: Conversion<&'a From, To>> Conversion<&'a [From], Vec<To>> for In<C> {
    fn convert(from: &'a [From]) -> Result<Vec<To>, String> {
        from.iter().map(C::convert).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_is_converted_at_any_depth() {
        type Deep = In<In<Whole>>;
        let new: Option<Vec<i64>> = Some(vec![1, -2]);
        let old: Result<Option<Vec<i128>>, _> = Deep::convert(new.clone());
        assert_eq!(old.unwrap(), Some(vec![1, -2]));
        let old: Result<Option<Vec<u8>>, _> = Deep::convert(new);
        assert!(old.unwrap_err().contains("out of range"));
        let none: Option<Vec<i64>> = None;
        let old: Result<Option<Vec<u8>>, _> = Deep::convert(none);
        assert_eq!(old, Ok(None));
    }
}
