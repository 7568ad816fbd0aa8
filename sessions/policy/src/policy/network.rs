//! A set of addresses that share their first bits.

use std::{fmt, net::IpAddr, str::FromStr};

/// A network, as `10.0.0.0/8`, or a single address (RFC 4632 3.1, RFC 4291 2.3).
///
/// ```
/// use sessions_policy::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.1.2.3".parse().unwrap()));
/// assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()), "an IPv4 address, as IPv6 sockets tell it");
/// assert!(!network.contains("11.0.0.1".parse().unwrap()));
/// # Ok::<(), sessions_policy::ParseNetworkError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

/// A text that is no [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseNetworkError(&'static str);

impl Network {
    /// Whether an address is in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        masked(address.to_canonical(), self.prefix) == Some(self.first)
    }

    /// Whether it is every address of its family.
    pub fn is_everything(&self) -> bool {
        self.prefix == 0
    }
}

/// The address with all bits after the first `prefix` cleared; `None` where it has not so many.
fn masked(address: IpAddr, prefix: u8) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(address) => {
            let off = 32_u32.checked_sub(prefix.into())?;
            IpAddr::V4((address.to_bits() & u32::MAX.checked_shl(off).unwrap_or(0)).into())
        }
        IpAddr::V6(address) => {
            let off = 128_u32.checked_sub(prefix.into())?;
            IpAddr::V6((address.to_bits() & u128::MAX.checked_shl(off).unwrap_or(0)).into())
        }
    })
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let first: IpAddr = address.parse().map_err(|_| ParseNetworkError("is no address and no network"))?;
        let longest = if first.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(digits) => {
                let is_plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
                let prefix = digits.parse().ok().filter(|prefix| is_plain && *prefix <= longest);
                prefix.ok_or(ParseNetworkError("has no valid prefix length"))?
            }
        };
        if first != first.to_canonical() {
            return Err(ParseNetworkError("is an IPv4 address in IPv6 form"));
        }
        if masked(first, prefix) != Some(first) {
            return Err(ParseNetworkError("names an address inside the network, not its first"));
        }
        Ok(Self { first, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = if self.first.is_ipv4() { 32 } else { 128 };
        if self.prefix == longest { self.first.fmt(f) } else { write!(f, "{}/{}", self.first, self.prefix) }
    }
}

impl fmt::Display for ParseNetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ParseNetworkError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_what_begins_as_it_does() {
        for (network, address, is_in) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true),
            ("::/0", "10.0.0.1", false),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert_eq!(parsed.contains(address.parse().unwrap()), is_in, "{address} in {network}");
            assert_eq!(parsed.to_string(), network);
        }
    }

    #[test]
    fn what_is_no_network() {
        for text in [
            "",
            "*",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.1/8",
            "::/129",
            "10.0.0.0/8/8",
            "10.0.0",
            "proxy.example",
            "::ffff:10.0.0.1",
            "10.0.0.1:80",
            "[::1]",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
