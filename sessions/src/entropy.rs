//! Where secrets come from: the operating system, and nothing instead of it.

use std::fmt;

use rand::{TryRng, rngs::SysRng};

/// A source of random bytes that no one can guess.
///
/// The default is the operating system's generator. Another one is for tests, or for a hardware generator.
pub trait Entropy: Send + Sync + fmt::Debug + 'static {
    /// Fills the buffer, or fails: there is no fallback, and no session is issued then (ASVS 11.5.2).
    ///
    /// # Errors
    /// [`EntropyError`] if the source can't give so many bytes.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        SysRng.try_fill_bytes(buffer).map_err(|error| EntropyError(Some(Box::new(error))))
    }
}

/// The source of random bytes failed.
#[derive(Debug, thiserror::Error)]
#[error("the source of random bytes failed: no session id can be issued")]
pub struct EntropyError(#[source] pub Option<Box<dyn std::error::Error + Send + Sync>>);
