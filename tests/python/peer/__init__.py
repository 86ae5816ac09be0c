"""The wire protocol of docs/wire-protocol.md in Python, written from that document alone: it shares nothing with the Rust code.

`codec` has values and headers, `frames` the frames, `client` and `server` the two roles.
"""
