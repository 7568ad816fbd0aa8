//! The details of a status (`grpc-status-details-bin`): three messages of `google.rpc`, so small that writing them takes no
//! library. Nothing is read here.

use std::time::Duration;

use tonic::Code;

const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// A `google.rpc.Status` with `ErrorInfo`, and `RetryInfo` where there is a time.
pub(super) fn encode(
    code: Code,
    message: &str,
    reason: &str,
    domain: &str,
    retry: Option<Duration>,
) -> Vec<u8> {
    let mut status = Message::default();
    status.number(1, u64::try_from(i32::from(code)).unwrap_or_default());
    status.bytes(2, message.as_bytes());
    let mut info = Message::default();
    info.bytes(1, reason.as_bytes());
    info.bytes(2, domain.as_bytes());
    status.any(3, ERROR_INFO, &info);
    if let Some(after) = retry {
        let mut delay = Message::default();
        delay.number(1, after.as_secs());
        delay.number(2, u64::from(after.subsec_nanos()));
        let mut info = Message::default();
        info.bytes(1, &delay.0);
        status.any(3, RETRY_INFO, &info);
    }
    status.0
}

/// A message of Protocol Buffers, field by field.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    /// A number; zero is the default, which is not written.
    fn number(&mut self, field: u64, value: u64) {
        if value != 0 {
            self.varint(field << 3);
            self.varint(value);
        }
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn any(&mut self, field: u64, kind: &str, value: &Self) {
        let mut any = Self::default();
        any.bytes(1, kind.as_bytes());
        any.bytes(2, &value.0);
        self.bytes(field, &any.0);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_seven_bits_a_byte() {
        let mut message = Message::default();
        message.number(1, 300);
        message.number(2, 0);
        assert_eq!(message.0, [0x08, 0xac, 0x02]);
    }
}
