//! What the macros say: each refusal as the compiler prints it, and good programs without a word.
//!
//! After a message was changed on purpose, `TRYBUILD=overwrite cargo test -p sessions-ui` writes it anew.

#[test]
fn the_compiler_says_what_is_wrong_and_where() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("fail/*.rs");
    cases.pass("pass/*.rs");
}
