use sessions::session;

sessions::policies!("sessions.toml");

#[session(policy = "admin", role = "admin")]
mod metrics {
    pub async fn metrics() -> &'static str {
        "metrics"
    }
}

#[session(require = authenticated)]
mod without_policy {
    use sessions::Session;

    pub async fn me(_session: Session) {}
}

#[session(policy = "Admin", polcy = "admin")]
mod wrong_arguments {
    use sessions::Session;

    pub async fn me(_session: Session) {}
}

#[session(policy = "admin", role = ["a", "b", "c"], require = authenticated)]
mod office {
    use sessions::{Session, session};

    use crate::policies;

    #[session(role = ["d", "e"])]
    pub async fn too_many(_session: Session) {}

    #[session(fresh, fresh)]
    pub async fn twice(_session: Session) {}

    #[session]
    #[session(fresh)]
    pub async fn two(_session: Session) {}

    pub async fn optional(_session: Option<Session>) {}

    #[session(fresh)]
    pub async fn no_session() {}

    #[session = "admin"]
    pub async fn equals(_session: Session) {}

    #[cfg_attr(all(), session(fresh))]
    pub async fn hidden(_session: Session) {}
}

fn main() {}
