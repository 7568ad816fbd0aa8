//! A store that forgets over a restart is found out by each of the promises about it.

use sessions::{MemoryStore, testing::conformance};

use crate::without::complaint;

async fn fresh() -> (MemoryStore, MemoryStore) {
    let store = MemoryStore::new(1_000);
    (store.clone(), store)
}

macro_rules! restarts {
    ($($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                let opened = |forgets: bool| {
                    conformance::run_restarted(stringify!($case), fresh, async |kit, kept| {
                        let reopen = async || if forgets { MemoryStore::new(1_000) } else { kept.clone() };
                        conformance::restart::$case(kit, reopen).await;
                    });
                };
                assert_eq!(complaint(|| opened(false)), None);
                let complaint = complaint(|| opened(true)).expect("it is found out");
                assert!(complaint.contains(stringify!($case)), "{complaint}");
            }
        )*
    };
}

restarts! {
    records_survive_a_restart
    endings_survive_a_restart
    owners_survive_a_restart
    revocations_survive_a_restart
    a_written_session_stays_its_owners_over_a_restart
}
