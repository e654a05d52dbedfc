#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Peers that send datagrams: what their handlers are, how many there are, and
# from where they are answered.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sockets
load ../lib/inherit
load ../lib/udp

setup()
{
	daemon_setup
	need python3
}

# udp LISTEN HANDLER [TEXT]: the configuration of one service, u.
udp()
{
	conf "service \"u\" { listen = \"$1\" exec = $2
		log_connections = verbose ${3:-} }"
}

here=udp://127.0.0.1:0

# In a network of its own, with addresses of several kinds.
own_network()
{
	need_root
	need ip unshare nsenter
	START_WITH=(unshare --net sh -c '
		ip link set lo up
		ip address add 192.0.2.1/24 dev lo
		ip address add 192.0.2.2/24 dev lo
		ip address add fd00::1/64 dev lo nodad
		ip address add fd00::2/64 dev lo nodad
		ip address add fe80::77/64 dev lo nodad
		exec "$@"' sh)
	start_minetd || skip_or_fail "needs a network namespace"
	CLIENT_WITH=(nsenter "--net=/proc/$MINETD_PID/ns/net")
}

# A handler is one of any other service but for its variables.
@test "handlers are as those of connections are" {
	local want=$BATS_TEST_TMPDIR/want
	REPORT=$BATS_TEST_TMPDIR/report
	need_root
	udp "$here" "{ \"$(public_bin probe)\", report, \"an argument\" }" 'argv0 = asked'
	start_minetd
	client "$(bound_port u)" >"$REPORT" <<-'END'
	s = peer()
	s.send(b"x")
	sys.stdout.buffer.write(s.recv(70000))
	sys.stdout.buffer.write(b"".join(all_of(s)))
	END
	grep -qx end= "$REPORT" || fail "incomplete" "$(<"$REPORT")"
	{
		want_no_traces
		want_defaults
		want_identity "$(id -u nobody)" "$(id -g nobody)" "$(id -G nobody)"
		want_starter
		want_descriptors
	} >"$want"
	expect "udp" <"$want"
}

@test "the options of a handler's socket are the kernel's defaults" {
	udp "$here" "\"$(handler options <<-'END'
	peer.recv(100)
	fresh = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)[0]
	# Not who the peer is, nor the number of the socket.
	def differ():
	    for level in (socket.SOL_SOCKET,):
	        for number in range(1, 90):
	            got = []
	            for s in (peer, fresh):
	                try: got.append(s.getsockopt(level, number, 64))
	                except OSError as e: got.append(e.errno)
	            if number not in (17, 57, 59, 77) and got[0] != got[1]:
	                yield "%d: %r, not %r" % (number, *got)
	peer.send(",".join(differ()).encode())
	END
	)\""
	start_minetd
	client "$(bound_port u)" <<-'END'
	assert ask(peer(), b"x") == b""
	END
}

@test "the environment names both sides" {
	udp "$here" "{ /bin/sh, -c, \"dd bs=9 count=1 status=none >/dev/null; env\" }" 'user = root'
	need_root
	start_minetd
	local port said
	port=$(bound_port u)
	said=$(client "$port" <<-'END'
	s = peer(source=("127.0.0.1", 0))
	s.send(b"x\n")
	text = b"".join(all_of(s, 1))
	print("peer=%d" % s.getsockname()[1])
	print(text.decode())
	END
	)
	local from
	from=$(sed -n 's/^peer=//p' <<<"$said")
	assert_eq "PROTO=UDP
REMOTE_ADDR=127.0.0.1
REMOTE_HOST=127.0.0.1
REMOTE_PORT=$from
UDPLOCALIP=127.0.0.1
UDPLOCALPORT=$port
UDPREMOTEIP=127.0.0.1
UDPREMOTEPORT=$from" "$(grep -E '^(PROTO|REMOTE|UDP|TCP|UNIX)' <<<"$said" | LC_ALL=C sort)"
	wait_log "start service=u id=1 pid=[0-9]+ peer=127.0.0.1:$from local=127.0.0.1:$port"
	wait_log "exit service=u id=1 pid=[0-9]+ peer=127.0.0.1:$from local=127.0.0.1:$port status=0"
}

@test "a peer that asks two of our addresses has two handlers" {
	udp "udp4://*:0" "\"$(handler_each)\""
	start_minetd
	client "$(bound_port u)" <<-'END'
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.settimeout(5)
	port = peer().getpeername()[1]
	pids = {}
	for host in ("127.0.0.2", "127.0.0.3") * 5:
	    s.sendto(b"x", (host, port))
	    data, sender = s.recvfrom(100)
	    assert sender == (host, port), sender
	    pids.setdefault(host, set()).add(data)
	assert [len(p) for p in pids.values()] == [1, 1]
	assert len(set.union(*pids.values())) == 2
	END
}

@test "answers leave from the address that was asked, of both families" {
	udp "udp://*:0" "\"$(handler_once)\""
	own_network
	client "$(bound_port u)" <<-'END'
	for host in ("192.0.2.1", "192.0.2.2", "127.0.0.9", "fd00::1", "fd00::2",
	    "::1", "fe80::77%lo"):
	    # Connected: answers from elsewhere do not come in.
	    assert ask(peer(host), b"x").endswith(b" x"), host
	END
	wait_log 'start service=u .* peer=192.0.2.1:[0-9]+ local=192.0.2.1:'
	wait_log 'start service=u .* local=\[fe80::77%lo\]:'
}

@test "who asks all hosts is answered by one address" {
	udp "udp://*:0" "\"$(handler_once)\""
	own_network
	client "$(bound_port u)" <<-'END'
	port = peer().getpeername()[1]
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
	s.settimeout(5)
	s.sendto(b"x", ("192.0.2.255", port))
	data, sender = s.recvfrom(100)
	assert data.endswith(b" x") and sender == ("192.0.2.1", port), sender
	END
}

@test "a socket of IPv6 alone serves it" {
	need_ipv6
	udp "udp6://[::1]:0" "\"$(handler_once)\""
	start_minetd
	client "$(bound_port u)" <<-'END'
	s = peer("::1")
	for i in range(3): assert ask(s, b"%d" % i).endswith(b" %d" % i)
	END
}

@test "a full service lets others wait" {
	udp "$here" "\"$(handler_each)\"" 'instances = 1 on_full = queue'
	start_minetd
	client "$(bound_port u)" <<-'END'
	a, b = peer(), peer()
	pid = ask(a, b"1").split()[0]
	for i in range(5): b.send(b"%d" % i)
	assert all_of(b) == []
	assert ask(a, b"2").split()[0] == pid
	a.send(b"")	# ends it
	got = [b.recv(100).split() for _ in range(5)]
	assert [int(g[1]) for g in got] == list(range(5)), got
	assert got[0][0] != pid
	END
	assert_eq 0 "$(count_log '(^| )reject service=u ')"
}

@test "a full service refuses others" {
	udp "$here" "\"$(handler_each)\"" 'instances = 1 on_full = refuse'
	start_minetd
	client "$(bound_port u)" <<-'END'
	a, b = peer(), peer()
	pid = ask(a, b"1").split()[0]
	for i in range(5): b.send(b"no")
	assert all_of(b) == []
	assert ask(a, b"2").split()[0] == pid
	a.send(b"")
	assert all_of(b) == []
	END
	wait_log 'reject service=u peer=127.0.0.1:[0-9]+ reason=full'
	wait_log 'exit service=u '
	client "$(bound_port u)" <<-'END'
	assert ask(peer(), b"again").endswith(b" again")
	END
}

@test "a handler that reads nothing costs what it may, and no more" {
	udp "$here" "{ /bin/sleep, 60 }" 'kill_grace = 1s'
	start_minetd
	client "$(bound_port u)" <<-'END'
	s = peer()
	for i in range(3000):
	    s.send(b"x" * 1000)
	    if i % 50 == 0: time.sleep(0.002)
	END
	wait_log 'reject service=u peer=127.0.0.1:[0-9]+ reason=full'
	local kib
	kib=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$(frontend_pid)/status")
	[[ $MINETD == */san/* ]] || ((kib < 16384)) || fail "$kib KiB"
}

@test "one whose program is missing keeps no place" {
	udp "$here" /nonexistent/program 'instances = 1'
	start_minetd
	client "$(bound_port u)" <<-'END'
	s = peer()
	for i in range(5): s.send(b"x")
	END
	exits() { (($(count_log '(^| )exit service=u .* status=127 ') == $1)); }
	wait_until 5 exits 5
	wait_log 'spawn_failed service=u step=exec error="No such file'
	client "$(bound_port u)" <<-'END'
	peer().send(b"x")
	END
	wait_until 5 exits 6
}

@test "a thousand peers at once have a thousand handlers" {
	udp "$here" "{ /bin/dd, \"bs=65536\", \"count=1\", \"status=none\" }" \
		'instances = 1000 receive_buffer = 4m'
	start_minetd
	client "$(bound_port u)" <<-'END'
	import resource
	resource.setrlimit(resource.RLIMIT_NOFILE, (2000, 2000))
	peers = [peer() for _ in range(1000)]
	for n, s in enumerate(peers): s.send(b"%d" % n)
	for n, s in enumerate(peers):
	    s.settimeout(15)
	    assert s.recv(100) == b"%d" % n
	END
	assert_eq 1000 "$(count_log '(^| )start service=u ')"
}

@test "an upgrade leaves the peer its handler" {
	udp "$here" "\"$(handler_each)\""
	start_minetd
	steps before after
	start_client "$(bound_port u)" <<-'END'
	s = peer()
	pid = ask(s, b"1").split()[0]
	step("before")
	assert ask(s, b"2").split()[0] == pid
	s.send(b"")
	step("after")
	assert ask(s, b"3").split()[0] != pid
	END
	at_step before
	upgrade
	go_on before
	at_step after
	wait_log 'exit service=u id=1 .*status=0'
	go_on after
	client_ends
}
