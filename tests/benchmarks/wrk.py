"""wrk on loopback: posts bodies in turn, and says requests a second and how long they took."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# wrk runs this in each thread; `done` runs once, at the end, and prints what wrk measured itself.
SCRIPT = """
local requests, turn = {}, 0
init = function(arguments)
  for line in io.lines("BODIES") do
    requests[#requests + 1] = wrk.format("POST", nil, nil, line)
  end
end
request = function()
  turn = turn % #requests + 1
  return requests[turn]
end
done = function(summary, latency)
  io.write(string.format(
    '\\nFIGURES {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What to send where. bodies: JSON on one line each."""

    url: str
    bodies: Sequence[bytes]
    headers: Mapping[str, str]
    connections: int = 4


@dataclass(frozen=True)
class Measured:
    """What wrk saw. refused: answers of 400 and more, of all requests. broken: connections that failed."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int

    @property
    def per_second(self) -> float:
        """Answers below 400 a second."""
        return (self.requests - self.refused) / self.seconds


def run_wrk(load: Load, seconds: int) -> Measured:
    """What so many seconds of a load give; raises CalledProcessError where wrk itself fails."""
    with tempfile.TemporaryDirectory() as name:
        bodies, script = Path(name) / "bodies", Path(name) / "load.lua"
        bodies.write_bytes(b"\n".join(load.bodies) + b"\n")
        headers = {"Content-Type": "application/json", **load.headers}
        lines = [f"wrk.headers[{json.dumps(key)}] = {json.dumps(value)}" for key, value in headers.items()]
        script.write_text("\n".join(lines) + SCRIPT.replace("BODIES", str(bodies)))
        command = [
            "wrk",
            "-t1",
            f"-c{load.connections}",
            f"-d{seconds}s",
            "--timeout",
            "20s",
            "-s",
            str(script),
        ]
        out = subprocess.run([*command, load.url], capture_output=True, text=True, check=True).stdout
    found = json.loads(out.split("FIGURES ")[1])
    return Measured(
        requests=found["requests"],
        seconds=found["microseconds"] / 1e6,
        p50_ms=found["p50"] / 1e3,
        p99_ms=found["p99"] / 1e3,
        refused=found["refused"],
        broken=found["broken"],
    )
