//! By what a store's connections prove who they are, where a server wants a certificate of its clients: two files. Not what
//! is in them.

use std::path::{Path, PathBuf};

/// The files of a certificate and of its key, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    certificate: PathBuf,
    key: PathBuf,
}

impl ClientCertificate {
    /// The certificate, before those that lead to its authority if there are any, and its key, which has no password.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { certificate: certificate.into(), key: key.into() }
    }

    /// The file of the certificate.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// The file of its key.
    pub fn key(&self) -> &Path {
        &self.key
    }
}
