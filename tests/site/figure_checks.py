"""What every interactive figure must give: parts to see, to hit, to reach and to have read out."""

from __future__ import annotations

CONTROLS = ".sa-live :is(button, select, input)"


def controls_in_reach(page, controls=CONTROLS):
    """Assert that controls are large enough, boxes reached, pictures named; returns how many."""
    found = page.locator(controls).all()
    for control in found:
        box = control.bounding_box()
        assert min(box["width"], box["height"]) >= 24
    regions = page.get_by_role("region").all()
    assert regions
    for region in regions:
        assert region.get_attribute("tabindex") == "0"
    named = "[role=img][aria-label], [aria-hidden=true]"
    assert page.locator(f"svg:not({named})").count() == 0
    assert page.locator(".sa-says[aria-live=polite]").count() == 1
    return len(found)
