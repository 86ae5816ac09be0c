//! Home of the tests of the macro.
