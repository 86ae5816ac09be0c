mod api;
mod node;
mod types;
fn main() {}
