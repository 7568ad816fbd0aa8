//! The conformance kit: every promise of the [store contract](crate::store::SessionStore) as a test, for any store.
//!
//! [`conformance!`](crate::testing::conformance!) makes one `#[test]` a promise. A case that fails names the promise,
//! the clause of the contract in its own words, and what the store answered instead.
//!
//! ```
//! # mod tests {
//! use sessions::MemoryStore;
//!
//! async fn fresh() -> MemoryStore {
//!     MemoryStore::new(100_000)
//! }
//!
//! sessions::testing::conformance!(fresh);
//! # }
//! ```
//!
//! A store that outlives its process is made together with the place where it is, such as a folder that is removed when
//! it is dropped, and is opened there again. `reopen` adds the promises over a restart; `twin`, for a store that several
//! processes share, runs all of them a second time over two handles that take turns.
//!
//! ```
//! # mod tests {
//! # use sessions::MemoryStore;
//! # type Place = MemoryStore;
//! async fn fresh() -> (MemoryStore, Place) {
//!     let place = MemoryStore::new(100_000);
//!     (open(&place).await, place)
//! }
//!
//! async fn open(place: &Place) -> MemoryStore {
//!     place.clone()
//! }
//!
//! sessions::testing::conformance!(fresh, reopen = open, twin = open);
//! # }
//! ```
//!
//! Each case is a plain function here, which takes a [`Kit`] and panics: a test of the kit itself may call one and
//! expect that. Cases are added with new releases; a store that keeps the contract passes them.
//!
//! `SESSIONS_TEST_SEED=7` runs the random walk of that seed alone.

mod clause;
pub mod concurrency;
pub(crate) mod dice;
pub mod endings;
mod kit;
pub mod limits;
pub mod listing;
mod model;
pub mod records;
pub mod restart;
pub mod revocation;
mod run;
pub mod time;
pub mod upkeep;
mod walk;

pub use self::{
    kit::Kit,
    run::{Subject, run, run_restarted, run_twin, walk, walk_twin},
};

/// Makes a test of every promise of the [store contract](crate::store::SessionStore): see
/// [the kit](crate::testing::conformance).
///
/// - `conformance!(fresh)`: `fresh` is an `async fn` or async closure that gives a fresh, empty store, or a pair of a store
///   and something to keep while the test runs.
/// - `conformance!(fresh, reopen = open)`: `fresh` gives a pair, and `open` is an `async fn(&Kept) -> Store` that opens
///   the store again.
/// - `conformance!(fresh, twin = open)`, or both: `open` gives a second handle on the same data.
///
/// The tests stand where the macro is called; a module for each store keeps them apart.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance {
    ($make:expr $(, reopen = $reopen:expr)? $(, twin = $twin:expr)? $(,)?) => {
        $crate::__conformance_cases!(run, walk; $make);
        $(
            mod over_a_restart {
                #[allow(unused_imports, reason = "what the store is made with may be a closure that needs none")]
                use super::*;
                $crate::__conformance_restarts!($make, $reopen);
            }
        )?
        $(
            mod over_two_handles {
                #[allow(unused_imports, reason = "what the store is made with may be a closure that needs none")]
                use super::*;
                $crate::__conformance_cases!(run_twin, walk_twin; $make, $twin);
            }
        )?
    };
}

/// The promises, each with the module that it is in.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_cases {
    ($run:ident, $walk:ident; $($how:expr),+) => {
        $crate::__conformance_cases! { @each $run, ($($how),+);
            records: what_was_written_is_read_back_byte_for_byte
            records: the_same_sid_in_another_bucket_is_another_session
            records: an_unknown_id_is_absent
            records: many_loads_are_answered_as_each_alone_in_their_order
            records: a_creation_never_takes_over_a_session
            records: only_the_expected_version_is_replaced
            records: every_bit_of_a_version_counts
            records: a_conflict_shows_the_current_record
            records: a_write_never_creates_what_it_expected_to_find
            records: a_write_states_when_the_session_expires
            records: a_write_never_moves_the_last_use_back
            endings: an_ending_tells_its_reason
            endings: an_ending_keeps_its_first_reason
            endings: a_late_write_never_undoes_an_end
            endings: a_creation_meets_the_tombstone
            endings: a_touch_revives_nothing
            endings: a_login_meets_the_tombstone
            endings: a_tombstone_stands_for_its_time
            endings: a_tombstone_goes_after_its_time
            endings: the_end_of_an_absent_session_is_nothing
            endings: an_ending_ends_no_other_session
            time: expiry_is_exact_without_a_sweep
            time: what_has_expired_is_dead_to_every_operation
            time: what_expired_long_ago_is_absent
            time: a_session_may_never_expire
            time: a_touch_prolongs_a_session
            time: a_touch_never_shortens_a_session
            time: a_touch_never_moves_the_last_use_back
            time: a_touch_changes_no_version
            time: the_last_use_is_told_with_every_record
            time: a_write_after_its_deadline_is_not_applied
            time: a_login_after_its_deadline_is_not_admitted
            time: a_clock_that_steps_back_revives_nothing
            time: a_clock_that_steps_back_loses_nothing
            limits: reject_refuses_only_the_new_login
            limits: evict_oldest_goes_by_the_order_of_logins
            limits: evict_all_leaves_only_the_new_one_and_only_at_the_limit
            limits: an_unlimited_login_evicts_no_one
            limits: expired_sessions_do_not_count
            limits: prolonged_sessions_count
            limits: ended_sessions_do_not_count
            limits: a_replaced_session_does_not_count_and_is_superseded
            limits: a_login_may_replace_what_has_gone
            limits: a_refused_login_changes_nothing
            limits: no_one_replaces_another_owners_session
            limits: an_id_that_is_taken_is_not_admitted
            limits: a_limit_is_one_owners
            limits: anonymous_sessions_count_for_no_one
            revocation: a_revocation_of_all_ends_every_session_of_the_owner
            revocation: a_login_that_began_before_a_revocation_of_all_is_refused
            revocation: a_revocation_is_remembered_without_a_session
            revocation: a_revocation_outlives_the_owners_last_session
            revocation: a_revocation_that_comes_late_does_not_undo_a_later_one
            revocation: a_revocation_of_the_others_keeps_one
            revocation: a_revocation_keeps_only_what_is_the_owners
            revocation: a_revocation_is_one_owners
            revocation: a_login_after_a_revocation_lives
            listing: a_list_is_in_the_order_of_logins
            listing: logins_of_one_millisecond_are_in_order
            listing: pages_follow_each_other
            listing: a_page_after_an_ended_session_leaves_no_one_out
            listing: a_page_is_of_live_sessions
            listing: a_list_is_of_one_owner
            listing: a_list_shows_the_current_records
            upkeep: a_sweep_keeps_to_its_bound
            upkeep: a_sweep_frees_no_live_session
            upkeep: a_sweep_keeps_the_order_of_logins
            upkeep: counts_are_exact_after_a_sweep
            upkeep: a_second_shutdown_is_fine
            concurrency: one_of_many_creations_wins
            concurrency: one_of_many_writes_on_a_version_wins
            concurrency: a_counter_under_versions_loses_no_increment
            concurrency: simultaneous_logins_keep_to_the_limit
            concurrency: an_end_beats_what_runs_beside_it
            concurrency: one_of_many_ends_has_ended_it
            concurrency: a_revocation_of_all_misses_no_login_that_began_before
            concurrency: owners_log_in_beside_each_other
        }
        #[test]
        fn every_answer_is_that_of_a_simple_model() {
            $crate::testing::conformance::$walk("every_answer_is_that_of_a_simple_model", $($how),+);
        }
    };
    (@each $run:ident, $how:tt; $($topic:ident: $case:ident)*) => {
        $($crate::__conformance_cases! { @one $run, $how; $topic: $case })*
    };
    (@one $run:ident, ($($how:expr),+); $topic:ident: $case:ident) => {
        #[test]
        fn $case() {
            use $crate::testing::conformance;
            conformance::$run(stringify!($case), $($how,)+ conformance::$topic::$case);
        }
    };
}

/// The promises over a restart.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_restarts {
    ($make:expr, $reopen:expr) => {
        $crate::__conformance_restarts! { @each ($make, $reopen);
            records_survive_a_restart
            endings_survive_a_restart
            owners_survive_a_restart
            revocations_survive_a_restart
            a_written_session_stays_its_owners_over_a_restart
        }
    };
    (@each $how:tt; $($case:ident)*) => {
        $($crate::__conformance_restarts! { @one $how; $case })*
    };
    (@one ($make:expr, $reopen:expr); $case:ident) => {
        #[test]
        fn $case() {
            use $crate::testing::conformance;
            conformance::run_restarted(stringify!($case), $make, async |kit, kept| {
                conformance::restart::$case(kit, async || ($reopen)(kept).await).await;
            });
        }
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_case_is_in_the_list() {
        let list = include_str!("mod.rs");
        let topics = [
            ("records", include_str!("records.rs")),
            ("endings", include_str!("endings.rs")),
            ("time", include_str!("time.rs")),
            ("limits", include_str!("limits.rs")),
            ("revocation", include_str!("revocation.rs")),
            ("listing", include_str!("listing.rs")),
            ("upkeep", include_str!("upkeep.rs")),
            ("concurrency", include_str!("concurrency.rs")),
            ("restart", include_str!("restart.rs")),
        ];
        for (topic, source) in topics {
            let cases = source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split_once('<'));
            let mut count = 0;
            for (case, _) in cases {
                let listed = if topic == "restart" { case.to_owned() } else { format!("{topic}: {case}") };
                let is_listed = list.lines().any(|line| line.trim() == listed);
                assert!(is_listed, "`{listed}` is not in the macro's list");
                count += 1;
            }
            assert!(count > 0, "{topic}");
        }
    }
}
