"""GitHub's REST API as far as the workflows call it, by a real server on loopback."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from host_runner.artifacts import Artifacts
from host_runner.events import REPOSITORY

Answer = tuple[int, Any]
ISSUE_OR_PULL = ("issues", "pull-requests")


@dataclass
class State:
    """What the repository on the server holds.

    tokens: permissions by token. asked: (method, path, body) of each request that was let through; refused:
    method and path of each that was not.
    """

    artifacts: Artifacts
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, Mapping[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def written(self) -> list[tuple[str, str, Any]]:
        """The requests that changed something."""
        return [each for each in self.asked if each[0] != "GET"]


def _artifacts(state: State, match: re.Match[str], query: dict[str, str], body: Any) -> Answer:
    found = [each for each in reversed(state.artifacts.all) if each.name == query["name"]]
    size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
    listed = [
        {
            "id": each.id,
            "name": each.name,
            "expired": each.expired,
            "created_at": each.created.isoformat(),
            "workflow_run": {
                "id": each.run,
                "repository_id": 1,
                "head_repository_id": 1 if state.runs[each.run]["head_repository"] == REPOSITORY else 2,
            },
        }
        for each in found[size * (page - 1) : size * page]
    ]
    return 200, {"total_count": len(found), "artifacts": listed}


def _run(state: State, match: re.Match[str], query: dict[str, str], body: Any) -> Answer:
    run = state.runs.get(int(match[1]))
    return (200, run) if run else (404, {"message": "Not Found"})


def _approvals(state: State, match: re.Match[str], query: dict[str, str], body: Any) -> Answer:
    return 200, state.reviews.get(int(match[1]), [])


def _list_comments(state: State, match: re.Match[str], query: dict[str, str], body: Any) -> Answer:
    return 200, [each for each in state.comments if each["issue"] == int(match[1])]


def _comment(state: State, match: re.Match[str], query: dict[str, str], body: Any) -> Answer:
    bot = {"login": "github-actions[bot]", "type": "Bot"}
    made = {"id": 900 + len(state.comments), "issue": int(match[1]), "user": bot, "body": body["body"]}
    state.comments.append(made)
    return 201, made


def _edit_comment(state: State, match: re.Match[str], query: dict[str, str], body: Any) -> Answer:
    (comment,) = [each for each in state.comments if each["id"] == int(match[1])]
    comment["body"] = body["body"]
    return 200, comment


def _list_issues(state: State, match: re.Match[str], query: dict[str, str], body: Any) -> Answer:
    return 200, [
        each for each in state.issues if each["state"] == query["state"] and query["labels"] in each["labels"]
    ]


def _open_issue(state: State, match: re.Match[str], query: dict[str, str], body: Any) -> Answer:
    made = {"number": 40 + len(state.issues), "state": "open", **body}
    state.issues.append(made)
    return 201, made


def _edit_issue(state: State, match: re.Match[str], query: dict[str, str], body: Any) -> Answer:
    (issue,) = [each for each in state.issues if each["number"] == int(match[1])]
    issue.update(body)
    return 200, issue


Handler = Callable[[State, re.Match[str], dict[str, str], Any], Answer]
# method, path below the repository, scopes of which one is needed, what answers
ROUTES: list[tuple[str, str, tuple[str, ...], Handler]] = [
    ("GET", r"/actions/artifacts", ("actions",), _artifacts),
    ("GET", r"/actions/runs/(\d+)", ("actions",), _run),
    ("GET", r"/actions/runs/(\d+)/approvals", ("actions",), _approvals),
    ("GET", r"/issues/(\d+)/comments", ISSUE_OR_PULL, _list_comments),
    ("POST", r"/issues/(\d+)/comments", ISSUE_OR_PULL, _comment),
    ("PATCH", r"/issues/comments/(\d+)", ISSUE_OR_PULL, _edit_comment),
    ("GET", r"/issues", ("issues",), _list_issues),
    ("POST", r"/issues", ("issues",), _open_issue),
    ("PATCH", r"/issues/(\d+)", ("issues",), _edit_issue),
]


def answer(state: State, method: str, url: str, token: str, body: Any) -> Answer:
    """Status and content of the answer to a request; 403 where the token's permissions do not reach."""
    parts = urlsplit(url)
    path = parts.path.removeprefix(f"/repos/{REPOSITORY}")
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    for verb, pattern, scopes, handler in ROUTES:
        match = re.fullmatch(pattern, path)
        if verb != method or match is None:
            continue
        enough = ("write",) if method != "GET" else ("read", "write")
        if not any(state.tokens.get(token, {}).get(scope) in enough for scope in scopes):
            state.refused.append((method, path))
            return 403, {"message": "Resource not accessible by integration"}
        state.asked.append((method, path, body))
        return handler(state, match, query, body)
    state.refused.append((method, path))
    return 404, {"message": f"the host runner knows no {method} {path}"}


class Server:
    """The API on a free port of loopback, for as long as the `with` block lasts."""

    def __init__(self, state: State) -> None:
        class Requests(BaseHTTPRequestHandler):
            def _do(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                token = (self.headers.get("Authorization") or "").removeprefix("token ")
                status, content = answer(state, self.command, self.path, token, body)
                reply = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            do_GET = do_POST = do_PATCH = _do

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing: what was asked is in the state."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Server":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
