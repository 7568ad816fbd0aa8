sessions::policies!("syntax.toml");

fn main() {
    let _: (policies::UserDefault, policies::Admin);
}
