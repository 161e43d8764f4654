"""Every answer against AWS's own description of it, as botocore ships it: boto3 would pass over a
member that it does not know, and its user would find nothing where something should be."""

import json
import sys

from botocore.model import ListShape, MapShape, StructureShape

KINDS = {
    "string": str, "character": str, "blob": str, "boolean": bool, "integer": int, "long": int,
    "float": (int, float), "double": (int, float), "timestamp": (int, float),
}


def examine(operation_model, response_dict, **_):
    """Called by boto3 for each answer, before it is read. Answers in XML name their members twice, and
    are left to boto3."""
    if not response_dict["headers"].get("content-type", "").startswith("application/"):
        return
    body = json.loads(response_dict["body"] or "{}")
    if response_dict["status_code"] < 300:
        faults = list(differences(operation_model.output_shape, body, operation_model.name))
    else:
        # `prefix#Code:http://…`, of which the code alone counts.
        code = body["__type"].split("#")[-1].split(":")[0]
        known = {shape.error_code or shape.name for shape in operation_model.error_shapes}
        # Some that any operation may answer with are in no description.
        known |= {"AccessDeniedException", "ThrottlingException", "ValidationException"}
        words = body.get("message", "")
        faults = [] if code in known else [f"{operation_model.name}: {code} is none of its: {words}"]
    if faults:
        sys.exit("no answer of AWS's:\n  " + "\n  ".join(faults))


def differences(shape, value, path):
    """Where `value` is not of `shape`."""
    if isinstance(shape, StructureShape):
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no structure"
            return
        members = {it.serialization.get("name", name): it for name, it in shape.members.items()}
        for name, inner in value.items():
            if name in members:
                yield from differences(members[name], inner, f"{path}.{name}")
            else:
                yield f"{path}.{name}: there is no such member"
        yield from (f"{path}.{name}: missing" for name in shape.required_members if name not in value)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for number, inner in enumerate(value):
            yield from differences(shape.member, inner, f"{path}[{number}]")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for name, inner in value.items():
            yield from differences(shape.value, inner, f"{path}.{name}")
    elif not isinstance(value, KINDS.get(shape.type_name, ())) or (
        isinstance(value, bool) and shape.type_name != "boolean"
    ):
        yield f"{path}: {value!r} is no {shape.type_name}"
    elif value not in (getattr(shape, "enum", None) or [value]):
        yield f"{path}: {value!r} is none of {shape.enum}"
