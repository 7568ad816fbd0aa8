//! Endings: a tombstone tells why, and nothing gets past it.

use super::{
    clause,
    kit::{HOUR, Kit, Look, NOW, Wrote, ada, anonymous, change, creation, login, of, owner, seen},
};
use crate::store::{Admitted, Cas, EndReason, SessionId, SessionStore, TOMBSTONE_MS, Touched};

const REASONS: [EndReason; 6] = [
    EndReason::LoggedOut,
    EndReason::Revoked,
    EndReason::Evicted,
    EndReason::Expired,
    EndReason::Superseded,
    EndReason::Reuse,
];

/// A session of [`ada`] that has logged out.
async fn logged_out<S: SessionStore>(kit: &Kit<S>) -> SessionId {
    let id = of(ada(), 1);
    kit.log_in(id, ada(), NOW).await;
    let ended = kit.end_of(id, Some(ada()), EndReason::LoggedOut, NOW + 1).await;
    kit.same(clause::ENDED, "the end of a live session", ended, vec![id]);
    id
}

/// An ended session is ended, and not merely absent, whatever the reason was.
pub async fn an_ending_tells_its_reason<S: SessionStore>(kit: Kit<S>) {
    for (number, reason) in REASONS.into_iter().enumerate() {
        let id = anonymous(number);
        kit.create(id, NOW).await;
        kit.same(clause::ENDED, "the end of a live session", kit.end_one(id, reason, NOW).await, vec![id]);
        kit.same(clause::END, "a load after the end", kit.look(id, NOW + 1).await, Look::Ended(reason));
    }
}

/// A second end ends nothing and changes no reason.
pub async fn an_ending_keeps_its_first_reason<S: SessionStore>(kit: Kit<S>) {
    let id = logged_out(&kit).await;
    let again = kit.end_of(id, Some(ada()), EndReason::Revoked, NOW + 2).await;
    kit.same(clause::ENDED, "the end of a session that had ended", again, vec![]);
    let look = kit.look(id, NOW + 2).await;
    kit.same(clause::REASON, "a load after both", look, Look::Ended(EndReason::LoggedOut));
}

/// A slow request's write meets the tombstone.
pub async fn a_late_write_never_undoes_an_end<S: SessionStore>(kit: Kit<S>) {
    let id = logged_out(&kit).await;
    let late = kit.cas(Cas { owner: Some(ada()), ..change(id, 1, NOW + 2) }).await;
    let due = Wrote::Gone(Some(EndReason::LoggedOut));
    kit.same(clause::NEVER_REVIVES, "a write on an ended session", late, due);
    let look = kit.look(id, NOW + 2).await;
    kit.same(clause::NEVER_REVIVES, "a load afterwards", look, Look::Ended(EndReason::LoggedOut));
    kit.same(clause::NEVER_REVIVES, "the owner's sessions", kit.ids_of(ada(), NOW + 2).await, vec![]);
}

/// A creation does not take a tombstone for absence.
pub async fn a_creation_meets_the_tombstone<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    kit.end_one(anonymous(1), EndReason::LoggedOut, NOW).await;
    for now in [NOW, NOW + TOMBSTONE_MS - 1] {
        let outcome = kit.cas(creation(anonymous(1), now)).await;
        let due = Wrote::Gone(Some(EndReason::LoggedOut));
        kit.same(clause::CREATION, "a creation under the id of an ended session", outcome, due);
    }
}

/// A use that is noted late revives nothing.
pub async fn a_touch_revives_nothing<S: SessionStore>(kit: Kit<S>) {
    let id = logged_out(&kit).await;
    let touched = kit.touch(seen(id, Some(ada()), NOW + 2, NOW + HOUR)).await;
    kit.same(clause::TOUCH_NEVER, "a touch of an ended session", touched, Touched::Gone);
    let look = kit.look(id, NOW + 2).await;
    kit.same(clause::TOUCH_NEVER, "a load afterwards", look, Look::Ended(EndReason::LoggedOut));
}

/// A login never gets the id of a session that has ended.
pub async fn a_login_meets_the_tombstone<S: SessionStore>(kit: Kit<S>) {
    let id = logged_out(&kit).await;
    let admitted = kit.admit(login(id, ada(), NOW + 2)).await;
    kit.same(clause::TAKEN, "a login under the id of an ended session", admitted, Admitted::Exists);
    let look = kit.look(id, NOW + 2).await;
    kit.same(clause::TAKEN, "a load afterwards", look, Look::Ended(EndReason::LoggedOut));
}

/// A tombstone stands for a minute, over sweeps and beyond what the session's own end would have been.
pub async fn a_tombstone_stands_for_its_time<S: SessionStore>(kit: Kit<S>) {
    let id = anonymous(1);
    let short = Cas { expires: NOW + 5, ..creation(id, NOW) };
    kit.same(clause::CREATION, "a creation under a new id", kit.cas(short).await, Wrote::Stored);
    kit.end_one(id, EndReason::Superseded, NOW + 1).await;
    for now in [NOW + 2, NOW + 6, NOW + TOMBSTONE_MS] {
        kit.sweep_all(now).await;
        let look = kit.look(id, now).await;
        kit.same(clause::END, "a load within the minute", look, Look::Ended(EndReason::Superseded));
        let late = kit.cas(change(id, 1, now)).await;
        kit.same(clause::END, "a write within the minute", late, Wrote::Gone(Some(EndReason::Superseded)));
    }
}

/// A tombstone goes when its time is over: an ended session costs no room for ever.
pub async fn a_tombstone_goes_after_its_time<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    kit.end_one(anonymous(1), EndReason::LoggedOut, NOW).await;
    let later = NOW + TOMBSTONE_MS;
    kit.sweep_all(later).await;
    kit.same(clause::SWEPT, "a load after its time", kit.look(anonymous(1), later).await, Look::Absent);
    let outcome = kit.cas(creation(anonymous(1), later)).await;
    kit.same(clause::CREATION, "a creation after its time", outcome, Wrote::Stored);
}

/// The end of an absent session ends nothing and leaves nothing.
pub async fn the_end_of_an_absent_session_is_nothing<S: SessionStore>(kit: Kit<S>) {
    let ended = kit.end_one(anonymous(1), EndReason::LoggedOut, NOW).await;
    kit.same(clause::ENDED, "the end of an absent session", ended, vec![]);
    kit.same(clause::FOUR, "a load afterwards", kit.look(anonymous(1), NOW).await, Look::Absent);
}

/// An end is the end of one session.
pub async fn an_ending_ends_no_other_session<S: SessionStore>(kit: Kit<S>) {
    let id = logged_out(&kit).await;
    kit.log_in(of(ada(), 2), ada(), NOW + 2).await;
    kit.log_in(of(owner(2), 3), owner(2), NOW + 2).await;
    kit.create(anonymous(4), NOW + 2).await;
    kit.end_of(id, Some(ada()), EndReason::Revoked, NOW + 3).await;
    kit.end_one(anonymous(5), EndReason::Revoked, NOW + 3).await;
    for id in [of(ada(), 2), of(owner(2), 3), anonymous(4)] {
        kit.holds(clause::END, kit.is_live(id, NOW + 3).await, format_args!("{id:?} ended too"));
    }
    kit.same(clause::LIST, "the owner's sessions", kit.ids_of(ada(), NOW + 3).await, vec![of(ada(), 2)]);
}
