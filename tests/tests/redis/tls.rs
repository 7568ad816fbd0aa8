//! Encrypted connections: the server's certificate is checked, for who has issued it and for its name.
//!
//! Whom to trust is said by a variable of the process, so each case is a process of its own: this test, run again.

use std::{path::Path, process::Command};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use sessions::{RedisAddress, RedisStore, SessionStore, StoreError, store::ClientCertificate};
use sessions_tests::{
    pair::Pair,
    servers::{free_port, redis::RedisServer, sentinel::Watched},
};
use tempfile::TempDir;

use super::common::{anonymous, create, is_unavailable, now, open_at, told};

const URL: &str = "SESSIONS_TLS_TEST_URL";

/// The files of a client's certificate and key, with a bar between.
const CLIENT: &str = "SESSIONS_TLS_TEST_CLIENT";

/// A server with a certificate for `localhost`, and a file of who has issued it. In the folder are a certificate and a key
/// of a client too, of the same issuer.
fn server(folder: &TempDir, wants_clients: &str) -> (RedisServer, u16) {
    certificates(folder, &["localhost"]);
    let path = |name: &str| folder.path().join(name);
    let port = free_port();
    let option = |name: &str, file: &str| format!("--tls-{name} {}", path(file).display());
    let server = RedisServer::start_with(&[
        &format!("--tls-port {port}"),
        &option("cert-file", "own.pem"),
        &option("key-file", "key.pem"),
        &option("ca-cert-file", "authority.pem"),
        &format!("--tls-auth-clients {wants_clients}"),
    ]);
    (server, port)
}

/// An authority, a certificate of a server with these names, and one of a client, in a folder.
fn certificates(folder: &TempDir, names: &[&str]) {
    let mut issuer = CertificateParams::new(Vec::new()).unwrap();
    issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A certificate with the name of its issuer would be its own issuer.
    issuer.distinguished_name.push(DnType::CommonName, "the authority of a test");
    let issuer_key = KeyPair::generate().unwrap();
    let authority = issuer.self_signed(&issuer_key).unwrap();
    let issuer = Issuer::new(issuer, issuer_key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("authority.pem"), authority.pem()).unwrap();
    std::fs::write(path("own.pem"), own.pem()).unwrap();
    std::fs::write(path("key.pem"), key.serialize_pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let client = CertificateParams::new(vec!["shop".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(path("client.pem"), client.pem()).unwrap();
    std::fs::write(path("client.key"), key.serialize_pem()).unwrap();
}

/// What a process that trusts the certificates in a file says of the store at an address.
fn said(authority: &Path, url: &str) -> String {
    said_as(authority, url, "")
}

/// The same of one that proves who it is.
fn said_as(authority: &Path, url: &str, client: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls::the_process_of_a_case", "--nocapture"])
        .env("SSL_CERT_FILE", authority)
        .env_remove("SSL_CERT_DIR")
        .env(URL, url)
        .env(CLIENT, client)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A store at the address of a case.
async fn open_as(url: &str, client: &str) -> Result<RedisStore, StoreError> {
    match client.split_once('|') {
        None => open_at(url).await,
        Some((certificate, key)) => {
            let builder = RedisStore::builder(RedisAddress::parse(url).unwrap());
            builder.client_certificate(ClientCertificate::new(certificate, key)).open().await
        }
    }
}

/// Another process of this program runs it alone, with the variables of a case; without them there is nothing to open.
#[tokio::test(flavor = "multi_thread")]
async fn the_process_of_a_case() {
    let Ok(url) = std::env::var(URL) else { return };
    let client = std::env::var(CLIENT).unwrap_or_default();
    match open_as(&url, &client).await {
        Ok(store) => {
            create(&store, anonymous(1)).await;
            println!("it works: {:?}", store.load(anonymous(1), now()).await.is_ok());
            Pair::of(open_as(&url, &client).await.unwrap(), store).hears_of_every_ending("ada").await;
            println!("it hears of endings");
        }
        refused => {
            assert!(is_unavailable(&refused));
            println!("refused: {}", told(refused));
        }
    }
}

/// Whether a case could do all that a store does.
#[track_caller]
fn works(said: &str) {
    assert!(said.contains("it works: true") && said.contains("it hears of endings"), "{said}");
}

#[test]
fn a_certificate_is_trusted_for_its_name_by_who_trusts_its_issuer() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = server(&folder, "no");
    let authority = folder.path().join("authority.pem");
    works(&said(&authority, &format!("rediss://localhost:{port}")));
    // Its name is another.
    let named = said(&authority, &format!("rediss://127.0.0.1:{port}"));
    assert!(named.contains("refused") && named.contains("not valid for name"), "{named}");
    // Someone else is trusted.
    let other = tempfile::tempdir().unwrap();
    let (_other, _) = server(&other, "no");
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
    let (server, port) = server(&folder, "no");
    let authority = folder.path().join("authority.pem");
    let plain = said(&authority, &format!("rediss://localhost:{}", server.port()));
    assert!(plain.contains("refused"), "{plain}");
    let encrypted = said(&authority, &format!("redis://localhost:{port}"));
    assert!(encrypted.contains("refused"), "{encrypted}");
}

#[test]
fn a_server_that_wants_a_certificate_of_its_clients_gets_one() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = server(&folder, "yes");
    let (authority, url) = (folder.path().join("authority.pem"), format!("rediss://localhost:{port}"));
    let files = |folder: &TempDir, certificate: &str, key: &str| {
        format!("{}|{}", folder.path().join(certificate).display(), folder.path().join(key).display())
    };
    works(&said_as(&authority, &url, &files(&folder, "client.pem", "client.key")));
    let without = said(&authority, &url);
    assert!(without.contains("refused"), "{without}");
    // One of another issuer.
    let other = tempfile::tempdir().unwrap();
    let _other = server(&other, "yes");
    let foreign = said_as(&authority, &url, &files(&other, "client.pem", "client.key"));
    assert!(foreign.contains("refused"), "{foreign}");
    // What can't be shown is told by its file, without a word of what is in it.
    std::fs::write(folder.path().join("words.pem"), "-----BEGIN hunter2\nhunter2").unwrap();
    for (certificate, key, why) in [
        ("missing.pem", "client.key", "missing.pem` can't be read"),
        ("client.pem", "missing.key", "missing.key` can't be read"),
        ("words.pem", "client.key", "words.pem` has no certificate"),
        ("client.pem", "words.pem", "words.pem` has no key"),
        ("client.pem", "client.pem", "client.pem` has no key"),
        ("client.pem", "key.pem", "don't go together"),
    ] {
        let refused = said_as(&authority, &url, &files(&folder, certificate, key));
        assert!(refused.contains("refused") && refused.contains(why), "{why}: {refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[test]
fn sentinels_and_what_they_watch_are_spoken_to_over_tls_alone() {
    let folder = tempfile::tempdir().unwrap();
    // Sentinels tell the address of the primary, not its name.
    certificates(&folder, &["localhost", "127.0.0.1"]);
    let (_watched, url) = Watched::encrypted(folder.path());
    let authority = folder.path().join("authority.pem");
    let path = |name: &str| folder.path().join(name).display().to_string();
    works(&said_as(&authority, &url, &format!("{}|{}", path("client.pem"), path("client.key"))));
    let without = said(&authority, &url);
    assert!(without.contains("refused"), "{without}");
}
