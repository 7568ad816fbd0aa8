//! The scripts that the server runs, each atomic and in one slot. Their sources are the files of `scripts/`, each behind
//! what is common to all and what it notes; a write also behind its usual case.

use std::sync::LazyLock;

use redis::{Cmd, Pipeline};

/// A script, known to the server by its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// Writes a record conditionally.
    Cas,
    /// Notes a use.
    Touch,
    /// Stores a login within the limit.
    Admit,
    /// Ends one session.
    End,
    /// Ends the sessions of an owner.
    EndOwner,
    /// Lists the sessions of an owner.
    List,
    /// Frees what has expired under one key.
    Lapse,
    /// Frees what has expired of an owner.
    Prune,
    /// The writes that end a session or change its privileges, with events for the outbox.
    CasNoting,
    AdmitNoting,
    EndNoting,
    EndOwnerNoting,
}

/// How many words a call has beside its keys, and how many bytes they take, as a rule.
const USUAL: (usize, usize) = (10, 512);

const ALL: [Script; 12] = [
    Script::Cas,
    Script::Touch,
    Script::Admit,
    Script::End,
    Script::EndOwner,
    Script::List,
    Script::Lapse,
    Script::Prune,
    Script::CasNoting,
    Script::AdmitNoting,
    Script::EndNoting,
    Script::EndOwnerNoting,
];

/// Each script's source and its digest.
static SOURCES: LazyLock<[(String, String); 12]> = LazyLock::new(|| {
    let (plain, noting) = (include_str!("scripts/plain.lua"), include_str!("scripts/noting.lua"));
    let known = include_str!("scripts/known.lua");
    [
        (known, plain, include_str!("scripts/cas.lua")),
        ("", plain, include_str!("scripts/touch.lua")),
        ("", plain, include_str!("scripts/admit.lua")),
        ("", plain, include_str!("scripts/end.lua")),
        ("", plain, include_str!("scripts/end_owner.lua")),
        ("", plain, include_str!("scripts/list.lua")),
        ("", plain, include_str!("scripts/lapse.lua")),
        ("", plain, include_str!("scripts/prune.lua")),
        (known, noting, include_str!("scripts/cas.lua")),
        ("", noting, include_str!("scripts/admit.lua")),
        ("", noting, include_str!("scripts/end.lua")),
        ("", noting, include_str!("scripts/end_owner.lua")),
    ]
    .map(|(first, notes, own)| {
        let source = format!("{first}\n{}\n{notes}\n{own}", include_str!("scripts/common.lua"));
        let digest = redis::Script::new(&source).get_hash().to_owned();
        (source, digest)
    })
});

/// How a script is named to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// By its digest: short, and refused by a server that doesn't know it.
    Digest,
    /// By its source, which the server remembers.
    Source,
}

impl Script {
    /// Whether its answer tells that something is so from now on, and not only that a session was seen or has lapsed.
    pub(super) fn is_acknowledged(self) -> bool {
        matches!(self.noting(), Self::CasNoting | Self::AdmitNoting | Self::EndNoting | Self::EndOwnerNoting)
    }

    /// The same with events for the outbox.
    pub(super) fn noting(self) -> Self {
        match self {
            Self::Cas => Self::CasNoting,
            Self::Admit => Self::AdmitNoting,
            Self::End => Self::EndNoting,
            Self::EndOwner => Self::EndOwnerNoting,
            other => other,
        }
    }

    /// The beginning of a call; keys and arguments follow.
    pub(super) fn call(self, by: By, keys: &[Vec<u8>]) -> Cmd {
        let (source, digest) = &SOURCES[self as usize];
        let (command, script) = match by {
            By::Digest => ("EVALSHA", digest),
            By::Source => ("EVAL", source),
        };
        let named: usize = keys.iter().map(Vec::len).sum();
        let mut call = Cmd::with_capacity(USUAL.0 + keys.len(), USUAL.1 + script.len() + named);
        call.arg(command).arg(script).arg(keys.len()).arg(keys);
        call
    }
}

/// What makes a server know every script.
pub(super) fn load(pipeline: &mut Pipeline) {
    for script in ALL {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(&SOURCES[script as usize].0);
    }
}
