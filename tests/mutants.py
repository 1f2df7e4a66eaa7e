"""Make mutants: copies of a Python file with one small fault each."""

import ast
import copy

SWAPS = {  # operator -> its replacement
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div, ast.Pow: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.BitOr: ast.BitAnd,
}  # fmt: skip
REMOVED = (ast.Assign, ast.AugAssign, ast.Expr, ast.Raise, ast.Delete)
UNORDERED = ("max", "min", "np.maximum", "np.minimum")  # commutative functions
TEXT = (ast.JoinedStr, ast.Import, ast.ImportFrom)


def mutants(source):
    """Return all mutants of a source.

    Returns:
        [(function, line, before, after, mutated source), ...]
    """
    tree, found = ast.parse(source), []
    for place, node, put in places(tree):
        for new in changes(node):
            before, after = (ast.unparse(x).split("\n")[0] for x in (node, new))
            put(new)
            found.append((place, node.lineno, before, after, ast.unparse(tree)))
            put(node)
    return found


def places(parent, inside=""):
    """Yield the nodes below `parent`: (function, node, function that replaces it).

    Texts, imports and code for PyTorch, which may not be installed, are left out.
    """
    for field, value in ast.iter_fields(parent):
        for i, node in enumerate(value if isinstance(value, list) else [value]):
            is_doc = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if not isinstance(node, ast.AST) or isinstance(node, TEXT) or is_doc:
                continue
            if field == "body" and isinstance(parent, ast.If) and for_torch(parent):
                continue

            def put(new, field=field, i=i, value=value):
                if isinstance(value, list):
                    value[i] = new
                else:
                    setattr(parent, field, new)

            if hasattr(node, "lineno"):
                yield inside, node, put
            name = f"{inside}.{node.name}".strip(".") if hasattr(node, "name") else inside
            yield from places(node, name)


def for_torch(branch):
    return "torch" in ast.unparse(branch.test)


def changes(node):
    """Yield the replacements of a node."""
    if other := SWAPS.get(type(getattr(node, "op", None))):
        yield like(node, op=other())
    if isinstance(node, ast.Compare) and (other := SWAPS.get(type(node.ops[0]))):
        yield like(node, ops=[other(), *node.ops[1:]])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield node.operand
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield like(node, value=not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield like(node, value=node.value + 1)
    if isinstance(node, (ast.If, ast.IfExp)) and not for_torch(node):
        yield like(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.Call) and len(node.args) > 1 and is_ordered(node):
        first, second, *others = node.args
        if not isinstance(second, ast.Starred) and ast.dump(first) != ast.dump(second):
            yield like(node, args=[second, first, *others])
    if isinstance(node, REMOVED):
        yield ast.copy_location(ast.Pass(), node)
    if isinstance(node, ast.Return) and node.value is not None:
        yield like(node, value=ast.Constant(None))


def is_ordered(call):
    return ast.unparse(call.func) not in UNORDERED


def like(node, **fields):
    """Return a copy of a node with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return ast.fix_missing_locations(new)
