//! What is stored of a session: a versioned binary envelope with one encoded value a field.
//!
//! ```text
//! 0   version       u32 counter, u32 random; all ones is never a record
//! 8   last seen     u64 milliseconds since the Unix epoch; the store moves it in place
//! 16  format        u8, 1
//! 17  flags         u8, bit 0: remembered
//! 18  created, started, deadline, authenticated, rotated    u64 each, milliseconds; 0 or all ones where absent
//! 58  digest        32 bytes, SHA-256 of the secret, tagged with the policy
//! 90  sections      tag u8, length LEB128, content; absent when unused
//! ```
//! All numbers are big endian. A section with a tag that this version does not know is carried through unchanged, so
//! that old and new binaries can share a store. Section 9 is the lease of a request that has the session to itself: holder, 16
//! bytes; until, u64. Fields are sections of tag 32: space u8, codec u8, name, value. The whole format
//! is in `docs/RECORD.md`, and `vectors.json` has a record for each part of it.

mod codec;
mod fields;
mod seal;
pub(crate) mod wire;

use std::{net::IpAddr, sync::Arc};

use self::wire::{Reader, put_section};
pub(crate) use self::{
    codec::{Codec, CodecError},
    fields::{Field, FieldKey, FieldView, Fields, Part, Space},
    seal::{Binding, KeyRing, Nonce},
};
use crate::{
    store::{Millis, Stored},
    token::{Digest, Handle, SessionId},
};

const FORMAT: u8 = 1;
const HEAD: usize = 90;
const REMEMBERED: u8 = 1;
const NEVER: Millis = Millis::MAX;
/// How many earlier secrets a record remembers.
const RETIRED: usize = 16;

mod tag {
    pub(super) const POLICY: u8 = 1;
    pub(super) const HANDLE: u8 = 2;
    pub(super) const PRINCIPAL: u8 = 3;
    pub(super) const PREVIOUS: u8 = 4;
    pub(super) const RETIRED: u8 = 5;
    pub(super) const FORWARD: u8 = 6;
    pub(super) const FINGERPRINT: u8 = 7;
    pub(super) const AGENT: u8 = 8;
    pub(super) const LEASE: u8 = 9;
    pub(super) const ADDRESS: u8 = 10;
    pub(super) const FIELD: u8 = 32;
}

/// The version of a record: a counter, so that it changes, and a random half, so that a version never comes round
/// again with other content after a store has lost writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(u64);

impl Version {
    /// The version in the first eight bytes of a record; of fewer bytes, one that no record has.
    pub fn of_record(record: &[u8]) -> Self {
        Self(record.first_chunk().map_or(u64::MAX, |bytes| u64::from_be_bytes(*bytes)))
    }

    /// The version as a number.
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// Whether it is that of a record that nothing has changed yet.
    pub(crate) fn is_first(self) -> bool {
        self.0 >> 32 == 1
    }

    /// Whether it came before another version of the same record.
    pub(crate) fn is_before(self, other: Self) -> bool {
        self.0 >> 32 < other.0 >> 32
    }

    /// The first version of a new record.
    pub(crate) fn first() -> Self {
        Self(1 << 32 | u64::from(rand::random::<u32>()))
    }

    /// The version after this one.
    pub(crate) fn next(self) -> Self {
        // The counter stays below all ones, which is reserved.
        let counter = ((self.0 >> 32) + 1) % 0xffff_ffff;
        Self(counter << 32 | u64::from(rand::random::<u32>()))
    }
}

/// The secret before the current one, and what its holders need to find the current one.
#[derive(Clone)]
pub(crate) struct Previous {
    pub(crate) digest: Digest,
    /// Until when it is accepted.
    pub(crate) until: Millis,
    /// The current secret, readable with the previous one.
    pub(crate) wrapped: [u8; 32],
    /// Whether someone has used the current secret.
    pub(crate) successor_used: bool,
}

/// How an earlier secret came out of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retirement {
    /// By time: using it after its successor is a sign of theft.
    Periodic,
    /// By a change of privilege: requests that were under way may still show it, so it is merely of no use.
    Privilege,
}

/// An earlier secret of the lineage.
#[derive(Clone, Copy)]
pub(crate) struct Retired {
    pub(crate) digest: [u8; 16],
    pub(crate) how: Retirement,
}

/// Where a session is moving to, and until when the move is under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forward {
    pub(crate) to: SessionId,
    pub(crate) until: Millis,
}

/// Which request has the session to itself, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) holder: [u8; 16],
    pub(crate) until: Millis,
}

/// A decoded record. Its fields stay encoded until someone asks for one.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) version: Version,
    pub(crate) last_seen: Millis,
    /// When the lineage began.
    pub(crate) created: Millis,
    /// From when its lifetimes count: creation, or the last login.
    pub(crate) started: Millis,
    /// When it ends at the latest, as promised when it started.
    pub(crate) deadline: Option<Millis>,
    pub(crate) authenticated: Option<Millis>,
    /// When its secret was minted.
    pub(crate) rotated: Millis,
    pub(crate) remembered: bool,
    pub(crate) digest: Digest,
    pub(crate) handle: Handle,
    /// The bytes that it was read from.
    pub(crate) stored: Option<Arc<[u8]>>,
    pub(crate) principal: Option<Part>,
    pub(crate) previous: Option<Box<Previous>>,
    pub(crate) retired: Vec<Retired>,
    pub(crate) forward: Option<Forward>,
    pub(crate) lease: Option<Box<Lease>>,
    pub(crate) fingerprint: Option<[u8; 16]>,
    /// The user agent of the login, as text.
    pub(crate) agent: Option<Part>,
    /// Where the login came from.
    pub(crate) address: Option<IpAddr>,
    pub(crate) fields: Fields,
    /// Sections of versions to come, as they were read.
    pub(crate) unknown: Vec<(u8, Vec<u8>)>,
}

impl Record {
    /// Reads a stored record of a policy; `None` if it is not one.
    pub(crate) fn decode(stored: &Stored, policy: &str) -> Option<Arc<Self>> {
        let mut wire = Reader::new(&stored.record);
        let version = Version(wire.u64()?);
        let last_seen = wire.u64()?.max(stored.last_seen);
        if wire.byte()? != FORMAT || version.0 == u64::MAX {
            return None;
        }
        let flags = wire.byte()?;
        let (created, started, deadline) = (wire.u64()?, wire.u64()?, wire.u64()?);
        let (authenticated, rotated) = (wire.u64()?, wire.u64()?);
        // In its place from the beginning: a record is large to be moved there.
        let mut decoded = Arc::new(Self {
            version,
            last_seen,
            created,
            started,
            deadline: (deadline != NEVER).then_some(deadline),
            authenticated: (authenticated != 0).then_some(authenticated),
            rotated,
            remembered: flags & REMEMBERED != 0,
            digest: Digest(wire.array()?),
            handle: Handle::from_bytes([0; 16]),
            stored: Some(Arc::clone(&stored.record)),
            principal: None,
            previous: None,
            retired: Vec::new(),
            forward: None,
            lease: None,
            fingerprint: None,
            agent: None,
            address: None,
            fields: Fields::none(),
            unknown: Vec::new(),
        });
        let record = Arc::get_mut(&mut decoded)?;
        let (mut is_policys, mut first_field) = (false, None);
        while !wire.is_empty() {
            let before = wire.rest().len();
            let (tag, content) = wire.section()?;
            let start = stored.record.len() - wire.rest().len() - content.len();
            match tag {
                tag::FIELD => {
                    // Only that it is one: most fields of most requests are never looked at.
                    FieldView::decode(content)?;
                    first_field.get_or_insert(stored.record.len() - before);
                }
                tag::PRINCIPAL => {
                    record.principal = Some(Part::stored(start, content.len()));
                }
                tag::AGENT => record.agent = Some(Part::stored(start, content.len())),
                tag::POLICY => is_policys = content == policy.as_bytes(),
                _ => record.read_section(tag, content)?,
            }
        }
        if let Some(start) = first_field {
            record.fields = Fields::stored(&stored.record, start);
        }
        is_policys.then_some(decoded)
    }

    /// Whether stored bytes are the record of another policy.
    pub(crate) fn is_anothers(stored: &Stored, policy: &str) -> bool {
        let mut wire = Reader::new(stored.record.get(HEAD..).unwrap_or_default());
        let mut sections = std::iter::from_fn(|| wire.section());
        sections.any(|(tag, content)| tag == tag::POLICY && content != policy.as_bytes())
    }

    fn read_section(&mut self, tag: u8, content: &[u8]) -> Option<()> {
        let mut wire = Reader::new(content);
        match tag {
            tag::HANDLE => self.handle = Handle::from_bytes(wire.array()?),
            tag::PREVIOUS => {
                self.previous = Some(Box::new(Previous {
                    digest: Digest(wire.array()?),
                    until: wire.u64()?,
                    wrapped: wire.array()?,
                    successor_used: wire.byte()? != 0,
                }));
            }
            tag::RETIRED => {
                while !wire.is_empty() {
                    let how = if wire.byte()? == 0 { Retirement::Periodic } else { Retirement::Privilege };
                    self.retired.push(Retired { digest: wire.array()?, how });
                }
            }
            tag::FORWARD => {
                let bucket = u16::from_be_bytes(wire.array()?);
                self.forward =
                    Some(Forward { to: SessionId::new(bucket, wire.array()?), until: wire.u64()? });
            }
            tag::LEASE => {
                self.lease = Some(Box::new(Lease { holder: wire.array()?, until: wire.u64()? }));
            }
            tag::FINGERPRINT => self.fingerprint = Some(wire.array()?),
            tag::ADDRESS => {
                self.address = Some(match content.len() {
                    4 => wire.array::<4>()?.into(),
                    16 => wire.array::<16>()?.into(),
                    _ => return None,
                });
            }
            other => self.unknown.push((other, content.to_vec())),
        }
        Some(())
    }

    /// The same record after a use.
    pub(crate) fn seen_at(&self, at: Millis) -> Arc<Self> {
        Arc::new(Self { last_seen: at, ..self.clone() })
    }

    /// The same record with other fields.
    pub(crate) fn with_fields(&self, fields: Fields) -> Self {
        Self {
            stored: self.stored.clone(),
            principal: self.principal.clone(),
            previous: self.previous.clone(),
            retired: self.retired.clone(),
            agent: self.agent.clone(),
            lease: self.lease.clone(),
            unknown: self.unknown.clone(),
            fields,
            ..*self
        }
    }

    /// Writes the record as it is stored.
    pub(crate) fn encode(&self, policy: &str) -> Arc<[u8]> {
        let mut bytes = Vec::with_capacity(self.encoded_hint());
        bytes.extend_from_slice(&self.version.0.to_be_bytes());
        bytes.extend_from_slice(&self.last_seen.to_be_bytes());
        bytes.push(FORMAT);
        bytes.push(if self.remembered { REMEMBERED } else { 0 });
        for instant in [
            self.created,
            self.started,
            self.deadline.unwrap_or(NEVER),
            self.authenticated.unwrap_or(0),
            self.rotated,
        ] {
            bytes.extend_from_slice(&instant.to_be_bytes());
        }
        bytes.extend_from_slice(&self.digest.0);
        put_section(&mut bytes, tag::POLICY, policy.as_bytes());
        put_section(&mut bytes, tag::HANDLE, self.handle.as_bytes());
        if let Some(principal) = self.principal() {
            put_section(&mut bytes, tag::PRINCIPAL, principal);
        }
        if let Some(previous) = &self.previous {
            let mut content = Vec::with_capacity(73);
            content.extend_from_slice(&previous.digest.0);
            content.extend_from_slice(&previous.until.to_be_bytes());
            content.extend_from_slice(&previous.wrapped);
            content.push(previous.successor_used.into());
            put_section(&mut bytes, tag::PREVIOUS, &content);
        }
        if !self.retired.is_empty() {
            let mut content = Vec::with_capacity(self.retired.len() * 17);
            for retired in &self.retired {
                content.push(u8::from(retired.how == Retirement::Privilege));
                content.extend_from_slice(&retired.digest);
            }
            put_section(&mut bytes, tag::RETIRED, &content);
        }
        if let Some(forward) = &self.forward {
            let mut content = Vec::with_capacity(26);
            content.extend_from_slice(&forward.to.bucket().to_be_bytes());
            content.extend_from_slice(forward.to.sid());
            content.extend_from_slice(&forward.until.to_be_bytes());
            put_section(&mut bytes, tag::FORWARD, &content);
        }
        if let Some(lease) = &self.lease {
            let mut content = [0; 24];
            content[..16].copy_from_slice(&lease.holder);
            content[16..].copy_from_slice(&lease.until.to_be_bytes());
            put_section(&mut bytes, tag::LEASE, &content);
        }
        if let Some(fingerprint) = &self.fingerprint {
            put_section(&mut bytes, tag::FINGERPRINT, fingerprint);
        }
        if let Some(agent) = self.part(self.agent.as_ref()) {
            put_section(&mut bytes, tag::AGENT, agent);
        }
        match self.address {
            Some(IpAddr::V4(address)) => put_section(&mut bytes, tag::ADDRESS, &address.octets()),
            Some(IpAddr::V6(address)) => put_section(&mut bytes, tag::ADDRESS, &address.octets()),
            None => (),
        }
        for (tag, content) in &self.unknown {
            put_section(&mut bytes, *tag, content);
        }
        for field in self.fields.list() {
            field.encode(&mut bytes, tag::FIELD);
        }
        bytes.into()
    }

    /// The bytes that count against a policy's `max_size`: names and values of its fields, and its principal.
    pub(crate) fn payload(&self) -> usize {
        self.fields.list().iter().map(Field::size).sum::<usize>() + self.principal().map_or(0, <[u8]>::len)
    }

    fn encoded_hint(&self) -> usize {
        let fields: usize = self.fields.list().iter().map(|field| field.stored_size() + 8).sum();
        HEAD + 112 + self.principal().map_or(0, <[u8]>::len) + fields
    }

    /// Encrypts the fields that were written since the record was read; `None` if that can't be done.
    pub(crate) fn seal(
        &mut self,
        binding: Binding<'_>,
        mut nonce: impl FnMut() -> Option<Nonce>,
    ) -> Option<()> {
        if self.fields.are_changed() {
            for field in self.fields.edit() {
                field.seal(self.stored.as_ref(), binding, &mut nonce)?;
            }
        }
        Some(())
    }

    /// Decrypts what another session's fields have, so that it can be encrypted for this one. What can't be read is
    /// carried along as it is.
    pub(crate) fn open(&mut self, binding: Binding<'_>) {
        if self.fields.list().iter().any(Field::is_sealed) {
            self.fields.edit().iter_mut().for_each(|field| field.open(binding));
        }
    }

    /// Whether it holds more than another.
    pub(crate) fn is_larger_than(&self, other: &Self) -> bool {
        self.payload() > other.payload() || self.fields.list().len() > other.fields.list().len()
    }

    /// The encoded principal.
    pub(crate) fn principal(&self) -> Option<&[u8]> {
        self.part(self.principal.as_ref())
    }

    /// The user agent of the login.
    pub(crate) fn agent_text(&self) -> Option<String> {
        std::str::from_utf8(self.part(self.agent.as_ref())?).ok().map(str::to_owned)
    }

    fn part<'a>(&'a self, part: Option<&'a Part>) -> Option<&'a [u8]> {
        part.map(|part| part.bytes(self.stored.as_deref().unwrap_or_default()))
    }

    pub(crate) fn field(&self, space: Space, name: &str) -> Option<FieldView<'_>> {
        self.fields.find(space, name)
    }

    /// Takes the current secret's digest out of use.
    pub(crate) fn retire(&mut self, digest: Digest, how: Retirement) {
        if self.retired.len() >= RETIRED {
            self.retired.remove(0);
        }
        self.retired.push(Retired { digest: digest.short(), how });
    }

    /// How a digest that is neither the current nor the previous one came out of use, if it was ever issued.
    pub(crate) fn retirement(&self, digest: &Digest) -> Option<Retirement> {
        let short = digest.short();
        let found = self.retired.iter().find(|retired| {
            use subtle::ConstantTimeEq as _;
            retired.digest.ct_eq(&short).into()
        })?;
        Some(found.how)
    }

    /// What gave it the id that it has, as events name it. Only time keeps the secret before.
    pub(crate) fn rotation(&self) -> &'static str {
        if self.previous.is_some() { "time" } else { "privilege" }
    }

    pub(crate) fn is_authenticated(&self) -> bool {
        self.principal.is_some()
    }

    /// Whether a change of privilege came after `before`, an earlier record of the same session. A rotation by time is none.
    pub(crate) fn has_other_privileges(&self, before: &Self) -> bool {
        let last = |record: &Self| {
            let mut privilege = record.retired.iter().filter(|retired| retired.how == Retirement::Privilege);
            privilege.next_back().map(|retired| retired.digest)
        };
        self.authenticated != before.authenticated
            || self.principal() != before.principal()
            // One that is no longer remembered was not changed.
            || last(self).is_some_and(|mark| last(before) != Some(mark))
    }

    /// Whether this request has it to itself.
    pub(crate) fn is_leased_to(&self, holder: &[u8; 16]) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.holder == *holder)
    }

    /// The time now, or that of the last use where a clock is behind it.
    pub(crate) fn no_earlier(&self, now: Millis) -> Millis {
        now.max(self.last_seen)
    }

    pub(crate) fn is_moving(&self, now: Millis) -> bool {
        self.forward.is_some_and(|forward| forward.until > now)
    }
}

/// Whose a stored session is, as its record says: of any policy.
#[cfg(feature = "redis")]
pub(crate) fn owner_of(record: &[u8]) -> Option<crate::token::Owner> {
    let mut wire = Reader::new(record.get(HEAD..)?);
    let (mut policy, mut principal) = (None, None);
    while let Some((tag, content)) = wire.section() {
        match tag {
            tag::POLICY => policy = std::str::from_utf8(content).ok(),
            tag::PRINCIPAL => principal = crate::principal::SessionPrincipal::name_of(content),
            _ => {}
        }
    }
    let (kind, id) = principal?;
    Some(crate::token::Owner::of(policy?, kind, id))
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("handle", &self.handle).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod vectors;
