//! MessagePack by hand, as far as the messages here need it.

use serde_json::{Map, Value};

/// The bytes of a value.
pub(crate) fn pack(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, value);
    bytes
}

fn write(bytes: &mut Vec<u8>, value: &Value) {
    let short = |len: usize| u8::try_from(len).ok().filter(|len| *len < 16).unwrap();
    match value {
        Value::Null => bytes.push(0xc0),
        Value::Bool(value) => bytes.push(0xc2 | u8::from(*value)),
        Value::Number(number) => {
            let number = number.as_u64().unwrap();
            bytes.push(
                u8::try_from(number)
                    .ok()
                    .filter(|number| *number < 128)
                    .unwrap(),
            );
        }
        Value::String(text) => bytes.extend(crate::raw::string(text)),
        Value::Array(values) => {
            bytes.push(0x90 | short(values.len()));
            values.iter().for_each(|value| write(bytes, value));
        }
        Value::Object(map) => {
            bytes.extend([0xde, 0, u8::try_from(map.len()).unwrap()]);
            for (key, value) in map {
                bytes.extend(crate::raw::string(key));
                write(bytes, value);
            }
        }
    }
}

/// Reads values one after another.
pub(crate) struct Unpack<'a>(pub(crate) &'a [u8]);

impl Unpack<'_> {
    /// The next value.
    pub(crate) fn value(&mut self) -> Value {
        let byte = self.byte();
        let low = usize::from(byte & 0x0f);
        match byte {
            0x00..=0x7f => byte.into(),
            0x80..=0x8f => self.map(low),
            0x90..=0x9f => self.array(low),
            0xa0..=0xbf => self.text(usize::from(byte & 0x1f)),
            0xc0 => Value::Null,
            0xc2 | 0xc3 => (byte == 0xc3).into(),
            0xc4 => {
                let len = self.len(1);
                self.take(len).into()
            }
            0xcc => self.number(1).into(),
            0xcd => self.number(2).into(),
            0xce => self.number(4).into(),
            0xcf => self.number(8).into(),
            0xd9 => {
                let len = self.len(1);
                self.text(len)
            }
            0xdc => {
                let len = self.len(2);
                self.array(len)
            }
            0xde => {
                let len = self.len(2);
                self.map(len)
            }
            other => panic!("0x{other:02x} is not used here"),
        }
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn take(&mut self, len: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    fn number(&mut self, bytes: usize) -> u64 {
        let shift = |number, byte: &u8| number << 8 | u64::from(*byte);
        self.take(bytes).iter().fold(0, shift)
    }

    fn len(&mut self, bytes: usize) -> usize {
        usize::try_from(self.number(bytes)).unwrap()
    }

    fn text(&mut self, len: usize) -> Value {
        String::from_utf8(self.take(len).to_vec()).unwrap().into()
    }

    fn array(&mut self, len: usize) -> Value {
        (0..len).map(|_| self.value()).collect()
    }

    fn map(&mut self, len: usize) -> Value {
        let mut map = Map::new();
        for _ in 0..len {
            let key = self.value();
            let before = map.insert(key.as_str().unwrap().into(), self.value());
            assert_eq!(before, None, "{key} is there twice");
        }
        map.into()
    }
}
