"""Shapes are checked while the tests run: every softalign module is imported through jaxtyping."""

from jaxtyping import install_import_hook

install_import_hook("softalign", "beartype.beartype")
