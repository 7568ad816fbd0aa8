//! Each safeguard that a store may lack, and the case that finds out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sessions::testing::conformance;

use crate::broken::Broken;

/// What somebody complains about.
pub(crate) fn complaint(run: impl FnOnce()) -> Option<String> {
    let complaint = catch_unwind(AssertUnwindSafe(run)).err()?;
    Some(complaint.downcast_ref::<String>().cloned().unwrap_or_default())
}

fn assert_found_out(promise: &str, clause: &str, run: impl Fn(Broken), without: Without) {
    assert_eq!(complaint(|| run(Broken::new(Without::Nothing))), None, "a whole store breaks no promise");
    let found = complaint(|| run(Broken::new(without)));
    let found = found.unwrap_or_else(|| panic!("a store without {without:?} passes `{promise}`"));
    assert!(found.contains(promise) && found.contains(clause), "{found}");
}

macro_rules! safeguards {
    ($($without:ident, $topic:ident::$case:ident, $clause:literal;)*) => {
        /// Which safeguard is missing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Without {
            /// None is: the control of the controls.
            Nothing,
            $($without,)*
        }

        const ALL: &[Without] = &[$(Without::$without,)*];

        $(
            #[allow(non_snake_case, reason = "the safeguard's name")]
            mod $without {
                use super::*;

                #[test]
                fn $case() {
                    let run = |store: Broken| {
                        conformance::run(stringify!($case), async || store, conformance::$topic::$case);
                    };
                    assert_found_out(stringify!($case), $clause, run, Without::$without);
                }
            }
        )*
    };
}

#[test]
fn random_walks_find_most_of_the_mistakes_by_themselves() {
    let walked = |without| complaint(|| conformance::walk("a walk", async || Broken::new(without)));
    assert_eq!(walked(Without::Nothing), None);
    let mut missed = Vec::new();
    for &without in ALL {
        match walked(without) {
            Some(complaint) => assert!(complaint.contains("SESSIONS_TEST_SEED="), "{complaint}"),
            None => missed.push(without),
        }
    }
    // What needs two at once, a clock that steps back, a deadline, or a record of its own kind is not walked into.
    assert!(missed.len() <= 16, "{} of {}: {missed:?}", missed.len(), ALL.len());
}

safeguards! {
    VersionCheck, records::only_the_expected_version_is_replaced, "if the stored version is the expected one";
    CheckOfEveryBit, records::every_bit_of_a_version_counts, "if the stored version is the expected one";
    CurrentConflicts, records::a_conflict_shows_the_current_record, "the answer is the record that is stored";
    CreationOfTheAbsent, records::a_creation_never_takes_over_a_session, "if the stored version is the expected one";
    WritesThatFind, records::a_write_never_creates_what_it_expected_to_find, "Never revives";
    WritesThatStateTheEnd, records::a_write_states_when_the_session_expires, "A write states when the session expires";
    WholeRecords, records::what_was_written_is_read_back_byte_for_byte, "byte for byte";
    OrderOfManyLoads, records::many_loads_are_answered_as_each_alone_in_their_order, "in the order of `ids`";
    Buckets, records::the_same_sid_in_another_bucket_is_another_session, "An id is its bucket and its sid";
    LastSeen, time::the_last_use_is_told_with_every_record, "later after a touch";
    LastSeenThatOnlyGrows, time::a_touch_never_moves_the_last_use_back, "Never shortens either";
    Reasons, endings::an_ending_tells_its_reason, "leaves a tombstone";
    FirstReason, endings::an_ending_keeps_its_first_reason, "keeps its reason";
    EndsOfTheLivingAlone, endings::the_end_of_an_absent_session_is_nothing, "those that were live";
    EndedApartFromAbsent, endings::an_ending_tells_its_reason, "leaves a tombstone";
    DeadWriters, endings::a_late_write_never_undoes_an_end, "Never revives";
    Tombstones, endings::a_creation_meets_the_tombstone, "No record and no tombstone";
    TouchesThatSpareTheDead, endings::a_touch_revives_nothing, "never revives";
    TakenIds, limits::an_id_that_is_taken_is_not_admitted, "The id is taken";
    ExactExpiry, time::expiry_is_exact_without_a_sweep, "dead from that millisecond on";
    EndlessLives, time::a_session_may_never_expire, "A session is live until";
    TouchesThatProlong, time::a_touch_prolongs_a_session, "until when it lives now";
    TouchesThatNeverShorten, time::a_touch_never_shortens_a_session, "Never shortens either";
    TouchesThatSpareTheVersion, time::a_touch_changes_no_version, "The record and its version stay";
    DeadlinesOfWrites, time::a_write_after_its_deadline_is_not_applied, "After this instant";
    DeadlinesOfLogins, time::a_login_after_its_deadline_is_not_admitted, "After this instant";
    MonotoneClock, time::a_clock_that_steps_back_revives_nothing, "Clocks step back";
    Limits, limits::reject_refuses_only_the_new_login, "The most live sessions";
    LimitsOfTheLiving, limits::expired_sessions_do_not_count, "The most live sessions";
    TheOldestEvicted, limits::evict_oldest_goes_by_the_order_of_logins, "within the limit";
    EvictionAtTheLimitAlone, limits::evict_all_leaves_only_the_new_one_and_only_at_the_limit, "The most live sessions";
    Replacement, limits::a_replaced_session_does_not_count_and_is_superseded, "this one replaces";
    ReplacementOfOnesOwn, limits::no_one_replaces_another_owners_session, "of the same owner";
    RefusalsThatChangeNothing, limits::a_refused_login_changes_nothing, "A login that is refused changes nothing";
    KindsOfOwners, limits::a_limit_is_one_owners, "`user:7` and `service:7` are two";
    VisitorsApart, limits::anonymous_sessions_count_for_no_one, "The most live sessions";
    Stamps, revocation::a_login_that_began_before_a_revocation_of_all_is_refused, "were revoked after this stamp";
    StampsThatOnlyGrow, revocation::a_revocation_that_comes_late_does_not_undo_a_later_one, "does not undo it";
    StampsWithoutASession, revocation::a_revocation_is_remembered_without_a_session, "is remembered at least";
    Except, revocation::a_revocation_of_the_others_keeps_one, "The one session to keep";
    ExceptOfOnesOwn, revocation::a_revocation_keeps_only_what_is_the_owners, "The one session to keep";
    OrderOfLogins, listing::a_list_is_in_the_order_of_logins, "oldest login first";
    PagesThatFollow, listing::pages_follow_each_other, "after the id `after`";
    PagesThatLeaveNoOneOut, listing::a_page_after_an_ended_session_leaves_no_one_out, "never leaves out";
    ListsOfTheLiving, listing::a_page_is_of_live_sessions, "Lists the live sessions";
    CurrentLists, listing::a_list_shows_the_current_records, "Lists the live sessions";
    BoundsOfSweeps, upkeep::a_sweep_keeps_to_its_bound, "Frees at most";
    SweepsOfTheDeadAlone, upkeep::a_sweep_frees_no_live_session, "it leaves the live sessions";
    Counts, upkeep::counts_are_exact_after_a_sweep, "Counts what is stored";
    SecondShutdown, upkeep::a_second_shutdown_is_fine, "never confused";
    AtomicWrites, concurrency::one_of_many_writes_on_a_version_wins, "It is atomic";
    AtomicCreations, concurrency::one_of_many_creations_wins, "It is atomic";
    AtomicLimits, concurrency::simultaneous_logins_keep_to_the_limit, "It is atomic";
    AtomicEnds, concurrency::one_of_many_ends_has_ended_it, "those that were live";
}
