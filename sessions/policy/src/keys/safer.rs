//! Which values of a key are the safer ones, so that a change can be called weaker or stronger. Not whether a value is
//! acceptable: the lints judge that.

/// Which values of a key are the safer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Safer {
    /// None: the key is a matter of taste, or of what the application does.
    Neither,
    /// A shorter time. Without one, time never runs out.
    Shorter,
    /// A shorter time. Without one, what it is the time of isn't there.
    ShorterOrNone,
    /// A smaller number. Without one, or with the word, there is no limit.
    Smaller,
    /// `true`.
    True,
    /// The word that stands earlier here.
    Earlier(&'static [&'static str]),
    /// A list that leaves something out. The word stands for everything.
    Fewer,
    /// That nobody writes the key.
    Unset,
    /// A cookie's name whose prefix makes the browser check more.
    Prefixed,
}

impl Safer {
    /// What is safer, as the end of a sentence; `None` where nothing is.
    pub fn phrase(self) -> Option<String> {
        Some(match self {
            Self::Neither => return None,
            Self::Shorter => "shorter; without one, time never runs out".to_owned(),
            Self::ShorterOrNone => "shorter, or none".to_owned(),
            Self::Smaller => "smaller".to_owned(),
            Self::True => "`true`".to_owned(),
            Self::Earlier(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
                quoted.join(", then ")
            }
            Self::Fewer => "fewer entries".to_owned(),
            Self::Unset => "none".to_owned(),
            Self::Prefixed => "a name with `__Host-Http-`, then `__Host-`, `__Http-`, `__Secure-`".to_owned(),
        })
    }
}
