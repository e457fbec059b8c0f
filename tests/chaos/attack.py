#!/usr/bin/env python3
"""Attacks one port of a node and says how the node took it. Used by http_attack_test.sh; needs nothing but Python 3.

  attack.py http HOST:PORT --seconds 30 [--idle 10000] [--seed N] [--header-limit 10] [--body-limit 30]
  attack.py peer HOST:PORT --seconds 30 [--seed N] [--handshake-limit 5]

All attacks go on beside each other until the time is over; then all connections are closed. Prints a row "name  number" for each thing
that was counted, and to standard error every answer that should not have been; exit code 1 when there was one, or when something
that should have been tried never was. What waits for a time limit of the node is given 10 s more than that, and ten times the
longest time that this program itself came late by.
"""
import argparse
import asyncio
import collections
import errno
import random
import socket
import ssl
import struct
import sys
import time

SLACK = 10.0  # seconds beyond a time limit of the node: its sweep, and lingering after a refusal


class Attack:
    def __init__(self, options):
        host, port = options.where.rsplit(":", 1)
        self.address = (host, int(port))
        self.options = options
        self.end = time.monotonic() + options.seconds
        self.random = random.Random(options.seed)
        self.counts = collections.Counter()
        self.problems = []
        self.late = 0.0  # seconds

    async def watch_lateness(self):
        """Attacker and node share the processors: who comes late himself cannot say that the node did."""
        while not self.over():
            due = time.monotonic() + 0.1
            await asyncio.sleep(0.1)
            self.late = max(self.late, time.monotonic() - due)

    def slack(self):
        return SLACK + 10 * self.late  # most of what is done here takes several turns of the loop

    def over(self):
        return time.monotonic() >= self.end

    def problem(self, text):
        self.counts["problems"] += 1
        if len(self.problems) < 50:
            self.problems.append(text)

    async def connect(self):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setblocking(False)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(s, self.address), 20)
        except BaseException:
            s.close()
            raise
        return s


async def send(s, data):
    await asyncio.get_running_loop().sock_sendall(s, data)


async def read_until_closed(s, seconds, most=1 << 20):
    """All bytes until the node closes, and whether it did within the time. A reset counts as closed."""
    got = b""
    until = time.monotonic() + seconds
    while len(got) < most:
        left = until - time.monotonic()
        if left <= 0:
            return got, False
        try:
            piece = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(s, 65536), left)
        except asyncio.TimeoutError:
            return got, False
        except OSError:
            return got, True
        if not piece:
            return got, True
        got += piece
    return got, False


def statuses(raw):
    """Of all responses in these bytes, which have a Content-Length each."""
    out = []
    while raw.startswith(b"HTTP/1."):
        head, found, rest = raw.partition(b"\r\n\r\n")
        if not found:
            break
        out.append(int(head[9:12]))
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        raw = rest[length:]
    return out


async def forever(attack, name, once):
    """Repeats `once(s)` on a new connection until the time is over."""
    while not attack.over():
        try:
            s = await attack.connect()
        except (OSError, asyncio.TimeoutError):
            attack.counts[name + ", not connected"] += 1
            await asyncio.sleep(0.1)
            continue
        try:
            await once(s)
            attack.counts[name] += 1
        except (BrokenPipeError, ConnectionResetError):
            attack.counts[name + ", cut by the node"] += 1
        finally:
            s.close()


# ---- HTTP --------------------------------------------------------------------------------------------------------------------------

HOST = b"Host: localhost\r\n"
POST = b"POST /patient/data HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
NEXT = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"  # behind every probe; its answer would show that two requests were seen


def probes():
    """Requests that two programs in a row could read differently, by name."""
    body = b"0\r\n\r\n"
    out = {
        "length and coding": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + body,
        "coding and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + body,
        "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + body,
        "one length twice": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n" + body,
        "list of lengths": POST + b"Content-Length: 5, 5\r\n\r\n" + body,
        "length with a plus": POST + b"Content-Length: +5\r\n\r\n" + body,
        "negative length": POST + b"Content-Length: -5\r\n\r\n" + body,
        "hexadecimal length": POST + b"Content-Length: 0x5\r\n\r\n" + body,
        "length of 2^64 and 5": POST + b"Content-Length: 18446744073709551621\r\n\r\n" + body,
        "empty length": POST + b"Content-Length:\r\n\r\n" + body,
        "coding twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + body,
        "coding chunked, then identity": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + body,
        "coding in HTTP/1.0": b"POST /patient/data HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + body,
        "space before the colon": POST + b"Content-Length : 5\r\n\r\n" + body,
        "tab before the colon": POST + b"Transfer-Encoding\t: chunked\r\n\r\n" + body,
        "folded line": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + body,
        "folded behind a length": POST + b"Content-Length: 5\r\n 0\r\n\r\n" + body,
        "bare LF": POST + b"X: a\nTransfer-Encoding: chunked\r\n\r\n" + body,
        "bare LF at the end": POST + b"Content-Length: 5\r\n\n" + body,
        "stray CR": POST + b"X: a\rTransfer-Encoding: chunked\r\n\r\n" + body,
        "zero byte in a value": POST + b"X: a\x00b\r\n\r\n",
        "vertical tab before chunked": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + body,
        "zero byte in a name": POST + b"Content-Length\x00: 5\r\n\r\n" + body,
        "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
        "two hosts": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Host: localhost\r\n\r\n",
        "user in the host": b"GET /healthz HTTP/1.1\r\nHost: localhost@other\r\n\r\n",
        "space in the target": b"GET /healthz HTTP/1.1 HTTP/1.1\r\n" + HOST + b"\r\n",
        "no version": b"GET /healthz\r\n" + HOST + b"\r\n",
        "no colon": POST + b"Content-Length 5\r\n\r\n" + body,
    }
    chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    for name, chunks in {
        "no chunk size": b"\r\nx\r\n0\r\n\r\n",
        "negative chunk size": b"-1\r\nx\r\n0\r\n\r\n",
        "chunk size with 0x": b"0x1\r\nx\r\n0\r\n\r\n",
        "chunk size with a space": b"1 \r\nx\r\n0\r\n\r\n",
        "chunk size and bare LF": b"1\nx\r\n0\r\n\r\n",
        "chunk longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
        "chunk shorter than its size": b"3\r\nab\r\n0\r\n\r\n",
        "chunk without an end": b"3\r\nabc0\r\n\r\n",
        "nine digits of a chunk size": b"000000001\r\nx\r\n0\r\n\r\n",
        "bare LF in an extension": b"1;a\nb\r\nx\r\n0\r\n\r\n",
        "bare LF after the last chunk": b"0\r\n\n",
        "folded trailer": b"0\r\n folded\r\n\r\n",
        "endless extension": b"1;" + b"x" * 8000 + b"\r\nx\r\n0\r\n\r\n",
        "endless trailers": b"0\r\n" + b"A: b\r\n" * 2000 + b"\r\n",
    }.items():
        out[name] = chunked + chunks
    return out


async def smuggle(attack):
    """Each must be answered 400, once, and the connection closed, whatever lies behind it and however it is cut."""
    cases = list(probes().items())
    loop = asyncio.get_running_loop()
    while True:
        attack.random.shuffle(cases)
        for name, raw in cases:
            cut = attack.random.randrange(1, len(raw))
            pieces = attack.random.choice([[raw + NEXT], [raw[:cut], raw[cut:] + NEXT]])
            try:
                s = await attack.connect()
            except (OSError, asyncio.TimeoutError):
                attack.problem(f"probe \"{name}\": no connection")
                continue
            try:
                for piece in pieces:
                    await loop.sock_sendall(s, piece)
                    await asyncio.sleep(0)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before all of it was sent
            s_out, closed = await read_until_closed(s, attack.slack() + 5)
            s.close()
            if statuses(s_out) != [400] or not closed:
                attack.problem(f"probe \"{name}\" was answered {statuses(s_out)} and {'closed' if closed else 'not closed'}")
            attack.counts["smuggling probes"] += 1
            await asyncio.sleep(0.01)
        if attack.over():
            return


async def idle(attack, n):
    """Connections that have had one answer, or none, and then say nothing. Those the node closes are made again."""
    held = {}
    request_every = 4
    while not attack.over():
        made = 0
        while len(held) < n and made < 1000:
            at_once = await asyncio.gather(*[attack.connect() for _ in range(min(100, n - len(held)))], return_exceptions=True)
            made += len(at_once)
            for s in at_once:
                if isinstance(s, OSError) and s.errno in (errno.EMFILE, errno.ENFILE):
                    attack.problem(f"only {len(held)} connections: {s.strerror}; raise ulimit -n or lower --idle")
                    return
                if isinstance(s, BaseException):
                    continue
                attack.counts["idle connections made"] += 1
                if attack.counts["idle connections made"] % request_every:
                    await send(s, NEXT)
                held[s.fileno()] = s
        attack.counts["idle at once, most"] = max(attack.counts["idle at once, most"], len(held))
        for fd, s in list(held.items()):
            try:
                if not s.recv(4096):
                    held.pop(fd).close()
                    attack.counts["idle closed by the node"] += 1
            except BlockingIOError:
                pass
            except OSError:
                held.pop(fd).close()
        await asyncio.sleep(0.05 if len(held) < n else 0.5)
    if attack.counts["idle at once, most"] < n * 0.9:
        attack.problem(f"of {n} idle connections only {attack.counts['idle at once, most']} stood at once")
    for s in held.values():
        s.close()


async def drip(attack, name, n, first, data, limit, ends):
    """N connections that send `first`, and then a byte now and then. The node must answer and close within its limit."""
    held = {}
    name_ends = f"{name}, answered {ends}"
    while not attack.over():
        for s in await asyncio.gather(*[attack.connect() for _ in range(min(50, n - len(held)))], return_exceptions=True):
            if isinstance(s, BaseException):
                attack.counts[name + ", not connected"] += 1
                continue
            try:
                await asyncio.wait_for(send(s, first), 5)
            except (OSError, asyncio.TimeoutError):
                pass
            held[s] = [time.monotonic(), 0, b""]
        for s, state in list(held.items()):
            begun, sent, got = state
            closed = False
            try:
                s.send(data[sent : sent + 1])
            except OSError:
                pass
            try:
                piece = s.recv(4096)
                got += piece
                closed = not piece
            except BlockingIOError:
                pass
            except OSError:
                closed = True
            held[s] = [begun, sent + 1, got]
            stood = time.monotonic() - begun
            if not closed and stood < limit + attack.slack():
                continue
            del held[s]
            s.close()
            attack.counts[name] += 1
            if not closed:
                attack.problem(f"{name}: the node held on for {stood:.1f} s, its limit is {limit}")
            elif statuses(got) not in ([ends], []):
                attack.problem(f"{name}: answered {statuses(got)}, not {ends}")
            attack.counts[name_ends] += statuses(got) == [ends]  # or a reset overtook the answer
            attack.counts[name + ", ended in time"] += closed
        await asyncio.sleep(limit / 20)
    for s in held:
        s.close()


async def endless(attack, s, head, piece, name, ends):
    """As much as the node takes. It must answer and close long before 64 MiB."""
    loop = asyncio.get_running_loop()
    reading = asyncio.ensure_future(read_until_closed(s, 60))
    sent = 0
    try:
        await send(s, head)
        while not reading.done() and sent < 64 << 20:
            await loop.sock_sendall(s, piece)
            sent += len(piece)
            await asyncio.sleep(0)
    except OSError:
        pass
    if sent >= 64 << 20:
        attack.problem(f"{name}: the node took 64 MiB")
    got, closed = await reading
    # None: a reset overtook the answer. 408: the attacker itself was too slow.
    if not closed or statuses(got) not in ([ends], [408], []):
        attack.problem(f"{name}: answered {statuses(got)}, not {ends}, and {'closed' if closed else 'not closed'}")
    attack.counts[name + f", answered {ends}"] += statuses(got) == [ends]
    attack.counts["bytes taken of endless ones, most"] = max(attack.counts["bytes taken of endless ones, most"], sent)
    await asyncio.sleep(0.2)


async def deaf(attack, s, path):
    """Asks and never takes the answers."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asks = (b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n") * 50
    until = min(attack.end, time.monotonic() + 60)
    s_open = True
    while s_open and time.monotonic() < until:
        try:
            await asyncio.wait_for(send(s, asks), 1)
        except asyncio.TimeoutError:
            pass
        except OSError:
            s_open = False
        await asyncio.sleep(0.2)


async def flood(attack):
    """Connections as fast as they can be made: closed at once, cut, or left for a moment."""
    left = collections.deque()
    while not attack.over():
        try:
            for _ in range(50):
                s = await attack.connect()
                attack.counts["flood, connections"] += 1
                how = attack.random.randrange(4)
                if how == 0:
                    s.close()
                elif how == 1:  # cut: a reset
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.close()
                elif how == 2:
                    await send(s, NEXT)
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.close()
                else:
                    left.append(s)
        except (OSError, asyncio.TimeoutError):
            attack.counts["flood, not connected"] += 1
        while len(left) > 200:
            left.popleft().close()
        await asyncio.sleep(0.1)
    for s in left:
        s.close()


async def noise(attack, s):
    """Random bytes, some behind the beginning of a request. Refused, or waited for no longer than the limits."""
    begin = attack.random.choice([b"", b"", b"GET ", b"GET / HTTP/1.1\r\n", POST, POST + b"Content-Length: 500\r\n\r\n", b"\x16\x03\x01"])
    raw = begin + attack.random.randbytes(attack.random.randrange(1, 4000))
    try:
        await send(s, raw)
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    got, closed = await read_until_closed(s, attack.options.body_limit + attack.slack())
    wrong = [x for x in statuses(got) if x < 400 or x >= 500]
    if not closed or wrong:
        attack.problem(f"random bytes were answered {statuses(got)} and {'closed' if closed else 'not closed'}: {raw[:80]!r}")
    await asyncio.sleep(0.01)


def http_attacks(a):
    o = a.options
    big = b"x" * 65536
    slow_head = b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-Slow: " + b"a" * 1000
    slow_body = POST + b"Content-Length: 200000\r\n\r\n"

    def endlessly(name, head, piece, ends):
        return lambda s: endless(a, s, head, piece, name, ends)

    tasks = [smuggle(a), idle(a, o.idle), flood(a), flood(a)]
    # Half a body each, which the node has to keep; beyond 128 MiB it refuses others by 503, as it should.
    tasks += [drip(a, "slow headers", 200, b"", slow_head, o.header_limit, 408),
              drip(a, "slow bodies", 100, slow_body + b"x" * 100000, b"x" * 1000, o.body_limit, 408)]
    for _ in range(2):
        tasks += [
            forever(a, "oversized bodies", endlessly("oversized bodies", POST + b"Content-Length: 1000000000000\r\n\r\n", big, 413)),
            forever(a, "endless chunks", endlessly("endless chunks", POST + b"Transfer-Encoding: chunked\r\n\r\n",
                                                        b"10000\r\n" + big + b"\r\n", 413)),
            forever(a, "endless headers", endlessly("endless headers", b"GET /healthz HTTP/1.1\r\n",
                                                         b"X-Long: " + b"a" * 60000 + b"\r\n", 431)),
            forever(a, "endless request line", endlessly("endless request line", b"GET /", b"a" * 60000, 431)),
        ]
    for _ in range(10):
        tasks += [forever(a, "random bytes", lambda s: noise(a, s)),
                  forever(a, "answers never taken", lambda s: deaf(a, s, b"/openapi.json")),
                  forever(a, "metrics never taken", lambda s: deaf(a, s, b"/metrics"))]  # dear to make, by the thread that serves all
    must = ["smuggling probes", "idle connections made", "flood, connections", "slow headers, ended in time",
            "slow bodies, ended in time", "oversized bodies", "endless chunks", "endless headers", "random bytes"]
    return tasks, must


# ---- the port for other nodes ------------------------------------------------------------------------------------------------------


def client_hello(attack):
    """What a TLS client says first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def peer_attacks(a):
    hello = client_hello(a)
    limit = a.options.handshake_limit
    loop = asyncio.get_running_loop()

    async def closed_in_time(s, name):
        got, closed = await read_until_closed(s, limit + a.slack())
        if not closed:
            a.problem(f"{name}: the node held on for more than {limit + a.slack():.0f} s")
        if got.startswith(b"HTTP/"):
            a.problem(f"{name}: answered as plain text: {got[:60]!r}")

    def saying(name, make):
        async def once(s):
            try:
                await send(s, make())
            except OSError:
                pass
            await closed_in_time(s, name)

        return forever(a, name, once)

    def broken():
        raw = bytearray(hello)
        for _ in range(a.random.randrange(1, 8)):
            raw[a.random.randrange(len(raw))] = a.random.randrange(256)
        return bytes(raw)

    async def dripping(s):
        begun = time.monotonic()
        for i in range(len(hello) - 1):
            try:
                await send(s, hello[i : i + 1])
            except OSError:
                break
            got, closed = await read_until_closed(s, limit / 50)
            if closed:
                break
            if time.monotonic() - begun > limit + a.slack():
                a.problem(f"endless handshake: the node held on for {time.monotonic() - begun:.1f} s")
                break

    async def endless_records(s):
        """Parts of one handshake message of 16 MiB."""
        piece = b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff" + b"x" * (16384 - 4)
        sent = 0
        try:
            while sent < 64 << 20:
                await asyncio.wait_for(loop.sock_sendall(s, piece), limit + a.slack())
                sent += len(piece)
                await asyncio.sleep(0.001)
            a.problem("endless records: the node took 64 MiB")
        except asyncio.TimeoutError:
            a.problem("endless records: the node neither reads nor closes")
        except OSError:
            pass

    async def nameless(_):
        """A whole handshake without a certificate, or with one that nobody has signed, and then a request."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(*a.address, ssl=context), limit + a.slack())
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
            got = await asyncio.wait_for(reader.read(1000), limit + a.slack())
            writer.close()
            if got:
                a.problem(f"no certificate: answered {got[:60]!r}")
        except asyncio.TimeoutError:
            a.problem("no certificate: the node held on")
        except (OSError, ssl.SSLError):
            pass

    tasks = [
        saying("plain text", lambda: NEXT), saying("random bytes", lambda: a.random.randbytes(a.random.randrange(1, 4000))),
        saying("broken handshakes", broken), saying("handshakes cut short", lambda: hello[: a.random.randrange(1, len(hello))]),
        saying("nothing said", lambda: b""), saying("hello and no more", lambda: hello), forever(a, "dripping handshakes", dripping),
        forever(a, "endless records", endless_records), forever(a, "no certificate", nameless), flood(a),
    ]
    tasks += [saying("nothing said", lambda: b"") for _ in range(30)]
    return tasks, ["plain text", "random bytes", "broken handshakes", "dripping handshakes", "endless records", "no certificate"]


async def run(options):
    attack = Attack(options)
    tasks, must = (http_attacks if options.port == "http" else peer_attacks)(attack)
    for result in await asyncio.gather(attack.watch_lateness(), *tasks, return_exceptions=True):
        if isinstance(result, BaseException):
            attack.problem(f"the attack itself failed: {result!r}")
    for name in must:
        if not attack.counts[name]:
            attack.problem(f"never done: {name}")
    print(f"this program's own lateness, longest  {attack.late * 1000:.0f} ms")
    for name, n in sorted(attack.counts.items()):
        print(f"{name}  {n}")
    for text in attack.problems:
        print(text, file=sys.stderr)
    return 1 if attack.problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", choices=["http", "peer"])
    parser.add_argument("where", help="HOST:PORT")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--idle", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--header-limit", type=float, default=10)
    parser.add_argument("--body-limit", type=float, default=30)
    parser.add_argument("--handshake-limit", type=float, default=5)
    sys.exit(asyncio.run(run(parser.parse_args())))


if __name__ == "__main__":
    main()
