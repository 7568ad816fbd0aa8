//! Runs a case on a runtime of its own, with a time limit.

use std::{any::Any, future::Future, time::Duration};

use super::{kit::Kit, walk as walks};
use crate::store::SessionStore;

/// A case that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// What `make_store` gives: a store, or a store with what has to be kept as long as it is used.
pub trait Subject {
    /// The store.
    type Store: SessionStore;
    /// What is kept.
    type Keep: Any;

    /// Takes the two apart.
    fn apart(self) -> (Self::Store, Self::Keep);
}

impl<S: SessionStore> Subject for S {
    type Store = S;
    type Keep = ();

    fn apart(self) -> (S, ()) {
        (self, ())
    }
}

impl<S: SessionStore, K: Any> Subject for (S, K) {
    type Store = S;
    type Keep = K;

    fn apart(self) -> Self {
        self
    }
}

/// Runs one case on a fresh store.
///
/// # Panics
/// If the store breaks the promise, or does not answer within two minutes.
pub fn run<P: Subject>(
    promise: &'static str,
    make: impl AsyncFnOnce() -> P,
    case: impl AsyncFnOnce(Kit<P::Store>),
) {
    block_on(promise, async {
        let (store, _keep) = make().await.apart();
        case(Kit::new(store, promise)).await;
    });
}

/// Runs one case on two handles that take turns.
///
/// # Panics
/// As [`run`].
pub fn run_twin<S: SessionStore, K: Any>(
    promise: &'static str,
    make: impl AsyncFnOnce() -> (S, K),
    open: impl AsyncFnOnce(&K) -> S,
    case: impl AsyncFnOnce(Kit<S>),
) {
    block_on(promise, async {
        let (store, keep) = make().await;
        let twin = open(&keep).await;
        case(Kit::of_handles(vec![store, twin], promise)).await;
    });
}

/// Runs one case that opens the store again.
///
/// # Panics
/// As [`run`].
pub fn run_restarted<S: SessionStore, K: Any>(
    promise: &'static str,
    make: impl AsyncFnOnce() -> (S, K),
    case: impl AsyncFnOnce(Kit<S>, &K),
) {
    block_on(promise, async {
        let (store, keep) = make().await;
        case(Kit::new(store, promise), &keep).await;
    });
}

/// Walks at random over fresh stores.
///
/// # Panics
/// As [`run`].
pub fn walk<P: Subject>(promise: &'static str, make: impl AsyncFn() -> P) {
    let fresh = async || {
        let (store, keep) = make().await.apart();
        (Kit::new(store, promise), keep)
    };
    block_on(promise, walks::every_answer_is_that_of_a_simple_model::<P>(promise, fresh));
}

/// Walks at random over fresh stores, each through two handles that take turns.
///
/// # Panics
/// As [`run`].
#[allow(clippy::needless_pass_by_value, reason = "it is taken as the other runners take it")]
pub fn walk_twin<S: SessionStore, K: Any>(
    promise: &'static str,
    make: impl AsyncFn() -> (S, K),
    open: impl AsyncFn(&K) -> S,
) {
    let fresh = async || {
        let (store, keep) = make().await;
        let twin = open(&keep).await;
        (Kit::of_handles(vec![store, twin], promise), keep)
    };
    block_on(promise, walks::every_answer_is_that_of_a_simple_model::<(S, K)>(promise, fresh));
}

fn block_on(promise: &str, case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = runtime.expect("the machine has threads for a runtime");
    let ended = runtime.block_on(async { tokio::time::timeout(LIMIT, case).await });
    assert!(ended.is_ok(), "the store breaks the promise `{promise}`: it has not answered within {LIMIT:?}");
}
