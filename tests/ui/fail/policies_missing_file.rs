sessions::policies!("/nowhere/shop.toml");

fn main() {}
