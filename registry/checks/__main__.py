"""Run all checks; print what is wrong with each equation, as JSON by label."""

import json

from registry.checks import CHECKS, complaints, run

if __name__ == "__main__":
    print(json.dumps({label: complaints(run(label)) for label in CHECKS}))
