sessions::policies!("broken.toml");

// The types are there nevertheless, so that only the file is complained about.
fn main() {
    let _: (policies::UserDefault, policies::Admin);
}
