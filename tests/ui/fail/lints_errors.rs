//! Each rule that every profile enforces, broken.
#![deny(warnings)]

mod cookie_httponly_off {
    sessions::policies!("lints/cookie_httponly_off.toml");
}

mod cookie_prefix {
    sessions::policies!("lints/cookie_prefix.toml");
}

mod cookie_prefix_spelling {
    sessions::policies!("lints/cookie_prefix_spelling.toml");
}

mod cookie_name {
    sessions::policies!("lints/cookie_name.toml");
}

mod shared_cookie_name {
    sessions::policies!("lints/shared_cookie_name.toml");
}

mod shared_header_name {
    sessions::policies!("lints/shared_header_name.toml");
}

mod samesite_none_insecure {
    sessions::policies!("lints/samesite_none_insecure.toml");
}

mod cookie_domain {
    sessions::policies!("lints/cookie_domain.toml");
}

mod cookie_too_long {
    sessions::policies!("lints/cookie_too_long.toml");
}

mod cookie_path_too_long {
    sessions::policies!("lints/cookie_path_too_long.toml");
}

mod remember_over_cookie {
    sessions::policies!("lints/remember_over_cookie.toml");
}

mod idle_over_ttl {
    sessions::policies!("lints/idle_over_ttl.toml");
}

mod idle_over_absolute {
    sessions::policies!("lints/idle_over_absolute.toml");
}

mod remember_idle_over_ttl {
    sessions::policies!("lints/remember_idle_over_ttl.toml");
}

mod touch_over_idle {
    sessions::policies!("lints/touch_over_idle.toml");
}

mod grace_too_long {
    sessions::policies!("lints/grace_too_long.toml");
}

mod grace_over_rotation {
    sessions::policies!("lints/grace_over_rotation.toml");
}

mod privilege_rotation_off {
    sessions::policies!("lints/privilege_rotation_off.toml");
}

mod carry_over {
    sessions::policies!("lints/carry_over.toml");
}

mod trusted_origin {
    sessions::policies!("lints/trusted_origin.toml");
}

mod proxy_network {
    sessions::policies!("lints/proxy_network.toml");
}

mod header_name {
    sessions::policies!("lints/header_name.toml");
}

mod header_name_taken {
    sessions::policies!("lints/header_name_taken.toml");
}

mod syntax {
    sessions::policies!("lints/syntax.toml");
}

mod unknown_table {
    sessions::policies!("lints/unknown_table.toml");
}

mod unknown_key {
    sessions::policies!("lints/unknown_key.toml");
}

mod profile_alone {
    sessions::policies!("lints/profile_alone.toml");
}

mod name {
    sessions::policies!("lints/name.toml");
}

mod shared_type {
    sessions::policies!("lints/shared_type.toml");
}

mod wrong_kind {
    sessions::policies!("lints/wrong_kind.toml");
}

mod unknown_word {
    sessions::policies!("lints/unknown_word.toml");
}

mod bare_number {
    sessions::policies!("lints/bare_number.toml");
}

mod zero_duration {
    sessions::policies!("lints/zero_duration.toml");
}

mod negative_duration {
    sessions::policies!("lints/negative_duration.toml");
}

mod out_of_range {
    sessions::policies!("lints/out_of_range.toml");
}

mod later_version {
    sessions::policies!("lints/later_version.toml");
}

mod serial_without_turns {
    sessions::policies!("lints/serial_without_turns.toml");
}

mod serial_wait_too_long {
    sessions::policies!("lints/serial_wait_too_long.toml");
}

mod serial_lease_range {
    sessions::policies!("lints/serial_lease_range.toml");
}

mod socket_origin {
    sessions::policies!("lints/socket_origin.toml");
}

mod socket_check_range {
    sessions::policies!("lints/socket_check_range.toml");
}

mod socket_outage_range {
    sessions::policies!("lints/socket_outage_range.toml");
}

mod near_cache_range {
    sessions::policies!("lints/near_cache_range.toml");
}

mod outage_grace_range {
    sessions::policies!("lints/outage_grace_range.toml");
}

mod socket_subprotocol_of_cookie {
    sessions::policies!("lints/socket_subprotocol_of_cookie.toml");
}

mod touch_without_use {
    sessions::policies!("lints/touch_without_use.toml");
}

mod unknown_extends {
    sessions::policies!("lints/unknown_extends.toml");
}

mod cyclic_extends {
    sessions::policies!("lints/cyclic_extends.toml");
}

mod unknown_store {
    sessions::policies!("lints/unknown_store.toml");
}

mod store_migration {
    sessions::policies!("lints/store_migration.toml");
}

mod store_timeout {
    sessions::policies!("lints/store_timeout.toml");
}

mod store_place {
    sessions::policies!("lints/store_place.toml");
}

mod store_place_missing {
    sessions::policies!("lints/store_place_missing.toml");
}

mod cookie_path {
    sessions::policies!("lints/cookie_path.toml");
}

mod bad_suppression {
    sessions::policies!("lints/bad_suppression.toml");
}

mod cookie_key_without_cookie {
    sessions::policies!("lints/cookie_key_without_cookie.toml");
}

mod header_key_without_header {
    sessions::policies!("lints/header_key_without_header.toml");
}

mod limit_without_sessions {
    sessions::policies!("lints/limit_without_sessions.toml");
}

mod remember_without_sessions {
    sessions::policies!("lints/remember_without_sessions.toml");
}

mod remember_without_ttl {
    sessions::policies!("lints/remember_without_ttl.toml");
}

mod rotation_twice {
    sessions::policies!("lints/rotation_twice.toml");
}

mod rotation_past_the_end {
    sessions::policies!("lints/rotation_past_the_end.toml");
}

mod store_key_without_effect {
    sessions::policies!("lints/store_key_without_effect.toml");
}

mod request_is_stored {
    sessions::policies!("lints/request_is_stored.toml");
}

mod scope_needs_store {
    sessions::policies!("lints/scope_needs_store.toml");
}

mod order_missing {
    sessions::policies!("lints/order_missing.toml");
}

mod order_item {
    sessions::policies!("lints/order_item.toml");
}

mod order_without_composite {
    sessions::policies!("lints/order_without_composite.toml");
}

fn main() {}
