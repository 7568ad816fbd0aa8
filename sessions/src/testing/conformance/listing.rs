//! Lists: an owner's live sessions, by login, page by page.

use super::{
    clause,
    kit::{HOUR, Kit, NOW, ada, adas, change, login, of, owner, seen},
};
use crate::store::{Admit, Cas, EndReason, SessionId, SessionStore, Version};

/// Five sessions, in this order.
const LOGINS: [usize; 5] = [4, 2, 0, 1, 3];

async fn logged_in<S: SessionStore>(kit: &Kit<S>) {
    for (order, number) in LOGINS.into_iter().enumerate() {
        kit.log_in(of(ada(), number), ada(), NOW + order as u64).await;
    }
}

async fn page<S: SessionStore>(kit: &Kit<S>, after: Option<SessionId>, limit: usize) -> Vec<SessionId> {
    kit.listed(ada(), after, limit, NOW + 10).await.iter().map(|listed| listed.id).collect()
}

/// The order is that of the logins, not of ids, uses or writes.
pub async fn a_list_is_in_the_order_of_logins<S: SessionStore>(kit: Kit<S>) {
    logged_in(&kit).await;
    kit.touch(seen(of(ada(), 4), Some(ada()), NOW + 8, NOW + 5 * HOUR)).await;
    kit.cas(Cas { owner: Some(ada()), ..change(of(ada(), 2), 1, NOW + 9) }).await;
    kit.same(clause::LIST, "the list", kit.ids_of(ada(), NOW + 10).await, adas(LOGINS));
}

/// Logins of one millisecond have an order too.
pub async fn logins_of_one_millisecond_are_in_order<S: SessionStore>(kit: Kit<S>) {
    for number in LOGINS {
        kit.log_in(of(ada(), number), ada(), NOW).await;
    }
    kit.same(clause::LIST, "the list", kit.ids_of(ada(), NOW).await, adas(LOGINS));
}

/// Pages follow each other without a gap or an overlap.
pub async fn pages_follow_each_other<S: SessionStore>(kit: Kit<S>) {
    logged_in(&kit).await;
    kit.same(clause::LIST, "the first two", page(&kit, None, 2).await, adas([4, 2]));
    kit.same(clause::LIST, "two after them", page(&kit, Some(of(ada(), 2)), 2).await, adas([0, 1]));
    kit.same(clause::LIST, "two after those", page(&kit, Some(of(ada(), 1)), 2).await, adas([3]));
    kit.same(clause::LIST, "two after the last", page(&kit, Some(of(ada(), 3)), 2).await, vec![]);
    kit.same(clause::LIST, "a page of none", page(&kit, None, 0).await, vec![]);
}

/// A page that follows a session which has ended meanwhile leaves no one out.
pub async fn a_page_after_an_ended_session_leaves_no_one_out<S: SessionStore>(kit: Kit<S>) {
    logged_in(&kit).await;
    kit.end_of(of(ada(), 2), Some(ada()), EndReason::LoggedOut, NOW + 9).await;
    let ids = page(&kit, Some(of(ada(), 2)), 10).await;
    let is_whole = ids == adas([0, 1, 3]) || ids == adas([4, 0, 1, 3]);
    kit.holds(clause::LIST_ANEW, is_whole, format_args!("the page: {ids:?}"));
}

/// What has ended or expired is not listed, and takes no place on a page.
pub async fn a_page_is_of_live_sessions<S: SessionStore>(kit: Kit<S>) {
    kit.admit(Admit { expires: NOW + 5, ..login(of(ada(), 9), ada(), NOW) }).await;
    logged_in(&kit).await;
    kit.end_of(of(ada(), 2), Some(ada()), EndReason::LoggedOut, NOW + 9).await;
    kit.same(clause::LIST, "the first two", page(&kit, None, 2).await, adas([4, 0]));
    kit.same(clause::LIST, "two after them", page(&kit, Some(of(ada(), 0)), 2).await, adas([1, 3]));
}

/// A list is of one owner, and of none who never logged in.
pub async fn a_list_is_of_one_owner<S: SessionStore>(kit: Kit<S>) {
    logged_in(&kit).await;
    kit.log_in(of(owner(2), 9), owner(2), NOW).await;
    let ids = kit.ids_of(owner(2), NOW + 10).await;
    kit.same(clause::LIST, "another owner's list", ids, vec![of(owner(2), 9)]);
    kit.same(clause::LIST, "a stranger's list", kit.ids_of(owner(3), NOW + 10).await, vec![]);
    let stray = kit.listed(owner(2), Some(of(ada(), 4)), 10, NOW + 10).await;
    let ids: Vec<_> = stray.iter().map(|listed| listed.id).collect();
    let is_fine = ids.is_empty() || ids == [of(owner(2), 9)];
    kit.holds(clause::LIST, is_fine, format_args!("a list after another owner's session: {ids:?}"));
}

/// The records in a list are those that a load would find.
pub async fn a_list_shows_the_current_records<S: SessionStore>(kit: Kit<S>) {
    logged_in(&kit).await;
    kit.cas(Cas { owner: Some(ada()), ..change(of(ada(), 0), 1, NOW + 8) }).await;
    for listed in kit.listed(ada(), None, 10, NOW + 10).await {
        let crate::store::Loaded::Live(stored) = kit.load(listed.id, NOW + 10).await else {
            return kit.holds(clause::LIST, false, format_args!("{:?} is listed and not live", listed.id));
        };
        let is_same = listed.stored.record == stored.record && listed.stored.last_seen == stored.last_seen;
        let version = Version::of_record(&listed.stored.record).as_u64();
        kit.holds(
            clause::LIST,
            is_same,
            format_args!("version {version} of {:?}, not the current", listed.id),
        );
    }
}
