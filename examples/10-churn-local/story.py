"""A model's whole life on this machine, told in commands: each is printed before it runs, and any may be typed by hand.

Train, approve, deploy, traffic, no drift; half a year later drift; retrain, promote, deploy step by step, roll back.
"""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SCAFFOLDER = Path(sys.executable).with_name("scaffolder")
THEN, LATER = "1997-10-28", "1998-06-30"  # what "today" is: the orders end there
CUSTOMERS_THEN, CUSTOMERS_LATER = "1997-05-02", "1998-01-02"
CUSTOMERS_A_WINDOW = 800


def tell(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def run(*words: str) -> None:
    """Run a command of scaffolder and show it; the story ends where one fails."""
    print(f"$ scaffolder {shlex.join(words)}", flush=True)
    done = subprocess.run([SCAFFOLDER, *words], cwd=FOLDER, check=False)
    if done.returncode:
        raise SystemExit(f"scaffolder {words[0]} ended with {done.returncode}")


def asked(*words: str) -> dict:
    """What a command says as JSON."""
    done = subprocess.run([SCAFFOLDER, *words, "--json"], cwd=FOLDER, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def script(name: str, *words: str) -> None:
    print(f"$ python {name} {shlex.join(words)}", flush=True)
    subprocess.run([sys.executable, FOLDER / name, *words], cwd=FOLDER, check=True)


def traffic(as_of: str, window: int = 0) -> None:
    (endpoint,) = (one for one in asked("endpoints", "list")["endpoints"] if one["name"] == "churn")
    script(
        "traffic.py", "--url", endpoint["url"], "--as-of", as_of, "--skip", str(window * CUSTOMERS_A_WINDOW)
    )


def newest() -> str:
    return str(asked("models", "list")["versions"][0]["version"])


def main() -> None:
    start = time.monotonic()
    tell("1. What customers ordered until the end of October 1997.")
    script("orders.py", "--until", THEN)

    tell("2. Train on them. The new version waits for somebody's approval.")
    run("run", "train")
    first = newest()
    run("models", "approve", "churn", first, "--note", "looked at by hand")

    tell("3. Serve it, and ask it about customers that it has not seen.")
    run("models", "deploy", "churn", first, "--now")
    run("models", "promote", "churn", first)
    script("orders.py", "--until", LATER)  # for their outcomes; the model is not trained again
    traffic(CUSTOMERS_THEN)
    run("monitors", "run", "churn")

    tell("4. Eight months later its customers have changed. One window is no alarm, two of three are.")
    for window in range(2):
        traffic(CUSTOMERS_LATER, window)
        run("monitors", "run", "churn")
    run("monitors", "list")

    tell("5. The alarm asks for a retraining, on orders until June 1998. It is compared with what serves.")
    run("retrain", "churn")
    second = newest()
    run("models", "list")

    tell("6. Approve it, and give it the traffic step by step.")
    run("models", "approve", "churn", second)
    run("models", "deploy", "churn", second, "--step-wait", "2s", "--keep-old")
    run("models", "promote", "churn", second)
    traffic(CUSTOMERS_LATER, 2)

    tell("7. And back again, in one command.")
    run("models", "rollback", "churn")
    run("models", "promote", "churn", first)
    run("endpoints", "list")
    run("monitors", "report", "churn", "--html", "drift.html")
    print(f"\nOpen drift.html in a browser. The whole story took {time.monotonic() - start:.0f} s.")


if __name__ == "__main__":
    main()
