"""Resource templates, as YAML."""
import textwrap


def resource(name="main", manifest="", more=""):
    """One of a list of templates; `more`: fields of `resource`, and behind a line `~` those of the template."""
    fields, _, rest = textwrap.dedent(more).partition("~\n")
    text = f"- name: {name}\n  resource:\n{textwrap.indent(fields, '    ')}"
    if manifest:
        text += f"    manifest: |\n{textwrap.indent(manifest, '      ')}"
    return text + textwrap.indent(rest, "  ")
