//! How often a request goes to its store: counted on the wire of a node that no one else uses.

use sessions_tests::proxy::Proxy;
use tokio::runtime::Runtime;

use crate::{
    history::{Act, Outcome, Policy},
    nodes::Nodes,
    setups::{Setup, Single},
    world::{Client, World},
};

/// How often each class is counted. The least tells: a node also looks after its store now and then.
const TIMES: usize = 5;

/// The trips of an answer.
async fn trips<T>(network: &Proxy, request: impl Future<Output = T>) -> (u64, T) {
    let before = network.questions();
    let answer = request.await;
    (network.questions() - before, answer)
}

/// Each class of request takes no more than its trips, over HTTP and on a real server.
pub(crate) fn count(runtime: &Runtime) {
    let setup = Single::start();
    let nodes = Nodes::start(setup.urls());
    let world = World::new(nodes.ports());
    let mut client = Client::new(&world, 0);
    let network = &setup.networks()[0];
    let counted = runtime.block_on(async {
        let mut least = [u64::MAX; 6];
        let mut note = |class: usize, trips: u64| least[class] = least[class].min(trips);
        for number in 0..TIMES {
            let user = format!("ada-{number}");
            let (login, held) = trips(network, client.log_in_at(0, Policy::Web, &user, None)).await;
            let mut held = held.unwrap();
            note(0, login);
            for (class, act) in
                [(1, Act::See), (2, Act::Update(1)), (3, Act::Set("name".to_owned(), 1)), (4, Act::Logout)]
            {
                let (count, outcome) = trips(network, client.ask_at(0, act, &mut held)).await;
                assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
                note(class, count);
            }
            let visitor = client.visit_at(0, Policy::Web, 1).await.unwrap();
            let (carried, held) =
                trips(network, client.log_in_at(0, Policy::Web, &user, Some(&visitor))).await;
            assert!(held.is_some());
            note(5, carried);
        }
        least
    });
    let [login, read, update, set, logout, carrying] = counted;
    println!(
        "trips: read {read}, update {update}, set {set}, logout {logout}, login {login}, login of a visitor {carrying}"
    );
    assert_eq!((read, login), (1, 1));
    assert!(update <= 2 && set <= 2 && logout <= 2);
    // The visitor's session is read, sealed and ended beside it.
    assert!(carrying <= 4);
}
