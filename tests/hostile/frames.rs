//! Frames of our protocol by hand: see `docs/wire-protocol.md`.

pub(crate) const CALL: u8 = 3;
pub(crate) const CAST: u8 = 4;
pub(crate) const MULTICALL: u8 = 5;

/// A frame in the head of ZMTP.
pub(crate) fn framed(kind: u8, id: u64, header: &[u8], body: &[u8]) -> Vec<u8> {
    let mut frame = vec![1, kind];
    frame.extend(u16::try_from(header.len()).unwrap().to_be_bytes());
    frame.extend(id.to_be_bytes());
    frame.extend(header);
    frame.extend(body);
    crate::raw::frame(0, &frame)
}

/// A request. A stream has so much credit, in items and bytes.
pub(crate) fn request(
    kind: u8,
    id: u64,
    method: &str,
    credit: Option<u64>,
    args: &[u8],
) -> Vec<u8> {
    let mut header = vec![0x9a];
    for text in ["", "bytes", "node-1"] {
        header.extend(string(text));
    }
    header.extend([0xc0, 0x92, 1, 0, 0x92, 1, 0]);
    header.extend(string(method));
    header.extend([0xc0, 0x80]);
    match credit {
        None => header.push(0xc0),
        Some(credit) => {
            header.push(0x92);
            for _ in 0..2 {
                header.push(0xcf);
                header.extend(credit.to_be_bytes());
            }
        }
    }
    framed(kind, id, &header, args)
}

/// The arguments of a method that takes bytes.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    let mut args = vec![0x81];
    args.extend(string("bytes"));
    args.push(0xc6);
    args.extend(u32::try_from(len).unwrap().to_be_bytes());
    args.resize(args.len() + len, 7);
    args
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xd9, u8::try_from(text.len()).unwrap()];
    bytes.extend(text.as_bytes());
    bytes
}
