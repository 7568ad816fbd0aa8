//! The profiles: which table of the file is laid over the rest.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::suggest::nearest;

/// Which table of the file is laid over the rest. It changes the severity of findings, never behaviour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// What a service runs as unless it is told otherwise.
    #[default]
    Production,
    /// A person's own machine.
    Development,
}

impl Profile {
    /// Every profile's name, which is also the name of its table.
    pub const NAMES: &'static [&'static str] = &["production", "development"];

    /// The profile's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
        }
    }

    /// Whether requests of this peer are served: the development profile accepts what production refuses, so it is for
    /// the machine itself only (SL095).
    pub fn admits(self, peer: IpAddr) -> bool {
        self == Self::Production || peer.to_canonical().is_loopback()
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "production" => Ok(Self::Production),
            "development" => Ok(Self::Development),
            _ => Err(UnknownProfile { suggestion: nearest(text, Self::NAMES).or_else(|| for_short(text)) }),
        }
    }
}

/// The profile that begins like this, as in `dev` or `Prod `.
fn for_short(text: &str) -> Option<String> {
    let word = text.trim_matches(|c: char| !c.is_ascii_alphabetic()).to_ascii_lowercase();
    let found = Profile::NAMES.iter().find(|name| word.len() >= 3 && name.starts_with(&word));
    found.map(|name| (*name).to_owned())
}

/// A name that is no profile's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProfile {
    suggestion: Option<String>,
}

impl UnknownProfile {
    /// The nearest profile's name.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }
}

impl fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a profile is `production` or `development`")?;
        match &self.suggestion {
            Some(nearest) => write!(f, ": did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownProfile {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_is_the_default() {
        assert_eq!(Profile::default(), Profile::Production);
    }

    #[test]
    fn development_is_for_the_machine_itself() {
        for (peer, is_here) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.7", false),
            ("::ffff:10.0.0.7", false),
            ("2001:db8::1", false),
        ] {
            let peer: IpAddr = peer.parse().unwrap();
            assert_eq!(Profile::Development.admits(peer), is_here, "{peer}");
            assert!(Profile::Production.admits(peer));
        }
    }

    #[test]
    fn a_misspelt_profile_names_the_nearest() {
        let refusal = "developement".parse::<Profile>().unwrap_err();
        assert_eq!(refusal.suggestion(), Some("development"));
        assert!(refusal.to_string().ends_with("did you mean `development`?"));
    }
}
