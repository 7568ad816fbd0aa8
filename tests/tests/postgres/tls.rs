//! TLS: the server's certificate and its name are checked, or there is no connection.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::Path,
    process::Command,
};

use sessions::{PostgresStore, SessionStore, store::ClientCertificate};
use sessions_tests::servers::postgres::{self, Postgres};

use crate::{anonymous, create, unavailable, version};

fn openssl(folder: &Path, arguments: &str) {
    let arguments = arguments.split('|').flat_map(|part| {
        // A part in bars is one argument.
        if part.contains('/') { vec![part.trim()] } else { part.split_whitespace().collect() }
    });
    let output =
        Command::new("openssl").args(arguments).current_dir(folder).output().expect("openssl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An authority, a certificate of it for `localhost`, and another authority.
fn certificates(folder: &Path) {
    for name in ["authority", "other"] {
        openssl(
            folder,
            &format!(
                "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {name}.key -out {name}.pem -subj|/CN={name}"
            ),
        );
    }
    openssl(folder, "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj|/CN=localhost");
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    for name in ["authority", "other"] {
        let client = format!("client-of-{name}");
        openssl(
            folder,
            &format!("req -newkey rsa:2048 -nodes -keyout {client}.key -out {client}.csr -subj|/CN=postgres"),
        );
        openssl(
            folder,
            &format!(
                "x509 -req -days 2 -in {client}.csr -CA {name}.pem -CAkey {name}.key -CAcreateserial -extfile names -out {client}.pem"
            ),
        );
    }
    openssl(
        folder,
        "x509 -req -days 2 -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -extfile names -out server.pem",
    );
}

/// A server that takes TLS, with its authority and another.
fn server(folder: &Path) -> Postgres {
    certificates(folder);
    let server = Postgres::start(&["fsync=off"]);
    for name in ["server.key", "server.pem", "authority.pem"] {
        let place = server.data().join(name);
        fs::copy(folder.join(name), &place).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o600)).unwrap();
        let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(server.data()).unwrap());
        chown(&place, Some(owner), None).unwrap();
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_server_whose_certificate_and_name_are_right_is_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let url = |host: &str, mode: &str, authority: &str| {
        let authority = folder.path().join(authority);
        let port = server.port();
        format!(
            "postgres://postgres@{host}:{port}/postgres?sslmode={mode}&sslrootcert={}",
            authority.display()
        )
    };
    // It takes none yet: nothing is said in clear instead.
    let said = unavailable(PostgresStore::open(&url("localhost", "require", "authority.pem")).await);
    assert!(said.contains("TLS"), "{said}");

    let admin = server.admin().await;
    for setting in ["ssl = on", "ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.key'"] {
        admin.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await.unwrap();
    }
    admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    for mode in ["require", "verify-full"] {
        let opened = async || PostgresStore::open(&url("localhost", mode, "authority.pem")).await.is_ok();
        crate::soon("it takes TLS", opened).await;
        let store = PostgresStore::open(&url("localhost", mode, "authority.pem")).await.unwrap();
        if mode == "require" {
            create(&store, anonymous(1)).await;
        }
        assert_eq!(version(&store, anonymous(1)).await, Some(1));
        let over_tls = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                        WHERE application_name = 'sessions'";
        assert!(admin.query_one(over_tls, &[]).await.unwrap().get::<_, bool>(0));
        store.shutdown().await.unwrap();

        let said = unavailable(PostgresStore::open(&url("localhost", mode, "other.pem")).await);
        assert!(said.contains("UnknownIssuer"), "{said}");
        let said = unavailable(PostgresStore::open(&url("127.0.0.1", mode, "authority.pem")).await);
        assert!(said.contains("not valid for name"), "{said}");
        let said = unavailable(PostgresStore::open(&url("localhost", mode, "missing.pem")).await);
        assert!(said.contains("missing.pem"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_a_certificate_of_its_clients_gets_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let admin = server.admin().await;
    for setting in [
        "ssl = on",
        "ssl_cert_file = 'server.pem'",
        "ssl_key_file = 'server.key'",
        "ssl_ca_file = 'authority.pem'",
    ] {
        admin.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await.unwrap();
    }
    // The certificate is the only proof, and its name has to be the user's.
    let rules = "hostssl all all 127.0.0.1/32 cert\nhostssl all all ::1/128 cert\nlocal all all trust\n";
    fs::write(server.data().join("pg_hba.conf"), rules).unwrap();
    admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let authority = folder.path().join("authority.pem");
    let url = format!(
        "postgres://postgres@localhost:{}/postgres?sslrootcert={}",
        server.port(),
        authority.display()
    );
    let url = format!("{url}&sslmode=verify-full");
    let open = |certificate: &str, key: &str| {
        let path = |name: &str| folder.path().join(name);
        postgres::builder(&url)
            .client_certificate(ClientCertificate::new(path(certificate), path(key)))
            .open()
    };
    crate::soon("it takes certificates", async || {
        open("client-of-authority.pem", "client-of-authority.key").await.is_ok()
    })
    .await;
    let store = open("client-of-authority.pem", "client-of-authority.key").await.unwrap();
    create(&store, anonymous(1)).await;
    assert_eq!(version(&store, anonymous(1)).await, Some(1));

    let said = unavailable(PostgresStore::open(&url).await);
    assert!(said.contains("refuses the user") || said.contains("certificate"), "{said}");
    unavailable(open("client-of-other.pem", "client-of-other.key").await);
    fs::write(folder.path().join("words.pem"), "-----BEGIN hunter2\nhunter2").unwrap();
    for (certificate, key, why) in [
        ("missing.pem", "client-of-authority.key", "missing.pem` can't be read"),
        ("client-of-authority.pem", "words.pem", "words.pem` has no key"),
        ("client-of-authority.pem", "server.key", "don't go together"),
    ] {
        let said = unavailable(open(certificate, key).await);
        assert!(said.contains(why) && !said.contains("hunter2"), "{why}: {said}");
    }
}
