#!/usr/bin/env python3
"""Opens the pages of reports in Debian's chromium, headless, light and dark, 1400 and 400 pixels
wide: the browser must have nothing to say on its console.

    browser.py TEST_REPORT [FOLDER]    TEST_REPORT: the program tests/test_report.c; pictures go to
                                       FOLDER, if one is given

Exit status 77 where there is no chromium."""
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


def main():
    chromium = shutil.which("chromium")
    if not chromium:
        print("skipped: no chromium")
        return 77
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([sys.argv[1], name], check=True)
        pages = sorted(folder.glob("*.html"))
        pictures = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else name).resolve()
        for page in pages:
            for scheme in SCHEMES:
                for width in WIDTHS:
                    picture = pictures / f"{page.stem}-{scheme}-{width}.png"
                    status, said = browse(chromium, folder / "profile", page, scheme, width,
                                          f"--screenshot={picture}")
                    right = status == 0 and not said and picture.stat().st_size > 20000
                    print("ok  " if right else "FAIL", picture.name, *said[:3])
                    bad += not right
        said = browse(chromium, folder / "profile", control(folder), "light", 400,
                      f"--screenshot={folder / 'control.png'}")[1]
        print("ok  " if said else "FAIL", "a page that breaks its policy is noticed")
        bad += not said
    return bad > 0 or len(pages) < 4


if __name__ == "__main__":
    sys.exit(main())
