struct Plain;

sessions::policies!("sessions.toml", Plain, Missing);

fn main() {}
