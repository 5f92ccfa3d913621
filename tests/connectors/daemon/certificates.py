#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Certificates of a running daemon: a new one is taken over by SIGHUP, whole or not at all; clients' are looked up in lists of revoked ones.

    certificates.py BIN

openssl makes an authority, two certificates for the server, and clients'.
"""
import http.client
import os
import socket
import ssl
import subprocess
import sys
import time

from rig import Rig, finish, report

POLICY = """policy: tls
principals:
  - match: principal.kind == 'certificate'
    roles: [reader]
  - match: principal.kind == 'unix' && principal.uid == %d
    roles: [op]
roles:
  reader:
    - powers: [read]
  op:
    - powers: [issue, read, observe, audit]
""" % os.getuid()


class World(Rig):
    def run(self, *argv):
        done = subprocess.run(["openssl", *argv], cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, (argv, done.stderr)
        return done.stdout

    def authority(self, name):
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out", name + ".pem",
                 "-days", "10", "-subj", "/CN=" + name)
        self.write(name + ".txt", "")
        self.write(name + ".cnf", "[ca]\ndefault_ca=d\n[d]\ndatabase=%s.txt\nserial=%s.srl\ncrlnumber=%s.crlnumber\nnew_certs_dir=.\ndefault_md=sha256\n"
                   "policy=p\nunique_subject=no\ndefault_crl_days=5\n[p]\ncommonName=optional\n" % (name, name, name))
        self.write(name + ".srl", "10\n")
        self.write(name + ".crlnumber", "01\n")

    def certificate(self, name, ca, names, usage):
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
        self.write(name + ".ext", "subjectAltName=%s\nextendedKeyUsage=%s\n" % (names, usage))
        self.run("ca", "-batch", "-config", ca + ".cnf", "-cert", ca + ".pem", "-keyfile", ca + ".key", "-in", name + ".csr", "-out", name + ".pem",
                 "-extfile", name + ".ext", "-days", "5", "-notext")

    def crl(self, ca, *options):
        self.run("ca", "-gencrl", "-config", ca + ".cnf", "-cert", ca + ".pem", "-keyfile", ca + ".key", "-out", ca + ".crl", *options)
        return self.read(ca + ".crl")

    def revoke(self, ca, name):
        self.run("ca", "-revoke", name + ".pem", "-config", ca + ".cnf", "-cert", ca + ".pem", "-keyfile", ca + ".key")

    def connect(self, client):
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        if client:
            context.load_cert_chain(self.path(client + ".pem"), self.path(client + ".key"))
        c = http.client.HTTPSConnection("127.0.0.1", self.port(), timeout=30, context=context)
        c.connect()
        return c

    def shown(self):
        c = self.connect("good")
        try:
            return dict(x[0] for x in c.sock.getpeercert()["subject"])["commonName"]
        finally:
            c.close()

    def ask(self, client, on=None):
        c = on or self.connect(client)
        c.request("GET", "/v1/mandates/m")
        answer = c.getresponse()
        text = answer.read().decode()
        if not on:
            c.close()
        return answer.status, text


with World(sys.argv[1], "policy: policy.yaml\n", {"policy.yaml": POLICY},
           "tcp: '127.0.0.1:0', tls_certificate: server.pem, tls_key: server.key, tls_client_ca: trusted.pem, tls_crl: crl.pem") as r:
    r.authority("ca")
    for name in ("server", "second"):
        r.certificate(name, "ca", "DNS:localhost,IP:127.0.0.1", "serverAuth")
    for name in ("good", "bad", "later"):
        r.certificate(name, "ca", "URI:spiffe://acme.example/" + name, "clientAuth")
    r.authority("other")
    r.certificate("foreign", "other", "URI:spiffe://acme.example/foreign", "clientAuth")
    r.write("trusted.pem", r.read("ca.pem") + r.read("other.pem"))
    for key in ("server.key", "second.key"):
        os.chmod(r.path(key), 0o600)
    r.revoke("ca", "bad")
    r.write("crl.pem", r.crl("ca"))
    r.start()
    r.issue("m", grantor="uid:%d" % os.getuid())
    report("a client whose certificate is not on the list is let in", r.ask("good")[0] == 200, r.ask("good"))
    code, text = r.ask("bad")
    report("one whose certificate was revoked is not", code == 403 and "revoked" in text, (code, text))
    code, text = r.ask("foreign")
    report("nor one of an authority of which there is no list", code == 403 and "of its issuer is valid now" in text, (code, text))

    open_one, later = r.connect("good"), r.connect("later")
    report("connections are open", (r.ask(None, open_one)[0], r.ask(None, later)[0]) == (200, 200))
    before = r.shown()
    r.write("server.pem", r.read("second.pem"))
    r.reload("refused")
    report("a certificate without its key changes nothing, and the log says so",
           r.shown() == before == "server" and "http.tls_certificate and http.tls_key" in r.log(), r.log()[-500:])
    r.write("server.key", r.read("second.key"))
    r.revoke("ca", "later")
    r.write("crl.pem", r.crl("ca") + r.crl("other"))
    r.reload()
    report("a new certificate is shown from then on", r.shown() == "second", r.shown())
    report("and connections that were open go on", r.ask(None, open_one)[0] == 200)
    code, text = r.ask(None, later)
    report("but not of whom was revoked meanwhile", code == 403 and "revoked" in text, (code, text))
    report("a list for the other authority lets its clients in", r.ask("foreign")[0] == 200, r.ask("foreign"))

    def still_open():  # asked now and then, as a connection is that is not closed for doing nothing
        return r.ask(None, open_one)[0]

    r.write("crl.pem", "nothing\n")
    r.reload("refused")
    still_open()
    report("a list that cannot be read changes nothing", r.ask("good")[0] == 200 and r.ask("bad")[0] == 403)
    r.write("crl.pem", r.read("ca.crl").replace("BEGIN X509 CRL-----\n", "BEGIN X509 CRL-----\nAAAA", 1))
    r.reload("refused")
    still_open()
    foreign = r.read("other.crl")
    r.write("trusted.pem", r.read("ca.pem"))
    r.write("crl.pem", foreign)
    r.reload("refused")
    report("nor one that nobody who is trusted has signed", "is not signed by" in r.log() and r.ask("good")[0] == 200, r.log()[-400:])

    # One that is over while the daemon runs.
    r.write("crl.pem", r.crl("ca", "-crlsec", "3"))
    r.reload()
    still_open()
    r.wait("the list to be over", lambda: still_open() and r.ask("good")[0] == 403)
    code, text = r.ask("good")
    report("when the list is over nobody is believed", code == 403 and "valid now" in text, (code, text))
    report("on connections that were open either", still_open() == 403)
    r.stop()
    try:
        r.start()
        code, text = r.ask("good")
    except SystemExit as e:
        code, text = None, str(e)
    report("a start with it serves, and believes no client", code == 403, text)
    r.write("crl.pem", r.crl("ca"))
    r.reload()
    report("until there is a new one", r.ask("good")[0] == 200, r.ask("good"))
    r.stop()
    os.unlink(r.path("crl.pem"))
    try:
        r.start()
        code = 0
    except SystemExit:
        code = r.process.wait(30)
    report("without the file it does not start", code not in (0, None), code)
finish()
