//! The struct changes; what was stored under the earlier one is still there.

use sessions_tests::Spy;

use super::{Browser, deployment, deployment_with};

/// The first deployment.
mod first {
    sessions::policies!(Checkout);

    #[sessions::session_policy(name = "checkout", extends = "user_default")]
    #[derive(Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(super) struct Checkout {
        pub(super) step: u32,
        pub(super) note: String,
        pub(super) coupon: Option<String>,
        pub(super) address: String,
    }
}

/// A later one: a field renamed in Rust, one renamed for good, one removed, two added, the type renamed.
mod second {
    sessions::policies!(Purchase as Checkout);

    #[sessions::session_policy(name = "checkout", extends = "user_default")]
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Purchase {
        #[serde(rename = "step")]
        pub(super) stage: u32,
        #[serde(alias = "note")]
        pub(super) remark: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) coupon: Option<String>,
        #[serde(default)]
        pub(super) added: Vec<u8>,
        pub(super) currency: String,
    }

    impl Default for Purchase {
        fn default() -> Self {
            Self {
                stage: 1,
                remark: "none".to_owned(),
                coupon: None,
                added: Vec::new(),
                currency: "EUR".to_owned(),
            }
        }
    }
}

/// One in which a field has another type.
mod third {
    sessions::policies!(Checkout);

    #[sessions::session_policy(name = "checkout", extends = "user_default")]
    #[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
    pub(super) struct Checkout {
        pub(super) step: String,
    }
}

/// A browser that the first deployment has served.
async fn served(store: &Spy) -> Browser {
    let registry = deployment::<first::policies::Declared>(store).await;
    let mut browser = Browser::default();
    let fill = |session: &mut sessions::Session<first::Checkout>| {
        session.modify(|checkout| {
            checkout.step = 3;
            checkout.note = "gift".to_owned();
            checkout.coupon = Some("SAVE10".to_owned());
            checkout.address = "Main Street".to_owned();
        })
    };
    browser.visit(&registry, fill).await.unwrap();
    browser
}

#[tokio::test]
async fn renamed_added_and_removed_fields_are_read() {
    let store = Spy::default();
    let mut browser = served(&store).await;
    let registry = deployment::<second::policies::Declared>(&store).await;
    let read =
        browser.visit(&registry, |session: &mut sessions::Session<second::Purchase>| session.data()).await;
    let expected = second::Purchase {
        stage: 3,
        remark: "gift".to_owned(),
        coupon: Some("SAVE10".to_owned()),
        added: Vec::new(),
        currency: "EUR".to_owned(),
    };
    assert_eq!(read.unwrap(), expected);
}

#[tokio::test]
async fn an_earlier_name_gives_way_once_the_field_is_written() {
    let store = Spy::default();
    let mut browser = served(&store).await;
    let registry = deployment::<second::policies::Declared>(&store).await;
    for remark in ["for Ada", "for Grace"] {
        let write = move |session: &mut sessions::Session<second::Purchase>| {
            session.modify(|purchase| purchase.remark = remark.to_owned())
        };
        browser.visit(&registry, write).await.unwrap();
        let read = |session: &mut sessions::Session<second::Purchase>| session.data();
        let read = browser.visit(&registry, read).await.unwrap();
        assert_eq!((read.remark.as_str(), read.stage), (remark, 3));
    }
}

#[tokio::test]
async fn a_removed_field_is_carried_for_those_who_still_have_it() {
    let store = Spy::default();
    let mut browser = served(&store).await;
    let new = deployment::<second::policies::Declared>(&store).await;
    let advance = |session: &mut sessions::Session<second::Purchase>| {
        session.modify(|purchase| {
            purchase.stage += 1;
            purchase.coupon = None;
        })
    };
    browser.visit(&new, advance).await.unwrap();
    let old = deployment::<first::policies::Declared>(&store).await;
    let read = browser.visit(&old, |session: &mut sessions::Session<first::Checkout>| session.data()).await;
    let expected =
        first::Checkout { step: 4, note: "gift".to_owned(), coupon: None, address: "Main Street".to_owned() };
    assert_eq!(read.unwrap(), expected);
}

#[tokio::test]
async fn a_field_of_another_type_is_told_and_keeps_its_value() {
    let store = Spy::default();
    let mut browser = served(&store).await;
    let registry = deployment::<third::policies::Declared>(&store).await;
    let read =
        |session: &mut sessions::Session<third::Checkout>| session.data().map(|checkout| checkout.step);
    let error = browser.visit(&registry, read).await.unwrap_err();
    assert_eq!(error.fault(), sessions::Fault::StoreCorrupted);
    let first = deployment::<first::policies::Declared>(&store).await;
    let read = browser.visit(&first, |session: &mut sessions::Session<first::Checkout>| session.data()).await;
    assert_eq!(read.unwrap().step, 3);
}

#[tokio::test]
async fn fields_are_the_same_whatever_codec_and_cipher_each_deployment_writes_with() {
    const CODEC: (&str, &str) = ("SESSIONS_POLICIES__CHECKOUT__PERSISTENCE__CODEC", "messagepack");
    const KEYS: (&str, &str) = (
        "SESSIONS_STORES__MAIN__ENCRYPTION_KEYS",
        "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    );
    let manners: [&[(&str, &str)]; 4] = [&[], &[CODEC], &[KEYS], &[CODEC, KEYS]];
    let both = manners.iter().flat_map(|before| manners.iter().map(move |after| (before, after)));
    for (before, after) in both.filter(|(before, after)| !before.contains(&KEYS) || after.contains(&KEYS)) {
        let store = Spy::default();
        let mut browser = Browser::default();
        let old = deployment_with::<first::policies::Declared>(&store, before).await;
        let fill = |session: &mut sessions::Session<first::Checkout>| {
            session.modify(|checkout| {
                checkout.step = 3;
                checkout.note = "gift".to_owned();
                checkout.address = "Main Street".to_owned();
            })
        };
        browser.visit(&old, fill).await.unwrap();
        let new = deployment_with::<second::policies::Declared>(&store, after).await;
        let change = |session: &mut sessions::Session<second::Purchase>| {
            session.modify(|purchase| {
                purchase.added = vec![7];
                (purchase.stage, std::mem::replace(&mut purchase.remark, "wrapped".to_owned()))
            })
        };
        assert_eq!(browser.visit(&new, change).await.unwrap(), (3, "gift".to_owned()));
        let read = |session: &mut sessions::Session<second::Purchase>| session.data();
        let read = browser.visit(&new, read).await.unwrap();
        assert_eq!((read.remark.as_str(), read.added, read.stage), ("wrapped", vec![7], 3));
        // Only what was changed is written: the field that the new struct doesn't have is as it was.
        let newest = deployment_with::<first::policies::Declared>(&store, after).await;
        let read = |session: &mut sessions::Session<first::Checkout>| session.data();
        let read = browser.visit(&newest, read).await.unwrap();
        assert_eq!((read.step, read.address.as_str()), (3, "Main Street"));
    }
}
