#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# proxy_protocol: who is believed, and what becomes of what he says.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sources
load ../lib/inherit

v1=$'PROXY TCP4 192.0.2.1 198.51.100.7 5 6\r\n'

setup()
{
	daemon_setup
	need python3
	hold="exec = {\"$(public_bin probe)\", \"hold\"}"
}

# proxied NAME KEYS [LISTEN]: a service that believes this machine.
proxied()
{
	echo "service \"$1\" { listen = {\"${3:-tcp://127.0.0.1:0}\"}
		proxy_protocol = required proxy_from = {\"127.0.0.1\", \"::1\"} $2 }"
}

# via HOST|'' SERVICE [TEXT]: what a client of that address is told through the
# proxy 127.0.0.1, which says TEXT for him.
via()
{
	local header="PROXY TCP4 $1 198.51.100.7 5 6"$'\r\n'
	from 127.0.0.1 "$2" -s "$header${3:-}"
}

# segments SERVICE SIZE HEADER TEXT: the same bytes, in pieces of that size that
# arrive one by one; prints the answer.
segments()
{
	timeout 30 python3 - "$(port_of "$1")" "$2" "$3" "$4" <<-'END'
	import socket, sys
	port, size, header, text = sys.argv[1:]
	data = header.encode('latin-1').decode('unicode_escape').encode('latin-1')
	data += text.encode()
	s = socket.create_connection(('127.0.0.1', int(port)), timeout=20)
	s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
	size = int(size) or len(data)
	for at in range(0, len(data), size):
	    s.sendall(data[at:at + size])
	    # Until the kernel of this machine has given it to the other side.
	    while size < len(data) and int.from_bytes(s.getsockopt(
	            socket.IPPROTO_TCP, socket.TCP_INFO, 104)[24:28],
	            sys.byteorder) > 0:
	        pass
	s.shutdown(socket.SHUT_WR)
	while True:
	    got = s.recv(65536)
	    if not got:
	        break
	    sys.stdout.buffer.write(got)
	END
}

v2='\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x07\x00\x05\x00\x06'

@test "the client is who the proxy says, in the log and in the environment" {
	conf "$(proxied cat "exec = {\"/usr/bin/env\"} log_connections = verbose")"
	start_minetd
	run -0 dial -s "$v1" "tcp://127.0.0.1:$(port_of cat)"
	for line in PROTO=TCP TCPREMOTEIP=192.0.2.1 TCPREMOTEPORT=5 \
		TCPLOCALIP=198.51.100.7 TCPLOCALPORT=6 REMOTE_ADDR=192.0.2.1 \
		REMOTE_PORT=5 REMOTE_HOST=192.0.2.1 PROXY_ADDR=127.0.0.1; do
		assert_match $'(^|\n)'"$line"$'(\n|$)' "$output"
	done
	assert_match 'PROXY_PORT=[1-9]' "$output"
	wait_log 'exit service=cat '
	for verb in start exit; do
		assert_match 'peer=192.0.2.1:5 via=127.0.0.1:[0-9]+ local=198.51.100.7:6' \
			"$(log_line "$verb service=cat")"
	done
}

@test "version 2, and IPv6" {
	conf "$(proxied cat 'exec = "/bin/cat"')
	$(proxied six 'exec = "/bin/cat"' 'tcp://[::1]:0')"
	start_minetd
	assert_eq hello "$(segments cat 0 "$v2" hello)"
	wait_log 'exit service=cat .* peer=192.0.2.1:5 '
	assert_eq hello "$(dial -s $'PROXY TCP6 2001:db8::1 2001:db8::2 7 8\r\nhello' \
		"tcp://[::1]:$(port_of six)")"
	wait_log 'exit service=six .* peer=\[2001:db8::1\]:7 via=\[::1\]:'
}

@test "what follows the header arrives byte for byte, however it comes" {
	conf "$(proxied cat 'exec = "/bin/cat"')
	$(proxied echo 'builtin = echo')
	$(proxied to "redirect = \"tcp://127.0.0.1:9\"")
	service \"there\" { listen = \"tcp://127.0.0.1:0\" exec = \"/bin/cat\" }"
	start_minetd
	conf "$(proxied cat 'exec = "/bin/cat"')
	$(proxied echo 'builtin = echo')
	$(proxied to "redirect = \"tcp://127.0.0.1:$(port_of there)\"")
	service \"there\" { listen = \"tcp://127.0.0.1:0\" exec = \"/bin/cat\" }"
	reload
	local size service text=$'PROXY and\nmore\tof it'
	for service in cat echo to; do
		for size in 0 1 7 28 29; do
			assert_eq "$text" "$(segments "$service" "$size" "$v2" \
				"$text")" "$service in pieces of $size"
		done
	done
}

@test "rules, limits and bans are for the client, not the proxy" {
	conf "$(proxied rules "$hold only_from = \"192.0.2.0/24\"")
	$(proxied limits "$hold per_source = 1 ban = 1h")
	$(proxied proxies "$hold no_access = \"127.0.0.1\"")"
	start_minetd
	assert_match '^pid' "$(via 192.0.2.9 rules)"
	assert_eq '' "$(via 198.51.100.1 rules)"
	wait_log 'reject service=rules peer=198.51.100.1:5 reason=acl'
	assert_match '^pid' "$(via 192.0.2.9 proxies)"
	hold_client limits
	from 127.0.0.1 limits -s $'PROXY TCP4 192.0.2.1 1.1.1.1 5 6\r\n' -k -t 60 \
		>"$BATS_TEST_TMPDIR/first" &
	ends_with_test $!
	wait_until 10 grep -q ^pid "$BATS_TEST_TMPDIR/first"
	assert_eq '' "$(via 192.0.2.1 limits)"
	wait_log 'reject service=limits peer=192.0.2.1:5 reason=per_source'
	wait_log 'ban addr=192.0.2.1(/32)? .* reason=per_source'
	assert_match '^pid' "$(via 192.0.2.2 limits)"
}

@test "who is not in proxy_from is refused, or serves himself" {
	conf "service \"must\" { listen = \"tcp://127.0.0.1:0\" $hold
		proxy_protocol = required proxy_from = \"127.0.0.9\" }
	service \"may\" { listen = \"tcp://127.0.0.1:0\" exec = \"/bin/cat\"
		proxy_protocol = optional proxy_from = \"127.0.0.9\" }"
	start_minetd
	assert_eq '' "$(from 127.0.0.1 must -s "$v1")"
	wait_log 'reject service=must peer=127.0.0.1:[0-9]+ reason=preface'
	assert_match '^pid' "$(from 127.0.0.9 must -s "$v1")"
	# What he says is for the handler.
	assert_eq "${v1%$'\r\n'}"$'\r' "$(from 127.0.0.1 may -s "$v1")"
	wait_log 'exit service=may .* peer=127.0.0.1:'
	assert_eq '' "$(from 127.0.0.9 may -s "$v1")"
	wait_log 'exit service=may .* peer=192.0.2.1:5 via=127.0.0.9:'
}

@test "optional: without a header the proxy is the client" {
	conf "$(proxied cat 'exec = "/bin/cat"' | sed 's/required/optional/')"
	start_minetd
	assert_eq 'GET /' "$(talk cat 'GET /')"
	assert_eq '' "$(talk cat '')"
	wait_log 'exit service=cat id=2 .* peer=127.0.0.1:'
	assert_eq hello "$(via 192.0.2.1 cat hello)"
	wait_log 'exit service=cat .* peer=192.0.2.1:5 '
	# What only begins like one comes to the handler when it is another.
	assert_eq PROXIES "$(talk cat PROXIES)"
}

@test "optional: who waits to be spoken to is, when the time is over" {
	conf "preface_timeout = 300ms
	$(proxied hold "$hold" | sed 's/required/optional/')"
	start_minetd
	hold_client hold
	greeted
	wait_until 5 grep -q ^pid "$CLIENT_OUT"
}

@test "required: what is no header, or comes late, is refused" {
	conf "preface_timeout = 500ms
	$(proxied cat 'exec = "/bin/cat"')"
	start_minetd
	assert_eq '' "$(from 127.0.0.1 cat -s $'GET / HTTP/1.0\r\n\r\n')"
	wait_log 'reject service=cat peer=127.0.0.1:[0-9]+ reason=preface'
	assert_eq '' "$(from 127.0.0.1 cat -s $'PROXY TCP4 1.2.3 1.1.1.1 5 6\r\n')"
	assert_eq '' "$(from 127.0.0.1 cat -k -s 'PROXY TCP4 1')"
	assert_eq '' "$(from 127.0.0.1 cat -k)"
	assert_eq 0 "$(count_log 'exit service=cat')"
}

@test "the time for a header does not grow with its bytes" {
	conf "preface_timeout = 1s
	$(proxied cat 'exec = "/bin/cat"')"
	start_minetd
	timeout 20 python3 - "$(port_of cat)" <<-'END'
	import select, socket, sys, time
	s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
	began = time.monotonic()
	for byte in b'PROXY UNKNOWN ' + b'x' * 80:
	    try:
	        s.sendall(bytes([byte]))
	    except OSError:
	        sys.exit(0)
	    if select.select([s], [], [], 0.1)[0]:
	        sys.exit(0)	# it was closed
	sys.exit('all of it was waited for')
	END
	wait_log 'reject service=cat .* reason=preface'
}

@test "health checks of the proxy itself" {
	conf "$(proxied cat 'exec = "/bin/cat"')"
	start_minetd
	assert_eq ok "$(segments cat 0 \
		'\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00' ok)"
	wait_log 'exit service=cat .* peer=127.0.0.1:'
	assert_no_match via= "$(log_line 'exit service=cat')"
	assert_eq ok "$(from 127.0.0.1 cat -s $'PROXY UNKNOWN\r\nok')"
}

@test "three hundred who stall hold up nobody" {
	conf "pending_max = 64 pending_per_source = 16
	$(proxied cat 'exec = "/bin/cat"' 'tcp://*:0')"
	start_minetd
	port=$(port_of cat)
	start_process "$TESTBIN/dial" -p 300 -t 60 "tcp://127.0.0.1:$port"
	wait_log 'reject service=cat .* reason=preface'
	for _ in 1 2 3 4 5; do
		assert_eq hello "$(via 192.0.2.1 "tcp://127.0.0.1:$port" hello)"
	done
	assert_eq hello "$(dial -b ::1 -s $'PROXY TCP4 192.0.2.2 1.1.1.1 5 6\r\nhello' \
		"tcp://[::1]:$port")"
}

@test "who has said it all is not too many, though all come at once" {
	conf "pending_max = 8 pending_per_source = 4
	$(proxied cat 'exec = "/bin/cat"')"
	start_minetd
	kill -STOP "$(frontend_pid)"
	timeout 30 python3 - "$(port_of cat)" "$(frontend_pid)" <<-'END'
	import os, signal, socket, sys
	clients = []
	for i in range(60):
	    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
	    s.sendall(b'PROXY TCP4 192.0.2.1 192.0.2.2 %d 9\r\nhello' % (i + 1))
	    s.shutdown(socket.SHUT_WR)
	    clients.append(s)
	os.kill(int(sys.argv[2]), signal.SIGCONT)
	for s in clients:
	    got = b''
	    while piece := s.recv(100):
	        got += piece
	    assert got == b'hello', got
	END
	assert_eq 0 "$(count_log reject)"
}

@test "a user is no sender of headers" {
	conf "service \"cat\" { listen = \"unix:///x\" exec = \"/bin/cat\"
		proxy_protocol = optional proxy_from = \"uid:0\" }"
	run -78 "$MINETD" -t -c "$CONF"
	assert_match 'proxy_from: "uid:0": is no sender' "$output"
}

@test "proxy_protocol without proxy_from is an error" {
	conf 'service "cat" { listen = "tcp://127.0.0.1:0" exec = "/bin/cat"
		proxy_protocol = optional }'
	run -78 "$MINETD" -t -c "$CONF"
	assert_match 'proxy_protocol: needs proxy_from' "$output"
}
