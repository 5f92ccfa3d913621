# SPDX-License-Identifier: Apache-2.0
"""What an operator gets wrong is said where it is wrong, by the programs as they are run."""
import os
import tempfile
import unittest

from tests.e2e.shared import mandatectl, mandated

GOOD = "issuer: https://m.test\ndata_dir: data\nkafka: {embedded: true}\n"


class Commands(unittest.TestCase):
    def config(self, text, **files):
        folder = tempfile.mkdtemp(prefix="mandated-e2e-config-")
        self.addCleanup(lambda: [os.unlink(os.path.join(folder, f)) for f in os.listdir(folder)] and os.rmdir(folder))
        for name, content in dict(files, **{"mandated.yaml": text}).items():
            with open(os.path.join(folder, name.replace("__", ".")), "w") as f:
                f.write(content)
        return os.path.join(folder, "mandated.yaml")

    def refused(self, text, *sentences, **files):
        for command in (["check-config"], ["--config"]):
            done = mandated(*command, self.config(text, **files))
            self.assertNotEqual(done.returncode, 0, "%s accepted it" % command[0])
            for sentence in sentences:
                self.assertIn(sentence, done.stderr + done.stdout)

    def test_config__a_good_one_is_accepted(self):
        done = mandated("check-config", self.config(GOOD))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_config__broken_yaml_is_refused_with_its_line(self):
        self.refused("issuer: https://m.test\ndata_dir: [data\n", "mandated.yaml:")

    def test_config__an_unknown_key_is_refused_with_line_column_and_the_nearest_known_one(self):
        self.refused(GOOD + "htpp: {unix_socket: x.sock}\n", "mandated.yaml:4:1", "http")

    def test_config__a_missing_issuer_is_named(self):
        self.refused("data_dir: data\nkafka: {embedded: true}\n", "issuer")

    def test_config__a_duplicate_key_is_refused(self):
        self.refused(GOOD + "issuer: https://other.test\n", "mandated.yaml:4", "issuer")

    def test_connector__an_unknown_key_is_refused_with_the_nearest_known_one(self):
        bad = "connector: c\ntopics: [t]\ndecode: {fromat: json}\nentities:\n  - {type: a.b, id: value.id}\n"
        self.refused(GOOD + "connectors: c.yaml\n", "c.yaml:3", "format", c__yaml=bad)

    def test_connector__an_expression_that_does_not_type_check_has_a_place(self):
        bad = ("connector: c\ntopics: [t]\ndecode: {format: json}\nwhen: 1 + true\nentities:\n"
               "  - {type: a.b, id: value.id, attributes: {x: value.x}}\n")
        self.refused(GOOD + "connectors: c.yaml\n", "c.yaml:4", c__yaml=bad)

    def test_entities__an_unknown_type_is_refused_with_its_place(self):
        bad = "types:\n  a.b:\n    attributes: {x: strnig}\n"
        self.refused(GOOD + "entities: e.yaml\n", "e.yaml:3", "strnig", e__yaml=bad)

    def test_config__a_file_that_is_not_there_is_named(self):
        done = mandated("--config", "/nowhere/mandated.yaml")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/nowhere/mandated.yaml", done.stderr)

    def test_cli__no_server_is_exit_code_2_and_a_sentence(self):
        done = mandatectl("mandate", "list", "--socket", "/nowhere/s.sock")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/nowhere/s.sock", done.stderr)

    def test_cli__an_unknown_command_suggests_the_nearest(self):
        done = mandatectl("mandate", "isue")
        self.assertEqual(done.returncode, 1)
        self.assertIn("mandate issue", done.stderr)


if __name__ == "__main__":
    unittest.main()
