//! Typed states and free keys of one session, all with the same names.

use sessions::{Session, SessionError};
use sessions_tests::Spy;

use super::{Browser, deployment};

sessions::policies! {
    Notes,
    Drafts,
    user_default: { extends: "user_default" },
}

#[sessions::session_policy(policy = "user_default", file = "tests/typed/typed.toml", namespace = "notes")]
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Notes {
    text: String,
    flash: u8,
}

#[sessions::session_policy(policy = "user_default", file = "tests/typed/typed.toml", namespace = "drafts")]
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Drafts {
    text: String,
    #[serde(rename = "notes.text")]
    other: String,
}

#[tokio::test]
async fn typed_states_and_free_keys_of_one_name_are_three() {
    let store = Spy::default();
    let registry = deployment::<policies::Declared>(&store).await;
    let mut browser = Browser::default();
    let notes = |session: &mut Session<Notes>| {
        session.modify(|notes| {
            notes.text = "a note".to_owned();
            notes.flash = 7;
        })
    };
    browser.visit(&registry, notes).await.unwrap();
    let drafts = |session: &mut Session<Drafts>| {
        session.modify(|drafts| {
            drafts.text = "a draft".to_owned();
            drafts.other = "a quote".to_owned();
        })
    };
    browser.visit(&registry, drafts).await.unwrap();
    let free = |session: &mut Session<policies::UserDefault>| -> Result<(), SessionError> {
        session.set("text", "free")?;
        session.set("notes.text", "free too")?;
        session.flash("hello")
    };
    browser.visit(&registry, free).await.unwrap();

    let notes = browser.visit(&registry, |session: &mut Session<Notes>| session.data()).await.unwrap();
    assert_eq!((notes.text.as_str(), notes.flash), ("a note", 7));
    let drafts = browser.visit(&registry, |session: &mut Session<Drafts>| session.data()).await.unwrap();
    assert_eq!((drafts.text.as_str(), drafts.other.as_str()), ("a draft", "a quote"));
    let keys = browser.visit(&registry, |session: &mut Session<policies::UserDefault>| session.keys()).await;
    assert_eq!(keys, ["text", "notes.text"]);
}
