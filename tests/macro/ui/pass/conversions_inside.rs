//! Types that changed inside of an `Option`, a `Vec` or a slice: nobody could write a conversion of the whole.

use rpc_core::{Context, rpc_api};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct Old(u32);

#[derive(Debug, Serialize, Deserialize)]
pub struct New {
    pub number: u64,
}

impl TryFrom<&New> for Old {
    type Error = std::num::TryFromIntError;

    fn try_from(new: &New) -> Result<Self, Self::Error> {
        u32::try_from(new.number).map(Self)
    }
}

impl From<Old> for New {
    fn from(old: Old) -> Self {
        Self {
            number: old.0.into(),
        }
    }
}

#[rpc_api(version = "1.1")]
pub trait Numbers {
    #[rpc(returned(type = Vec<Option<Old>>, until = "1.1"))]
    async fn numbers(
        &self,
        ctx: &Context,
        #[rpc(was(type = Option<Old>, until = "1.1"))] one: Option<New>,
        #[rpc(was(type = Vec<Old>, until = "1.1"))] many: &[New],
        #[rpc(was(type = Option<Vec<Old>>, until = "1.1"))] lent: &Option<Vec<New>>,
        #[rpc(was(type = Old, until = "1.1"))] plain: &New,
    ) -> Vec<Option<New>>;
}

struct Adder;

impl Numbers for Adder {
    async fn numbers(
        &self,
        _: &Context,
        one: Option<New>,
        many: &[New],
        lent: &Option<Vec<New>>,
        plain: &New,
    ) -> Vec<Option<New>> {
        let lent: u64 = lent.iter().flatten().map(|new| new.number).sum();
        let many: u64 = many.iter().map(|new| new.number).sum();
        let number = many + lent + plain.number;
        vec![one, None, Some(New { number })]
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = NumbersClient::local(Adder);
        for cap in ["1.0", "1.1"] {
            let capped = client.prepare(|call| call.version_cap(cap));
            let new = |number| New { number };
            let answer = capped
                .numbers(
                    &Context::new(),
                    Some(new(1)),
                    &[new(2), new(3)],
                    &Some(vec![new(4)]),
                    &new(5),
                )
                .await
                .unwrap();
            let numbers: Vec<Option<u64>> = answer
                .into_iter()
                .map(|new| new.map(|new| new.number))
                .collect();
            assert_eq!(numbers, [Some(1), None, Some(14)]);
        }
        // what does not fit into the old type needs the new version
        let capped = client.prepare(|call| call.version_cap("1.0"));
        let large = New { number: u64::MAX };
        let refused = capped
            .numbers(&Context::new(), Some(large), &[], &None, &New { number: 0 })
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("argument `one` (out of range"), "{refused}");
    });
}
