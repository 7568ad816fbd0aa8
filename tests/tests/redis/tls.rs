//! Encrypted connections: the server's certificate is checked, for who has issued it and for its name.
//!
//! Whom to trust is said by a variable of the process, so each case is a process of its own: this test, run again.

use std::{path::Path, process::Command};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sessions::SessionStore;
use sessions_tests::servers::{free_port, redis::RedisServer};
use tempfile::TempDir;

use super::common::{anonymous, create, is_unavailable, now, open_at, told};

const URL: &str = "SESSIONS_TLS_TEST_URL";

/// A server with a certificate for `localhost`, and a file of who has issued it.
fn server(folder: &TempDir) -> (RedisServer, u16) {
    let mut issuer = CertificateParams::new(Vec::new()).unwrap();
    issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer_key = KeyPair::generate().unwrap();
    let authority = issuer.self_signed(&issuer_key).unwrap();
    let issuer = Issuer::new(issuer, issuer_key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("authority.pem"), authority.pem()).unwrap();
    std::fs::write(path("own.pem"), own.pem()).unwrap();
    std::fs::write(path("key.pem"), key.serialize_pem()).unwrap();
    let port = free_port();
    let option = |name: &str, file: &str| format!("--tls-{name} {}", path(file).display());
    let server = RedisServer::start_with(&[
        &format!("--tls-port {port}"),
        &option("cert-file", "own.pem"),
        &option("key-file", "key.pem"),
        &option("ca-cert-file", "authority.pem"),
        "--tls-auth-clients no",
    ]);
    (server, port)
}

/// What a process that trusts the certificates in a file says of the store at an address.
fn said(authority: &Path, url: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls::the_process_of_a_case", "--ignored", "--nocapture"])
        .env("SSL_CERT_FILE", authority)
        .env_remove("SSL_CERT_DIR")
        .env(URL, url)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
#[ignore = "the others run it"]
async fn the_process_of_a_case() {
    let Ok(url) = std::env::var(URL) else { return };
    match open_at(&url).await {
        Ok(store) => {
            create(&store, anonymous(1)).await;
            println!("it works: {:?}", store.load(anonymous(1), now()).await.is_ok());
        }
        refused => {
            assert!(is_unavailable(&refused));
            println!("refused: {}", told(refused));
        }
    }
}

#[test]
fn a_certificate_is_trusted_for_its_name_by_who_trusts_its_issuer() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = server(&folder);
    let authority = folder.path().join("authority.pem");
    let works = said(&authority, &format!("rediss://localhost:{port}"));
    assert!(works.contains("it works: true"), "{works}");
    // Its name is another.
    let named = said(&authority, &format!("rediss://127.0.0.1:{port}"));
    assert!(named.contains("refused") && named.contains("not valid for name"), "{named}");
    // Someone else is trusted.
    let other = tempfile::tempdir().unwrap();
    let (_other, _) = server(&other);
    let issued = said(&other.path().join("authority.pem"), &format!("rediss://localhost:{port}"));
    assert!(issued.contains("refused") && issued.contains("invalid peer certificate"), "{issued}");
    // No one is.
    std::fs::write(folder.path().join("nobody.pem"), "").unwrap();
    let nobody = said(&folder.path().join("nobody.pem"), &format!("rediss://localhost:{port}"));
    assert!(nobody.contains("refused") && nobody.contains("SSL_CERT_FILE"), "{nobody}");
}

#[test]
fn a_server_without_encryption_is_not_taken_for_one_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = server(&folder);
    let authority = folder.path().join("authority.pem");
    let plain = said(&authority, &format!("rediss://localhost:{}", server.port()));
    assert!(plain.contains("refused"), "{plain}");
    let encrypted = said(&authority, &format!("redis://localhost:{port}"));
    assert!(encrypted.contains("refused"), "{encrypted}");
}
