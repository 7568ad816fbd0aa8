//! How a connection is encrypted, and whom it trusts: the certificates that the system trusts, or those that
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use sessions_policy::ClientCertificate;
use tokio_rustls::TlsConnector;

use super::{super::identity, failure::Failure};

/// What encrypts connections, with the certificates as they are now.
pub(super) fn connector(own: Option<&ClientCertificate>) -> Result<TlsConnector, Failure> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(Failure::setup(
            "TLS to a Redis server needs certificates to trust, and the system has none: install them (on Debian \
             `ca-certificates`), or name a file of them by SSL_CERT_FILE"
                .to_owned(),
        ));
    }
    // Named, because a program may have more than one and no default.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::setup(format!("TLS to a Redis server: {error}")))?
        .with_root_certificates(roots);
    let config = identity::prove(builder, own)
        .map_err(|error| Failure::setup(format!("TLS to a Redis server: {error}")))?;
    Ok(TlsConnector::from(Arc::new(config)))
}
