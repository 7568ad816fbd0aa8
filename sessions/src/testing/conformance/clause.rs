//! The clauses of the store contract, in the words of its documentation: a failing case names the one that is broken.

pub(super) const ATOMIC: &str =
    "It is atomic for the ids that it names, and every later call sees what it has acknowledged.";
pub(super) const EXPIRY: &str = "A session is live until the instant at which it expires, and dead from that \
    millisecond on, whether or not it was freed.";
pub(super) const CLOCKS: &str = "Clocks step back, and those of two callers differ: what was ended, or freed because it \
    had expired, is not live to an earlier clock either.";
pub(super) const IDS: &str =
    "An id is its bucket and its sid: the same sid in another bucket is another session.";
pub(super) const FOUR: &str = "Four answers are never confused";

pub(super) const LOAD: &str =
    "Reads one session: the record byte for byte as it was written, and when it was last seen.";
pub(super) const MANY: &str = "does, and answers in the order of `ids`";
pub(super) const LAST_SEEN: &str =
    "When the session was last seen: at least what the record says, later after a touch.";

pub(super) const CAS: &str = "Writes one record if the stored version is the expected one. If it is not, the answer is the record that is stored.";
pub(super) const CREATION: &str = "No record and no tombstone: creation.";
pub(super) const NEVER_REVIVES: &str =
    "Never revives: an ended or absent session answers CasOutcome::Gone, unless absence was expected.";
pub(super) const WRITE_EXPIRES: &str = "A write states when the session expires, sooner or later than before";
pub(super) const NEVER_BACK: &str = "it never moves the last use back";
pub(super) const DEADLINE: &str = "After this instant the write must not be applied any more.";

pub(super) const TOUCH: &str = "Notes that a session was seen, and until when it lives now.";
pub(super) const TOUCH_NEVER: &str = "Never shortens either, never revives.";
pub(super) const TOUCH_VERSION: &str = "The record and its version stay as they are.";

pub(super) const ADMIT: &str = "Stores a new session of an owner, within the limit: prunes expired ones, counts, evicts or \
    refuses, and inserts, in one atomic step.";
pub(super) const REFUSED: &str = "A login that is refused changes nothing.";
pub(super) const REPLACES: &str = "A session of the same owner that this one replaces: it is ended as superseded and does \
    not count.";
pub(super) const BEGAN: &str =
    "When the login began: refused if all sessions of the owner were revoked after this stamp.";
pub(super) const LIMIT: &str = "The most live sessions, the new one included.";
pub(super) const TAKEN: &str = "The id is taken: nothing changed.";
pub(super) const ADMIT_DEADLINE: &str = "After this instant the session must not be stored any more.";

pub(super) const END: &str = "Ends sessions: removes the record and leaves a tombstone for TOMBSTONE_MS.";
pub(super) const ENDED: &str = "The sessions that an End ended: those that were live.";
pub(super) const REASON: &str = "A session that has ended keeps its reason.";
pub(super) const END_OWNER: &str = "All sessions of an owner, and every login of it that began before.";
pub(super) const EXCEPT: &str = "The one session to keep.";
pub(super) const REMEMBERED: &str = "The revocation of all sessions of an owner is remembered at least until the owner has \
    had no session for TOMBSTONE_MS, and an earlier one that comes late does not undo it.";
pub(super) const OWNERS: &str = "`user:7` and `service:7` are two, and so is `user:7` of another policy.";

pub(super) const LIST: &str =
    "Lists the live sessions of an owner, oldest login first, at most `limit` after the id `after`.";
pub(super) const LIST_ANEW: &str =
    "If that session has ended meanwhile, the list may begin anew; it never leaves out a live session.";

pub(super) const SWEEP: &str =
    "Frees at most `limit` expired records or tombstones and tells how many it freed.";
pub(super) const SWEPT: &str = "Called until it frees none, it leaves the live sessions and the tombstones whose time is \
    not over.";
pub(super) const STATS: &str =
    "Counts what is stored. Counts may lag behind by what has expired and is not yet freed.";
pub(super) const SHUTDOWN: &str = "Makes everything acknowledged durable and releases what the store holds; other calls may \
    fail from then on, and a second call is fine.";

#[cfg(test)]
mod tests {
    /// Words alone: without the marks of comments, code and links.
    fn words(text: &str) -> String {
        let without = |text: &str| text.replace("///", " ").replace("//!", " ").replace(['`', '[', ']'], "");
        let text = without(text);
        let mut parts = text.split("](");
        let mut words = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            words.push_str(part.split_once(')').map_or("", |(_, rest)| rest));
        }
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_clause_stands_in_the_contract() {
        let contract = words(include_str!("../../store/mod.rs")) + &words(include_str!("../../token.rs"));
        let source = include_str!("clause.rs");
        let source = source.split("#[cfg(test)]").next().unwrap_or_default().replace("\\\n", " ");
        let clauses: Vec<_> = source.split('"').skip(1).step_by(2).map(words).collect();
        assert!(clauses.len() > 25, "{}", clauses.len());
        for clause in clauses {
            assert!(contract.contains(&clause), "the contract doesn't say: {clause}");
        }
    }
}
