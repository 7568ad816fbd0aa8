//! Each rule that warns in the build, broken.
#![deny(warnings)]

mod cookie_insecure {
    sessions::policies!("lints/cookie_insecure.toml");
}

mod cookie_prefix_missing {
    sessions::policies!("lints/cookie_prefix_missing.toml");
}

mod cookie_name_fingerprint {
    sessions::policies!("lints/cookie_name_fingerprint.toml");
}

mod samesite_none {
    sessions::policies!("lints/samesite_none.toml");
}

mod cookie_domain_set {
    sessions::policies!("lints/cookie_domain_set.toml");
}

mod cookie_path_narrow {
    sessions::policies!("lints/cookie_path_narrow.toml");
}

mod cookie_name_long {
    sessions::policies!("lints/cookie_name_long.toml");
}

mod idle_missing {
    sessions::policies!("lints/idle_missing.toml");
}

mod absolute_missing {
    sessions::policies!("lints/absolute_missing.toml");
}

mod idle_long {
    sessions::policies!("lints/idle_long.toml");
}

mod touch_coarse {
    sessions::policies!("lints/touch_coarse.toml");
}

mod no_rotation {
    sessions::policies!("lints/no_rotation.toml");
}

mod grace_long {
    sessions::policies!("lints/grace_long.toml");
}

mod remember_without_rotation {
    sessions::policies!("lints/remember_without_rotation.toml");
}

mod limit_unstated {
    sessions::policies!("lints/limit_unstated.toml");
}

mod limit_off {
    sessions::policies!("lints/limit_off.toml");
}

mod carry_over_all {
    sessions::policies!("lints/carry_over_all.toml");
}

mod trusted_origin_in_clear {
    sessions::policies!("lints/trusted_origin_in_clear.toml");
}

mod proxy_any {
    sessions::policies!("lints/proxy_any.toml");
}

mod forwarded_by_no_one {
    sessions::policies!("lints/forwarded_by_no_one.toml");
}

mod address_without_sessions {
    sessions::policies!("lints/address_without_sessions.toml");
}

mod store_file {
    sessions::policies!("lints/store_file.toml");
}

mod store_in_clear {
    sessions::policies!("lints/store_in_clear.toml");
}

mod payload_large {
    sessions::policies!("lints/payload_large.toml");
}

mod socket_origin_in_clear {
    sessions::policies!("lints/socket_origin_in_clear.toml");
}

mod socket_check_seldom {
    sessions::policies!("lints/socket_check_seldom.toml");
}

mod near_cache_long {
    sessions::policies!("lints/near_cache_long.toml");
}

mod outage_grace_rotates {
    sessions::policies!("lints/outage_grace_rotates.toml");
}

mod near_without_effect {
    sessions::policies!("lints/near_without_effect.toml");
}

mod socket_keeps_alive {
    sessions::policies!("lints/socket_keeps_alive.toml");
}

mod activity_without_lifetime {
    sessions::policies!("lints/activity_without_lifetime.toml");
}

mod secret_in_file {
    sessions::policies!("lints/secret_in_file.toml");
}

mod expired_suppression {
    sessions::policies!("lints/expired_suppression.toml");
}

mod fingerprint_enforced {
    sessions::policies!("lints/fingerprint_enforced.toml");
}

mod ttl_past_the_end {
    sessions::policies!("lints/ttl_past_the_end.toml");
}

mod fresh_past_the_end {
    sessions::policies!("lints/fresh_past_the_end.toml");
}

mod remember_under_ttl {
    sessions::policies!("lints/remember_under_ttl.toml");
}

mod behavior_without_limit {
    sessions::policies!("lints/behavior_without_limit.toml");
}

mod unused_suppression {
    sessions::policies!("lints/unused_suppression.toml");
}

fn main() {}
