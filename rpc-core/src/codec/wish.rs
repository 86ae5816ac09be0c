//! What a type asks for. Where a value ends too early, the error says what would have been taken; so a value can be made up, piece
//! by piece, of a type of which nothing else is known.

use std::cell::RefCell;

/// What would have been taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wish {
    Any,
    Bool,
    U8,
    Unsigned,
    Signed,
    F32,
    F64,
    Char,
    Str,
    Bytes,
    Option,
    Unit,
    Seq,
    Tuple(usize),
    Map,
    /// The name of the type, and its fields.
    Struct(&'static str, &'static [&'static str]),
    /// The fields of an enum's variant.
    Fields(&'static [&'static str]),
    /// The name of the type, and its variants.
    Enum(&'static str, &'static [&'static str]),
    /// The name of a field or a variant.
    Name,
    /// Something that nobody looks at.
    Ignored,
    /// A map with this field.
    Field(&'static str),
    /// One of these variants.
    Variant(&'static [&'static str]),
    /// Not the last field: this one was there under another name.
    Once(&'static str),
    /// It is complete.
    Nothing,
}

/// What stands where a value has not been made up yet: no value begins with it.
pub(crate) const PADDING: u8 = 0xc1;

/// The same, where it has been decided that an option is something. It is the mark of an extension type: these are not used.
pub(crate) const SOME: u8 = 0xd4;

thread_local! {
    static SAID: RefCell<Option<Vec<Wish>>> = const { RefCell::new(None) };
}

/// Notes a wish, if somebody listens. Untagged enums swallow the errors of their variants.
#[cold]
pub(crate) fn say(wish: Wish) {
    // whoever decodes while its thread ends has no listener
    let _ = SAID.try_with(|said| {
        if let Some(said) = &mut *said.borrow_mut()
            && !said.contains(&wish)
        {
            said.push(wish);
        }
    });
}

/// Runs something, and listens to what errors say in the meantime, seen or swallowed.
pub(crate) fn heard<T>(run: impl FnOnce() -> T) -> (T, Vec<Wish>) {
    SAID.set(Some(Vec::new()));
    let result = run();
    (result, SAID.take().unwrap_or_default())
}
