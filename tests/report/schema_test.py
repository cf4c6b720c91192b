#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the JSON that a program prints, one object a line, against the schema of its kind.

usage: schema_test.py SPEC-FOLDER PROGRAM [ARGUMENT...]; exit 77 when jsonschema is not installed.
"""
import copy
import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)

spec = pathlib.Path(sys.argv[1])
validators = {}
for path in sorted(spec.glob("*.schema.json")):
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validators[schema["title"]] = jsonschema.Draft202012Validator(schema)
assert len(validators) >= 4, validators

lines = subprocess.run(sys.argv[2:], check=True, capture_output=True).stdout.decode().splitlines()
assert lines, "the program printed nothing"
for line in lines:
    value = json.loads(line)
    validator = validators[value["schema"]]
    validator.validate(value)
    # Each member that the schema demands is needed: without it validation fails.
    for name in validator.schema["required"]:
        broken = copy.deepcopy(value)
        del broken[name]
        assert not validator.is_valid(broken), name
    if value["schema"] == "fiducia.verify/1":
        for change in ({"verdict": "fine"}, {"findings": [{"code": "x"}]}, {"seal": {}}):
            assert not validator.is_valid({**value, **change}), change
print(f"{len(lines)} lines fit their schema")
