# SPDX-License-Identifier: BSD-2-Clause
"""Looks at the status page with headless Chromium: page_probe.py URL DIRECTORY. Leaves screenshots
in the directory, prints what it has seen as one line of JSON."""

import json
import shutil
import sys
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

PATIENCE = 60


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited in vain: {what}")
        time.sleep(0.1)


def browser(profile):
    options = Options()
    options.binary_location = shutil.which("chromium")
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--disable-background-networking", "--disable-component-update",
                 "--no-first-run", f"--user-data-dir={profile}"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)


def screen(driver, width, height, scheme):
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})


def requested(driver, page):
    """What the page has asked for; the browser's first tab was another one."""
    events = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    urls = {event["params"]["request"]["url"] for event in events
            if event["method"] == "Network.requestWillBeSent"
            and event["params"]["documentURL"] == page}
    return sorted(u for u in urls if not u.startswith("data:"))


def look(driver, url, directory):
    def text(name):
        return driver.find_element(By.ID, name).text

    seen = {"widths": [], "backgrounds": []}
    driver.get(url)
    until(lambda: "bit/s" in text("rate-v4_to_v6"), "a rate")
    rates = set()

    def has_moved():
        rates.add(text("rate-v4_to_v6"))
        return len(rates) > 2
    until(has_moved, "rates that move")
    until(lambda: "bit/s" in text("rate-v6_to_v4") and "igmp" in text("reasons"), "a reason")
    seen["rates"] = sorted(rates)
    seen["state"] = text("state")
    for name in ("mappings", "tenants", "reasons"):
        seen[name] = text(name)
    seen["curve"] = driver.find_element(By.CSS_SELECTOR, "#plot-v4_to_v6 path").get_attribute("d")
    for name, width, height, scheme in (("phone-dark", 360, 740, "dark"),
                                        ("desk-light", 1280, 900, "light")):
        screen(driver, width, height, scheme)
        time.sleep(0.5)
        seen["widths"].append((width, driver.execute_script(
            "return document.scrollingElement.scrollWidth")))
        seen["backgrounds"].append(driver.execute_script(
            "return getComputedStyle(document.body).backgroundColor"))
        driver.save_screenshot(f"{directory}/{name}.png")
    seen["console"] = [entry["message"] for entry in driver.get_log("browser")]
    seen["urls"] = requested(driver, url)
    return seen


def main():
    with tempfile.TemporaryDirectory(prefix="xlat646-page-", ignore_cleanup_errors=True) as profile:
        driver = browser(profile)
        try:
            print(json.dumps(look(driver, *sys.argv[1:3])))
        finally:
            driver.quit()


if __name__ == "__main__":
    main()
