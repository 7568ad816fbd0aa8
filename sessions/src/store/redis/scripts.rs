//! The scripts that the server runs, each atomic and in one slot. Their sources are the files of `scripts/`, each behind
//! what is common to all.

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
}

const ALL: [Script; 8] = [
    Script::Cas,
    Script::Touch,
    Script::Admit,
    Script::End,
    Script::EndOwner,
    Script::List,
    Script::Lapse,
    Script::Prune,
];

/// Each script's source and its digest.
static SOURCES: LazyLock<[(String, String); 8]> = LazyLock::new(|| {
    [
        include_str!("scripts/cas.lua"),
        include_str!("scripts/touch.lua"),
        include_str!("scripts/admit.lua"),
        include_str!("scripts/end.lua"),
        include_str!("scripts/end_owner.lua"),
        include_str!("scripts/list.lua"),
        include_str!("scripts/lapse.lua"),
        include_str!("scripts/prune.lua"),
    ]
    .map(|own| {
        let source = format!("{}\n{own}", include_str!("scripts/common.lua"));
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
        matches!(self, Self::Cas | Self::Admit | Self::End | Self::EndOwner)
    }

    /// The beginning of a call; keys and arguments follow.
    pub(super) fn call(self, by: By, keys: &[Vec<u8>]) -> Cmd {
        let (source, digest) = &SOURCES[self as usize];
        let (command, script) = match by {
            By::Digest => ("EVALSHA", digest),
            By::Source => ("EVAL", source),
        };
        let mut call = redis::cmd(command);
        call.arg(script);
        call.arg(keys.len()).arg(keys);
        call
    }
}

/// What makes a server know every script.
pub(super) fn load(pipeline: &mut Pipeline) {
    for script in ALL {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(&SOURCES[script as usize].0);
    }
}
