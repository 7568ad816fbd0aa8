//! A handler finds its policy by the policy's name, and the name of a struct's policy only the compiler knows: so the
//! compiler is asked whether each name stands for one policy, and each struct where its policy's name looks for it.

/// One policy in the call of `policies!`.
#[derive(Debug)]
pub struct Named {
    name: &'static str,
    /// Whether it declares the policy, so that nothing else can.
    declares: bool,
    of_struct: Option<Listed>,
}

/// How a struct is listed.
#[derive(Debug)]
struct Listed {
    /// The struct's own name.
    ident: &'static str,
    /// The policy that a handler must name to get its type in the module.
    found_as: &'static str,
    /// Whether something else declares that policy.
    is_taken: bool,
}

/// A policy that the call itself declares.
pub const fn inline(name: &'static str) -> Named {
    Named { name, declares: true, of_struct: None }
}

/// A struct that the call lists. The declaration is behind a reference, as the compiler can't drop one.
pub const fn listed(
    name: &'static str,
    declaration: &Option<sessions_policy::Declaration>,
    ident: &'static str,
    found_as: &'static str,
    is_taken: bool,
) -> Named {
    Named { name, declares: declaration.is_some(), of_struct: Some(Listed { ident, found_as, is_taken }) }
}

/// Refuses the struct at `index` where a handler wouldn't find its policy, or where an earlier one declares it too.
///
/// # Panics
/// When the program is compiled: with what is wrong, and its fix.
pub const fn refuse_name(policies: &[Named], index: usize) {
    let policy = &policies[index];
    let Some(listed) = &policy.of_struct else { return };
    let mut earlier = 0;
    while earlier < index {
        let other = &policies[earlier];
        let is_twice = policy.declares && other.declares && is_same(policy.name, other.name);
        assert!(!is_twice, "{}", declared_twice(policy.name, listed, other).as_str());
        earlier += 1;
    }
    let is_found = is_same(policy.name, listed.found_as);
    assert!(is_found || !policy.declares, "{}", not_found(policy.name, listed).as_str());
    assert!(is_found || !listed.is_taken, "{}", misleading(policy.name, listed).as_str());
}

const fn declared_twice(name: &str, listed: &Listed, other: &Named) -> Text {
    let text =
        Text::new().and("the policy `").and(name).and("` is declared by the struct `").and(listed.ident);
    let text = match &other.of_struct {
        Some(other) => text.and("` and by the struct `").and(other.ident).and("`"),
        None => text.and("` and in the call of `policies!`"),
    };
    text.and(": keep one, or give one of the two another name")
}

const fn not_found(name: &str, listed: &Listed) -> Text {
    let text = Text::new().and("the struct `").and(listed.ident).and("` is the policy `").and(name);
    let text = text.and("`: list it as `").and(listed.ident).and(" as ").and_marker(name);
    text.and("`, so that `#[session(policy = \"").and(name).and("\")]` finds it")
}

const fn misleading(name: &str, listed: &Listed) -> Text {
    let text =
        Text::new().and("the struct `").and(listed.ident).and("` holds the data of the policy `").and(name);
    let text = text.and("`, but stands where the policy `").and(listed.found_as);
    text.and("` is looked for: rename it, or list it under another name, `").and(listed.ident).and(" as …`")
}

/// `==` for texts, which constants can't call.
pub(crate) const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// The most bytes of a message; what goes beyond is left out.
const LONGEST: usize = 1024;

/// A message while the compiler puts it together.
struct Text {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Text {
    const fn new() -> Self {
        Self { bytes: [0; LONGEST], length: 0 }
    }

    const fn and(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        if self.length + text.len() > LONGEST {
            return self;
        }
        let mut index = 0;
        while index < text.len() {
            self.bytes[self.length] = text[index];
            self.length += 1;
            index += 1;
        }
        self
    }

    /// The type's name that the name of a policy gives: `api_token` is `ApiToken`.
    const fn and_marker(mut self, name: &str) -> Self {
        let name = name.as_bytes();
        let mut begins_word = true;
        let mut index = 0;
        while index < name.len() && self.length < LONGEST {
            if name[index] == b'_' {
                begins_word = true;
            } else {
                self.bytes[self.length] =
                    if begins_word { name[index].to_ascii_uppercase() } else { name[index] };
                self.length += 1;
                begins_word = false;
            }
            index += 1;
        }
        self
    }

    const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "a policy's name is taken, or isn't found",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of_struct(name: &'static str, declares: bool, found_as: &'static str) -> Named {
        Named { name, declares, of_struct: Some(Listed { ident: "Cart", found_as, is_taken: false }) }
    }

    #[test]
    fn data_of_one_policy_may_be_in_many_structs() {
        refuse_name(&[of_struct("user", false, "cart"), of_struct("user", false, "notes")], 1);
        refuse_name(&[of_struct("user", true, "user"), of_struct("user", false, "notes")], 1);
    }

    #[test]
    #[should_panic(
        expected = "the policy `cart` is declared by the struct `Cart` and in the call of `policies!`"
    )]
    fn a_name_is_declared_once() {
        refuse_name(&[inline("cart"), of_struct("cart", true, "cart")], 1);
    }

    #[test]
    #[should_panic(
        expected = "the struct `Cart` is the policy `api_token`: list it as `Cart as ApiToken`, so that"
    )]
    fn a_struct_is_found_by_the_name_of_its_policy() {
        refuse_name(&[of_struct("api_token", true, "cart")], 0);
    }

    #[test]
    #[should_panic(expected = "stands where the policy `cart` is looked for")]
    fn a_struct_hides_no_other_policy() {
        let listed = Listed { ident: "Cart", found_as: "cart", is_taken: true };
        refuse_name(&[Named { name: "user", declares: false, of_struct: Some(listed) }], 0);
    }
}
