//! Where a Redis or Valkey server is: what a `url` of one says. Not a connection, and not what is kept there.

use std::fmt;

use zeroize::Zeroizing;

/// The port of a server that a `url` doesn't say.
const PORT: u16 = 6379;
/// The same for a Sentinel.
const SENTINEL_PORT: u16 = 26379;
/// The most nodes that a `url` may name.
const MOST_NODES: usize = 64;

/// The address of a Redis or Valkey server, of the Sentinels that know it, or of some nodes of a cluster.
///
/// `redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`, with `rediss` for TLS, several hosts with commas between them for a
/// cluster, and `redis+sentinel` or `rediss+sentinel` with `/NAME[/DATABASE]` for Sentinels and the name of what they watch.
/// A lone word before the `@` with a colon before it is a password; user and password are percent-encoded.
///
/// Neither user nor password is ever printed.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    nodes: Vec<(String, u16)>,
    tls: bool,
    username: Option<String>,
    password: Option<Zeroizing<String>>,
    sentinel: Option<String>,
    database: u16,
}

impl RedisAddress {
    /// Reads a `url`.
    ///
    /// ```
    /// use sessions_policy::RedisAddress;
    ///
    /// let address = RedisAddress::parse("rediss://shop:s3cret@sessions.internal/2")?;
    /// assert_eq!(address.nodes(), [("sessions.internal".to_owned(), 6379)]);
    /// assert!(address.is_tls());
    /// assert_eq!(address.database(), 2);
    /// assert_eq!(format!("{address:?}"), "RedisAddress(rediss://…@sessions.internal:6379/2)");
    /// # Ok::<_, sessions_policy::ParseRedisAddressError>(())
    /// ```
    ///
    /// # Errors
    /// [`ParseRedisAddressError`], which tells what is wrong and what to write, without a part of the text.
    pub fn parse(url: &str) -> Result<Self, ParseRedisAddressError> {
        let refuse = |reason, help| Err(ParseRedisAddressError { reason, help });
        let Some((scheme, rest)) = url.split_once("://") else {
            return refuse("is no address", WRITE);
        };
        let (tls, watched) = match scheme {
            "redis" => (false, false),
            "rediss" => (true, false),
            "redis+sentinel" => (false, true),
            "rediss+sentinel" => (true, true),
            "sqlite" | "postgres" | "postgresql" => {
                return refuse("is the address of another kind of store than `redis`", WRITE);
            }
            _ => return refuse("begins with none of `redis://`, `rediss://`, `redis+sentinel://`", WRITE),
        };
        if rest.contains(['?', '#']) {
            let help = "write the address alone; encode a `?` or `#` of a password as `%3F` or `%23`";
            return refuse("has parameters, which nothing reads", help);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        let (username, password) = credentials.map_or(Ok((None, None)), read_credentials)?;
        let nodes = read_nodes(hosts, if watched { SENTINEL_PORT } else { PORT })?;
        let (sentinel, database) = read_path(path, watched)?;
        if nodes.len() > 1 && !watched && database != 0 {
            return refuse(
                "names a database of a cluster, which has one only",
                "leave out the `/` and its number",
            );
        }
        Ok(Self { nodes, tls, username, password, sentinel, database })
    }

    /// Hosts and ports, at least one. More than one are nodes of a cluster, or Sentinels.
    pub fn nodes(&self) -> &[(String, u16)] {
        &self.nodes
    }

    /// Whether it has a password.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Whether connections are encrypted, and the server's certificate is checked.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The user of the server's access control list, if it is not the default one.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// The user's password.
    pub fn password(&self) -> Option<&str> {
        self.password.as_ref().map(|password| password.as_str())
    }

    /// What the Sentinels call the primary, if the nodes are Sentinels.
    pub fn sentinel(&self) -> Option<&str> {
        self.sentinel.as_deref()
    }

    /// The number of the database.
    pub fn database(&self) -> u16 {
        self.database
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let watched = if self.sentinel.is_some() { "+sentinel" } else { "" };
        let user = if self.username.is_some() || self.password.is_some() { "…@" } else { "" };
        write!(f, "{scheme}{watched}://{user}")?;
        for (place, (host, port)) in self.nodes.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            if host.contains(':') {
                write!(f, "{comma}[{host}]:{port}")?;
            } else {
                write!(f, "{comma}{host}:{port}")?;
            }
        }
        if let Some(name) = &self.sentinel {
            write!(f, "/{name}")?;
        }
        if self.database != 0 { write!(f, "/{}", self.database) } else { Ok(()) }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisAddress({self})")
    }
}

/// Why a text is no [`RedisAddress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseRedisAddressError {
    reason: &'static str,
    help: &'static str,
}

impl ParseRedisAddressError {
    /// The end of a sentence that begins with the address's name.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// What to do.
    pub fn help(&self) -> &'static str {
        self.help
    }
}

impl fmt::Display for ParseRedisAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the address of a Redis store {}: {}", self.reason, self.help)
    }
}

impl std::error::Error for ParseRedisAddressError {}

const WRITE: &str = "write `\"redis://HOST\"`, `\"rediss://USER:PASSWORD@HOST:6380\"` for TLS, \
    `\"redis://HOST1,HOST2,HOST3\"` for a cluster, or `\"redis+sentinel://HOST1,HOST2,HOST3/NAME\"`";

type Credentials = (Option<String>, Option<Zeroizing<String>>);

fn read_credentials(text: &str) -> Result<Credentials, ParseRedisAddressError> {
    let (user, password) = match text.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (text, None),
    };
    let read = |part| decode(part).ok_or(ENCODING);
    let user = Some(read(user)?).filter(|user| !user.is_empty());
    let password = password.map(read).transpose()?.filter(|password| !password.is_empty());
    if user.is_some() && password.is_none() {
        return Err(ParseRedisAddressError {
            reason: "names a user without a password",
            help: "write `USER:PASSWORD@`, or `:PASSWORD@` for the default user",
        });
    }
    Ok((user, password.map(Zeroizing::new)))
}

const ENCODING: ParseRedisAddressError = ParseRedisAddressError {
    reason: "has a user or password that can't be read",
    help: "encode what is no letter or digit as `%` and two hexadecimal digits: `@` is `%40`, `/` is `%2F`, `%` is `%25`",
};

/// Undoes percent-encoding.
fn decode(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                bytes.push(digit(*high)? << 4 | digit(*low)?);
                rest = tail;
            }
            (b'%', _) => return None,
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

fn read_nodes(hosts: &str, port: u16) -> Result<Vec<(String, u16)>, ParseRedisAddressError> {
    let nodes: Option<Vec<_>> = hosts.split(',').map(|node| read_node(node, port)).collect();
    nodes.filter(|nodes| nodes.len() <= MOST_NODES).ok_or(ParseRedisAddressError {
        reason: "names a host or a port that can't be one",
        help: "write `HOST` or `HOST:PORT`, an address of IP version 6 in brackets, several with commas and without spaces",
    })
}

fn read_node(node: &str, fallback: u16) -> Option<(String, u16)> {
    let (host, port) = if let Some(rest) = node.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        (host, port)
    } else {
        let (host, port) = node.split_at(node.find(':').unwrap_or(node.len()));
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        (host.bytes().all(is_name) && !host.is_empty()).then_some((host, port))?
    };
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port != 0)?,
        None => port.is_empty().then_some(fallback)?,
    };
    Some((host.to_owned(), port))
}

fn read_path(path: &str, watched: bool) -> Result<(Option<String>, u16), ParseRedisAddressError> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let (name, database) = if watched {
        let (name, database) = path.split_once('/').unwrap_or((path, ""));
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(ParseRedisAddressError {
                reason: "doesn't name what the Sentinels watch",
                help: "write `redis+sentinel://HOST1,HOST2,HOST3/NAME`, with the name of `sentinel monitor`",
            });
        }
        (Some(name.to_owned()), database)
    } else {
        (None, path)
    };
    let database = if database.is_empty() { Some(0) } else { database.parse().ok() };
    let database = database.ok_or(ParseRedisAddressError {
        reason: "ends with what is no number of a database",
        help: "write `/0` to `/15`, or leave it out",
    })?;
    Ok((name, database))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        RedisAddress::parse(url).map_or_else(|error| error.reason().to_owned(), |address| address.to_string())
    }

    #[test]
    fn an_address_names_hosts_and_a_database() {
        for (url, address) in [
            ("redis://host", "redis://host:6379"),
            ("redis://10.0.0.1:7000/3", "redis://10.0.0.1:7000/3"),
            ("rediss://[::1]:6380/", "rediss://[::1]:6380"),
            ("redis://a,b:7001,[fe80::1]", "redis://a:6379,b:7001,[fe80::1]:6379"),
            ("redis+sentinel://a,b:1,c/main", "redis+sentinel://a:26379,b:1,c:26379/main"),
            ("rediss+sentinel://:x@a/main/2", "rediss+sentinel://…@a:26379/main/2"),
        ] {
            assert_eq!(shown(url), address, "{url}");
        }
    }

    #[test]
    fn user_and_password_are_decoded() {
        let address = RedisAddress::parse("redis://us%40er:p%2Fa%3A:s@host").unwrap();
        assert_eq!((address.username(), address.password()), (Some("us@er"), Some("p/a::s")));
        let address = RedisAddress::parse("redis://:secret@host").unwrap();
        assert_eq!((address.username(), address.password()), (None, Some("secret")));
    }

    #[test]
    fn another_text_is_refused_and_never_shown() {
        for url in [
            "",
            "hunter2",
            "host:6379",
            "http://hunter2",
            "sqlite://hunter2.db",
            "redis://",
            "redis:///0",
            "redis://hunter2@host",
            "redis://u:hunter2%@host",
            "redis://u:hunter2%fg@host",
            "redis://u:%ffhunter2@host",
            "redis://:hunter2@",
            "redis://:hunter2@ho st",
            "redis://:hunter2@host:99999",
            "redis://:hunter2@host:0",
            "redis://:hunter2@host/hunter2",
            "redis://:hunter2@host/-1",
            "redis://:hunter2@a,b/1",
            "redis://:hunter2@a,,b",
            "redis://:hunter2@host?db=1",
            "redis://:hunter2@[::1",
            "redis+sentinel://:hunter2@host",
            "redis+sentinel://:hunter2@host/",
            "redis+sentinel://:hunter2@host/main/x",
        ] {
            let error = RedisAddress::parse(url).unwrap_err();
            assert!(!error.help().is_empty() && !error.to_string().contains("hunter2"), "{url}: {error}");
        }
    }
}
