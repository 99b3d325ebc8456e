//! Reaching anything beyond the sandbox.

use std::{net::TcpListener, os::unix::net::UnixListener};

use super::{Twin, contained};

#[tokio::test]
async fn loopback_cannot_be_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let script = "
import socket, sys
print('RUNNING', flush=True)
socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2)
print('BREACH')
";
    contained(Twin::Anyone, script, &[&port]).await;
}

#[tokio::test]
async fn no_socket_of_a_network_can_be_made() {
    let script = "
import socket
print('RUNNING', flush=True)
for family in range(2, 46):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        try: socket.socket(family, kind)
        except OSError: continue
        print('BREACH', family, kind)
";
    contained(Twin::Anyone, script, &[]).await;
}

#[tokio::test]
async fn no_interface_is_up_and_no_route_leads_out() {
    let script = "
import socket
print('RUNNING', flush=True)
if socket.gethostname() != 'sandbox': print('BREACH', socket.gethostname())
for target in ('10.0.0.1', '192.168.1.1', '8.8.8.8', '127.0.0.1'):
    try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect((target, 53))
    except OSError: continue
    print('BREACH', target)
";
    contained(Twin::Anyone, script, &[]).await;
}

#[tokio::test]
async fn no_port_can_be_bound() {
    let script = "
import socket
print('RUNNING', flush=True)
socket.create_server(('127.0.0.1', 0))
print('BREACH')
";
    contained(Twin::Anyone, script, &[]).await;
}

#[tokio::test]
async fn sockets_of_the_host_cannot_be_reached_by_path_or_by_name() {
    use std::os::linux::net::SocketAddrExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let _by_path = UnixListener::bind(&path).unwrap();
    let name = format!("adit-sandbox-test-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let _by_name = UnixListener::bind_addr(&address).unwrap();
    let script = "
import socket, sys
print('RUNNING', flush=True)
name = sys.argv[1].replace('@', chr(0))
socket.socket(socket.AF_UNIX).connect(name)
print('BREACH')
";
    contained(Twin::Anyone, script, &[path.to_str().unwrap()]).await;
    contained(Twin::Anyone, script, &[&format!("@{name}")]).await;
}

#[tokio::test]
async fn netlink_is_closed() {
    let script = "
import socket
print('RUNNING', flush=True)
socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).bind((0, 0))
print('BREACH')
";
    contained(Twin::Anyone, script, &[]).await;
}
