"""The part of JSON Schema that helpers check inside the REPL: type, enum, const, properties, items and bounds.

Other keywords are not checked. The host validates the answer of a run, and of a child, by the whole of the standard.
"""

from .own import own_builtins as __builtins__

_TYPES = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def fits(value: object, schema: object) -> bool:
    """Whether a JSON value fits."""
    if not isinstance(schema, dict):
        return schema is not False
    if not _has_type(value, schema.get("type")):
        return False
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        return False
    if "const" in schema and not _same(value, schema["const"]):
        return False
    if isinstance(value, dict):
        return _object_fits(value, schema)
    if isinstance(value, list):
        size = len(value)
        within = schema.get("minItems", 0) <= size <= schema.get("maxItems", size)
        return within and all(fits(item, schema.get("items", True)) for item in value)
    if isinstance(value, str):
        return schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return schema.get("minimum", value) <= value <= schema.get("maximum", value)
    return True


def _object_fits(value: dict, schema: dict) -> bool:
    properties = schema.get("properties", {})
    if any(name not in value for name in schema.get("required", ())):
        return False
    others = schema.get("additionalProperties", True)
    return all(fits(part, properties.get(name, others)) for name, part in value.items())


def _has_type(value: object, wanted: object) -> bool:
    if wanted is None:
        return True
    names = wanted if isinstance(wanted, list) else [wanted]
    for name in names:
        kinds = _TYPES.get(name, (object,))
        if isinstance(value, kinds) and (not isinstance(value, bool) or name == "boolean"):
            return True
    return False


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)
