//! As much of MessagePack as the tap needs.

/// A value, as far as it is looked at.
#[derive(Debug)]
pub enum Value {
    Text(String),
    Number(u64),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    Other,
}

/// Reads one value after another. Nothing, if a value is not complete or of a kind that is not used here.
pub struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    pub fn value(&mut self) -> Option<Value> {
        let byte = self.take(1)?[0];
        let low = usize::from(byte & 0x0f);
        match byte {
            0x00..=0x7f => Some(Value::Number(byte.into())),
            0x80..=0x8f => self.map(low),
            0x90..=0x9f => self.list(low),
            0xa0..=0xbf => self.text(usize::from(byte & 0x1f)),
            0xc0 | 0xc2 | 0xc3 => Some(Value::Other),
            0xc4 => {
                let len = self.len(1)?;
                self.take(len).map(|_| Value::Other)
            }
            0xcc => self.number(1).map(Value::Number),
            0xcd => self.number(2).map(Value::Number),
            0xce => self.number(4).map(Value::Number),
            0xcf => self.number(8).map(Value::Number),
            0xd9 => {
                let len = self.len(1)?;
                self.text(len)
            }
            0xdc => {
                let len = self.len(2)?;
                self.list(len)
            }
            0xde => {
                let len = self.len(2)?;
                self.map(len)
            }
            _ => None,
        }
    }

    fn take(&mut self, len: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, bytes: usize) -> Option<u64> {
        let bytes = self.take(bytes)?.iter();
        Some(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn len(&mut self, bytes: usize) -> Option<usize> {
        usize::try_from(self.number(bytes)?).ok()
    }

    fn text(&mut self, len: usize) -> Option<Value> {
        let text = String::from_utf8(self.take(len)?.to_vec()).ok()?;
        Some(Value::Text(text))
    }

    fn list(&mut self, len: usize) -> Option<Value> {
        let values: Option<Vec<Value>> = (0..len).map(|_| self.value()).collect();
        values.map(Value::List)
    }

    fn map(&mut self, len: usize) -> Option<Value> {
        let mut map = Vec::new();
        for _ in 0..len {
            let Some(Value::Text(key)) = self.value() else {
                return None;
            };
            map.push((key, self.value()?));
        }
        Some(Value::Map(map))
    }
}
