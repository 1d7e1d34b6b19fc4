# Thin names for what tools/make.py does; on Windows call that file directly (see README.md).
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help book test serve dist slides lab notebooks runs lint pins bench site-report clean

help book test serve dist slides lab notebooks runs lint pins bench site-report clean:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "There is no $(PYTHON) here: install Python 3.11 or newer, or say make PYTHON=/path/to/python $@." >&2; exit 2; }
	@$(PYTHON) tools/make.py $@
