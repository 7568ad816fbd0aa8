//! The settings that are one of a few words. Each enum carries its words, from which the table of keys,
//! the parser and the reference page read them.

/// Declares an enum with the word of each variant, as configuration spells it.
macro_rules! choices {
    ($(
        $(#[$meta:meta])*
        $name:ident { $( $(#[$doc:meta])* $variant:ident = $word:literal, )+ }
    )+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $( $(#[$doc])* $variant, )+ }

        impl $name {
            /// Every word of this setting, as configuration spells it.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word of this value, as configuration spells it.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }

            pub(crate) fn from_word(word: &str) -> Option<Self> {
                match word { $( $word => Some(Self::$variant), )+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}

choices! {
    /// Whether activity moves a session's end.
    Renew {
        /// `ttl` counts from login or creation.
        Fixed = "fixed",
        /// Each activity renews `ttl`, never past `absolute_timeout`.
        Sliding = "sliding",
    }
    /// What counts as activity, which `idle_timeout` and a sliding `ttl` go by.
    Activity {
        /// Every request that opens the session.
        Use = "use",
        /// Only a request that changes it: a page that asks for news keeps no session alive.
        Change = "change",
    }
    /// What a session has to be, so that a socket may be opened on it.
    SocketRequire {
        /// Someone has logged in.
        Authenticated = "authenticated",
        /// Any stored session will do, a visitor's too.
        Session = "session",
    }
    /// How the page that opens a socket proves its session.
    SocketCredential {
        /// By what the policy's transport carries: the cookie, or a header.
        Transport = "transport",
        /// By the session's id as a subprotocol, for programs that may not set a header.
        Subprotocol = "subprotocol",
        /// By a ticket for one use, as a subprotocol.
        Ticket = "ticket",
    }
    /// What of a socket counts as activity of its session.
    SocketActivity {
        /// A message from the client: text or binary, no ping.
        Message = "message",
        /// Nothing but what the socket writes to the session.
        None = "none",
        /// That it is open.
        Connected = "connected",
    }
    /// Which codes close a socket whose session is over.
    CloseCodes {
        /// 4401 for every ending; the reason says which.
        One = "one",
        /// 4403 where a change of privilege gave the session another id, 4408 where it was idle, 4401 for the others.
        ByReason = "by_reason",
    }
    /// What a session belongs to.
    Scope {
        /// One request: never stored, never a cookie.
        Request = "request",
        /// One connection, such as a socket.
        Connection = "connection",
        /// A person or service.
        User = "user",
        /// A device, for as long as it is kept signed in.
        Device = "device",
    }
    /// What becomes of recorded changes when the handler answers with a 5xx.
    OnServerError {
        /// They are dropped; an ending made in that handler stands all the same.
        Drop = "drop",
        /// They are written.
        Keep = "keep",
    }
    /// What becomes of a plain set of a key that another request changed since it was read.
    OnConflict {
        /// It overwrites, and an event says so.
        LastWrite = "last_write",
        /// The request is refused with 409.
        Reject = "reject",
        /// It can't happen: requests of one session take turns, in one process and over all that share a store.
        Serial = "serial",
    }
    /// How the values of a session are written. Each value carries its codec, so that all are read whatever this says.
    Codec {
        /// As JSON text.
        Json = "json",
        /// As MessagePack, with the names of fields.
        MessagePack = "messagepack",
    }
    /// How requests without any sign of a browser are treated on unsafe methods.
    Csrf {
        /// Allowed where both `Sec-Fetch-Site` and `Origin` are absent: no browser sent it.
        Standard = "standard",
        /// Refused where both are absent.
        Strict = "strict",
    }
    /// The field in which a proxy tells whom it speaks for.
    ForwardedHeader {
        /// `X-Forwarded-For`: a list of addresses, to which each proxy adds the one that it was reached from.
        XForwardedFor = "x-forwarded-for",
        /// `Forwarded` (RFC 7239).
        Forwarded = "forwarded",
    }
    /// What a login beyond `max_sessions_per_principal` does.
    BehaviorOnLimit {
        /// The new login is refused; nobody else's session changes.
        Reject = "reject",
        /// The oldest sessions end, as many as needed.
        EvictOldest = "evict_oldest",
        /// All other sessions end.
        EvictAll = "evict_all",
    }
    /// How the session's id travels.
    Adapter {
        /// In a cookie.
        Cookie = "cookie",
        /// In a header of request and response.
        Header = "header",
        /// In `Authorization: Bearer` of the request (RFC 6750), and in a header of the response.
        Bearer = "bearer",
        /// In one of several ways, in the order that the policy declares.
        Composite = "composite",
        /// In a way of the application's own.
        Custom = "custom",
    }
    /// The cookie's `SameSite` attribute (RFC 6265bis 4.1.2.7).
    SameSite {
        /// Sent only with requests from the same site.
        Strict = "strict",
        /// Also sent when a person follows a link from elsewhere.
        Lax = "lax",
        /// Sent always; needs `Secure`.
        None = "none",
    }
    /// When a Redis server's answer counts.
    #[derive(Default)]
    Durability {
        /// When the primary has a write.
        #[default]
        Primary = "primary",
        /// When a replica has it too. A write that none has in time is told as one that may be undone.
        Replicated = "replicated",
    }
    /// What is between a node and its PostgreSQL server.
    #[derive(Default)]
    Pooler {
        /// Nothing that takes part, or a pooler that lends a server's connection for as long as ours is open.
        #[default]
        None = "none",
        /// A pooler that lends one for a transaction, such as `PgBouncer` with `pool_mode = transaction`.
        Transaction = "transaction",
    }
    /// What a full memory store does with a newcomer.
    WhenFull {
        /// It makes room: anonymous sessions first.
        Evict = "evict",
        /// It refuses the newcomer.
        Refuse = "refuse",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_names_its_value() {
        for word in BehaviorOnLimit::WORDS {
            assert_eq!(BehaviorOnLimit::from_word(word).unwrap().as_str(), *word);
        }
        assert_eq!(SameSite::from_word("Lax"), None);
        assert_eq!(OnConflict::LastWrite.to_string(), "last_write");
    }
}
