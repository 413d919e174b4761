#!/usr/bin/env python3
"""Opens the pages of reports in Debian's chromium, headless, light and dark, 1400 and 400 pixels
wide: the browser must have nothing to say on its console.

    browser.py BUILD_FOLDER [PICTURES]    pictures go to the folder PICTURES, if one is given

Needs Debian's chromium; without it, all is skipped."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SCHEMES = {"dark": 0, "light": 1}
WIDTHS = (1400, 400)


def browse(chromium, profile, page, scheme, width, *more):
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               "--enable-logging=stderr", "--v=0", f"--user-data-dir={profile}",
               f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
               f"--window-size={width},2400", *more, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, re.findall(r".*:CONSOLE.*", done.stderr)


def control(folder):
    """A page that breaks its own policy: the console must say so, else this test sees nothing."""
    page = folder / "control.html"
    page.write_text("<!doctype html><meta http-equiv='Content-Security-Policy' "
                    "content=\"default-src 'none'\"><script>1</script>")
    return page


def right(page, picture, chromium, profile, scheme, width):
    """Draws the page into the picture; whether the browser had nothing to say."""
    status, said = browse(chromium, profile, page, scheme, width, f"--screenshot={picture}")
    good = status == 0 and not said and picture.stat().st_size > 20000
    print("ok  " if good else "FAIL", picture.name, *said[:3], flush=True)
    return good


def check(chromium, folder, pictures):
    """Whether each page is right in each way; the last is whether a bad page is noticed."""
    profile = folder / "profile"
    found = [right(page, pictures / f"{page.stem}-{scheme}-{width}.png", chromium, profile, scheme,
                   width)
             for page in sorted(folder.glob("*.html")) for scheme in SCHEMES for width in WIDTHS]
    said = browse(chromium, profile, control(folder), "light", 400,
                  f"--screenshot={folder / 'control.png'}")[1]
    print("ok  " if said else "FAIL", "a page that breaks its policy is noticed")
    return found + [bool(said), len(found) >= 4 * len(SCHEMES) * len(WIDTHS)]


def main():
    chromium = shutil.which("chromium")
    if not chromium:
        print("skipped: no chromium")
        print("peers: 0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([os.path.join(sys.argv[1], "bin", "test_report"), name], check=True)
        pictures = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else name).resolve()
        found = check(chromium, pathlib.Path(name), pictures)
    print(f"peers: {sum(found)} passed, {len(found) - sum(found)} failed, 0 skipped")
    return sum(found) != len(found)


if __name__ == "__main__":
    sys.exit(main())
