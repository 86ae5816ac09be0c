//! What `#[rpc_api]` accepts, and what it says to what it does not accept.
//!
//! Each file under `ui/fail` has one mistake, and the errors beside it are all that the compiler says. The texts are those
//! of the toolchain in `rust-toolchain.toml`.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}

#[test]
fn good_code_compiles() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}
