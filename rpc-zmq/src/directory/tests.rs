use super::*;

fn directory(url: &str) -> Result<Directory, ParseUrlError> {
    Directory::parse(&url.parse().unwrap())
}

fn listed(url: &str) -> Vec<Address> {
    match directory(url).unwrap().source {
        Source::List(nodes) => nodes.into(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn lists_of_nodes() {
    let shown: Vec<String> = listed("zmq://a:1,[::1]:2,127.0.0.1:3/")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown, ["a:1", "[::1]:2", "127.0.0.1:3"]);
    let parsed = listed("zmq+ipc:///run/a.sock,/run/b.sock");
    assert_eq!(parsed[1], Address::Ipc("/run/b.sock".into()));
}

#[test]
fn where_a_server_listens() {
    let listen = |url: &str, own| {
        directory(url)
            .unwrap()
            .listen(own)
            .map(|address| address.to_string())
    };
    assert_eq!(listen("zmq://a:1", None).unwrap(), "a:1");
    for scheme in ["zmq", "zmq+dns", "zmq+redis"] {
        let url = format!("{scheme}://a:1?listen=0.0.0.0:5");
        assert_eq!(listen(&url, None).unwrap(), "0.0.0.0:5");
        assert_eq!(listen(&url, Some("b:7")).unwrap(), "b:7");
    }
    assert_eq!(
        listen("zmq://?listen=0.0.0.0:0", None).unwrap(),
        "0.0.0.0:0"
    );
    for url in ["zmq://a:1,b:1", "zmq+dns://a:1", "zmq+redis://a:1"] {
        let error = listen(url, None).unwrap_err().to_string();
        assert!(error.contains("?listen="), "{url}: {error}");
    }
}

#[test]
fn says_what_is_wrong() {
    for (url, expected) in [
        ("zmq://", "names no node"),
        ("zmq://a", "host:port"),
        ("zmq://a:b", "65535"),
        ("zmq://a:70000", "65535"),
        ("zmq://::1:5", "host:port"),
        ("zmq://[::1:5", "host:port"),
        ("zmq://a b:5", "host:port"),
        ("zmq://a:1,a:1", "twice"),
        ("zmq+ipc://run/x", "absolute path"),
        ("zmq://a:1?listen=x", "host:port"),
        ("zmq://a:1?idle=99", "at least 100"),
        ("zmq+dns://", "name and a port"),
        ("zmq+dns://compute.svc", "name and a port"),
        ("zmq+dns://compute.svc:x", "65535"),
        ("zmq+dns://_rpc._tcp", "name and a port"),
        ("zmq+dns://a:1,b:1", "host:port"),
        ("zmq+dns://a:1?resolver=x", "ip:port"),
        ("zmq+redis://", "zmq+redis://host:6379"),
        ("zmq+redis://host:x", "zmq+redis://host:6379"),
        ("zmq+redis://host/x", "zmq+redis://host:6379"),
        ("zmq+redis://host?lease=soon", "a number"),
        ("zmq+redis://host?lease=15", "1000 to 3600000 milliseconds"),
        ("zmq+redis://host?lease=-1", "a number"),
        ("zmq+redis://host?poll=0", "50 to 60000"),
    ] {
        let error = directory(url).unwrap_err().to_string();
        assert!(error.contains(expected), "{url}: {error}");
    }
}

#[test]
fn passwords_are_not_shown() {
    let parsed = directory("zmq+redis://me:s%40cret@host:7000/3").unwrap();
    assert!(!format!("{parsed:?}").contains("cret"), "{parsed:?}");
    let Source::Redis(server) = parsed.source else {
        panic!("{parsed:?}");
    };
    assert_eq!(server.to_string(), "redis://host:7000");
    let error = directory("zmq+redis://me:secret@host:x").unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}
