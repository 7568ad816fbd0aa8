//! By what the connections of a store prove who they are: a certificate and its key, read from their files. What is in the
//! files is never part of a message.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use rustls::{
    ClientConfig, ConfigBuilder,
    client::WantsClientCert,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
};
use sessions_policy::ClientCertificate;

/// Why a certificate can't be shown.
#[derive(Debug)]
pub(super) enum InvalidIdentity {
    /// A file that can't be read, or has something else in it.
    File { path: PathBuf, has_no: &'static str, error: Option<std::io::Error> },
    /// A certificate and a key that don't go together, or are of a kind that nothing here knows.
    Pair(PathBuf, PathBuf),
}

impl fmt::Display for InvalidIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error: Some(error), .. } => {
                write!(f, "the file `{}` can't be read ({error})", path.display())
            }
            Self::File { path, has_no, error: None } => {
                write!(f, "the file `{}` has no {has_no} in PEM", path.display())
            }
            Self::Pair(certificate, key) => write!(
                f,
                "the certificate in `{}` and the key in `{}` don't go together, or are of a kind that can't be used",
                certificate.display(),
                key.display()
            ),
        }
    }
}

/// Completes what makes connections: with a certificate, where there is one.
pub(super) fn prove(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    files: Option<&ClientCertificate>,
) -> Result<ClientConfig, InvalidIdentity> {
    let Some(files) = files else { return Ok(builder.with_no_client_auth()) };
    let path = files.certificate();
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|error| unreadable(path, "certificate", error))?;
    if certificates.is_empty() {
        return Err(unreadable(path, "certificate", pem::Error::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_file(files.key());
    let key = key.map_err(|error| unreadable(files.key(), "key without a password", error))?;
    builder
        .with_client_auth_cert(certificates, key)
        .map_err(|_| InvalidIdentity::Pair(path.to_owned(), files.key().to_owned()))
}

/// Other errors than the system's may quote a line of the file.
fn unreadable(path: &Path, has_no: &'static str, error: pem::Error) -> InvalidIdentity {
    let error = match error {
        pem::Error::Io(error) => Some(error),
        _ => None,
    };
    InvalidIdentity::File { path: path.to_owned(), has_no, error }
}
