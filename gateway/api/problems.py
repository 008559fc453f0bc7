"""Errors as problem details (RFC 9457), in Chinese and English."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog
from aiohttp import web

from energy.errors import EnergyError, StoreError, UnknownName
from gateway.api.words import TextWords
from gateway.wording.chinese import said

log = structlog.get_logger()

_TITLES = {
    400: TextWords("请求有误", "The request is wrong"),
    401: TextWords("请先登录", "Sign in first"),
    403: TextWords("不允许", "Not allowed"),
    404: TextWords("没有找到", "Not found"),
    405: TextWords("不支持此方法", "The method is not supported"),
    408: TextWords("请求未按时送达", "The request did not come in time"),
    409: TextWords("与已有内容冲突", "It contradicts what is there"),
    413: TextWords("请求过大", "The request is too large"),
    415: TextWords("内容类型不支持", "The content type is not supported"),
    429: TextWords("请求过于频繁，请稍后再试", "Too many requests; try again later"),
    500: TextWords("内部错误，已记录", "An internal error; it was logged"),
    503: TextWords("存储暂时不可用", "The store is not available"),
}


# What may come of a request beside its answer.
READING = (400, 401, 403, 404, 429, 500, 503)
WRITING = (400, 401, 403, 404, 408, 409, 413, 415, 429, 500, 503)


def title_of(status: int) -> str:
    """What a status means, in English."""
    return _TITLES[status].en


class Problem(msgspec.Struct, omit_defaults=True):
    """What went wrong: `status` and `title` by kind, `detail` for this case and `text` the same in both languages;
    `faults` where there are several."""

    type: str
    title: str
    status: int
    detail: str
    text: TextWords
    faults: list[TextWords] = []


class RequestError(EnergyError):
    """A request that cannot be answered as it is.

    `status` says of which kind, `text` what is wrong where the words of that kind are not enough; `kind` is told to
    programs.
    """

    def __init__(
        self,
        detail: str,
        status: int = 400,
        text: TextWords | None = None,
        *,
        kind: str = "about:blank",
        retry_after_s: int | None = None,
        faults: Sequence[TextWords] = (),
    ) -> None:
        super().__init__(detail)
        self.status, self.text, self.kind, self.retry_after_s = status, text, kind, retry_after_s
        self.faults = tuple(faults)


def problem_response(
    status: int,
    detail: str,
    text: TextWords | None = None,
    kind: str = "about:blank",
    retry_after_s: int | None = None,
    faults: Sequence[TextWords] = (),
) -> web.Response:
    title = _TITLES.get(status, TextWords("出错", "Error"))
    lines = [] if faults or text or "\n" not in detail else detail.split("\n")
    told = text or said(detail, f"{title.zh}：")
    problem = Problem(kind, title.en, status, detail, told, [*faults, *map(said, lines)])
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        body=msgspec.json.encode(problem),
        status=status,
        headers=headers,
        content_type="application/problem+json",
        charset="utf-8",
    )


@web.middleware
async def problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every error of a handler as a problem."""
    try:
        return await handler(request)
    except RequestError as error:
        told = error.status, str(error), error.text, error.kind, error.retry_after_s
        return problem_response(*told, error.faults)
    except UnknownName as error:
        return problem_response(404, str(error))
    except StoreError as error:
        log.error("store.failed", path=request.path, cause=str(error))
        return problem_response(503, str(error))
    except EnergyError as error:
        return problem_response(400, str(error))
    except web.HTTPException as error:
        if error.status < 400 or error.content_type == "application/problem+json":
            raise
        answer = problem_response(error.status, error.reason)
        if (allowed := error.headers.get("Allow")) is not None:
            answer.headers["Allow"] = allowed
        return answer
    except Exception:
        log.exception("request.failed", path=request.path)
        return problem_response(500, "see the log of the gateway")
