//! Whoever calls a deprecated method is told; what is generated for it is silent.
#![deny(warnings)]

use rpc_core::{Context, rpc_api};

#[rpc_api(version = "1.0")]
pub trait Old {
    #[deprecated(note = "use `better`")]
    async fn worse(&self, ctx: &Context) -> u32;
    async fn better(&self, ctx: &Context) -> u32;
}

#[deprecated]
#[rpc_api(version = "1.0")]
pub trait Older {
    async fn worst(&self, ctx: &Context) -> u32;
}

fn main() {
    fn call(client: &OldClient) {
        #[expect(deprecated)]
        drop(client.worse(&Context::new()));
        drop(client.better(&Context::new()));
    }
    #[expect(deprecated)]
    fn call_older(client: &OlderClient) {
        drop(client.worst(&Context::new()));
    }
    let _ = (call, call_older);
}
