# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL with logical replication in a folder of its own, on loopback, as a user that is not root."""
import glob
import os
import pwd
import shutil
import subprocess

from tests.real.parts import Failed, Process, free_port

USER = "postgres"


def programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    if not found:
        raise Failed("PostgreSQL is not installed; ./dev setup installs it")
    return os.path.dirname(found[-1])


class Postgres:
    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self.port = free_port()
        self.data = os.path.join(self.folder, "data")
        self.bin = programs()
        self.user = USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.process = Process("postgres", [os.path.join(self.bin, "postgres"), "-D", self.data, "-p", str(self.port),
                                            "-c", "listen_addresses=127.0.0.1", "-c", "wal_level=logical",
                                            "-c", "unix_socket_directories=", "-c", "max_wal_senders=4"],
                               self.folder, cwd="/", user=USER)

    def start(self):
        if not os.path.exists(self.data):
            os.makedirs(self.data)
            if os.geteuid() == 0:
                entry = pwd.getpwnam(USER)
                os.chown(self.data, entry.pw_uid, entry.pw_gid)
            done = subprocess.run(self._as([os.path.join(self.bin, "initdb"), "-D", self.data, "-U", "postgres",
                                            "--auth=trust", "--no-sync"]), cwd="/", stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                raise Failed("initdb: " + done.stdout[-2000:])
        self.process.start()
        self.process.wait_ready("an answer to a query", lambda: self._psql("select 1").returncode == 0)
        return self

    def _as(self, argv):
        if os.geteuid() != 0:
            return argv
        return ["setpriv", "--reuid", USER, "--regid", USER, "--init-groups"] + argv

    def _psql(self, sql):
        return subprocess.run(["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                               str(self.port), "-U", "postgres", "-c", sql, "postgres"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)

    def sql(self, text):
        done = self._psql(text)
        if done.returncode != 0:
            raise Failed("SQL %r: %s" % (text, done.stdout))
        return done.stdout

    def drop_slot(self, name):
        """Once its reader has stopped; a slot that nobody reads keeps the log for ever."""
        self.sql("SELECT pg_drop_replication_slot('%s')" % name)

    def stop(self):
        return self.process.stop()

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
