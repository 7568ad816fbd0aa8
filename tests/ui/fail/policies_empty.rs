sessions::policies!();

fn main() {}
