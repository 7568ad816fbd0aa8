//! Requirements as types, so that they can stand in a [`Session`](crate::Session)'s type.

use std::{marker::PhantomData, time::Duration};

use super::{Guard, Name, Requirements};

/// Asks for an authenticated session.
///
/// ```
/// # mod shop { sessions::policies! { orders: { extends: "user_default" } } }
/// use sessions::{Session, guard::Authenticated};
///
/// async fn place(session: Session<shop::policies::Orders, Authenticated>) {
///     # drop(session);
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Authenticated {}

impl Guard for Authenticated {
    const REQUIREMENTS: Requirements = super::authenticated();
}

/// Asks nothing. It is what `Option<Session>` becomes in a handler, `Option<Session<P, IfStored>>`: an extractor of actix-web
/// has no other way to know that it stands in an `Option`.
#[derive(Clone, Copy, Debug)]
pub enum IfStored {}

impl Guard for IfStored {
    const REQUIREMENTS: Requirements = Requirements::none();
    const IS_OPTIONAL: bool = true;
}

/// Asks for a login within the policy's `fresh_for`.
#[derive(Clone, Copy, Debug)]
pub enum Fresh {}

impl Guard for Fresh {
    const REQUIREMENTS: Requirements = super::fresh();
}

/// Asks for a login at most so many seconds ago.
#[derive(Clone, Copy, Debug)]
pub enum FreshWithin<const SECONDS: u64, const NANOSECONDS: u32 = 0> {}

impl<const SECONDS: u64, const NANOSECONDS: u32> Guard for FreshWithin<SECONDS, NANOSECONDS> {
    const REQUIREMENTS: Requirements = super::fresh_within(Duration::new(SECONDS, NANOSECONDS));
}

/// Asks for the session as it is stored now, not for a copy of it (`near_cache`, `outage_grace`).
#[derive(Clone, Copy, Debug)]
pub enum Strict {}

impl Guard for Strict {
    const REQUIREMENTS: Requirements = super::strict();
}

/// Asks for a principal of a kind, which a type names.
#[derive(Clone, Copy, Debug)]
pub struct Kind<N>(PhantomData<fn() -> N>);

impl<N: Name> Guard for Kind<N> {
    const REQUIREMENTS: Requirements = super::kind(N::NAME);
}

/// Asks for a role, which a type names.
///
/// ```
/// use sessions::guard::{Name, Role};
///
/// enum Editor {}
///
/// impl Name for Editor {
///     const NAME: &'static str = "editor";
/// }
///
/// type EditorsOnly = Role<Editor>;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Role<N>(PhantomData<fn() -> N>);

impl<N: Name> Guard for Role<N> {
    const REQUIREMENTS: Requirements = super::role(N::NAME);
}

macro_rules! all_of {
    ($($guard:ident)*) => {
        /// All of them.
        impl<$($guard: Guard),*> Guard for ($($guard,)*) {
            const REQUIREMENTS: Requirements = Requirements::none()$(.and($guard::REQUIREMENTS))*;
        }
    };
}

all_of!(A);
all_of!(A B);
all_of!(A B C);
all_of!(A B C D);
all_of!(A B C D E);
all_of!(A B C D E F);
all_of!(A B C D E F H);
all_of!(A B C D E F H I);

#[cfg(test)]
mod tests {
    use super::{super::Word, *};

    #[test]
    fn a_tuple_asks_for_all_of_its_parts() {
        type All =
            (Authenticated, Kind<Word<'b', 'o', 't'>>, Role<Word<'a'>>, Role<Word<'b'>>, FreshWithin<60>);
        let all = All::REQUIREMENTS;
        assert!(all.asks_anything());
        assert_eq!(all.principal_kind(), Some("bot"));
        assert_eq!(all.roles().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(all.freshness(Duration::MAX), Some(Duration::from_secs(60)));
    }

    #[test]
    fn of_two_ages_the_shorter_one_holds_in_any_order() {
        type Short = FreshWithin<60>;
        type Long = FreshWithin<600>;
        for both in [<(Short, Long)>::REQUIREMENTS, <(Long, Short)>::REQUIREMENTS] {
            assert_eq!(both.freshness(Duration::MAX), Some(Duration::from_secs(60)));
        }
        for both in [<(Short, Fresh)>::REQUIREMENTS, <(Fresh, Short)>::REQUIREMENTS] {
            assert_eq!(both.freshness(Duration::from_secs(300)), Some(Duration::from_secs(60)));
            assert_eq!(both.freshness(Duration::from_secs(30)), Some(Duration::from_secs(30)));
        }
        assert_eq!(Authenticated::REQUIREMENTS.freshness(Duration::ZERO), None);
    }

    #[test]
    fn each_guard_asks_for_a_login() {
        assert!(Authenticated::REQUIREMENTS.asks_anything());
        assert!(Fresh::REQUIREMENTS.asks_anything());
        assert!(FreshWithin::<1>::REQUIREMENTS.asks_anything());
        assert!(Kind::<Word<'a'>>::REQUIREMENTS.asks_anything());
        assert!(Role::<Word<'a'>>::REQUIREMENTS.asks_anything());
        assert!(!<()>::REQUIREMENTS.asks_anything());
    }
}
