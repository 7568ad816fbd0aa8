//! Typed states of one policy share its sessions, so each needs a namespace of its own. The compiler asks this.

use super::names::is_same;

/// Refuses two structs of one policy that keep their fields under one namespace. Each is its policy's name, its namespace,
/// and what to say if a later one has both too.
///
/// # Panics
/// When the program is compiled: with the text of the later of two such structs.
pub const fn refuse_shared_namespaces(states: &[(&str, &str, &str)]) {
    let mut later = 1;
    while later < states.len() {
        let mut earlier = 0;
        while earlier < later {
            let (one, other) = (&states[earlier], &states[later]);
            assert!(!(is_same(one.0, other.0) && is_same(one.1, other.1)), "{}", other.2);
            earlier += 1;
        }
        later += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_and_namespaces_may_each_be_shared() {
        refuse_shared_namespaces(&[]);
        refuse_shared_namespaces(&[("a", "x", ""), ("a", "y", ""), ("b", "x", "")]);
    }

    #[test]
    #[should_panic(expected = "the third")]
    fn both_together_may_not() {
        refuse_shared_namespaces(&[("a", "x", "the first"), ("b", "x", ""), ("a", "x", "the third")]);
    }
}
